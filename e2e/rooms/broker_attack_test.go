package rooms_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream/optest"
)

func TestBroker_CallbackAttacks(t *testing.T) {
	other := optest.New(t)
	b := startBroker(t, func(c *config.Config) {
		p := other.Provider()
		p.Title = "Other"
		c.Providers = append(c.Providers, config.Provider{ID: "other", Provider: p})
	})
	b.linked()
	refused := func(what string, p *person, at string) {
		t.Helper()
		if a := p.get(at); a.status < 400 || a.status >= 500 && a.status != http.StatusBadGateway || p.user() != "" {
			t.Errorf("%s: %d %q, signed in as %q", what, a.status, a.location, p.user())
		}
	}
	// Another browser's answer: sign-in to the attacker's account.
	attacker, victim := b.person(), b.person()
	victim.get("/login")
	answer := attacker.there(attacker.button("/login", "hub")).location
	refused("another browser", victim, answer)
	// Twice.
	if attacker.get(answer); attacker.user() != "alice" {
		t.Fatal("the browser's own answer does not work any more")
	}
	again := attacker.thief()
	again.post("/account/signout", fields(again.get("/account").body))
	refused("twice", again, answer)
	// Another state, none, twice the parameter.
	for what, change := range map[string]func(url.Values){
		"made-up state": func(q url.Values) { q.Set("state", "made-up") },
		"no state":      func(q url.Values) { q.Del("state") },
		"two states":    func(q url.Values) { q.Add("state", "x") },
		"two codes":     func(q url.Values) { q.Add("code", "x") },
		"another code":  func(q url.Values) { q.Set("code", "x") },
		"no code":       func(q url.Values) { q.Del("code") },
		"another iss":   func(q url.Values) { q.Set("iss", other.URL) },
		"no iss":        func(q url.Values) { q.Del("iss") },
		"an error":      func(q url.Values) { q.Set("error", "<script>") },
	} {
		p := b.person()
		u, err := url.Parse(p.there(p.button("/login", "hub")).location)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(q)
		refused(what, p, u.Path+"?"+q.Encode())
	}
	// Mix-up: the answer to one provider's trip at the other's callback.
	p := b.person()
	var told atomic.Bool
	other.Set(func() {
		other.Answers = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				told.Store(true)
			}
			return false
		}
	})
	mixed := strings.Replace(p.there(p.button("/login", "hub")).location, "/login/hub/", "/login/other/", 1)
	mixed = strings.Replace(mixed, url.QueryEscape(b.op.URL), url.QueryEscape(other.URL), 1) // as from one that says no issuer
	if refused("mix-up", p, mixed); told.Load() {
		t.Error("the other provider was shown the code")
	}
	// What the ID token says wrongly.
	for what, claims := range map[string]map[string]any{
		"iss": {"iss": "https://evil.example"}, "aud": {"aud": "somebody"}, "nonce": {"nonce": "another"}, "exp": {"exp": 1}, "sub": {"sub": ""}, "azp": {"azp": "somebody"},
	} {
		b.op.Set(func() { b.op.Claims = func(c map[string]any) { maps.Copy(c, claims) } })
		p := b.person()
		refused("ID token, "+what, p, p.there(p.button("/login", "hub")).location)
	}
}

// A trip that began before everything was ended leads nowhere, although nobody was known when it began.
func TestBroker_EverywhereEndsTrips(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	answer := p.there(p.button("/login", "hub")).location
	other := b.alice()
	other.post("/account/sessions/all/end", fields(other.get("/account").body))
	if a := p.get(answer); a.status != http.StatusConflict || p.user() != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if p.through("/login", "hub"); p.user() != "alice" {
		t.Error("the next trip leads nowhere, either")
	}
}

