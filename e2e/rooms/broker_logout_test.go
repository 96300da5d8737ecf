package rooms_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
)

// The provider signs one session out: what came from it ends, here and at its apps, and nothing else.
func TestBroker_BackChannel(t *testing.T) {
	b := startBroker(t)
	b.linked()
	from := func(sid string) *person {
		b.op.Set(func() { b.op.SID = sid })
		p := b.person()
		if p.through("/login", "hub"); p.user() != "alice" {
			t.Fatal("not signed in")
		}
		return p
	}
	one, two, own := from("s1"), from("s2"), b.alice()
	app := one.enter("books")
	if a := b.tell(b.op.LogoutToken(map[string]any{"sid": "s1"})); a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if one.user() != "" || two.user() != "alice" || own.user() != "alice" || b.alive(app.Access) || b.refreshes("books", app) {
		t.Error("not that session, or not only that one")
	}
	// A sid that nobody knows is done already; a subject without sid is all of its sessions.
	if a := b.tell(b.op.LogoutToken(map[string]any{"sid": "unknown", "sub": nil})); a.status != http.StatusOK {
		t.Errorf("unknown: %d", a.status)
	}
	three := from("s3")
	if a := b.tell(b.op.LogoutToken(map[string]any{"sid": nil})); a.status != http.StatusOK || two.user() != "" || three.user() != "" || own.user() != "alice" {
		t.Errorf("all of a subject: %d", a.status)
	}
	// A new sign-in, of a later ID token, is not refused.
	b.op.Set(func() {
		b.op.SID, b.op.Claims = "s4", func(c map[string]any) { c["iat"] = time.Now().Add(2 * time.Second).Unix() }
	})
	p := b.person()
	if a := p.through("/login", "hub"); p.user() != "alice" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Every check of Back-Channel Logout 1.0 section 2.6.
func TestBroker_LogoutTokensRefused(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	p.through("/login", "hub")
	evil, err := jws.Generate("k1", jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	unix := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	tokens := map[string]string{"nothing": "", "no token": "x.y.z"}
	for what, change := range map[string]map[string]any{
		"another issuer": {"iss": "https://evil.example"}, "another audience": {"aud": "somebody"}, "old": {"iat": unix(-time.Hour)}, "expired": {"exp": unix(-time.Hour)},
		"from the future": {"iat": unix(time.Hour)}, "no exp": {"exp": nil}, "neither sub nor sid": {"sub": nil, "sid": nil}, "no event": {"events": map[string]any{}},
		"a nonce": {"nonce": "n"}, "no jti": {"jti": nil}, "no iat": {"iat": nil},
	} {
		tokens[what] = b.op.LogoutToken(change)
	}
	claims, err := json.Marshal(b.op.LogoutClaims(nil))
	if err != nil {
		t.Fatal(err)
	}
	if tokens["another key"], err = evil.Sign("logout+jwt", claims); err != nil {
		t.Fatal(err)
	}
	b.op.Mu.Lock()
	tokens["an ID token's type"] = b.op.Signed("JWT", b.op.LogoutClaims(nil))
	b.op.Mu.Unlock()
	for what, token := range tokens {
		if a := b.tell(token); a.status != http.StatusBadRequest || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	if p.user() != "alice" {
		t.Fatal("ended by a token that was refused")
	}
	good := b.op.LogoutToken(nil)
	if a := b.tell(good); a.status != http.StatusOK || p.user() != "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.tell(good); a.status != http.StatusBadRequest {
		t.Errorf("twice: %d", a.status)
	}
}

// A provider that has changed its keys is asked for them; one that stays away makes the answer "come again".
func TestBroker_LogoutKeys(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	p.through("/login", "hub")
	var mu sync.Mutex
	down := false
	b.op.Set(func() {
		b.op.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Path != "/jwks" || !down {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
	})
	b.op.Turn("k2")
	if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusOK || p.user() != "" {
		t.Fatalf("new keys: %d %s", a.status, a.body)
	}
	p.through("/login", "hub")
	b.op.Turn("k3")
	mu.Lock()
	down = true
	mu.Unlock()
	if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("down: %d", a.status)
	}
}

// A sign-in that the provider has ended while it was under way makes no session.
func TestBroker_Overtaken(t *testing.T) {
	b := startBroker(t)
	b.linked()
	for what, change := range map[string]map[string]any{"its session": nil, "its subject": {"sid": nil, "iat": time.Now().Add(2 * time.Second).Unix()}} {
		p := b.person()
		answer := p.there(p.button("/login", "hub")).location
		b.op.Set(func() {
			b.op.Claims = func(map[string]any) {} // the ID token is made when the code is redeemed, which is after the sign-out
		})
		if a := b.tell(b.op.LogoutToken(change)); a.status != http.StatusOK {
			t.Fatal(a.status)
		}
		if a := p.get(answer); p.user() != "" || a.status != http.StatusConflict {
			t.Errorf("%s: %d, signed in as %q", what, a.status, p.user())
		}
	}
}

func TestBroker_FrontChannel(t *testing.T) {
	for _, on := range []bool{true, false} {
		b := startBroker(t, func(c *config.Config) { c.Providers[0].FrontChannel = on })
		b.linked()
		p := b.person()
		p.through("/login", "hub")
		call := func(q url.Values) answer { return b.person().get("/login/hub/logout?" + q.Encode()) }
		for _, q := range []url.Values{{}, {"sid": {"sid-1"}}, {"iss": {b.op.URL}}, {"iss": {"https://evil.example"}, "sid": {"sid-1"}}, {"iss": {b.op.URL}, "sid": {"sid-1", "x"}}} {
			if a := call(q); a.status < 400 || p.user() != "alice" {
				t.Errorf("%v: %d", q, a.status)
			}
		}
		a := call(url.Values{"iss": {b.op.URL}, "sid": {"sid-1"}})
		if !on {
			if a.status != http.StatusNotFound || p.user() != "alice" {
				t.Errorf("off: %d", a.status)
			}
			continue
		}
		if a.status != http.StatusOK || p.user() != "" || a.header.Get("X-Frame-Options") != "" || !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors "+b.op.URL) {
			t.Errorf("%d %v", a.status, a.header)
		}
		if p.through("/login", "hub"); p.user() != "alice" {
			t.Error("an unsigned call keeps people from signing in")
		}
	}
}

// The provider's word that the account is closed there ends all that came from its person, also if it names one session.
func TestBroker_Disabled(t *testing.T) {
	for _, sid := range []any{nil, "another"} {
		b := startBroker(t)
		b.linked()
		p, own := b.person(), b.alice()
		p.through("/login", "hub")
		token := b.op.LogoutToken(map[string]any{"sid": sid, "events": map[string]any{
			"http://schemas.openid.net/event/backchannel-logout":                   map[string]any{},
			"https://schemas.openid.net/secevent/risc/event-type/account-disabled": map[string]any{}}})
		if a := b.tell(token); a.status != http.StatusOK || p.user() != "" || own.user() != "alice" {
			t.Errorf("%v: %d", sid, a.status)
		}
	}
}

// Out here, then out there, and the consent back: each layer says what is so.
func TestBroker_ReceiptLayers(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	p.through("/login", "hub")
	a := p.post("/account/signout", fields(p.get("/account").body))
	page := p.get(a.location)
	if !strings.Contains(page.body, "You may still be signed in at Hub") || !strings.Contains(page.body, "Leave Hub too") || !strings.Contains(page.body, "Take back the consent") {
		t.Fatalf("%s", page.body)
	}
	receipt := a.location
	if stranger := b.person().get(receipt); strings.Contains(stranger.body, "Leave Hub") || strings.Contains(stranger.body, "Take back") {
		t.Error("offered to whoever has the address")
	}
	if x := b.person().post(receipt+"/providers/hub/revoke", fields(page.body)); x.status != http.StatusForbidden {
		t.Errorf("another browser's form: %d", x.status)
	}
	other := b.person()
	if x := other.post(receipt+"/providers/hub/revoke", fields(other.get("/login").body)); x.status != http.StatusNotFound {
		t.Errorf("another browser: %d", x.status)
	}
	go1 := p.post(receipt+"/providers/hub/leave", fields(page.body))
	u, err := url.Parse(go1.location)
	if err != nil || !strings.HasPrefix(go1.location, b.op.URL+"/end?") {
		t.Fatalf("%d %q", go1.status, go1.location)
	}
	q := u.Query()
	if q.Get("keep") != "1" || q.Get("client_id") != "site" || part(t, q.Get("id_token_hint"), 1)["sid"] != "sid-1" || q.Get("post_logout_redirect_uri") != b.at+"/login/hub/left" || len(q.Get("state")) < 43 {
		t.Errorf("%v", q)
	}
	back := p.get(p.get(go1.location).location)
	if back.location != receipt+"?left=hub" {
		t.Fatalf("%d %q", back.status, back.location)
	}
	if page = p.get(back.location); !strings.Contains(page.body, "Hub sent you back from its sign-out") {
		t.Errorf("%s", page.body)
	}
	if x := p.get("/login/hub/left?state=made-up"); x.status != http.StatusOK {
		t.Errorf("%d", x.status)
	}
	for range 2 {
		if x := p.post(receipt+"/providers/hub/revoke", fields(page.body)); x.location != receipt {
			t.Fatalf("%d %s", x.status, x.body)
		}
	}
	b.revoked(1)
	until(t, "the receipt says so", func() bool {
		return strings.Contains(p.get(receipt).body, "Hub has ended the access that this site had")
	})
	sheet := p.do("GET", receipt, "", map[string]string{"Accept": "application/json"}).body
	if !strings.Contains(sheet, `"consents":[{"provider":"hub","state":"confirmed"`) {
		t.Error(sheet)
	}
	if n := len(b.identities("alice")[0].Tokens); n != 0 {
		t.Error("the tokens are kept")
	}
	if b.op.Revoked[0] != "refresh-secret" {
		t.Errorf("%v", b.op.Revoked)
	}
}

// Whoever deletes an account, by whatever way, takes its consents back.
func TestBroker_DeleteRevokes(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	b.newcomer(p, "carol")
	who := b.identities("carol")[0].Account
	if _, err := b.server.Door().End(t.Context(), idp.EndAccount(who, idp.AccountDeleted), idp.Cause{Kind: idp.CauseDelete, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	b.revoked(1)
	if p.user() != "" || len(b.identities("carol")) != 0 {
		t.Error("still linked")
	}
	if a := b.person().through("/login", "hub"); !strings.HasPrefix(a.location, "/login/hub/signup") {
		t.Errorf("%d %q", a.status, a.location)
	}
}

// What a provider answers decides what becomes of the duty; none of it is waited for by the person.
func TestBroker_RevocationAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		state  idp.DeliveryState
		says   string
	}{
		"invalid_token": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			w.Write([]byte(`{"error":"invalid_token","error_description":"mail@alice.example"}`))
		}, idp.Refused, "status 400 invalid_token"},
		"401": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, idp.Owed, "status 401"},
		"429": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, idp.Owed, "status 429"},
		"503":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, idp.Owed, "status 503"},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, idp.Owed, "status 200 HTML"},
		"reset": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				c.Close()
			}
		}, idp.Owed, "no answer"},
		"hang": {func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, idp.Owed, "no answer"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t)
			p := b.linked()
			b.op.Set(func() {
				b.op.Answers = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/revoke" {
						c.answer(w, r)
						return true
					}
					return false
				}
			})
			if a := p.post("/account/providers/unlink", fields(p.get("/account/providers").body)); a.location != "/account/providers?done=unlinked" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			var d idp.Revocation
			until(t, "an attempt is written", func() bool {
				all := b.revocations()
				if len(all) != 1 {
					t.Fatalf("%d duties", len(all))
				}
				d = all[0]
				return d.Error != ""
			})
			if d.State != c.state || d.Error != c.says || (d.Tokens == nil) != (c.state != idp.Owed) {
				t.Errorf("%s: %q, tokens kept: %t", d.State, d.Error, d.Tokens != nil)
			}
			if what == "429" && d.Due < d.AttemptedAt+3_590_000 {
				t.Error("Retry-After is not heeded")
			}
		})
	}
}

