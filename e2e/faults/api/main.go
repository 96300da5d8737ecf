// Command api is APIs behind real guards, in a process of their own: they try tokens all the time and remember what became of it.
// Times are readings of CLOCK_MONOTONIC, which is one for all processes of a machine. A test talks to it over HTTP, see [Order].
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/guard"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	p := &process{apis: map[string]*api{}}
	go p.lag()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{id}", p.start)
	mux.HandleFunc("DELETE /{id}", p.stop)
	mux.HandleFunc("GET /{id}/ready", p.ready)
	mux.HandleFunc("POST /{id}/try", p.try)
	mux.HandleFunc("POST /{id}/burst", p.burst)
	mux.HandleFunc("GET /{id}/seen", p.seen)
	fmt.Fprintln(os.Stderr, http.Serve(l, mux))
}

type process struct {
	mu   sync.Mutex
	apis map[string]*api
	late atomic.Int64
}

// lag watches how late timers are: a machine that has much to do lets this process wait.
func (p *process) lag() {
	const step = 5 * time.Millisecond
	for {
		begun := talk.Now()
		time.Sleep(step)
		p.late.Store(max(p.late.Load(), int64(talk.Now()-begun-step)))
	}
}

// api is one guard and the tokens that are tried at it.
type api struct {
	g       *guard.Guard
	handler http.Handler
	ctx     context.Context
	cancel  context.CancelFunc
	over    chan struct{}
	mu      sync.Mutex
	trials  map[string]*trial
	trouble map[string]int
}

func (p *process) of(r *http.Request) *api {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.apis[r.PathValue("id")]
}

func fail(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func (p *process) start(w http.ResponseWriter, r *http.Request) {
	var o talk.Order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		fail(w, err)
		return
	}
	a := &api{trials: map[string]*trial{}, trouble: map[string]int{}, over: make(chan struct{})}
	g, err := guard.New(o.Issuer, guard.Feeds(o.Feeds...), guard.Audience(o.Audience), guard.Credentials(o.Client, o.Secret),
		guard.MaxStaleness(o.Staleness), guard.Observe(a.observe))
	if err != nil {
		fail(w, err)
		return
	}
	a.g, a.handler = g, g.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) }))
	a.ctx, a.cancel = context.WithCancel(context.Background())
	go func() { g.Run(a.ctx); close(a.over) }()
	p.mu.Lock()
	p.apis[r.PathValue("id")] = a
	p.mu.Unlock()
}

func (a *api) observe(e guard.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trouble[string(e.Kind)]++
	if e.Err != nil {
		a.trouble[e.Err.Error()]++
	}
}

func (p *process) stop(w http.ResponseWriter, r *http.Request) {
	a := p.of(r)
	a.cancel()
	<-a.over
	p.mu.Lock()
	delete(p.apis, r.PathValue("id"))
	p.mu.Unlock()
}

func (p *process) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Minute)
	defer cancel()
	if err := p.of(r).g.Ready(ctx); err != nil {
		fail(w, err)
	}
}

// try begins to try tokens, each every two milliseconds, or after another pause, and a pause of 0 is all the time.
func (p *process) try(w http.ResponseWriter, r *http.Request) {
	var tokens map[string]string
	if err := json.NewDecoder(r.Body).Decode(&tokens); err != nil {
		fail(w, err)
		return
	}
	pause := 2 * time.Millisecond
	if text := r.URL.Query().Get("pause"); text != "" {
		var err error
		if pause, err = time.ParseDuration(text); err != nil {
			fail(w, err)
			return
		}
	}
	a := p.of(r)
	for name, raw := range tokens {
		t := newTrial(a, raw)
		a.mu.Lock()
		a.trials[name] = t
		a.mu.Unlock()
		go t.check(pause)
		go t.stream()
	}
}

// burst brings one token n times at once.
func (p *process) burst(w http.ResponseWriter, r *http.Request) {
	var raw string
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err == nil {
		err = json.NewDecoder(r.Body).Decode(&raw)
	}
	if err != nil {
		fail(w, err)
		return
	}
	a := p.of(r)
	t := newTrial(a, raw)
	var all sync.WaitGroup
	go1 := make(chan struct{})
	for range n {
		all.Go(func() {
			<-go1
			t.once()
		})
	}
	close(go1)
	all.Wait()
	json.NewEncoder(w).Encode(t.report())
}

func (p *process) seen(w http.ResponseWriter, r *http.Request) {
	a := p.of(r)
	out := talk.Report{Tokens: map[string]talk.Token{}, Events: map[string]int{}, Late: time.Duration(p.late.Load())}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, t := range a.trials {
		out.Tokens[name] = t.report()
	}
	for what, n := range a.trouble {
		out.Events[what] = n
	}
	json.NewEncoder(w).Encode(out)
}
