package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
	"exeunt.dev/ledger"
)

const everybody = "global_token_revocation"

// allow makes a client that may ask for the right to sign anybody out, if its kind lets it.
func (n *node) allow(c idp.Client) {
	n.t.Helper()
	n.secrets[c.ID] = idp.NewSecret(32)
	c.Secret, c.Name, c.AuthMethod, c.Scopes = idp.HashOf(n.secrets[c.ID]), string(c.ID), idp.AuthBasic, append(c.Scopes, everybody)
	c.GrantTypes = append(c.GrantTypes, "client_credentials")
	n.update(func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) })
}

// watcher is a machine that may sign anybody out, with a token for it.
func (n *node) watcher() string {
	n.t.Helper()
	n.allow(idp.Client{ID: "watcher", Kind: idp.KindMachine, Scopes: []string{"orders:read"}, Audiences: []string{apiAud}})
	return n.machineToken("watcher", everybody).tokens(n.t).Access
}

func (n *node) machineToken(app idp.ClientID, scope string, pairs ...string) answer {
	n.t.Helper()
	return n.as(app, "/oauth2/token", with(url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}, pairs...))
}

func (n *node) endAll(bearer string, body any, header ...string) answer {
	n.t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(map[string]any{"sub_id": body})
		must(n.t, err)
		text = string(raw)
	}
	if bearer != "" {
		header = append(header, "Authorization", "Bearer "+bearer)
	}
	return n.person().do("POST", "/oauth2/global-token-revocation", text, append(header, "Content-Type", "application/json")...)
}

func opaque(id idp.AccountID) map[string]string {
	return map[string]string{"format": "opaque", "id": string(id)}
}

// Everything of the person named ends, however it is named: sessions, refresh tokens, offline ones too, access tokens, codes
// not redeemed yet; nothing comes back without signing in again; and nobody else is touched.
func TestGlobalRevocation(t *testing.T) {
	n := start(t)
	bearer := n.watcher()
	host := strings.Split(strings.TrimPrefix(n.at, "http://"), ":")[0]
	bob := n.signedIn("bob")
	bobs := bob.enter("books")
	for name, id := range map[string]map[string]string{
		"iss_sub":         {"format": "iss_sub", "iss": n.at, "sub": string(n.people["alice"])},
		"opaque":          opaque(n.people["alice"]),
		"account":         {"format": "account", "uri": "acct:alice@" + host},
		"account, folded": {"format": "account", "uri": "acct:%41lice@" + host},
	} {
		here, there := n.signedIn("alice"), n.signedIn("alice")
		books, offline := here.enter("books"), there.as("phone", "/oauth2/token", redeeming("phone", there.code("phone", "scope", "openid offline_access"))).tokens(t)
		code := there.code("books")
		a := n.endAll(bearer, id)
		if a.status != 204 || a.body != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		expect(t, name+": access token", n.userInfo(books.Access), 401, "invalid_token")
		expect(t, name+": offline access token", n.userInfo(offline.Access), 401, "invalid_token")
		expect(t, name+": refresh token", n.refresh("books", books.Refresh), 400, "invalid_grant")
		expect(t, name+": offline refresh token", n.refresh("phone", offline.Refresh), 400, "invalid_grant")
		expect(t, name+": code", n.as("books", "/oauth2/token", redeeming("books", code)), 400, "invalid_grant")
		for _, p := range []*person{here, there} {
			if q := p.authorize("books", "prompt", "none").query(); q.Get("error") != "login_required" {
				t.Errorf("%s: the session lives: %v", name, q)
			}
		}
		n.signedIn("alice").enter("books") // who signs in again is in
	}
	if n.userInfo(bobs.Access).status != 200 || bob.authorize("books", "prompt", "none").query().Get("code") == "" {
		t.Error("somebody else was touched")
	}
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		receipts, err := v.Receipts(n.people["alice"], 0, 10)
		if len(receipts) != 4 || receipts[0].Actor != "client:watcher" || receipts[0].Cause != idp.CauseEverywhere {
			t.Errorf("receipts: %+v", receipts)
		}
		return err
	}))
	doc := n.person().get("/.well-known/oauth-authorization-server").json(t)
	if doc["global_token_revocation_endpoint"] != n.at+"/oauth2/global-token-revocation" {
		t.Error("discovery:", doc["global_token_revocation_endpoint"])
	}
}

