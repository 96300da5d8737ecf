package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
)

// device is an app that holds a key, and remembers the nonce that it was told.
type device struct {
	*node
	key   *exeunttest.Key
	app   string
	nonce string
}

func bindingNode(t *testing.T) *node {
	nonces, err := dpop.NewNonces(make([]byte, 32))
	must(t, err)
	return start(t, func(o *oauth.OAuth) { o.Tokens.Nonces = nonces })
}

func (n *node) device(app string) *device {
	return &device{node: n, key: exeunttest.NewKey(n.t), app: app}
}

func (d *device) proof(method, path, token string, claims ...exeunttest.Claim) string {
	return d.key.Proof(method, d.at+path, token, append([]exeunttest.Claim{exeunttest.Nonce(d.nonce), exeunttest.Set("iat", time.Now().Add(time.Duration(d.ahead.Load())).Unix())}, claims...)...)
}

// post asks with a proof, and once more if a nonce is asked for.
func (d *device) post(path string, v url.Values, claims ...exeunttest.Claim) answer {
	d.t.Helper()
	a := d.as(idp.ClientID(d.app), path, v, "DPoP", d.proof("POST", path, "", claims...))
	if d.nonce = a.header.Get("DPoP-Nonce"); a.code() == "use_dpop_nonce" {
		a = d.as(idp.ClientID(d.app), path, v, "DPoP", d.proof("POST", path, "", claims...))
	}
	return a
}

func (d *device) refresh(token string) answer {
	d.t.Helper()
	return d.post("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (d *device) userInfo(token string) answer {
	d.t.Helper()
	return d.person().do("GET", "/oauth2/userInfo", "", "Authorization", "DPoP "+token, "DPoP", d.proof("GET", "/oauth2/userInfo", token))
}

func (d *device) enter(p *person, pairs ...string) tokens {
	d.t.Helper()
	a := d.post("/oauth2/token", redeeming(d.app, p.code(d.app, pairs...)))
	out := a.tokens(d.t)
	if a.json(d.t)["token_type"] != "DPoP" {
		d.t.Errorf("%s: token_type is %v", d.app, a.json(d.t)["token_type"])
	}
	if cnf, _ := claims(d.t, out.Access)["cnf"].(map[string]any); cnf["jkt"] != d.key.Thumbprint() {
		d.t.Errorf("%s: bound to %v", d.app, cnf)
	}
	return out
}

func (n *node) change(app idp.ClientID, f func(*idp.Client)) {
	n.t.Helper()
	n.update(func(tx idp.Tx) error {
		c, err := tx.Client(app)
		if err != nil {
			return err
		}
		f(&c)
		return tx.UpdateClient(c)
	})
}

func TestDPoPTokens(t *testing.T) {
	n := bindingNode(t)
	d := n.device("phone")
	got := d.enter(n.signedIn("alice"))

	expect(t, "with a proof", d.userInfo(got.Access), 200, "")
	a := n.userInfo(got.Access)
	expect(t, "as Bearer", a, 401, "invalid_token")
	if c := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(c, "DPoP error=") || !strings.Contains(c, `algs="ES256 `) {
		t.Error("challenge:", c)
	}
	thief := n.device("phone")
	thief.nonce = d.nonce
	expect(t, "stolen, with a proof by another key", thief.userInfo(got.Access), 401, "invalid_token")
	for name, proof := range map[string]string{
		"none":                "",
		"for another address": d.key.Proof("GET", n.at+"/oauth2/token", got.Access, exeunttest.Nonce(d.nonce)),
		"for another method":  d.proof("POST", "/oauth2/userInfo", got.Access),
		"for another token":   d.proof("GET", "/oauth2/userInfo", got.ID),
		"old":                 d.proof("GET", "/oauth2/userInfo", got.Access, exeunttest.Set("iat", time.Now().Add(-6*time.Minute).Unix())),
	} {
		a := n.person().do("GET", "/oauth2/userInfo", "", "Authorization", "DPoP "+got.Access, "DPoP", proof)
		expect(t, "proof "+name, a, 401, "invalid_dpop_proof")
	}
	a = n.person().do("GET", "/oauth2/userInfo", "", "Authorization", "DPoP "+got.Access, "DPoP", d.key.Proof("GET", n.at+"/oauth2/userInfo", got.Access))
	if expect(t, "without a nonce", a, 401, "use_dpop_nonce"); a.header.Get("DPoP-Nonce") == "" {
		t.Error("no nonce is offered")
	}
	once := []string{"Authorization", "DPoP " + got.Access, "DPoP", d.proof("GET", "/oauth2/userInfo", got.Access)}
	expect(t, "a proof", n.person().do("GET", "/oauth2/userInfo", "", once...), 200, "")
	// A proxy repeats a request whose first answer was 503: the client is to make another proof, and not to think that it was refused.
	a = n.person().do("GET", "/oauth2/userInfo", "", once...)
	expect(t, "the same again", a, 401, "use_dpop_nonce")
	if d.nonce = a.header.Get("DPoP-Nonce"); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `DPoP error="use_dpop_nonce"`) {
		t.Error("challenge:", a.header.Get("WWW-Authenticate"))
	}
	expect(t, "another proof with that nonce", d.userInfo(got.Access), 200, "")
	expect(t, "the same once more", n.person().do("GET", "/oauth2/userInfo", "", once...), 401, "use_dpop_nonce")

	bearer := n.signedIn("bob").enter("phone")
	expect(t, "a bearer token in the scheme DPoP", d.userInfo(bearer.Access), 401, "invalid_token")
	expect(t, "a bearer token as such", n.userInfo(bearer.Access), 200, "")

	inspected := n.introspect("api", got.Access).json(t)
	if cnf, _ := inspected["cnf"].(map[string]any); inspected["token_type"] != "DPoP" || cnf["jkt"] != d.key.Thumbprint() {
		t.Error("introspection:", inspected)
	}
	if doc := n.person().get("/.well-known/openid-configuration").json(t); len(doc["dpop_signing_alg_values_supported"].([]any)) != 5 {
		t.Error("discovery does not say the algorithms")
	}
}

