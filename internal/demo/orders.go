package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// orders is the API. All that it knows of Exeunt is what package guard does.
type orders struct {
	http.Handler
	guard *guard.Guard

	mu    sync.Mutex
	seen  map[holder]shown
	ever  bool                 // a token was shown
	known map[uint64]time.Time // when an ending of this number took effect here
}

// holder is one sign-in of an app.
type holder struct{ client, sid, subject string }

// shown is the newest token that a holder has shown here, for the start page.
type shown struct {
	holder
	raw     string
	expires time.Time
	refused error
}

func (d *Demo) newOrders(ctx context.Context) (*orders, error) {
	c := idp.Client{ID: "orders", Kind: idp.KindAPI, Name: "Orders", AuthMethod: idp.AuthBasic, Audiences: []string{d.Info.API}}
	secret, err := d.client(ctx, c)
	if err != nil {
		return nil, err
	}
	o := &orders{seen: map[holder]shown{}, known: map[uint64]time.Time{}}
	if o.guard, err = guard.New(d.Info.Issuer, guard.Audience(d.Info.API), guard.Credentials("orders", secret), guard.Observe(o.heard)); err != nil {
		return nil, err
	}
	list := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, _ := guard.FromContext(r.Context())
		o.note(t, r)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"sub": t.Subject(), "orders": []string{"a teapot", "two cups"}})
	})
	mux := http.NewServeMux()
	mux.Handle("GET /", o.guard.Require()(list))
	// The single-page app is of another origin: it may read the answers, a refusal too.
	o.Handler = edge.CORS(mux, func(origin string, _ *http.Request) bool { return origin == d.Info.SinglePage })
	return o, nil
}

const mostSeen = 200 // tokens, and endings

func (o *orders) note(t *guard.Token, r *http.Request) {
	_, raw := edge.Authorization(r)
	x := shown{holder: holder{t.ClientID(), t.Session(), t.Subject()}, raw: raw, expires: t.Expires()}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.seen) >= mostSeen {
		clear(o.seen)
	}
	o.seen[x.holder], o.ever = x, true
}

// heard remembers when endings took effect.
func (o *orders) heard(e guard.Event) {
	if e.Kind != guard.Applied {
		return
	}
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.known) >= mostSeen {
		clear(o.known)
	}
	for i := range uint64(min(e.Entries, mostSeen)) {
		o.known[e.Number-i] = now
	}
}

// knew says how long after an ending's commit it took effect here.
func (o *orders) knew(number uint64, ended time.Time) (time.Duration, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, ok := o.known[number]
	return max(at.Sub(ended), 0), ok
}

// tokens lists those that were shown and have not expired, and whether each is admitted now. ever says that some were shown.
func (o *orders) tokens() (out []shown, ever bool) {
	o.mu.Lock()
	ever = o.ever
	for k, x := range o.seen {
		if time.Now().After(x.expires) {
			delete(o.seen, k)
			continue
		}
		out = append(out, x)
	}
	o.mu.Unlock()
	slices.SortFunc(out, func(a, b shown) int { return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.sid, b.sid)) })
	for i := range out {
		// What is bound to a key is looked at without its proof here: all else was found good then.
		_, out[i].refused = o.guard.Check(out[i].raw)
		if errors.Is(out[i].refused, guard.ErrBound) {
			out[i].refused = nil
		}
	}
	return out, ever
}