// Some give a refresh token with the first consent only: it is the one that is revoked, also after later sign-ins.
func TestBroker_RefreshTokenOfTheFirstConsent(t *testing.T) {
	b := startBroker(t)
	alice := b.linked()
	b.op.Set(func() { b.op.Spent = true })
	b.person().through("/login", "hub")
	if a := alice.post("/account/providers/unlink", fields(alice.get("/account/providers").body)); a.location != "/account/providers?done=unlinked" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	b.revoked(1)
	if b.op.Revoked[0] != "refresh-secret" {
		t.Error(b.op.Revoked)
	}
}

// A duty survives the node that had it.
func TestBroker_RevocationSurvives(t *testing.T) {
	b := startBroker(t)
	p := b.linked()
	var mu sync.Mutex
	down := true
	b.op.Set(func() {
		b.op.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Path == "/revoke" && down {
				w.WriteHeader(500)
				return true
			}
			return false
		}
	})
	p.post("/account/providers/unlink", fields(p.get("/account/providers").body))
	until(t, "it was tried", func() bool { return len(b.revocations()) == 1 && b.revocations()[0].Error != "" })
	b.restart()
	mu.Lock()
	down = false
	mu.Unlock()
	b.revoked(1)
	until(t, "it is settled", func() bool { return len(b.revocations()) == 0 })
}