func TestDPoPRefresh(t *testing.T) {
	n := bindingNode(t)
	d := n.device("phone")
	got := d.enter(n.signedIn("alice"))
	other := n.device("phone")
	expect(t, "refreshed with another key", other.refresh(got.Refresh), 400, "invalid_grant")
	expect(t, "refreshed without a key", n.refresh("phone", got.Refresh), 400, "invalid_grant")
	next := d.refresh(got.Refresh).tokens(t)

	replay := d.refresh(got.Refresh)
	if again := replay.tokens(t); again.Refresh != next.Refresh {
		t.Error("within the grace the same successor is due")
	}
	expect(t, "within the grace, with another key", other.refresh(got.Refresh), 400, "invalid_grant")
	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}
	once := d.proof("POST", "/oauth2/token", "")
	expect(t, "within the grace, with a proof", n.as("phone", "/oauth2/token", v, "DPoP", once), 200, "")
	expect(t, "within the grace, with the same proof", n.as("phone", "/oauth2/token", v, "DPoP", once), 400, "use_dpop_nonce")

	n.pass(time.Minute)
	d.nonce = ""
	expect(t, "a used one by a thief without the key", other.refresh(got.Refresh), 400, "invalid_grant")
	last := d.refresh(next.Refresh).tokens(t)
	expect(t, "what the thief did ended nothing", d.userInfo(last.Access), 200, "")
	n.pass(time.Minute)
	expect(t, "a used one with the key", d.refresh(got.Refresh), 400, "invalid_grant")
	expect(t, "that is theft", d.userInfo(last.Access), 401, "invalid_token")
}

