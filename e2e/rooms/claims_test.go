package rooms_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// What a token may say, by kind. What is not here is nowhere: the account's name, mail address and username are told at the
// userinfo endpoint, to apps with the scope for it.
var claimsOf = map[string]string{
	"access":         "iss sub aud client_id iat exp jti scope sid auth_time ends_with",
	"offline access": "iss sub aud client_id iat exp jti scope auth_time ends_with",
	"machine":        "iss sub aud client_id iat exp jti scope ends_with",
	"bound machine":  "iss sub aud client_id iat exp jti scope ends_with cnf cnf.jkt cnf.exeunt.dev/address",
	"id":             "iss sub aud exp iat auth_time nonce sid amr",
	"logout":         "iss sub aud iat exp jti events events.http://schemas.openid.net/event/backchannel-logout sid",
	"receipt": "iss sub iat receipt receipt.number receipt.cause receipt.ended_at receipt.ended receipt.sessions " +
		"receipt.refresh_families receipt.working receipt.owed receipt.as_of receipt.other_apis_until receipt.apps receipt.apps.client_id receipt.apps.name receipt.apps.state receipt.apps.sign_ins receipt.apps.attempts receipt.apps.next_attempt_at receipt.apps.confirmed_at receipt.apps.why receipt.offline receipt.offline.client_id receipt.offline.name " +
		"receipt.apps.failed receipt.apps.front_channel_only receipt.apps.asked_in_browser receipt.offline_ended_since receipt.offline_ended_since.client_id receipt.offline_ended_since.name",
	"introspection": "iss aud iat token_introspection token_introspection.active token_introspection.iss token_introspection.sub token_introspection.aud " +
		"token_introspection.client_id token_introspection.iat token_introspection.exp token_introspection.jti token_introspection.scope token_introspection.token_type token_introspection.sid",
}

// telling is what no token may hold, of a person for whom everything is known.
type telling struct {
	*node
	private map[string]string
}

// names are the paths of all members.
func names(prefix string, m map[string]any) (out []string) {
	for k, v := range m {
		out = append(out, prefix+k)
		all, _ := v.([]any)
		for _, v := range append(all, v) {
			if deeper, ok := v.(map[string]any); ok {
				out = append(out, names(prefix+k+".", deeper)...)
			}
		}
	}
	return out
}

// signed holds a JWT of ours against what its kind may say, and its text against what nothing may say.
func (n *telling) signed(kind, raw string) {
	n.t.Helper()
	may := strings.Fields(claimsOf[kind])
	for _, name := range names("", part(n.t, raw, 1)) {
		if !slices.Contains(may, name) {
			n.t.Errorf("%s token: claim %s", kind, name)
		}
	}
	for _, name := range slices.Collect(maps.Keys(part(n.t, raw, 0))) {
		if !slices.Contains([]string{"alg", "typ", "kid"}, name) {
			n.t.Errorf("%s token: header %s", kind, name)
		}
	}
	for i := range 2 {
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[i])
		if err != nil {
			n.t.Fatal(err)
		}
		n.silent(kind, string(text))
	}
}

// opaque holds a value that nobody but us reads against what nothing may say, also in what it decodes to.
func (n *telling) opaque(kind, raw string) {
	n.t.Helper()
	if raw == "" {
		n.t.Errorf("there is no %s", kind)
	}
	texts := []string{raw}
	for _, piece := range strings.FieldsFunc(raw, func(r rune) bool { return strings.ContainsRune(".:~%&=", r) }) {
		for _, e := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.StdEncoding} {
			if b, err := e.DecodeString(piece); err == nil {
				texts = append(texts, string(b))
				if json.Valid(b) && strings.HasPrefix(string(b), "{") {
					n.t.Errorf("%s holds %s", kind, b)
				}
			}
		}
	}
	for _, text := range texts {
		n.silent(kind, text)
	}
}

func (n *telling) silent(kind, text string) {
	n.t.Helper()
	for what, secret := range n.private {
		if secret != "" && strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			n.t.Errorf("%s holds the %s: %s", kind, what, text)
		}
	}
}

