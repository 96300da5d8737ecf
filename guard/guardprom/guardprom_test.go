package guardprom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/guard"
	"exeunt.dev/guard/guardprom"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func TestMetrics(t *testing.T) {
	iss := exeunttest.New(t)
	seen := guardprom.New()
	heard := make(chan struct{}, 100)
	g, err := guard.New(iss.URL, guard.Audience(iss.Audience), guard.Credentials(iss.ID, iss.Secret), guard.Observe(func(e guard.Event) {
		seen.Observe(e)
		if e.Kind == guard.Applied && e.Entries > 0 {
			heard <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(seen)
	read := func() string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
	if strings.Contains(read(), "lag_seconds") {
		t.Error("the state of no guard is shown")
	}
	seen.Follow(g)
	if out := read(); !strings.Contains(out, "exeunt_guard_lag_seconds +Inf") {
		t.Error("a guard that has never known anything seems to know", out)
	}
	go g.Run(t.Context())
	if err := g.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	orders := g.Require("orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	get := func(authorization string) {
		r := httptest.NewRequest("GET", "/", nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		orders.ServeHTTP(httptest.NewRecorder(), r)
	}
	good, poor := iss.Token(exeunttest.Scope("orders:read")), iss.Token(exeunttest.Scope("openid"))
	get("Bearer " + good)
	get("Bearer " + poor)
	get("Bearer nonsense")
	get("")
	iss.EndToken(good)
	<-heard
	get("Bearer " + good)
	get("Bearer " + good)
	out := read()
	for _, want := range []string{
		`exeunt_guard_refused_total{reason="ended"} 2`, `exeunt_guard_refused_total{reason="invalid"} 1`, `exeunt_guard_refused_total{reason="missing"} 1`,
		`exeunt_guard_refused_total{reason="scope"} 1`, "exeunt_guard_applied_total 1", "exeunt_guard_endings 1", "exeunt_guard_tokens 2",
		`exeunt_guard_events_total{kind="fresh"} 1`, "exeunt_guard_ledger_number 1",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("not shown: %s\n%s", want, out)
		}
	}
	if strings.Contains(out, "+Inf") {
		t.Error("the lag is endless")
	}
}