// A family is bound at birth or never: a thief who binds a stolen token to a key of his own would be safe from the owner's
// reuse.
func TestDPoPBindsNoOldFamily(t *testing.T) {
	n := bindingNode(t)
	first := n.signedIn("alice").enter("phone")
	thief := n.device("phone")
	a := thief.refresh(first.Refresh)
	stolen := a.tokens(t)
	if a.json(t)["token_type"] != "Bearer" {
		t.Error("an unbound family gave", a.json(t)["token_type"])
	}
	n.pass(time.Minute)
	expect(t, "the owner's reuse", n.refresh("phone", first.Refresh), 400, "invalid_grant")
	expect(t, "which ends the thief's", thief.refresh(stolen.Refresh), 400, "invalid_grant")
	expect(t, "and his tokens", n.userInfo(stolen.Access), 401, "invalid_token")

	before := n.signedIn("alice").enter("phone")
	n.change("phone", func(c *idp.Client) { c.DPoP = idp.DPoPRequired })
	expect(t, "a family from before the rule", n.device("phone").refresh(before.Refresh), 400, "invalid_grant")
	expect(t, "no proof", n.as("phone", "/oauth2/token", redeeming("phone", n.signedIn("alice").code("phone"))), 400, "invalid_dpop_proof")
	n.change("phone", func(c *idp.Client) { c.DPoP = idp.DPoPOff })
	off := n.device("phone").post("/oauth2/token", redeeming("phone", n.signedIn("alice").code("phone")))
	if off.status != 200 || off.json(t)["token_type"] != "Bearer" {
		t.Error("off:", off.status, off.body)
	}
}

// A confidential client authenticates, so its refresh tokens take any key, and machines bind theirs, too.
func TestDPoPOfConfidentialClients(t *testing.T) {
	n := bindingNode(t)
	d := n.device("books")
	got := d.enter(n.signedIn("alice"))
	other := n.device("books")
	next := other.refresh(got.Refresh)
	if cnf, _ := claims(t, next.tokens(t).Access)["cnf"].(map[string]any); cnf["jkt"] != other.key.Thumbprint() {
		t.Error("bound to", cnf)
	}
	robot := n.device("robot")
	a := robot.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
	if a.tokens(t); a.json(t)["token_type"] != "DPoP" {
		t.Error(a.body)
	}
	v := url.Values{"grant_type": {"client_credentials"}}
	once := robot.proof("POST", "/oauth2/token", "")
	expect(t, "a machine's proof", n.as("robot", "/oauth2/token", v, "DPoP", once), 200, "")
	expect(t, "the same again", n.as("robot", "/oauth2/token", v, "DPoP", once), 400, "use_dpop_nonce")
}

func TestDPoPOfCodes(t *testing.T) {
	n := bindingNode(t)
	alice := n.signedIn("alice")
	d, other := n.device("phone"), n.device("phone")
	code := alice.code("phone", "dpop_jkt", d.key.Thumbprint())
	expect(t, "stolen code, another key", other.post("/oauth2/token", redeeming("phone", code)), 400, "invalid_grant")
	expect(t, "stolen code, no key", n.as("phone", "/oauth2/token", redeeming("phone", code)), 400, "invalid_grant")
	d.post("/oauth2/token", redeeming("phone", code)).tokens(t)
	if a := alice.authorize("phone", "dpop_jkt", "x"); a.query().Get("error") != "invalid_request" {
		t.Error("dpop_jkt x:", a.status, a.header.Get("Location"))
	}

	push := d.post("/oauth2/par", ask("phone"))
	expect(t, "pushed with a proof", push, 201, "")
	uri, _ := push.json(t)["request_uri"].(string)
	code = alice.get("/oauth2/authorize?" + url.Values{"client_id": {"phone"}, "request_uri": {uri}}.Encode()).query().Get("code")
	expect(t, "a pushed request's code, another key", other.post("/oauth2/token", redeeming("phone", code)), 400, "invalid_grant")
	d.post("/oauth2/token", redeeming("phone", code)).tokens(t)
	expect(t, "pushed with two keys", d.post("/oauth2/par", ask("phone", "dpop_jkt", other.key.Thumbprint())), 400, "invalid_dpop_proof")
	expect(t, "pushed with what is no proof", n.as("phone", "/oauth2/par", ask("phone"), "DPoP", "x"), 400, "invalid_dpop_proof")
	once := d.proof("POST", "/oauth2/par", "")
	expect(t, "pushed", n.as("phone", "/oauth2/par", ask("phone"), "DPoP", once), 201, "")
	expect(t, "pushed with the same proof", n.as("phone", "/oauth2/par", ask("phone"), "DPoP", once), 400, "use_dpop_nonce")

	v := with(ask("phone"), "username", "alice", "password", password)
	sign := d.post("/oauth2/challenge", v)
	expect(t, "signed in with a proof", sign, 200, "")
	code, _ = sign.json(t)["authorization_code"].(string)
	expect(t, "a challenge's code, another key", other.post("/oauth2/token", redeeming("phone", code)), 400, "invalid_grant")
	got := d.post("/oauth2/token", redeeming("phone", code)).tokens(t)
	expect(t, "a challenge's token", d.userInfo(got.Access), 200, "")
}

