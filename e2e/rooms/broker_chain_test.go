package rooms_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/provider"
)

// An app, an Exeunt, and above it another Exeunt: a sign-out at the top reaches the app, a sign-out in the middle can be carried to the
// top, and a consent taken back in the middle ends what the top gave.
func TestBroker_Chain(t *testing.T) {
	loopback := func(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	top := start(t, loopback)
	heard := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sid, _ := part(t, r.PostFormValue("logout_token"), 1)["sid"].(string)
		heard <- sid
	}))
	t.Cleanup(app.Close)
	middle := startAnew(t, loopback, func(c *config.Config) {
		at := c.Issuer + "/login/top/"
		secret, err := top.server.AddClient(t.Context(), &idp.Client{ID: "middle", Name: "Middle", Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic,
			GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile", "email"}, RedirectURIs: []string{at + "callback"},
			PostLogoutURIs: []string{at + "left"}, BackchannelLogoutURI: at + "logout", BackchannelLogoutSessionRequired: true})
		if err != nil {
			t.Fatal(err)
		}
		p := provider.OIDC(top.at, "middle", secret)
		p.Title = "Top"
		c.Providers = []config.Provider{{ID: "top", Kind: "oidc", Provider: p, SignUp: true}}
	})
	secret, err := middle.server.AddClient(t.Context(), &idp.Client{ID: "told", Name: "Told", Kind: idp.KindWeb, FirstParty: true, RedirectURIs: []string{"https://told.test/cb"}, AuthMethod: idp.AuthBasic,
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile"}, BackchannelLogoutURI: app.URL, BackchannelLogoutSessionRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	middle.secrets["told"] = secret

	above := top.person() // one browser, two addresses: its jar tells them apart by port only where cookies are named alike
	p := middle.person()
	enter := func() answer {
		t.Helper()
		a := p.button("/login", "top")
		a = above.get(strings.TrimPrefix(a.location, top.at))
		if strings.HasPrefix(a.location, "/login?pending=") {
			a = above.signIn(a.location, "alice", alicePW)
			a = above.follow(a)
		}
		if !strings.HasPrefix(a.location, middle.at+"/login/top/callback?") {
			t.Fatalf("not back from the top: %d %q %s", a.status, a.location, a.body)
		}
		return p.get(a.location)
	}
	a := enter()
	page := p.get(a.location)
	if p.post("/login/top/signup", with(fields(page.body), "username", "from-top")); p.user() != "from-top" {
		t.Fatal("not signed up")
	}
	got := p.enter("told")
	sid := part(t, got.ID, 1)["sid"]

	// At the top: out. The middle and the app hear of it.
	above.post("/account/signout", fields(above.get("/account").body))
	if s := <-heard; s != sid {
		t.Errorf("the app heard of %q", s)
	}
	if p.user() != "" || middle.alive(got.Access) || middle.refreshes("told", got) {
		t.Error("the middle goes on")
	}

	// In the middle: out, and then at the top, too, with the ID token as hint.
	enter()
	if p.user() != "from-top" {
		t.Fatal("not signed in again")
	}
	a = p.post("/account/signout", fields(p.get("/account").body))
	receipt := a.location
	page = p.get(receipt)
	a = p.post(receipt+"/providers/top/leave", fields(page.body))
	a = above.get(strings.TrimPrefix(a.location, top.at))
	if above.user() != "" || !strings.HasPrefix(a.location, middle.at+"/login/top/left?state=") {
		t.Fatalf("%d %q %s", a.status, a.location, a.body)
	}
	if a = p.get(a.location); a.location != receipt+"?left=top" {
		t.Errorf("%d %q", a.status, a.location)
	}

	// The consent: the top's refresh token is good for nothing any more.
	p.post(receipt+"/providers/top/revoke", fields(page.body))
	until(t, "the top has confirmed", func() bool {
		return strings.Contains(p.get(receipt).body, "Top has ended the access that this site had")
	})
}