// The whole chain: an app's session ends because the provider of the provider's person said so.
func TestBroker_DownToTheApps(t *testing.T) {
	heard := make(chan map[string]any, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard <- part(t, r.PostFormValue("logout_token"), 1)
	}))
	t.Cleanup(app.Close)
	b := startBroker(t, func(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	secret, err := b.server.AddClient(t.Context(), &idp.Client{ID: "told", Name: "Told", Kind: idp.KindWeb, FirstParty: true, RedirectURIs: []string{"https://told.test/cb"},
		AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile"}, BackchannelLogoutURI: app.URL, BackchannelLogoutSessionRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	b.secrets["told"] = secret
	b.linked()
	p := b.person()
	p.through("/login", "hub")
	got := p.enter("told")
	if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	select {
	case c := <-heard:
		if c["sid"] != part(t, got.ID, 1)["sid"] {
			t.Errorf("%v", c)
		}
	case <-time.After(time.Minute):
		t.Fatal("the app was not told")
	}
}

// Who presses "Leave it, too" without end fills nothing, and gets there each time.
func TestBroker_LeaveIsBounded(t *testing.T) {
	b := startBroker(t)
	b.linked()
	p := b.person()
	p.through("/login", "hub")
	a := p.post("/account/signout", fields(p.get("/account").body))
	form := fields(p.get(a.location).body)
	stateless := 0
	for range 200 {
		x := p.post(a.location+"/providers/hub/leave", form)
		u, err := url.Parse(x.location)
		if err != nil || !strings.HasPrefix(x.location, b.op.URL+"/end?") {
			t.Fatalf("%d %q", x.status, x.location)
		}
		if u.Query().Get("state") == "" {
			stateless++
		}
	}
	if stateless == 0 {
		t.Error("each was a row")
	}
}