func TestDPoPBeforeTheCodeIsUsed(t *testing.T) {
	n := bindingNode(t)
	d := n.device("phone")
	code := n.signedIn("alice").code("phone")
	v := redeeming("phone", code)
	expect(t, "no nonce", n.as("phone", "/oauth2/token", v, "DPoP", d.key.Proof("POST", n.at+"/oauth2/token", "")), 400, "use_dpop_nonce")
	expect(t, "not a proof", n.as("phone", "/oauth2/token", v, "DPoP", "x"), 400, "invalid_dpop_proof")
	expect(t, "the code is still good", d.post("/oauth2/token", v), 200, "")
}

// A proof counts once also where what it is for counts once anyway.
func TestDPoPOnce(t *testing.T) {
	n := bindingNode(t)
	d := n.device("phone")
	d.enter(n.signedIn("alice")) // and it knows a nonce
	once := d.proof("POST", "/oauth2/token", "")
	expect(t, "a code", n.as("phone", "/oauth2/token", redeeming("phone", n.signedIn("alice").code("phone")), "DPoP", once), 200, "")
	another := redeeming("phone", n.signedIn("alice").code("phone"))
	expect(t, "another code, the same proof", n.as("phone", "/oauth2/token", another, "DPoP", once), 400, "use_dpop_nonce")
	expect(t, "which has not used it up", d.post("/oauth2/token", another), 200, "")

	v := ask("phone", "username", "alice", "password", password)
	once = d.proof("POST", "/oauth2/challenge", "")
	expect(t, "a challenge", n.as("phone", "/oauth2/challenge", v, "DPoP", once), 200, "")
	expect(t, "the same proof", n.as("phone", "/oauth2/challenge", v, "DPoP", once), 400, "use_dpop_nonce")
}

// Without nonces there is none to try again with.
func TestDPoPOnceWithoutNonces(t *testing.T) {
	n := start(t)
	d := n.device("phone")
	got := d.enter(n.signedIn("alice"))
	once := []string{"Authorization", "DPoP " + got.Access, "DPoP", d.proof("GET", "/oauth2/userInfo", got.Access)}
	expect(t, "a proof", n.person().do("GET", "/oauth2/userInfo", "", once...), 200, "")
	expect(t, "the same again", n.person().do("GET", "/oauth2/userInfo", "", once...), 401, "invalid_dpop_proof")
}