// Only a machine that an operator allowed it, with a token for just that, may call; and whoever may not learns the same about a
// person as about nobody.
func TestGlobalRevocation_WhoMayCall(t *testing.T) {
	n := start(t)
	good := n.watcher()
	p := n.signedIn("alice")
	own := p.enter("books", "scope", "openid account.signout "+everybody)
	n.allow(idp.Client{ID: "site", Kind: idp.KindWeb, FirstParty: true, GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"https://site.test/cb"}, Scopes: []string{"openid"}})
	n.allow(idp.Client{ID: "anapi", Kind: idp.KindAPI, Audiences: []string{otherAud}})
	people := p.enter("site", "scope", "openid "+everybody)
	if strings.Contains(people.Scope, everybody) {
		t.Error("a person's token may sign anybody out")
	}
	raw := func(app idp.ClientID, scope string) string { return n.machineToken(app, scope).tokens(t).Access }
	// No token like these is ever signed; whoever were to get one signed could do nothing with it.
	but := func(member string, value any) string {
		other := claims(t, good)
		other[member] = value
		text, err := json.Marshal(other)
		must(t, err)
		signer, err := n.room.Ring.Signer(idp.UseAccess, "")
		must(t, err)
		out, err := signer.Sign("at+jwt", text)
		must(t, err)
		return out
	}
	for name, c := range map[string]struct {
		bearer string
		status int
		code   string
	}{
		"nobody":                 {"", 401, "invalid_request"},
		"nonsense":               {"nonsense", 401, "invalid_token"},
		"forged":                 {good[:len(good)-8] + "AAAAAAAA", 401, "invalid_token"},
		"an ID token":            {own.ID, 401, "invalid_token"},
		"a refresh token":        {own.Refresh, 401, "invalid_token"},
		"the secret":             {n.secrets["watcher"], 401, "invalid_token"},
		"the person's own token": {own.Access, 403, "insufficient_scope"},
		"a person's, of a site":  {people.Access, 403, "insufficient_scope"},
		"a machine without it":   {raw("robot", everybody), 403, "insufficient_scope"},
		"without asking for it":  {raw("watcher", ""), 403, "insufficient_scope"},
		"with another scope":     {raw("watcher", "orders:read"), 403, "insufficient_scope"},
		"for an API, too":        {but("aud", []string{n.at, apiAud}), 403, "insufficient_scope"},
		"for another server":     {but("aud", apiAud), 403, "insufficient_scope"},
		"a person's, by it":      {but("sub", n.people["bob"]), 403, "insufficient_scope"},
	} {
		alice, nobody := n.endAll(c.bearer, opaque(n.people["alice"])), n.endAll(c.bearer, opaque("AAAAAAAAAAAAAAAA"))
		expect(t, name, alice, c.status, c.code)
		if alice.header.Get("WWW-Authenticate") == "" || alice.body != nobody.body || alice.status != nobody.status {
			t.Errorf("%s: %d %s for a person, %d %s for nobody", name, alice.status, alice.body, nobody.status, nobody.body)
		}
		if odd := n.endAll(c.bearer, map[string]string{"format": "email", "email": "alice@example.test"}); odd.status != c.status {
			t.Errorf("%s: another format: %d", name, odd.status)
		}
	}
	expect(t, "a website", n.machineToken("site", everybody), 400, "invalid_scope")
	expect(t, "an API", n.machineToken("anapi", everybody), 400, "invalid_scope")
	expect(t, "with other rights", n.machineToken("watcher", everybody+" orders:read"), 400, "invalid_scope")
	expect(t, "for an API", n.machineToken("watcher", everybody, "resource", apiAud), 400, "invalid_target")
	if aud := claims(t, raw("watcher", everybody))["aud"]; aud != n.at {
		t.Error("the token is for", aud)
	}
	basic := n.as("watcher", "/oauth2/global-token-revocation", url.Values{})
	expect(t, "client credentials", basic, 401, "invalid_request")
	expect(t, "the token in the query", n.person().do("POST", "/oauth2/global-token-revocation?access_token="+good, `{}`, "Content-Type", "application/json"), 401, "invalid_request")
	if p.authorize("books", "prompt", "none").query().Get("code") == "" || n.userInfo(own.Access).status != 200 {
		t.Fatal("somebody who may not has signed alice out")
	}
}