// R4.8: tokens carry no secret, and no personal data beyond what the app's scopes ask for. Every kind of token is made, for a person of
// whom everything is known, with every scope, and each claim is read.
func TestTokensTellNothing(t *testing.T) {
	const initial = "an initial access token of the tests"
	n := &telling{node: start(t, loopback, func(c *config.Config) { c.InitialTokens = []idp.Hash{idp.HashOf(initial)} })}
	n.private = map[string]string{"username": "walburga", "name": "Fink", "mail address": "mail.test", "password": "walburga's long password"}
	if err := n.server.AddAccount(t.Context(), &idp.Account{Username: "walburga", Name: "W. Fink", Email: "wf@mail.test", EmailVerified: true}, n.private["password"]); err != nil {
		t.Fatal(err)
	}
	at, calls := receiver(t, 200)
	n.toldApp("shop", func(c *idp.Client) {
		c.BackchannelLogoutURI = at
		c.Scopes = []string{"openid", "profile", "email", "offline_access", "account.signout"}
	})
	n.private["client's secret"] = n.secrets["shop"]
	p := n.person()
	if a := p.signIn("/login", "walburga", n.private["password"]); a.status >= 400 {
		t.Fatal(a.status, a.body)
	}
	p.get("/csrf_token/")
	for _, name := range []string{"exeunt", "exeunt-browser", "csrftoken"} {
		n.opaque("cookie "+name, p.cookie(name))
	}
	n.private["cookie"], n.private["browser's cookie"] = p.cookie("exeunt"), p.cookie("exeunt-browser")

	for _, scopes := range []string{"openid", "openid profile email", "openid profile email account.signout"} {
		t.Run(scopes, func(t *testing.T) {
			n := &telling{node: n.node, private: n.private}
			a := p.get(p.authorizeURL("shop", "scope", scopes, "nonce", "n"))
			n.opaque("code", query(t, a.location, "code"))
			got := p.redeem("shop", a)
			n.signed("access", got.Access)
			n.signed("id", got.ID)
			n.opaque("refresh token", got.Refresh)
			again, status := n.token("shop", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}})
			if status != 200 {
				t.Fatal(status)
			}
			n.signed("access", again.Access)
			n.signed("id", again.ID)
			n.opaque("second refresh token", again.Refresh)
			n.signed("introspection", n.inspected("shop", again.Access))
			n.signed("introspection", n.inspected("shop", again.Refresh))
		})
	}
	offline := p.redeem("shop", p.follow(p.get(p.authorizeURL("shop", "scope", "openid profile offline_access"))))
	n.signed("offline access", offline.Access)
	robot, _ := n.token("robot", url.Values{"grant_type": {"client_credentials"}})
	n.signed("machine", robot.Access)
	n.private["robot's secret"] = n.secrets["robot"]
	n.signed("introspection", n.inspected("robot", robot.Access))

	n.bound()

	made := p.do("POST", "/oauth2/register", `{"redirect_uris":["https://self.test/cb"]}`, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + initial})
	registered, _ := object(t, made)["registration_access_token"].(string)
	n.opaque("registration token", registered)
	r, _ := http.NewRequest("POST", "/", nil)
	r.SetBasicAuth("shop", n.secrets["shop"])
	pushed := p.do("POST", "/oauth2/par", strings.SplitN(p.authorizeURL("shop"), "?", 2)[1], map[string]string{"Content-Type": formType, "Authorization": r.Header.Get("Authorization")})
	uri, _ := object(t, pushed)["request_uri"].(string)
	n.opaque("pushed request", uri)

	left := p.post("/account/signout", fields(p.get("/account").body)).location
	n.opaque("receipt's address", strings.TrimPrefix(left, "/signout/"))
	n.signed("logout", one(t, calls).form.Get("logout_token"))
	n.signed("receipt", p.get(left+"/receipt.jwt").body)
}

// bound reads a token that is bound to a key and, because an operator wants it, to a network: of the caller's address it tells that, not
// the rest.
func (n *telling) bound() {
	n.t.Helper()
	if err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client("robot")
		c.BindAddress = idp.Networks{V4: 24, V6: 56}
		return errors.Join(err, tx.UpdateClient(c))
	}); err != nil {
		n.t.Fatal(err)
	}
	key, nonce := exeunttest.NewKey(n.t), ""
	for {
		r, _ := http.NewRequest("POST", "/", nil)
		r.SetBasicAuth("robot", n.secrets["robot"])
		a := n.person().do("POST", "/oauth2/token", "grant_type=client_credentials", map[string]string{"Content-Type": formType,
			"Authorization": r.Header.Get("Authorization"), "DPoP": key.Proof("POST", n.at+"/oauth2/token", "", exeunttest.Nonce(nonce))})
		if nonce == "" && a.status == 400 {
			nonce = a.header.Get("DPoP-Nonce")
			continue
		}
		raw, _ := object(n.t, a)["access_token"].(string)
		n.signed("bound machine", raw)
		if cnf, _ := part(n.t, raw, 1)["cnf"].(map[string]any); cnf["jkt"] != key.Thumbprint() || cnf["exeunt.dev/address"] != "127.0.0.0/24" {
			n.t.Error("bound to", cnf)
		}
		return
	}
}

func query(t *testing.T, at, name string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}
