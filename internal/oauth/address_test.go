package oauth_test

import (
	"net"
	"net/http"
	"net/url"
	"testing"

	"exeunt.dev/internal/idp"
)

// from is the person at another address of this machine.
func (p *person) from(ip string) *person {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c := *p.c
	c.Transport = &http.Transport{DialContext: dialer.DialContext}
	p.t.Cleanup(c.CloseIdleConnections)
	return &person{node: p.node, c: &c, session: p.session}
}

func (p *person) token(app string, v url.Values) answer {
	p.t.Helper()
	return p.do("POST", "/oauth2/token", with(v, "client_id", app).Encode(), "Content-Type", formType)
}

func (p *person) info(token string) answer {
	p.t.Helper()
	return p.do("GET", "/oauth2/userInfo", "", "Authorization", "Bearer "+token)
}

func TestBoundToAddress(t *testing.T) {
	n := bindingNode(t)
	var events []idp.Event
	n.room.Tokens.Strayed = func(e idp.Event) { events = append(events, e) }
	n.change("spa", func(c *idp.Client) { c.BindAddress = idp.Networks{V4: 32, V6: 128} })
	here := n.signedIn("alice")
	there := here.from("127.0.0.2")

	code := here.code("spa")
	expect(t, "a stolen code", there.token("spa", redeeming("spa", code)), 400, "invalid_grant")
	got := here.token("spa", redeeming("spa", code)).tokens(t)
	if cnf, _ := claims(t, got.Access)["cnf"].(map[string]any); cnf["exeunt.dev/address"] != "127.0.0.1/32" || len(cnf) != 1 {
		t.Error("bound to", cnf)
	}
	expect(t, "from here", here.info(got.Access), 200, "")
	expect(t, "a stolen token", there.info(got.Access), 401, "invalid_token")

	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}
	expect(t, "a stolen refresh token", there.token("spa", v), 400, "invalid_grant")
	next := here.token("spa", v).tokens(t)
	expect(t, "which cost its owner nothing", here.info(next.Access), 200, "")
	want := []string{"code", "access token", "refresh token"}
	if len(events) != len(want) {
		t.Fatal(events)
	}
	for i, e := range events {
		if e.Kind != idp.EventStrayed || e.Data["what"] != want[i] || e.Data["bond"] != "address" || e.Account != n.people["alice"] || e.IP != "127.0.0.2" || e.Client != "spa" {
			t.Errorf("%+v", e)
		}
	}

	n.change("spa", func(c *idp.Client) { c.BindAddress = idp.Networks{V4: 24, V6: 56} })
	v.Set("refresh_token", next.Refresh)
	expect(t, "a family is bound as it was born", there.token("spa", v), 400, "invalid_grant")
	n.change("spa", func(c *idp.Client) { c.BindAddress = idp.Networks{} })
	free := there.token("spa", v).tokens(t)
	if cnf, bound := claims(t, free.Access)["cnf"]; bound {
		t.Error("bound to", cnf)
	}
}

func TestBoundToNetwork(t *testing.T) {
	n := bindingNode(t)
	n.change("spa", func(c *idp.Client) { c.BindAddress = idp.Networks{V4: 24, V6: 56} })
	here := n.signedIn("alice")
	near, far := here.from("127.0.0.77"), here.from("127.0.1.1")
	got := near.token("spa", redeeming("spa", here.code("spa"))).tokens(t)
	expect(t, "near", here.info(got.Access), 200, "")
	expect(t, "far", far.info(got.Access), 401, "invalid_token")
	robot := func(p *person) tokens { return p.machine("robot").tokens(t) }
	n.change("robot", func(c *idp.Client) { c.BindAddress = idp.Networks{V4: 32, V6: 128} })
	if cnf, _ := claims(t, robot(n.person().from("127.0.0.9")).Access)["cnf"].(map[string]any); cnf["exeunt.dev/address"] != "127.0.0.9/32" {
		t.Error("a machine is bound to", cnf)
	}
}

func (p *person) machine(app idp.ClientID) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), "POST", p.at, nil)
	must(p.t, err)
	r.SetBasicAuth(url.QueryEscape(string(app)), url.QueryEscape(p.secrets[app]))
	return p.do("POST", "/oauth2/token", "grant_type=client_credentials", "Content-Type", formType, "Authorization", r.Header.Get("Authorization"))
}