// The right is asked for again at each call: a token that has ended or expired, and a client that lost it, are refused.
func TestGlobalRevocation_RightGone(t *testing.T) {
	for name, lose := range map[string]func(n *node, bearer string) (status int, code string){
		"expired": func(n *node, _ string) (int, string) { n.pass(6 * time.Minute); return 401, "invalid_token" },
		"revoked": func(n *node, bearer string) (int, string) {
			n.as("watcher", "/oauth2/revoke", url.Values{"token": {bearer}})
			return 401, "invalid_token"
		},
		"client ended": func(n *node, _ string) (int, string) {
			n.end(idp.EndClient("watcher", false), idp.CauseClientEnded)
			return 401, "invalid_token"
		},
		"client disabled": func(n *node, _ string) (int, string) {
			n.end(idp.EndClient("watcher", true), idp.CauseClientEnded)
			return 401, "invalid_token"
		},
		"realm ended": func(n *node, _ string) (int, string) {
			n.end(idp.EndRealm(), idp.CauseRealmEnded)
			return 401, "invalid_token"
		},
		"scope withdrawn": func(n *node, _ string) (int, string) {
			n.update(func(tx idp.Tx) error {
				c, err := tx.Client("watcher")
				if err != nil {
					return err
				}
				c.Scopes = slices.DeleteFunc(c.Scopes, func(s string) bool { return s == everybody })
				return tx.UpdateClient(c)
			})
			return 403, "insufficient_scope"
		},
	} {
		n := start(t)
		bearer := n.watcher()
		p := n.signedIn("bob")
		status, code := lose(n, bearer)
		expect(t, name, n.endAll(bearer, opaque(n.people["bob"])), status, code)
		if name != "realm ended" && p.authorize("books", "prompt", "none").query().Get("code") == "" {
			t.Errorf("%s: bob was signed out", name)
		}
	}
}

// Who is not there is 404, what is not understood is 400, and neither ends anybody.
func TestGlobalRevocation_Subjects(t *testing.T) {
	n := start(t)
	bearer := n.watcher()
	p := n.signedIn("alice")
	own := p.enter("books")
	alice := string(n.people["alice"])
	acct := func(uri string) map[string]string { return map[string]string{"format": "account", "uri": uri} }
	for name, c := range map[string]struct {
		body   any
		status int
	}{
		"unknown id":               {opaque("AAAAAAAAAAAAAAAA"), 404},
		"a username as id":         {opaque("alice"), 404},
		"an id with a space":       {opaque(idp.AccountID(alice + " ")), 404},
		"another issuer":           {map[string]string{"format": "iss_sub", "iss": "https://other.test", "sub": alice}, 404},
		"the issuer and a slash":   {map[string]string{"format": "iss_sub", "iss": n.at + "/", "sub": alice}, 404},
		"a machine's sub":          {map[string]string{"format": "iss_sub", "iss": n.at, "sub": "robot"}, 404},
		"account elsewhere":        {acct("acct:alice@other.test"), 404},
		"account unknown":          {acct("acct:carol@127.0.0.1"), 404},
		"account, odd letters":     {acct("acct:alice%00@127.0.0.1"), 404},
		"account, bad encoding":    {acct("acct:alice%4@127.0.0.1"), 404},
		"account without host":     {acct("acct:alice"), 400},
		"account without name":     {acct("acct:@127.0.0.1"), 400},
		"account, other scheme":    {acct("mailto:alice@127.0.0.1"), 400},
		"email":                    {map[string]string{"format": "email", "email": "alice@example.test"}, 400},
		"phone_number":             {map[string]string{"format": "phone_number", "phone_number": "+15550100"}, 400},
		"aliases":                  {map[string]any{"format": "aliases", "identifiers": []any{opaque(n.people["alice"])}}, 400},
		"no format":                {map[string]string{"id": alice}, 400},
		"no member":                {map[string]string{"format": "opaque"}, 400},
		"an empty member":          {opaque(""), 400},
		"two ways in one":          {map[string]string{"format": "opaque", "id": alice, "sub": "other"}, 400},
		"a number":                 {map[string]any{"format": "opaque", "id": 7}, 400},
		"a list":                   {[]string{alice}, 400},
		"an earlier draft's name":  {`{"subject":{"format":"opaque","id":"` + alice + `"}}`, 400},
		"nothing":                  {`{}`, 400},
		"null":                     {`{"sub_id":null}`, 400},
		"no JSON":                  {`sub_id=` + alice, 400},
		"an array":                 {`[]`, 400},
		"a zero character":         {`{"sub_id":{"format":"opaque","id":"\u0000"}}`, 400},
		"too large":                {`{"sub_id":{"format":"opaque","id":"` + strings.Repeat("x", 70<<10) + `"}}`, 413},
		"a text that is not UTF-8": {"{\"sub_id\":{\"format\":\"opaque\",\"id\":\"\xff\"}}", 400},
	} {
		if a := n.endAll(bearer, c.body); a.status != c.status || strings.Contains(a.body, alice) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := n.person().do("POST", "/oauth2/global-token-revocation", "sub_id=x", "Content-Type", formType, "Authorization", "Bearer "+bearer); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d", a.status)
	}
	if a := n.endAll(bearer, opaque(n.people["alice"]), "Idempotency-Key", strings.Repeat("x", 257)); a.status != 400 {
		t.Errorf("an endless key: %d", a.status)
	}
	if n.userInfo(own.Access).status != 200 {
		t.Fatal("somebody was signed out")
	}
	n.end(idp.EndAccount(n.people["alice"], idp.AccountLocked), idp.CauseLock)
	if a := n.endAll(bearer, opaque(n.people["alice"])); a.status != 204 {
		t.Errorf("locked: %d %s", a.status, a.body)
	}
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		a, err := v.Account(n.people["alice"])
		if a.State != idp.AccountLocked {
			t.Error("the call has unlocked her")
		}
		return err
	}))
	n.end(idp.EndAccount(n.people["alice"], idp.AccountDeleted), idp.CauseDelete)
	expect(t, "deleted", n.endAll(bearer, opaque(n.people["alice"])), 404, "not_found")
}

