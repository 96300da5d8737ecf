package rooms_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

// operator is a browser in which an operator is signed in; without a role, a person like any other.
func (n *node) operator(name string, role idp.Role) *person {
	n.t.Helper()
	a := idp.Account{Username: name}
	if err := n.server.AddAccount(n.t.Context(), &a, alicePW); err != nil {
		n.t.Fatal(err)
	}
	if role != "" {
		n.give(a.ID, role)
	}
	p := n.person()
	if p.signIn("/login", name, alicePW); p.user() != name {
		n.t.Fatal(name, "cannot sign in")
	}
	return p
}

func (n *node) give(id idp.AccountID, role idp.Role) {
	n.t.Helper()
	err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error {
		return operate.Give(tx, id, role, operate.By{Actor: idp.ActorOperator("test"), Reason: "a test"})
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) take(id idp.AccountID) {
	n.t.Helper()
	if err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error { return operate.Take(tx, id) }); err != nil {
		n.t.Fatal(err)
	}
}

// page asks as a browser does.
func (p *person) page(to string) answer {
	p.t.Helper()
	return p.do("GET", to, "", map[string]string{"Accept": "text/html,application/xhtml+xml"})
}

// acts presses a button in the console, with the proof that a page gave.
func (p *person) acts(to string, pairs ...string) answer {
	p.t.Helper()
	return p.post(to, with(url.Values{"csrf": {p.csrf()}, "reason": {"a test"}}, pairs...))
}

func (p *person) csrf() string {
	p.t.Helper()
	var out struct{ Token string }
	if m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(p.get("/account").body); m != nil {
		out.Token = m[1]
	}
	return out.Token
}

// machine is a token with the power of an operator.
func (n *node) machine(id string, scopes ...string) string {
	n.t.Helper()
	c := idp.Client{ID: idp.ClientID(id), Name: id, Kind: idp.KindMachine, AuthMethod: idp.AuthBasic, GrantTypes: []string{"client_credentials"}, Scopes: scopes}
	secret, err := n.server.AddClient(n.t.Context(), &c)
	if err != nil {
		n.t.Fatal(err)
	}
	n.secrets[id] = secret
	out, status := n.token(id, url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}})
	if status != 200 {
		n.t.Fatal("no token for", id, status)
	}
	return out.Access
}

// calls the JSON API.
func (n *node) calls(method, to, token string, body map[string]any) answer {
	n.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		n.t.Fatal(err)
	}
	return n.person().do(method, to, string(text), map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
}

func (n *node) account(id idp.AccountID) (a idp.Account) {
	n.t.Helper()
	if err := n.server.Store.View(n.t.Context(), func(v idp.View) (err error) { a, err = v.Account(id); return err }); err != nil {
		n.t.Fatal(err)
	}
	return a
}

func (n *node) client(id idp.ClientID) (c idp.Client) {
	n.t.Helper()
	if err := n.server.Store.View(n.t.Context(), func(v idp.View) (err error) { c, err = v.Client(id); return err }); err != nil {
		n.t.Fatal(err)
	}
	return c
}
