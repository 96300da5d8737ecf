package rooms_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Behind a provider a second factor is asked for as behind a password, unless the operator trusts the provider for it; and what the provider
// ends is ended, whether or not a second factor came between.
func TestBroker_SecondFactor(t *testing.T) {
	for _, trust := range []bool{false, true} {
		b := startBroker(t, func(c *config.Config) { c.Providers[0].TrustMFA = trust })
		phone := b.linked().setUp()
		p := b.person()
		a := p.through(p.get(b.authorizeURL("books")).location, "hub")
		if trust {
			if p.user() != "alice" {
				t.Errorf("trusted, and asked: %d %q", a.status, a.location)
			}
		} else {
			if p.user() != "" || !strings.Contains(a.location, "step=") {
				t.Fatalf("not asked: %d %q, signed in as %q", a.status, a.location, p.user())
			}
			phone.later()
			if a = p.second(a.location, phone.code()); p.user() != "alice" {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		p.redeem("books", p.follow(a))
		if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusOK || p.user() != "" {
			t.Errorf("trusted: %t: the provider's sign-out ends nothing: %d", trust, a.status)
		}
	}
}

// The provider's sign-out overtakes a sign-in that waits for its second factor.
func TestBroker_SecondFactorOvertaken(t *testing.T) {
	b := startBroker(t)
	phone := b.linked().setUp()
	p := b.person()
	a := p.through("/login", "hub")
	if x := b.tell(b.op.LogoutToken(nil)); x.status != http.StatusOK {
		t.Fatal(x.status)
	}
	phone.later()
	if p.second(a.location, phone.code()); p.user() != "" {
		t.Error("signed in by what the provider has ended")
	}
}

type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }

func (s *shared) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// No token, code, state, cookie or mail address is in the log, whatever goes wrong.
func TestBroker_LogsNothing(t *testing.T) {
	var said shared
	b := startBroker(t)
	b.stop()
	b.log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, address, _ := strings.Cut(b.at, "://")
	b.run(b.listen(address))
	p := b.linked()
	in := b.person()
	in.through("/login", "hub")
	answer := b.person().there(b.person().button("/login", "hub")).location
	b.person().get(answer)
	bad := b.op.LogoutToken(map[string]any{"aud": "somebody"})
	good := b.op.LogoutToken(nil)
	b.tell(bad)
	b.tell(good)
	b.op.Set(func() {
		b.op.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" || r.URL.Path == "/revoke" {
				w.WriteHeader(http.StatusBadRequest)
				w.Write([]byte(`{"error":"access_denied","error_description":"mail@alice.example code-secret"}`))
				return true
			}
			return false
		}
	})
	in.through("/login", "hub")
	p.post("/account/providers/unlink", fields(p.get("/account/providers").body))
	until(t, "the duty is settled", func() bool { return strings.Contains(said.String(), "msg=revocation") })
	text := said.String()
	if !strings.Contains(text, "the answer was refused") || !strings.Contains(text, "a logout token was refused") {
		t.Errorf("the log does not say what went wrong: %s", text)
	}
	for _, secret := range []string{"code-secret", "access-secret", "refresh-secret", "site-secret", "mail@", "?state", bad, good, "eyJ", in.cookie("exeunt-browser"), p.cookie("exeunt")} {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// A provider that does not say when it has asked proves nothing where a proof is wanted: a session there, of whoever sat at this browser
// last, would do for a step-up, or for an app that wants a fresh sign-in.
func TestBroker_SilentProvider(t *testing.T) {
	b := startBroker(t)
	b.linked()
	b.op.Set(func() { b.op.Silent = true })
	again := "/login?again=/account/providers"
	stale := func(p *person) bool {
		return strings.Contains(p.get("/account/providers").body, "Confirm that it is you")
	}

	p := b.person()
	if p.through("/login", "hub"); p.user() != "alice" || !stale(p) {
		t.Error("a plain sign-in, of somebody who has a password, counts as recent")
	}
	a := p.through(again, "hub")
	if q := b.op.Asked[len(b.op.Asked)-1]; q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("the provider is not asked for a proof: %v", q)
	}
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "Hub did not say that it has asked you") || !stale(p) || p.user() != "alice" {
		t.Errorf("a step-up: %d %s", a.status, a.body)
	}
	if a := p.through(p.get(b.authorizeURL("books", "max_age", "300")).location, "hub"); a.status != http.StatusForbidden {
		t.Errorf("an app's max_age: %d %q", a.status, a.location)
	}
	p.signIn(again, "alice", alicePW)
	if stale(p) {
		t.Error("the password does not make it recent")
	}
	b.op.Set(func() { b.op.Silent = false })
	if other := b.person(); other.through("/login", "hub").status >= 400 || stale(other) {
		t.Error("a provider that says when it has asked makes none")
	}

	// Who has no other way in: signing up and in are all that there is; a step-up is more, and is not had by them.
	b.op.Set(func() { b.op.Silent, b.op.Sub = true, "carol-at-op" })
	carol := b.person()
	if b.newcomer(carol, "carol"); carol.user() != "carol" || stale(carol) {
		t.Error("who has just signed up cannot add another way in")
	}
	if a := carol.post("/login/hub", with(fields(carol.get("/account/providers").body), "again", "/account/providers")); carol.get(carol.there(a).location).status != http.StatusForbidden {
		t.Error("a step-up by silence")
	}
}

// A lock that has opened by itself is open for who comes through a provider, too, whether or not the sweep has been by.
func TestBroker_LockIsOver(t *testing.T) {
	b := startBroker(t)
	b.linked()
	who := b.identities("alice")[0].Account
	now, err := b.server.Store.Now()
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.server.Door().End(t.Context(), idp.EndAccount(who, idp.AccountLocked), idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")})
	put := func(opens idp.Time) {
		t.Helper()
		err := b.server.Store.Update(t.Context(), func(tx idp.Tx) error {
			l, err := tx.Lock(who)
			if errors.Is(err, idp.ErrNotFound) {
				l, err = idp.Lock{Account: who, ID: ledger.NewName(), At: now}, nil
			}
			l.Kind, l.OpensAt = idp.LockDevice, opens
			return errors.Join(err, tx.PutLock(l))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	put(now + 3_600_000)
	p := b.person()
	if a := p.through("/login", "hub"); a.status != http.StatusForbidden || p.user() != "" {
		t.Errorf("locked: %d %s", a.status, a.body)
	}
	put(now)
	if a := p.through("/login", "hub"); p.user() != "alice" {
		t.Errorf("its lock is over: %d %s", a.status, a.body)
	}
}

// Nor does what a provider says of an older proof make the time of such a sign-in one of a proof.
func TestBroker_SilenceIsNoProof(t *testing.T) {
	b := startBroker(t)
	b.linked()
	b.op.Set(func() { b.op.Silent = true })
	p := b.person()
	p.through("/login", "hub")
	b.op.Set(func() {
		b.op.Silent = false
		b.op.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	})
	if !strings.Contains(p.get("/account/providers").body, "Confirm that it is you") {
		t.Fatal("silence is a proof")
	}
	if a := p.get(p.there(p.post("/login/hub", url.Values{"csrf": {p.csrf()}})).location); a.status != http.StatusSeeOther || p.user() != "alice" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if !strings.Contains(p.get("/account/providers").body, "Confirm that it is you") {
		t.Error("two sign-ins, neither of them proved lately, are a recent one together")
	}
}
