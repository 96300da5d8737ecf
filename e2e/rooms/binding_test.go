package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/guard"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

const boundAPI = "https://orders.test"

// binding is a node with an API behind a guard, an app on a device that must show a key, and one in browsers that is bound to addresses.
type binding struct {
	*node
	guard *guard.Guard
	api   *httptest.Server
	seen  chan guard.Event
}

func startBinding(t *testing.T, o ...guard.Option) *binding {
	t.Helper()
	n := start(t, func(c *config.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	code := []string{"authorization_code", "refresh_token"}
	var err error
	for _, c := range []idp.Client{
		{ID: "orders", Name: "Orders", Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{boundAPI}},
		{ID: "phone", Name: "Phone", Kind: idp.KindNative, FirstParty: true, AuthMethod: idp.AuthNone, GrantTypes: code, Scopes: []string{"openid"},
			RedirectURIs: []string{"https://phone.test/cb"}, Audiences: []string{boundAPI}, DPoP: idp.DPoPRequired},
		{ID: "spa", Name: "SPA", Kind: idp.KindBrowser, FirstParty: true, AuthMethod: idp.AuthNone, GrantTypes: code, Scopes: []string{"openid"},
			RedirectURIs: []string{"https://spa.test/cb"}, Audiences: []string{boundAPI}, BindAddress: idp.Networks{V4: 24, V6: 56}},
	} {
		if n.secrets[string(c.ID)], err = n.server.AddClient(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	b := &binding{node: n, seen: make(chan guard.Event, 1000)}
	l := httptest.NewUnstartedServer(nil)
	all := append([]guard.Option{guard.Audience(boundAPI), guard.Credentials("orders", n.secrets["orders"]), guard.ExternalURL("http://" + l.Listener.Addr().String()),
		guard.TrustedProxies(guard.XForwardedFor, netip.MustParsePrefix("127.0.0.1/32")),
		guard.Observe(func(e guard.Event) {
			if e.Kind == guard.Refused || e.Kind == guard.Applied {
				b.seen <- e
			}
		})}, o...)
	if b.guard, err = guard.New(n.at, all...); err != nil {
		t.Fatal(err)
	}
	l.Config.Handler = b.guard.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "orders") }))
	l.Start()
	b.api = l
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- b.guard.Run(ctx) }()
	t.Cleanup(func() { l.Close(); stop(); <-stopped })
	if err := b.guard.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// observed waits until the guard has told of an event, with an error that has the reason.
func (b *binding) observed(k guard.EventKind, reason string) {
	b.t.Helper()
	for {
		select {
		case e := <-b.seen:
			if e.Kind == k && guard.Reason(e.Err) == reason {
				return
			}
		case <-time.After(2 * time.Minute):
			b.t.Fatalf("the guard says nothing of kind %s %s", k, reason)
		}
	}
}

// holder is an app that holds a key.
type holder struct {
	*binding
	*exeunttest.Key
	nonce string
}

func (b *binding) holder() *holder { return &holder{binding: b, Key: exeunttest.NewKey(b.t)} }

// call sends a proof, to an address of the issuer or the API, and again if a nonce is asked for. token is "" at the token endpoint.
func (h *holder) call(method, to, token string, v url.Values) answer {
	h.t.Helper()
	for again := false; ; again = true {
		header := map[string]string{"DPoP": h.Proof(method, to, token, exeunttest.Nonce(h.nonce))}
		if token != "" {
			header["Authorization"] = "DPoP " + token
		}
		if v != nil {
			header["Content-Type"] = formType
		}
		a := h.person().do(method, to, v.Encode(), header)
		h.nonce = a.header.Get("DPoP-Nonce")
		if again || !strings.Contains(a.body, "use_dpop_nonce") {
			return a
		}
	}
}

func (h *holder) redeem(code string) answer {
	return h.call("POST", h.at+"/oauth2/token", "", url.Values{"grant_type": {"authorization_code"}, "client_id": {"phone"}, "code": {code},
		"redirect_uri": {"https://phone.test/cb"}, "code_verifier": {verifier}})
}

func (h *holder) refresh(token string) answer {
	return h.call("POST", h.at+"/oauth2/token", "", url.Values{"grant_type": {"refresh_token"}, "client_id": {"phone"}, "refresh_token": {token}})
}

func (h *holder) orders(token string) answer { return h.call("GET", h.api.URL+"/orders", token, nil) }

func (h *holder) tokens(a answer) (access, refresh string) {
	h.t.Helper()
	m := object(h.t, a)
	access, _ = m["access_token"].(string)
	refresh, _ = m["refresh_token"].(string)
	if a.status != 200 || m["token_type"] != "DPoP" || access == "" || refresh == "" {
		h.t.Fatalf("token endpoint: %d %s", a.status, a.body)
	}
	return access, refresh
}

