package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"exeunt.dev/internal/feed"
	"exeunt.dev/internal/idp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(store idp.Store, f *feed.Feed) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "exeunt_request_seconds", Help: "Time that requests took, by route and status.", Buckets: []float64{.001, .005, .02, .1, .5, 2},
	}, []string{"route", "status"})}
	read := func(what func(idp.View) (float64, error)) func() float64 {
		return func() (n float64) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if store.View(ctx, func(v idp.View) (err error) { n, err = what(v); return err }) != nil {
				return -1
			}
			return n
		}
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "exeunt_endings_total", Help: "Endings in the ledger."}, read(func(v idp.View) (float64, error) {
			h, err := v.Head()
			return float64(h.Number), err
		})),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_owed", Help: "Sign-outs whose apps have not all been told."}, read(func(v idp.View) (float64, error) {
			n, err := v.Owed()
			return float64(n), err
		})),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "exeunt_guards", Help: "Guards that hold the tail of the ledger open."}, func() float64 { return float64(f.Readers()) }),
	)
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
