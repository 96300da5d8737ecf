package rooms_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/token"
)

// toldApp is an app whose back channel answers as it is told to.
type toldApp struct {
	status atomic.Int64
	hang   atomic.Bool
	calls  atomic.Int64
}

func (n *node) toldApp(id string, more ...func(*idp.Client)) *toldApp {
	n.t.Helper()
	a := &toldApp{}
	a.status.Store(200)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		io.Copy(io.Discard, r.Body) // else the server does not see that the caller has gone
		if a.hang.Load() {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(int(a.status.Load()))
	}))
	n.t.Cleanup(s.Close)
	c := idp.Client{ID: idp.ClientID(id), Name: strings.ToUpper(id[:1]) + id[1:], Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic,
		RedirectURIs: []string{"https://" + id + ".test/cb"}, PostLogoutURIs: []string{"https://" + id + ".test/"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile", "offline_access"}, Offline: true, BackchannelLogoutURI: s.URL + "/backchannel"}
	for _, f := range more {
		f(&c)
	}
	secret, err := n.server.AddClient(n.t.Context(), &c)
	if err != nil {
		n.t.Fatal(err)
	}
	n.secrets[id] = secret
	return a
}

func loopback(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

type sheet struct {
	Number   uint64
	Cause    string
	Sessions int
	Families int `json:"refresh_families"`
	Working  bool
	Owed     int
	Apps     []sheetApp
	Offline  []struct {
		ClientID string `json:"client_id"`
	}
	Since []any     `json:"offline_ended_since"`
	Until time.Time `json:"other_apis_until"`
}

type sheetApp struct {
	ClientID string `json:"client_id"`
	State    string
	SignIns  int        `json:"sign_ins"`
	At       *time.Time `json:"confirmed_at"`
	Failed   bool
	Why      string
}

func (s *sheet) state(app string) string {
	for _, a := range s.Apps {
		if a.ClientID == app {
			return a.State
		}
	}
	return ""
}

// sheet reads a receipt as a program, until it is as it should be.
func (p *person) sheet(at string, ok func(*sheet) bool) (s sheet) {
	p.t.Helper()
	var a answer
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		a = p.do("GET", at, "", map[string]string{"Accept": "application/json"})
		s = sheet{}
		if a.status != 200 || json.Unmarshal([]byte(a.body), &s) != nil {
			p.t.Fatalf("%s: %d %s", at, a.status, a.body)
		}
		if ok(&s) {
			return s
		}
	}
	p.t.Fatalf("still %s", a.body)
	return s
}

// A receipt says what ended, who has confirmed, what is owed and what cannot be told; it becomes true by itself when an app comes back.
func TestReceipt_TellsWhatIsSo(t *testing.T) {
	n := start(t, loopback)
	up, down, no := n.toldApp("up"), n.toldApp("down"), n.toldApp("no")
	down.status.Store(500)
	no.status.Store(400)
	p := n.alice()
	for _, app := range []string{"up", "down", "no", "books"} {
		p.enter(app)
	}
	left := p.post("/account/signout", fields(p.get("/account").body)).location
	s := p.sheet(left, func(s *sheet) bool {
		return s.state("up") == "confirmed" && s.state("no") == "refused" && s.state("down") == "owed" && s.state("books") == "cannot-be-told" &&
			slices.ContainsFunc(s.Apps, func(a sheetApp) bool { return a.ClientID == "down" && a.Failed })
	})
	if s.Cause != "sign-out" || s.Sessions != 1 || s.Families != 4 || s.Owed != 1 || s.Working {
		t.Errorf("%+v", s)
	}
	a := p.get(left)
	for _, words := range []string{"told, confirmed by the app", "owed: it has not confirmed yet", "refused: the app", "cannot be told", "You are signed out", "Confirmed: 1 of 3"} {
		if !strings.Contains(a.body, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	for _, secret := range []string{"alice", "127.0.0.1"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
	if a.header.Get("Refresh") == "" {
		t.Error("the page is not live while something is owed")
	}
	down.status.Store(204)
	p.sheet(left, func(s *sheet) bool { return s.state("down") == "confirmed" && s.Owed == 0 })
	if a := p.get(left); a.header.Get("Refresh") != "" || strings.Contains(a.body, "owed") {
		t.Error("the page goes on when nothing is owed")
	}
	if up.calls.Load() != 1 {
		t.Error("told", up.calls.Load(), "times")
	}
}

// Until when other APIs may accept a token is true also where tokens live shorter now than when it was minted.
func TestReceipt_OtherAPIsUntil(t *testing.T) {
	n := start(t)
	p := n.alice()
	exp := time.Unix(int64(part(t, p.enter("books").Access, 1)["exp"].(float64)), 0)
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error { return tx.SetLifeCap(2) }); err != nil {
		t.Fatal(err)
	}
	if s := p.sheet(p.post("/account/signout", fields(p.get("/account").body)).location, func(*sheet) bool { return true }); s.Until.Before(exp) || s.Until.After(exp.Add(time.Minute)) {
		t.Errorf("until %s, and the token until %s", s.Until, exp)
	}
}

// The signed copy is that of the sheet; changed by one octet it is nothing, and it is no other kind of token.
func TestReceipt_Signed(t *testing.T) {
	n := start(t, loopback)
	n.toldApp("up")
	p := n.alice()
	got := p.enter("up")
	left := p.post("/account/signout", fields(p.get("/account").body)).location
	s := p.sheet(left, func(s *sheet) bool { return s.state("up") == "confirmed" })
	a := p.get(left + "/receipt.jwt")
	if a.status != 200 || a.header.Get("Content-Type") != "application/jwt" {
		t.Fatal(a.status, a.body)
	}
	keys, err := jws.ParseSet([]byte(p.get("/.well-known/jwks.json").body))
	if err != nil {
		t.Fatal(err)
	}
	find := func(kid string) (jws.Key, error) { k, _ := keys.Key(kid); return k, nil }
	r, err := token.ReadReceipt(a.body, find)
	var signed sheet
	if err != nil || json.Unmarshal(r.Body, &signed) != nil || signed.Number != s.Number || signed.state("up") != "confirmed" || r.Issuer != n.at {
		t.Errorf("%v: %+v", err, r)
	}
	if strings.Contains(string(r.Body), "alice") {
		t.Error("a name is in it")
	}
	parts := strings.Split(a.body, ".")
	if _, err := token.ReadReceipt(parts[0]+"."+parts[1][:len(parts[1])-2]+"AA."+parts[2], find); err == nil {
		t.Error("a changed receipt is taken")
	}
	if _, err := token.ReadReceipt(got.ID, find); err == nil {
		t.Error("an ID token is taken for a receipt")
	}
	if n.alive(a.body) {
		t.Error("a receipt is taken for an access token")
	}
	if a := p.get("/logout?id_token_hint=" + url.QueryEscape(a.body)); a.status != 400 {
		t.Error("a receipt is taken for a hint:", a.status)
	}
}

// Access that stays is on the receipt, and who signed out can end it too; whoever else has the address cannot.
func TestReceipt_EndsOfflineToo(t *testing.T) {
	n := start(t, loopback)
	n.toldApp("away")
	p := n.alice()
	asks := p.follow(p.get(n.authorizeURL("away", "scope", "openid offline_access", "prompt", "consent")))
	kept := p.redeem("away", p.follow(p.post("/login", with(fields(asks.body), "act", "continue"))))
	if !n.refreshes("away", kept) {
		t.Fatal("no offline access")
	}
	left := p.post("/account/signout", fields(p.get("/account").body)).location
	s := p.sheet(left, func(s *sheet) bool { return s.state("away") == "confirmed" })
	if len(s.Offline) != 1 || s.Offline[0].ClientID != "away" || !n.refreshes("away", kept) {
		t.Fatalf("%+v", s)
	}
	form := fields(p.get(left).body)
	stranger := n.person()
	page := stranger.get(left)
	if strings.Contains(page.body, "/offline") {
		t.Error("a stranger is offered the button")
	}
	stranger.get("/login")
	if a := stranger.post(left+"/offline", fields(stranger.get("/login").body)); a.status == 303 || !n.refreshes("away", kept) {
		t.Error("a stranger with the address ends it:", a.status)
	}
	if a := p.do("POST", left+"/offline", form.Encode(), map[string]string{"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}); a.status != 403 {
		t.Error("another site ends it:", a.status)
	}
	if a := p.post(left+"/offline", form); a.status != 303 || n.refreshes("away", kept) {
		t.Error("it goes on:", a.status, a.body)
	}
	p.sheet(left, func(s *sheet) bool { return len(s.Offline) == 0 && len(s.Since) == 1 })
}

// A browser waits for the apps that an operator wants it to wait for, and for no others: the app is told when the browser is back.
func TestAwaitedApp(t *testing.T) {
	n := start(t, loopback)
	n.toldApp("slow").hang.Store(true)
	awaited := n.toldApp("waits", func(c *idp.Client) { c.AwaitLogout = true })
	for _, hangs := range []bool{false, true} {
		awaited.hang.Store(hangs)
		p := n.alice()
		p.enter("slow")
		got := p.enter("waits")
		begun := awaited.calls.Load()
		sent := time.Now()
		a := p.get(logout("id_token_hint", got.ID, "post_logout_redirect_uri", "https://waits.test/"))
		took := time.Since(sent)
		if a.status != 303 || a.location != "https://waits.test/" {
			t.Fatal(a.status, a.body)
		}
		if !hangs && awaited.calls.Load() != begun+1 {
			t.Error("the browser was back before the app was told")
		}
		if hangs && took < 800*time.Millisecond {
			t.Error("a hanging app was waited for", took)
		}
	}
}

// The operators' API: for machines with its power only; it lists, resends and gives up.
func TestAdmin_Deliveries(t *testing.T) {
	n := start(t, loopback)
	no := n.toldApp("no")
	no.status.Store(400)
	add := func(id string, scopes ...string) string {
		c := idp.Client{ID: idp.ClientID(id), Kind: idp.KindMachine, AuthMethod: idp.AuthBasic, GrantTypes: []string{"client_credentials"}, Scopes: scopes}
		secret, err := n.server.AddClient(t.Context(), &c)
		if err != nil {
			t.Fatal(err)
		}
		n.secrets[id] = secret
		out, _ := n.token(id, url.Values{"grant_type": {"client_credentials"}, "scope": scopes})
		return out.Access
	}
	ops, other := add("ops", idp.ScopeAdmin), add("other", idp.ScopeGlobalRevocation)
	p := n.alice()
	person := p.enter("no")
	p.post("/account/signout", fields(p.get("/account").body))
	for what, c := range map[string]struct {
		token string
		want  int
	}{"nobody": {"", 401}, "another power": {other, 403}, "a person, signed out": {person.Access, 401}, "a person": {n.alice().enter("no").Access, 403}, "junk": {"x", 401}} {
		for _, path := range []string{"/admin/deliveries", "/admin/receipts", "/admin/receipts/1", "/admin/deliveries/1.ABCDABCDABCDABCD"} {
			if a := n.bearer("GET", path, c.token); a.status != c.want {
				t.Errorf("%s at %s: %d", what, path, a.status)
			}
		}
	}
	var list struct {
		Deliveries []struct{ ID, State, Why, Sid string }
	}
	read := func(query string) {
		t.Helper()
		list.Deliveries = nil
		a := n.bearer("GET", "/admin/deliveries"+query, ops)
		if a.status != 200 || json.Unmarshal([]byte(a.body), &list) != nil {
			t.Fatal(a.status, a.body)
		}
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && len(list.Deliveries) == 0; time.Sleep(5 * time.Millisecond) {
		read("?state=dead")
	}
	if len(list.Deliveries) != 1 || list.Deliveries[0].State != "refused" || !strings.Contains(list.Deliveries[0].Why, "400") {
		t.Fatalf("%+v", list)
	}
	id := list.Deliveries[0].ID
	if a := n.calls("POST", "/admin/deliveries/"+id+"/give-up", ops, map[string]any{"reason": "x"}); a.status != 409 {
		t.Error("giving up what is not owed:", a.status, a.body)
	}
	no.status.Store(200)
	if a := n.calls("POST", "/admin/deliveries/"+id+"/resend", other, map[string]any{"reason": "x"}); a.status != 403 {
		t.Error("resent by another power:", a.status)
	}
	if a := n.calls("POST", "/admin/deliveries/"+id+"/resend", ops, map[string]any{"reason": "x"}); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		a := n.bearer("GET", "/admin/deliveries/"+id, ops)
		if strings.Contains(a.body, `"state":"confirmed"`) {
			break
		}
		if a.status != 200 || time.Now().After(end) {
			t.Fatal(a.status, a.body)
		}
	}
	for _, bad := range []string{"deliveries?state=nonsense", "deliveries?limit=0", "deliveries?limit=x", "deliveries?after=nonsense", "deliveries?client_id=%00",
		"deliveries?state=owed&state=dead", "receipts?sub=%FF"} {
		if a := n.bearer("GET", "/admin/"+bad, ops); a.status != 400 {
			t.Error(bad, a.status)
		}
	}
	if a := n.bearer("GET", "/admin/receipts?limit=1", ops); a.status != 200 || !strings.Contains(a.body, `"actor":"account:`) || !strings.Contains(a.body, `"next":`) {
		t.Error(a.status, a.body)
	}
	if a := n.calls("POST", "/admin/deliveries/7.ABCDABCDABCDABCD/resend", ops, map[string]any{"reason": "x"}); a.status != 404 {
		t.Error("what is not there:", a.status)
	}
}