// A retried call does not end the sign-in made in between; another key, another person or no key is another call.
func TestGlobalRevocation_Retried(t *testing.T) {
	n := start(t)
	bearer := n.watcher()
	call := func(who string, header ...string) {
		t.Helper()
		if a := n.endAll(bearer, opaque(n.people[who]), header...); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	call("alice", "Idempotency-Key", "one")
	alice, bob := n.signedIn("alice").enter("books"), n.signedIn("bob").enter("books")
	call("alice", "Idempotency-Key", "one")
	if n.userInfo(alice.Access).status != 200 {
		t.Error("a retry ends the sign-in made in between")
	}
	call("bob", "Idempotency-Key", "one")
	if n.userInfo(bob.Access).status != 401 {
		t.Error("another person under the same key was not signed out")
	}
	call("alice", "Idempotency-Key", "two")
	if n.userInfo(alice.Access).status != 401 {
		t.Error("another key is another call")
	}
	bob = n.signedIn("bob").enter("books")
	call("bob")
	if n.userInfo(bob.Access).status != 401 {
		t.Error("without a key every call is another")
	}
	must(t, n.store.Close())
	a := n.endAll(bearer, opaque(n.people["bob"]))
	expect(t, "no store", a, 503, "temporarily_unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// No app gets the right by asking: not by registering, not by registering again, not where an operator opened it by mistake.
func TestGlobalRevocation_IsNotTaken(t *testing.T) {
	n := start(t, func(o *oauth.OAuth) { o.Scopes = []string{everybody, "orders:read"} })
	m := `"redirect_uris":[],"grant_types":["client_credentials"],"scope":"` + everybody + ` orders:read"`
	header := []string{"Content-Type", "application/json", "Authorization", "Bearer " + initial}
	made := n.person().do("POST", "/oauth2/register", "{"+m+"}", header...).json(t)
	id, _ := made["client_id"].(string)
	if made["scope"] != "orders:read" {
		t.Fatalf("%v", made)
	}
	header[3] = "Bearer " + stringOf(made["registration_access_token"])
	again := n.person().do("PUT", stringOf(made["registration_client_uri"]), `{"client_id":"`+id+`",`+m+"}", header...).json(t)
	if again["scope"] != "orders:read" {
		t.Errorf("%v", again)
	}
	n.secrets[idp.ClientID(id)] = stringOf(made["client_secret"])
	if got := n.machineToken(idp.ClientID(id), everybody).tokens(t); got.Scope != "" {
		t.Errorf("a scope that was not given: %q", got.Scope)
	}
}