func codeOf(t *testing.T, a answer) string {
	t.Helper()
	u, err := url.Parse(a.location)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code: %d %s", a.status, a.location)
	}
	return u.Query().Get("code")
}

func (b *binding) strayedEvents(account string) (out []string) {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline) && len(out) == 0; {
		err := b.server.Store.View(b.t.Context(), func(v idp.View) error {
			all, err := v.Events(idp.EventFilter{Kind: idp.EventStrayed}, idp.Page{Limit: 100})
			for _, e := range all {
				out = append(out, e.Data["what"]+" "+e.Data["bond"])
			}
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return out
}

// Whoever steals what is bound to a key cannot use it anywhere, and ends nothing by trying.
func TestBinding_StolenFromADevice(t *testing.T) {
	b := startBinding(t, guard.ProofNonces(make([]byte, 32)))
	alice := b.alice()
	me, thief := b.holder(), b.holder()
	if a := b.person().do("POST", "/oauth2/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {"phone"}, "code": {codeOf(t, alice.get(b.authorizeURL("phone")))},
		"redirect_uri": {"https://phone.test/cb"}, "code_verifier": {verifier}}.Encode(), map[string]string{"Content-Type": formType}); a.status != 400 || !strings.Contains(a.body, "invalid_dpop_proof") {
		t.Errorf("no proof where one is required: %d %s", a.status, a.body)
	}
	access, refresh := me.tokens(me.redeem(codeOf(t, alice.get(b.authorizeURL("phone", "dpop_jkt", me.Thumbprint())))))
	if a := me.orders(access); a.status != 200 || a.header.Get("DPoP-Nonce") == "" {
		t.Errorf("the owner at the API: %d %s", a.status, a.body)
	}
	if a := me.call("GET", b.at+"/oauth2/userInfo", access, nil); a.status != 200 {
		t.Errorf("the owner at userinfo: %d %s", a.status, a.body)
	}
	if a := thief.orders(access); a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `DPoP error="invalid_token"`) {
		t.Errorf("another key at the API: %d %v", a.status, a.header)
	}
	b.observed(guard.Refused, "bound")
	if a := b.bearer("GET", b.api.URL+"/orders", access); a.status != 401 {
		t.Errorf("as Bearer at the API: %d", a.status)
	}
	if a := b.bearer("GET", "/oauth2/userInfo", access); a.status != 401 {
		t.Errorf("as Bearer at userinfo: %d", a.status)
	}
	for _, to := range []string{"/customers/me/logout", "/account/sessions"} {
		method := map[bool]string{true: "POST", false: "GET"}[to == "/customers/me/logout"]
		if a := b.bearer(method, to, access); a.status != 401 {
			t.Errorf("%s as Bearer: %d %s", to, a.status, a.body)
		}
		if a := thief.call(method, b.at+to, access, nil); a.status != 401 {
			t.Errorf("%s by another key: %d %s", to, a.status, a.body)
		}
	}
	if a := thief.refresh(refresh); a.status != 400 || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("refreshed by another key: %d %s", a.status, a.body)
	}
	if got := b.strayedEvents("alice"); len(got) == 0 {
		t.Error("no event says so")
	}
	access, _ = me.tokens(me.refresh(refresh))
	if a := me.orders(access); a.status != 200 {
		t.Errorf("the owner, after all that: %d %s", a.status, a.body)
	}

	// It may what the same token could as Bearer, and no more: what somebody signs in with is for the cookie.
	if a := me.call("GET", b.at+"/account/sessions", access, nil); a.status != 200 {
		t.Errorf("the owner's sessions: %d %s", a.status, a.body)
	}
	for _, to := range []string{"/account/authenticator", "/account/passkeys", "/account/recovery"} {
		if a := me.call("GET", b.at+to, access, nil); a.status != 403 {
			t.Errorf("%s with a token: %d %s", to, a.status, a.body)
		}
	}

	// A bound token ends as any other.
	if a := me.call("POST", b.at+"/customers/me/logout", access, nil); a.status != 200 {
		t.Fatalf("signing out everywhere: %d %s", a.status, a.body)
	}
	b.observed(guard.Applied, "")
	if a := me.orders(access); a.status != 401 || !strings.Contains(a.header.Get("WWW-Authenticate"), "has been revoked") {
		t.Errorf("signed out: %d %v", a.status, a.header)
	}
}

