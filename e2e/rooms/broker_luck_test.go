package rooms_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
)

var receipts = regexp.MustCompile(`/signout/[A-Za-z0-9_-]+`)

// What can be the matter with a provider: who comes from there is told in a sentence, who signs in otherwise notices nothing, and who signs
// out is out, whatever is owed there.
func TestBroker_BadLuck(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) bool {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
		return true
	}
	noClient := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" && r.URL.Path != "/revoke" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"invalid_client"}`)
		return true
	}
	for name, c := range map[string]struct {
		befall func(*brokered)
		in     bool
		owed   bool
	}{
		"down":           {func(b *brokered) { b.op.CloseClientConnections(); b.op.Close() }, false, true},
		"slow":           {func(b *brokered) { b.op.Set(func() { b.op.Answers = hang }) }, false, true},
		"revoked client": {func(b *brokered) { b.op.Set(func() { b.op.Answers = noClient }) }, false, true},
		"clock behind": {func(b *brokered) {
			b.op.Set(func() {
				b.op.Claims = func(c map[string]any) {
					c["iat"], c["exp"] = time.Now().Add(-time.Hour).Unix(), time.Now().Add(-55*time.Minute).Unix()
				}
			})
		}, false, false},
		"clock ahead": {func(b *brokered) {
			b.op.Set(func() {
				b.op.Claims = func(c map[string]any) {
					c["iat"], c["exp"] = time.Now().Add(time.Hour).Unix(), time.Now().Add(65*time.Minute).Unix()
				}
			})
		}, true, false},
		"changed keys": {func(b *brokered) { b.op.Turn("k2") }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t)
			alice := b.linked()
			in := b.person()
			back := in.there(in.button("/login", "hub")).location
			c.befall(b)
			if name == "changed keys" { // it waits for them: they may not be asked for more than once in two seconds
				if a := b.tell(b.op.LogoutToken(map[string]any{"sub": "bob-at-op", "sid": "sid-bob"})); a.status != http.StatusOK {
					t.Error(a.status)
				}
			}
			if a := in.get(back); c.in != (in.user() == "alice") || !c.in && (a.status != http.StatusBadGateway || !strings.Contains(a.body, "The sign-in with Hub did not work")) {
				t.Errorf("through the provider: %d %s", a.status, a.body)
			}
			other := b.person()
			if other.signIn("/login", "alice", alicePW); other.user() != "alice" {
				t.Error("the password does not work")
			}
			if a := alice.post("/account/providers/unlink", fields(alice.get("/account/providers").body)); a.location != "/account/providers?done=unlinked" {
				t.Errorf("unlink: %d %s", a.status, a.body)
			}
			if c.owed { // the person sees it, too
				until(t, "the receipt says what is owed", func() bool {
					for _, at := range receipts.FindAllString(alice.get("/account/activity").body, -1) {
						if strings.Contains(alice.get(at).body, "Hub has not yet confirmed that it ended the access that this site had") {
							return true
						}
					}
					return false
				})
			}
			if a := alice.post("/account/signout", fields(alice.get("/account").body)); a.status >= 400 || alice.user() != "" {
				t.Errorf("sign-out: %d %s", a.status, a.body)
			}
			if c.owed {
				until(t, "the failure is written", func() bool {
					all := b.revocations()
					return len(all) == 1 && all[0].Error != "" && all[0].State == idp.Owed
				})
			} else {
				b.revoked(1)
			}
		})
	}
}

// A certificate that is not the provider's: nobody is sent there, no token is shown, and what is owed stays owed.
func TestBroker_WrongCertificate(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	had := startBroker(t, func(c *config.Config) { c.Providers[0].Provider.Endpoints.Revoke = s.URL + "/revoke" })
	alice := had.linked()
	if a := alice.post("/account/providers/unlink", fields(alice.get("/account/providers").body)); a.location != "/account/providers?done=unlinked" {
		t.Errorf("unlink: %d %s", a.status, a.body)
	}
	until(t, "the failure is written", func() bool {
		all := had.revocations()
		return len(all) == 1 && all[0].Error == "no answer" && all[0].State == idp.Owed && all[0].Tokens != nil
	})
	b := startBroker(t, func(c *config.Config) { c.Providers[0].Provider.Issuer = s.URL })
	p := b.person()
	if a := p.button("/login", "hub"); a.status != http.StatusBadGateway || !strings.Contains(a.body, "Hub does not answer") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if p.signIn("/login", "alice", alicePW); p.user() != "alice" {
		t.Error("the password does not work")
	}
}

// Strangers' logout tokens with made-up keys hold a few requests, and have the provider asked once; what it signed itself gets through
// meanwhile.
func TestBroker_FloodOfUnknownKeys(t *testing.T) {
	b := startBroker(t)
	b.linked()
	in := b.person()
	in.through("/login", "hub")
	stranger, err := jws.Generate("made-up", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := stranger.Sign("logout+jwt", []byte(`{"sid":"sid-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	release := make(chan struct{})
	b.op.Set(func() {
		b.op.Answers = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/jwks" {
				asked.Add(1)
				<-release
			}
			return false
		}
	})
	const seats, more = 64, 40
	answers := make(chan answer)
	for range seats + more {
		go func() { answers <- b.tell(raw) }()
	}
	for range more { // at once, while the others wait
		if a := <-answers; a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			t.Error(a.status)
		}
	}
	if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusOK || in.user() != "" {
		t.Errorf("a good one: %d %s", a.status, a.body)
	}
	if asked.Load() > 1 {
		t.Error("asked for keys", asked.Load(), "times")
	}
	close(release)
	for range seats {
		if a := <-answers; a.status != http.StatusBadRequest && a.status != http.StatusServiceUnavailable {
			t.Error(a.status)
		}
	}
}

// Signing out waits for no provider: with one that has never answered, page and receipt are there within a second, and say what is owed.
func TestBroker_SignOutWithinASecond(t *testing.T) {
	b := startBroker(t)
	b.linked()
	var took []time.Duration
	for range 5 { // the machine may be busy elsewhere
		p := b.person()
		p.through("/login", "hub")
		form := fields(p.get("/account").body)
		release := make(chan struct{})
		b.op.Set(func() {
			b.op.Answers = func(http.ResponseWriter, *http.Request) bool { <-release; return true }
		})
		start := time.Now()
		a := p.post("/account/signout", form)
		page := p.get(a.location)
		p.post(a.location+"/providers/hub/revoke", fields(page.body))
		owed := p.get(a.location)
		took = append(took, time.Since(start))
		if p.user() != "" || !strings.Contains(owed.body, "Hub has not yet confirmed that it ended the access that this site had") {
			t.Errorf("%d %s", owed.status, owed.body)
		}
		close(release)
		b.op.Set(func() { b.op.Answers = nil })
		if took[len(took)-1] < time.Second {
			return
		}
	}
	t.Error("took", took)
}
