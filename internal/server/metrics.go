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
}

func newMetrics(store idp.Store, f *feed.Feed) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "exeunt_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}}, []string{"route"}),
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
	registry.MustRegister(m.requests, m.took, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_guards_connected", Help: "Guards that follow this node."}, func() float64 { return float64(f.Readers()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "exeunt_endings_total", Help: "Endings in the ledger: its last number."},
			asks(func(v idp.View) (float64, error) { h, err := v.Head(); return float64(h.Number), err })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_owed", Help: "Sign-outs of which apps have not been told yet."},
			asks(func(v idp.View) (float64, error) { n, err := v.Owed(); return float64(n), err })))
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
