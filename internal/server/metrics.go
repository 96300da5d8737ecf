package server

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"exeunt.dev/internal/feed"
	"exeunt.dev/internal/idp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are for operators. Labels are routes and numbers, never what a caller chose.
type metrics struct {
	http.Handler
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	mails    *prometheus.CounterVec
}

func newMetrics(store idp.Store, f *feed.Feed) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "exeunt_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}}, []string{"route"}),
	}
	m.attempts = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_delivery_attempts_total", Help: "Attempts to tell an app of a sign-out, by app and what came of it."}, []string{"client", "state"})
	m.mails = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_mail_attempts_total", Help: "Attempts to send a letter, by what came of it: sent, delayed (it is tried again), given-up."}, []string{"state"})
	for _, state := range []string{"sent", "delayed", "given-up"} {
		m.mails.WithLabelValues(state) // so that the first one that is given up is seen to be one more
	}
	age := func(at idp.Time) float64 {
		if at == 0 {
			return 0
		}
		now, _ := store.Now()
		return float64(now-at) / 1000
	}
	// asks reads one number from the database when the metrics are read; NaN when it cannot be known.
	asks := func(read func(idp.View) (float64, error)) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			n := math.NaN()
			err := store.View(ctx, func(v idp.View) (err error) { n, err = read(v); return err })
			if err != nil {
				return math.NaN()
			}
			return n
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.took, m.attempts, m.mails, deliveries{store}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_guards_connected", Help: "Guards that follow this node."}, func() float64 { return float64(f.Readers()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "exeunt_endings_total", Help: "Endings in the ledger: its last number."},
			asks(func(v idp.View) (float64, error) { h, err := v.Head(); return float64(h.Number), err })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_fanouts_owed", Help: "Sign-outs for which it has not been worked out yet whom to tell."},
			asks(func(v idp.View) (float64, error) { n, err := v.Owed(); return float64(n), err })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_mails_waiting", Help: "Letters that are not sent yet."},
			asks(func(v idp.View) (float64, error) { n, _, err := v.Mails(); return float64(n), err })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_mail_oldest_seconds", Help: "Age of the oldest letter that is not sent yet; 0: there is none."},
			asks(func(v idp.View) (float64, error) { _, at, err := v.Mails(); return age(at), err })))
	m.Handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if route != "GET /ledger" { // it ends when the guard goes
		m.took.WithLabelValues(route).Observe(took.Seconds())
	}
}

func (m *metrics) delivered(c idp.ClientID, s idp.DeliveryState) {
	m.attempts.WithLabelValues(string(c), string(s)).Inc()
}

func (m *metrics) mailed(state string) { m.mails.WithLabelValues(state).Inc() }

// deliveries are counted in the database, when the metrics are read. Client ids are registered ones.
type deliveries struct{ store idp.Store }

var (
	deliveriesDesc = prometheus.NewDesc("exeunt_deliveries", "Deliveries that are owed, or that apps will not get any more, by app and state.", []string{"client", "state"}, nil)
	oldestDesc     = prometheus.NewDesc("exeunt_delivery_oldest_seconds", "Age of the oldest of them, by app and state.", []string{"client", "state"}, nil)
)

// Describe is prometheus.Collector's.
func (d deliveries) Describe(to chan<- *prometheus.Desc) { to <- deliveriesDesc; to <- oldestDesc }

// Collect is prometheus.Collector's.
func (d deliveries) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var counts []idp.Told
	if err := d.store.View(ctx, func(v idp.View) (err error) { counts, err = v.DeliveryCounts(); return err }); err != nil {
		return // no numbers are better than wrong ones
	}
	now, _ := d.store.Now()
	for _, c := range counts {
		to <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.GaugeValue, float64(c.Count), string(c.Client), string(c.State))
		to <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, float64(now-c.Since)/1000, string(c.Client), string(c.State))
	}
}
