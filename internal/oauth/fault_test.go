package oauth_test

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
	"exeunt.dev/internal/token"
)

// faults is the real store with faults at writes, in both polarities, or at a read.
type faults struct {
	idp.Store
	mu    sync.Mutex
	plan  string       // how the next writes end, a letter each: f, the write fails; l, it is there and the answer is lost
	reads atomic.Int32 // how many reads go well; negative: all
}

// next plans the writes to come; after them all go well.
func (f *faults) next(plan string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = plan
}

func (f *faults) failing(do func() error) error {
	f.mu.Lock()
	fault := ""
	if f.plan != "" {
		fault, f.plan = f.plan[:1], f.plan[1:]
	}
	f.mu.Unlock()
	if fault == "f" {
		return fmt.Errorf("%w: no space left", idp.ErrUnavailable)
	}
	if err := do(); err != nil || fault == "" {
		return err
	}
	return fmt.Errorf("%w: connection lost", idp.ErrUnknown)
}

func (f *faults) Update(ctx context.Context, do func(idp.Tx) error) error {
	return f.failing(func() error { return f.Store.Update(ctx, do) })
}

func (f *faults) Join(ctx context.Context, asks idp.Foresight, do func(idp.Tx) error) error {
	return f.failing(func() error { return f.Store.Join(ctx, asks, do) })
}

func (f *faults) Decide(ctx context.Context, look func(idp.View) (*idp.Foresight, error), do func(idp.Tx) error) error {
	var asks *idp.Foresight
	if err := f.Look(ctx, func(v idp.View) (err error) { asks, err = look(v); return err }); err != nil || asks == nil {
		return err
	}
	return f.Join(ctx, *asks, do)
}

func (f *faults) View(ctx context.Context, do func(idp.View) error) error {
	if err := f.reading(); err != nil {
		return err
	}
	return f.Store.View(ctx, do)
}

func (f *faults) Look(ctx context.Context, do func(idp.View) error) error {
	if err := f.reading(); err != nil {
		return err
	}
	return f.Store.Look(ctx, do)
}

func (f *faults) reading() error {
	if f.reads.Load() >= 0 && f.reads.Add(-1) < 0 {
		f.reads.Store(0)
		return fmt.Errorf("%w: connection lost", idp.ErrUnavailable)
	}
	return nil
}

func startFaulty(t *testing.T) (*node, *faults) {
	f := &faults{}
	f.reads.Store(-1)
	n := start(t, func(o *oauth.OAuth) {
		f.Store = o.Store
		o.Store, o.Door = f, door.New(f, nil)
	})
	return n, f
}

// 200 means that the token is over, whatever happens at the write: failed, or done with its answer lost, once or for good.
// 503 means that the token must be taken for alive, and the same request later gets 200. Global revocation likewise.
func TestRevoke_WriteFails(t *testing.T) {
	n, f := startFaulty(t)
	bearer := n.watcher()
	for what, revoke := range map[string]func(tokens) (answer, string){
		"refresh token": func(g tokens) (answer, string) {
			return n.as("books", "/oauth2/revoke", url.Values{"token": {g.Refresh}}), g.Access
		},
		"access token": func(g tokens) (answer, string) {
			return n.as("books", "/oauth2/revoke", url.Values{"token": {g.Access}}), g.Access
		},
		"everything": func(g tokens) (answer, string) { return n.endAll(bearer, opaque(n.people["alice"])), g.Access },
	} {
		for name, c := range map[string]struct {
			plan   string
			status int
			over   bool
		}{
			"fails":                 {"f", 503, false},
			"answer lost once":      {"l", 200, true},
			"answer lost each time": {"lllll", 503, true},
			"lost, then fails":      {"lf", 503, true},
		} {
			g := n.signedIn("alice").enter("books")
			f.next(c.plan)
			a, access := revoke(g)
			f.next("")
			if a.status/100 != c.status/100 || (c.status == 503 && (a.status != 503 || a.header.Get("Retry-After") == "" || a.code() != "temporarily_unavailable")) {
				t.Errorf("%s, %s: %d %s", what, name, a.status, a.body)
			}
			if over := n.userInfo(access).status == 401; over != c.over {
				t.Errorf("%s, %s: over is %t", what, name, over)
			}
			if a, access := revoke(g); a.status/100 != 2 || n.userInfo(access).status != 401 {
				t.Errorf("%s, %s, asked again: %d", what, name, a.status)
			}
		}
	}
}

// A store that cannot be read: 503, for a token that is there and for one that is not.
func TestRevokeAndIntrospect_StoreLost(t *testing.T) {
	n, f := startFaulty(t)
	g := n.signedIn("alice").enter("books")
	for _, raw := range []string{g.Refresh, n.signedIn("bob").enter("spa").Refresh, token.NewRefresh().String()} {
		for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke"} {
			f.reads.Store(0)
			a := n.as("books", path, url.Values{"token": {raw}})
			f.reads.Store(-1)
			expect(t, path, a, 503, "temporarily_unavailable")
		}
	}
	if n.introspect("books", g.Refresh).json(t)["active"] != true {
		t.Error("a 503 has ended it")
	}
}

// While nothing can be written, a stranger sees no difference between another client's token and none.
func TestRevoke_WriteFailsForStrangers(t *testing.T) {
	n, f := startFaulty(t)
	g := n.signedIn("alice").enter("books")
	f.next("ffffffff")
	for name, raw := range map[string]string{"access": g.Access, "refresh": g.Refresh, "none": "nonsense"} {
		if a := n.as("third", "/oauth2/revoke", url.Values{"token": {raw}}); a.status != 200 || a.body != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	expect(t, "the owner", n.as("books", "/oauth2/revoke", url.Values{"token": {g.Refresh}}), 503, "temporarily_unavailable")
}