func TestBroker_LockedAccount(t *testing.T) {
	b := startBroker(t)
	b.linked()
	who := b.identities("alice")[0].Account
	if _, err := b.server.Door().End(t.Context(), idp.EndAccount(who, idp.AccountLocked), idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	p := b.person()
	if a := p.through("/login", "hub"); a.status != http.StatusForbidden || p.user() != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A POSTed answer comes without cookies: it is kept, and taken where the browser's cookies are.
func TestBroker_PostedCallback(t *testing.T) {
	b := startBroker(t)
	b.linked()
	b.op.Set(func() { b.op.Form = true })
	p := b.person()
	a := p.button("/login", "hub")
	form := p.get(a.location).header.Get("X-Form")
	bare := b.person()
	a = bare.do("POST", "/login/hub/callback", form, map[string]string{"Content-Type": formType, "Origin": b.op.URL})
	if a.status != http.StatusSeeOther || strings.Contains(a.location, "code") {
		t.Fatalf("%d %q", a.status, a.location)
	}
	if x := bare.get(a.location); x.status != http.StatusBadRequest || bare.user() != "" {
		t.Errorf("whoever posted: %d", x.status)
	}
	// A second post changes nothing.
	v, _ := url.ParseQuery(form)
	v.Set("code", "the attacker's")
	bare.do("POST", "/login/hub/callback", v.Encode(), map[string]string{"Content-Type": formType})
	if p.get(a.location); p.user() != "alice" {
		t.Error("the browser that began it is not signed in")
	}
}

// Linking cannot be forced: neither by an answer of the attacker's in the victim's browser, nor after the session has changed.
func TestBroker_LinkAttacks(t *testing.T) {
	b := startBroker(t)
	attacker, victim := b.alice(), b.person()
	victim.signIn("/login", "bob", bobPW)
	a := attacker.post("/account/providers/hub/link", fields(attacker.get("/account/providers").body))
	answer := attacker.there(a).location
	if a := victim.get(answer); a.status != http.StatusBadRequest || len(b.identities("bob"))+len(b.identities("alice")) != 0 {
		t.Errorf("in the victim's browser: %d", a.status)
	}
	// Somebody else has signed in there meanwhile.
	attacker.post("/account/signout", fields(attacker.get("/account").body))
	attacker.signIn("/login", "bob", bobPW)
	if attacker.get(answer); len(b.identities("bob"))+len(b.identities("alice")) != 0 {
		t.Error("linked to whoever is there now")
	}
	// Or has taken the place of the session that asked, in the same browser.
	p := b.alice()
	answer = p.there(p.post("/account/providers/hub/link", fields(p.get("/account/providers").body))).location
	if p.post("/login", url.Values{"csrf": {p.csrf()}, "act": {"signin"}, "username": {"bob"}, "password": {bobPW}}); p.user() != "bob" {
		t.Fatal("bob cannot sign in")
	}
	if a := p.get(answer); a.status != http.StatusForbidden || len(b.identities("bob"))+len(b.identities("alice")) != 0 {
		t.Errorf("linked to whoever took the place: %d", a.status)
	}
}

// The provider's auth_time is believed where it was not asked anew: an old sign-in there is no recent one here.
func TestBroker_AuthTime(t *testing.T) {
	b := startBroker(t)
	b.linked()
	b.op.Set(func() {
		b.op.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	})
	p := b.person()
	p.through("/login", "hub")
	if a := p.get("/account/providers"); !strings.Contains(a.body, "Confirm that it is you") {
		t.Error("an old sign-in counts as a recent one")
	}
	if p.through("/login?again=/account/providers", "hub"); !strings.Contains(p.get("/account/providers").body, "Confirm that it is you") {
		t.Error("a provider that does not ask again makes a sign-in recent")
	}
	b.op.Set(func() { b.op.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Unix() } })
	if p.through("/login?again=/account/providers", "hub"); strings.Contains(p.get("/account/providers").body, "Confirm that it is you") {
		t.Error("a provider that has asked again makes none")
	}
	b.op.Set(func() {
		b.op.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(24 * time.Hour).Unix() }
	})
	q := b.person()
	q.through("/login", "hub")
	if q.stale(); !strings.Contains(q.get("/account/providers").body, "Confirm that it is you") {
		t.Error("a provider whose clock is ahead makes a sign-in of tomorrow")
	}
}
