// Package guardprom shows a guard to Prometheus. It stands apart, so that package guard depends on nothing.
//
//	seen := guardprom.New()
//	g, err := guard.New(issuer, guard.Audience(api), guard.Credentials(id, secret), guard.Observe(seen.Observe))
//	seen.Follow(g)
//	prometheus.MustRegister(seen)
//
// What it shows:
//
//	exeunt_guard_lag_seconds          since the guard last knew everything; +Inf before the first time. Above max staleness it refuses.
//	exeunt_guard_ledger_number        the last entry known
//	exeunt_guard_endings              names held
//	exeunt_guard_tokens, _token_bytes verified tokens held, and what they take
//	exeunt_guard_applied_total        endings that have taken effect here
//	exeunt_guard_refused_total        requests refused, by reason (guard.Reason)
//	exeunt_guard_events_total         what happened otherwise, by kind (guard.EventKind)
//
// Labels are words of package guard, never what a caller chose.
package guardprom

import (
	"math"
	"sync/atomic"

	"exeunt.dev/guard"
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of one guard. It is a [prometheus.Collector].
type Metrics struct {
	guard   atomic.Pointer[guard.Guard]
	applied prometheus.Counter
	refused *prometheus.CounterVec
	events  *prometheus.CounterVec
	gauges  []gauge
}

type gauge struct {
	desc *prometheus.Desc
	of   func(guard.Status) float64
}

// New makes the metrics. Give Observe to the guard, and the guard to Follow.
func New() *Metrics {
	m := &Metrics{
		applied: prometheus.NewCounter(prometheus.CounterOpts{Name: "exeunt_guard_applied_total", Help: "Endings that have taken effect here."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_guard_refused_total", Help: "Requests refused, by reason."}, []string{"reason"}),
		events:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exeunt_guard_events_total", Help: "What happened to the guard, by kind."}, []string{"kind"}),
	}
	for _, g := range []struct {
		name, help string
		of         func(guard.Status) float64
	}{
		{"lag_seconds", "Time since the guard last knew everything; above its max staleness it refuses.", func(s guard.Status) float64 {
			if s.Age == math.MaxInt64 {
				return math.Inf(1)
			}
			return s.Age.Seconds()
		}},
		{"ledger_number", "The last entry of the ledger that is known.", func(s guard.Status) float64 { return float64(s.Number) }},
		{"endings", "Ended names held.", func(s guard.Status) float64 { return float64(s.Endings) }},
		{"tokens", "Verified tokens held.", func(s guard.Status) float64 { return float64(s.Tokens) }},
		{"token_bytes", "What the verified tokens take, about.", func(s guard.Status) float64 { return float64(s.Bytes) }},
	} {
		m.gauges = append(m.gauges, gauge{prometheus.NewDesc("exeunt_guard_"+g.name, g.help, nil, nil), g.of})
	}
	return m
}

// Follow says whose state is shown. Without it only what was observed is.
func (m *Metrics) Follow(g *guard.Guard) { m.guard.Store(g) }

// Observe counts an event; it is for guard.Observe, alone or called by a function of your own.
func (m *Metrics) Observe(e guard.Event) {
	switch e.Kind {
	case guard.Refused:
		m.refused.WithLabelValues(guard.Reason(e.Err)).Inc()
	case guard.Applied:
		m.applied.Add(float64(e.Entries))
	default:
		m.events.WithLabelValues(string(e.Kind)).Inc()
	}
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.applied.Describe(out)
	m.refused.Describe(out)
	m.events.Describe(out)
	for _, g := range m.gauges {
		out <- g.desc
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.applied.Collect(out)
	m.refused.Collect(out)
	m.events.Collect(out)
	g := m.guard.Load()
	if g == nil {
		return
	}
	s := g.Status()
	for _, one := range m.gauges {
		out <- prometheus.MustNewConstMetric(one.desc, prometheus.GaugeValue, one.of(s))
	}
}
