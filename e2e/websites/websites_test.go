package websites_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/rp"
)

func report(t *testing.T, a answer) map[rp.LayerKind]rp.Layer {
	t.Helper()
	var r rp.Report
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != http.StatusOK {
		t.Fatal(a, err)
	}
	out := map[rp.LayerKind]rp.Layer{}
	for _, y := range r.Layers {
		out[y.Kind] = y
	}
	return out
}

// The layers, one by one, against a real provider.
func TestLayers(t *testing.T) {
	x := newExeunt(t)
	books, news := x.site("books", 1), x.site("news", 1)
	p := newPerson(t)
	csrf := p.signIn(x, books)
	p.signIn(x, news) // by the SSO session, without a password

	// This website alone.
	if y := report(t, p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}}, "Accept", "application/json")); y[rp.LayerWebsite].State != rp.Done || y[rp.LayerProvider].State != rp.Open {
		t.Error(y)
	}
	if p.signedIn(books) || !p.signedIn(news) {
		t.Fatal("the website alone is left")
	}
	// After that the provider asks who.
	a := p.get(books.at + "/private/")
	if a.at.Path != "/auth/" {
		t.Error("sent to the provider unasked:", a.at)
	}
	if a := p.get(books.at + "/auth/login/exeunt"); !strings.HasPrefix(a.at.String(), x.at) || !strings.Contains(a.body, `name="password"`) {
		t.Error("the provider did not ask:", a)
	}

	// The consent: the tokens are dead at Exeunt, the session there lives.
	csrf = p.signIn(x, books)
	var refresh atomic.Value
	x.set(func(_ http.ResponseWriter, r *http.Request, body string) bool {
		if v, _ := url.ParseQuery(body); r.URL.Path == "/oauth2/revoke" {
			refresh.Store(v.Get("token"))
		}
		return false
	})
	y := report(t, p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}}, "Accept", "application/json"))
	if y[rp.LayerConsent].State != rp.Done || p.signedIn(books) || !p.signedIn(news) {
		t.Error(y)
	}
	tok, _ := refresh.Load().(string)
	if !strings.HasPrefix(tok, "exrt_") {
		t.Error("not the refresh token:", tok)
	}
	if status, body := books.refresh(x, tok); status != http.StatusBadRequest || !strings.Contains(body, "invalid_grant") {
		t.Error("a revoked token is exchanged:", status, body)
	}

	// The provider: Exeunt's session ends, and News is told.
	csrf = p.signIn(x, books)
	a = p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}, "provider": {"1"}})
	if a.at.Path != "/auth/logout/exeunt/return" || !strings.Contains(a.body, "Exeunt sent you back from its sign-out.") {
		t.Fatal(a)
	}
	p.gone(news)
	if a := p.get(x.at + "/session/"); strings.Contains(a.body, "username") {
		t.Error("still signed in at Exeunt")
	}
}

// Signing out at Exeunt ends the websites' sessions of this browser, and not those of another one.
func TestSignedOutByTheProvider(t *testing.T) {
	x := newExeunt(t)
	books := x.site("books", 1)
	p, phone := newPerson(t), newPerson(t)
	p.signIn(x, books)
	phone.signIn(x, books)
	if a := p.get(books.at + "/token"); a.status != http.StatusOK || strings.Count(a.body, ".") != 2 {
		t.Fatal(a)
	}
	p.leave(x)
	p.gone(books)
	if !phone.signedIn(books) {
		t.Error("another device was signed out")
	}
	if a := p.get(books.at + "/token"); a.status != http.StatusTeapot {
		t.Error(a)
	}
	p.signIn(x, books) // the next sign-in has another sid
	if !p.signedIn(books) {
		t.Error("a tombstone keeps a new sign-in out")
	}
}

// leave signs out at Exeunt, in this browser.
func (p *person) leave(x *exeunt) {
	p.t.Helper()
	f := fields(p.get(x.at + "/account").body)
	if a := p.send("POST", x.at+"/account/signout", url.Values{"csrf": {f.Get("csrf")}}); a.status != http.StatusOK {
		p.t.Fatal(a)
	}
}

// Three replicas behind a round-robin proxy; one is killed in the middle of whatever is under way.
func TestThreeReplicasOneKilled(t *testing.T) {
	t.Run("sign-in", func(t *testing.T) {
		x := newExeunt(t)
		books := x.site("books", 3)
		p := newPerson(t)
		a := p.get(books.at + "/auth/login/exeunt?return=/private/") // now at Exeunt's sign-in page
		books.kill("/auth/login/exeunt")
		if a = p.prove(x, a); !strings.Contains(a.body, "name=Alice") {
			t.Fatal(a)
		}
		seen := map[string]bool{}
		for range 6 {
			a := p.get(books.at + "/private/")
			if a.status != http.StatusOK {
				t.Fatal(a)
			}
			seen[a.body[strings.Index(a.body, "pid="):]] = true
		}
		if len(seen) != 2 {
			t.Error("replicas that answered:", seen)
		}
	})
	t.Run("logout token", func(t *testing.T) {
		x := newExeunt(t)
		books := x.site("books", 3)
		p := newPerson(t)
		p.signIn(x, books)
		var once atomic.Bool
		books.before = func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/backchannel") && once.CompareAndSwap(false, true) {
				books.mu.Lock()
				next := books.replicas[books.next%3]
				books.mu.Unlock()
				next.kill() // the one that would have got it
			}
		}
		p.leave(x)
		p.gone(books)
		if !once.Load() {
			t.Error("nobody was told")
		}
	})
	t.Run("logout token lost", func(t *testing.T) {
		x := newExeunt(t)
		books := x.site("books", 3)
		p := newPerson(t)
		p.signIn(x, books)
		// The replica dies with the token in hand: it was asking Exeunt for keys. Exeunt tells again.
		books.kill("/auth/callback/exeunt") // it would not ask, and so the two that have no keys are left
		var once atomic.Bool
		x.set(func(_ http.ResponseWriter, r *http.Request, _ string) bool {
			if r.URL.Path == "/.well-known/jwks.json" && once.CompareAndSwap(false, true) {
				books.kill("/auth/logout/exeunt/backchannel")
			}
			return false
		})
		p.leave(x)
		p.gone(books)
		if !once.Load() {
			t.Error("no replica was killed")
		}
	})
	t.Run("revocation", func(t *testing.T) {
		x := newExeunt(t)
		books := x.site("books", 3)
		p := newPerson(t)
		csrf := p.signIn(x, books)
		hung, token := make(chan struct{}), make(chan string, 1)
		var calls atomic.Int32
		x.set(func(_ http.ResponseWriter, r *http.Request, body string) bool {
			if r.URL.Path != "/oauth2/revoke" {
				return false
			}
			if calls.Add(1) == 1 {
				close(hung)
				<-r.Context().Done()
				return true
			}
			v, _ := url.ParseQuery(body)
			token <- v.Get("token")
			return false
		})
		y := report(t, p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}}, "Accept", "application/json"))
		if y[rp.LayerConsent].State != rp.Queued {
			t.Error(y)
		}
		<-hung
		books.kill("/auth/signout") // with the duty in hand
		select {
		case tok := <-token:
			if !strings.HasPrefix(tok, "exrt_") {
				t.Error("not the refresh token")
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("what the dead replica owed is forgotten")
		}
		if p.signedIn(books) {
			t.Error("still signed in")
		}
	})
}
