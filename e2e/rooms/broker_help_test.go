package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream/optest"
)

// brokered is a node through which people sign in at an OpenID Provider, and perhaps at others.
type brokered struct {
	*node
	op *optest.OP
}

func startBroker(t *testing.T, change ...func(*config.Config)) *brokered {
	t.Helper()
	op := optest.New(t)
	b := &brokered{op: op}
	p := op.Provider()
	p.Title = "Hub"
	b.node = start(t, append([]func(*config.Config){func(c *config.Config) {
		c.Providers = []config.Provider{{ID: "hub", Kind: "oidc", Provider: p, SignUp: true, FrontChannel: true}}
	}}, change...)...)
	return b
}

// button presses "Continue with" on the page at an address.
func (p *person) button(at, provider string, more ...string) answer {
	p.t.Helper()
	page := p.get(at)
	if page.status != http.StatusOK || !strings.Contains(page.body, `formaction="/login/`+provider+`"`) {
		p.t.Fatalf("no button: %d %s", page.status, page.body)
	}
	return p.post("/login/"+provider, with(fields(page.body), more...))
}

// there goes where a form has led: to the provider, which answers at once, and back.
func (p *person) there(a answer) answer {
	p.t.Helper()
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "http") {
		p.t.Fatalf("not on the way to a provider: %d %q %s", a.status, a.location, a.body)
	}
	a = p.get(a.location)
	if form := a.header.Get("X-Form"); form != "" {
		p.t.Fatal("the provider would post: ", form)
	}
	if a.status != http.StatusSeeOther {
		p.t.Fatalf("the provider: %d %s", a.status, a.body)
	}
	return a
}

// through signs in through a provider, as somebody who is linked, and gives what follows.
func (p *person) through(at, provider string, more ...string) answer {
	p.t.Helper()
	return p.get(p.there(p.button(at, provider, more...)).location)
}

// newcomer signs up by the provider.
func (b *brokered) newcomer(p *person, username string) answer {
	b.t.Helper()
	a := p.through("/login", "hub")
	if !strings.HasPrefix(a.location, "/login/hub/signup?step=") {
		b.t.Fatalf("no sign-up: %d %q %s", a.status, a.location, a.body)
	}
	page := p.get(a.location)
	return p.post("/login/hub/signup", with(fields(page.body), "username", username))
}

// linked is a browser in which alice is signed in and has linked who the provider says.
func (b *brokered) linked() *person {
	b.t.Helper()
	p := b.alice()
	if a := p.link("hub"); a.location != "/account/providers?done=linked" {
		b.t.Fatalf("not linked: %d %q %s", a.status, a.location, a.body)
	}
	return p
}

func (p *person) link(provider string) answer {
	p.t.Helper()
	a := p.post("/account/providers/"+provider+"/link", fields(p.get("/account/providers").body))
	return p.get(p.there(a).location)
}

func (b *brokered) tell(token string) answer {
	b.t.Helper()
	return b.person().do("POST", "/login/hub/logout", url.Values{"logout_token": {token}}.Encode(), map[string]string{"Content-Type": formType})
}

func (b *brokered) identities(username string) (out []idp.Identity) {
	b.t.Helper()
	err := b.server.Store.View(b.t.Context(), func(v idp.View) error {
		a, err := v.AccountByUsername(username)
		if err == nil {
			out, err = v.Identities(a.ID)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// revoked waits until the provider has been told to forget so many tokens.
func (b *brokered) revoked(n int) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		b.op.Mu.Lock()
		got := len(b.op.Revoked)
		b.op.Mu.Unlock()
		if got == n {
			return
		}
		if got > n || time.Now().After(end) {
			b.t.Fatalf("%d tokens revoked", got)
		}
	}
}

func (b *brokered) revocations() (out []idp.Revocation) {
	b.t.Helper()
	err := b.server.Store.View(b.t.Context(), func(v idp.View) (err error) {
		out, err = v.Revocations(idp.RevocationFilter{}, idp.Page{Limit: 100})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}