// A proof counts once on all nodes, and a nonce of one is good at the other.
func TestBinding_NodesShareProofs(t *testing.T) {
	b := startBinding(t)
	alice, me := b.alice(), b.holder()
	access, _ := me.tokens(me.redeem(codeOf(t, alice.get(b.authorizeURL("phone")))))
	first := b.at
	l := b.listen("127.0.0.1:0")
	second := *b.node
	second.run(l)
	t.Cleanup(func() { second.stop() })
	other := "http://" + l.Addr().String()

	ask := func(at, proof string) int {
		return b.person().do("GET", at+"/oauth2/userInfo", "", map[string]string{"Authorization": "DPoP " + access, "DPoP": proof}).status
	}
	proof := func() string { return me.Proof("GET", first+"/oauth2/userInfo", access, exeunttest.Nonce(me.nonce)) }
	once := proof()
	if ask(first, once) != 200 || ask(other, once) != 401 || ask(first, once) != 401 {
		t.Error("a proof counts once, wherever")
	}
	once = proof()
	if ask(other, once) != 200 || ask(first, once) != 401 {
		t.Error("a nonce of one node is good at the other, and its proof counts once")
	}
}

// Tokens of a browser app are of no use from another network.
func TestBinding_StolenFromABrowser(t *testing.T) {
	b := startBinding(t)
	alice := b.alice()
	from := func(ip, method, to, body string, header ...string) answer {
		h := map[string]string{"X-Forwarded-For": ip}
		for i := 0; i < len(header); i += 2 {
			h[header[i]] = header[i+1]
		}
		return alice.do(method, to, body, h)
	}
	redeem := func(ip, code string) answer {
		return from(ip, "POST", "/oauth2/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code},
			"redirect_uri": {"https://spa.test/cb"}, "code_verifier": {verifier}}.Encode(), "Content-Type", formType)
	}
	refresh := func(ip, token string) answer {
		return from(ip, "POST", "/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {token}}.Encode(), "Content-Type", formType)
	}
	const home, near, away = "192.0.2.7", "192.0.2.200", "198.51.100.1"
	code := codeOf(t, from(home, "GET", b.authorizeURL("spa"), ""))
	if a := redeem(away, code); a.status != 400 || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("a stolen code: %d %s", a.status, a.body)
	}
	m := object(t, redeem(home, code))
	access, _ := m["access_token"].(string)
	token, _ := m["refresh_token"].(string)
	for ip, want := range map[string]int{home: 200, near: 200, away: 401, "192.0.2.7, " + away: 401} {
		for what, to := range map[string]string{"the API": b.api.URL + "/orders", "userinfo": "/oauth2/userInfo"} {
			if a := from(ip, "GET", to, "", "Authorization", "Bearer "+access); a.status != want {
				t.Errorf("%s from %s: %d, want %d", what, ip, a.status, want)
			}
		}
	}
	b.observed(guard.Refused, "bound")
	if a := refresh(away, token); a.status != 400 || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("a stolen refresh token: %d %s", a.status, a.body)
	}
	if a := refresh(near, token); a.status != 200 {
		t.Errorf("the owner refreshes: %d %s", a.status, a.body)
	}
	if _, err := b.guard.Check(access); !errors.Is(err, guard.ErrBound) {
		t.Error("a check that does not see the caller:", err)
	}
}

// boundEndsNothing: a used refresh token is theft only in the hands that it is bound to.
func boundEndsNothing(t *testing.T) {
	b := startBinding(t)
	me, thief := b.holder(), b.holder()
	head := func() (n uint64) {
		err := b.server.Store.View(t.Context(), func(v idp.View) error {
			h, err := v.Head()
			n = h.Number
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	code := codeOf(t, b.alice().get(b.authorizeURL("phone", "dpop_jkt", me.Thumbprint())))
	if a := thief.redeem(code); a.status != 400 {
		t.Errorf("a stolen code: %d %s", a.status, a.body)
	}
	_, used := me.tokens(me.redeem(code))
	if a := thief.redeem(code); a.status != 400 {
		t.Errorf("a used one: %d %s", a.status, a.body)
	}
	_, next := me.tokens(me.refresh(used))
	_, last := me.tokens(me.refresh(next))
	for _, token := range []string{used, next, last} {
		if a := thief.refresh(token); a.status != 400 {
			t.Errorf("a stolen refresh token: %d %s", a.status, a.body)
		}
	}
	if n := head(); n != 0 {
		t.Errorf("%d endings", n)
	}
	me.tokens(me.refresh(last))
	if a := me.refresh(used); a.status != 400 || head() != 1 {
		t.Errorf("by the key that it is bound to, reuse ends the family: %d, %d endings", a.status, head())
	}
}