// What is bound to a key and shown without it is an event each time, wherever it is shown; what is only a bad request is none.
func TestDPoPStrayed(t *testing.T) {
	n := bindingNode(t)
	var events []string
	n.room.Tokens.Strayed = func(e idp.Event) {
		if e.Kind != idp.EventStrayed || e.Account != n.people["alice"] || e.Client != "phone" || e.IP != "127.0.0.1" {
			t.Errorf("%+v", e)
		}
		events = append(events, e.Data["what"]+" "+e.Data["bond"])
	}
	d, thief := n.device("phone"), n.device("phone")
	code := n.signedIn("alice").code("phone", "dpop_jkt", d.key.Thumbprint())
	got := thief.post("/oauth2/token", redeeming("phone", code))
	expect(t, "a stolen code", got, 400, "invalid_grant")
	own := d.post("/oauth2/token", redeeming("phone", code)).tokens(t)
	expect(t, "a stolen token, another key", thief.userInfo(own.Access), 401, "invalid_token")
	expect(t, "a stolen token, as Bearer", n.userInfo(own.Access), 401, "invalid_token")
	expect(t, "a stolen refresh token, another key", thief.refresh(own.Refresh), 400, "invalid_grant")
	expect(t, "a stolen refresh token, no key", n.refresh("phone", own.Refresh), 400, "invalid_grant")
	if want := []string{"code key", "access token key", "access token key", "refresh token key", "refresh token key"}; !slices.Equal(events, want) {
		t.Errorf("%q, want %q", events, want)
	}
	events = nil
	once := d.proof("GET", "/oauth2/userInfo", own.Access)
	for range 2 {
		n.person().do("GET", "/oauth2/userInfo", "", "Authorization", "DPoP "+own.Access, "DPoP", once)
	}
	n.person().do("GET", "/oauth2/userInfo", "", "Authorization", "DPoP "+own.Access)
	if d.refresh(own.Refresh); len(events) > 0 {
		t.Errorf("in its owner's hands: %q", events)
	}
}

func TestDPoPRegistration(t *testing.T) {
	n := bindingNode(t)
	register := func(body string) answer {
		return n.person().do("POST", "/oauth2/register", body, "Content-Type", "application/json", "Authorization", "Bearer "+initial)
	}
	a := register(`{"redirect_uris":["https://x.test/cb"],"token_endpoint_auth_method":"none","dpop_bound_access_tokens":true,"bind_address":"24/56"}`)
	if m := a.json(t); a.status != http.StatusCreated || m["dpop_bound_access_tokens"] != true || m["bind_address"] != "24/56" {
		t.Error(a.status, a.body)
	}
	expect(t, "no prefix", register(`{"redirect_uris":["https://x.test/cb"],"bind_address":"0/0"}`), 400, "invalid_client_metadata")
	expect(t, "a device's address", register(`{"redirect_uris":["https://x.test/cb"],"application_type":"native","bind_address":"exact"}`), 400, "invalid_client_metadata")
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{"": "off", "off": "off", "exact": "exact", "24/56": "24/56", "32/128": "exact"} {
		if n, err := idp.ParseNetworks(text); err != nil || n.String() != want {
			t.Errorf("%q: %v %v", text, n, err)
		}
	}
	for _, text := range []string{"0/0", "24", "24/", "33/64", "24/129", "7/64", "24/23", "-1/64", "24/64/1", "on"} {
		if n, err := idp.ParseNetworks(text); err == nil {
			t.Errorf("%q is %v", text, n)
		}
	}
	n := idp.Networks{V4: 24, V6: 56}
	for a, want := range map[string]string{"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2ff::1%eth0": "2001:db8:1:200::/56"} {
		if p, ok := n.Of(netip.MustParseAddr(a)); !ok || p.String() != want {
			t.Errorf("%s: %v %v", a, p, ok)
		}
	}
	if _, ok := n.Of(netip.Addr{}); ok {
		t.Error("no address is in no network")
	}
	var c idp.Client
	if err := json.Unmarshal([]byte(`{"bind_address":"0/0"}`), &c); err == nil {
		t.Error("a row that binds to nobody was read")
	}
}

// Proofs are remembered, so that nobody may show them without end; who shows none writes nothing.
func TestDPoPChallengesAreLimited(t *testing.T) {
	n := bindingNode(t)
	n.room.Waits = edge.NewLimiter(time.Hour, 1, 10)
	d := n.device("phone")
	guess := ask("phone", "username", "alice", "password", "a wrong password")
	expect(t, "the first", d.post("/oauth2/challenge", guess), 400, "access_denied")
	expect(t, "one too many", d.post("/oauth2/challenge", guess), 429, "slow_down")
	expect(t, "without a proof", n.as("phone", "/oauth2/challenge", guess), 400, "access_denied")
}
