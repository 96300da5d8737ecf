package rooms_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/config"
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
