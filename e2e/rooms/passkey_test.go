package rooms_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

type keyList struct {
	Passkeys []struct {
		ID, Name string
		UsedAt   string `json:"used_at"`
		Synced   bool
	}
}

func (p *person) keys() (out keyList) {
	p.t.Helper()
	a := p.do("GET", "/account/passkeys", "", map[string]string{"Accept": "application/json"})
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		p.t.Fatalf("list: %d %s", a.status, a.body)
	}
	return out
}

// A passkey signs in without a username, counts as both factors, and is listed, renamed and removed.
func TestPasskey(t *testing.T) {
	n := startNamed(t)
	p, elsewhere := n.alice(), n.alice()
	kept := p.thief()
	key := n.authenticator()
	key.flags |= eligible | backedUp
	q := p.asks("/account/passkeys", "/account/passkeys/challenge")
	if o := q.Options.PublicKey; o.RP.ID != "localhost" || o.Selection.ResidentKey != "required" || o.Selection.UserVerification != "required" || o.Attestation != "none" && o.Attestation != "" ||
		strings.Contains(o.User.ID, "alice") || o.User.ID == string(n.id("alice")) || o.User.Name != "alice" {
		t.Errorf("%+v", o)
	}
	if a := p.add(key, "the blue one"); !strings.Contains(p.get(a.location).body, "Your passkey is added. 1 other session was ended") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if p.user() != "alice" || elsewhere.user() != "" || kept.user() != "" {
		t.Errorf("here %q, elsewhere %q, the old cookie %q", p.user(), elsewhere.user(), kept.user())
	}
	r := n.person()
	q = r.asks("/login", "/login/passkey")
	if o := q.Options.PublicKey; o.UserVerification != "required" || o.AllowCredentials != nil || o.RPID != "localhost" {
		t.Errorf("%+v", o)
	}
	if a := r.follow(r.passkey(r.get(n.authorizeURL("books")).location, key)); !strings.HasPrefix(a.location, "https://books.test/cb?") || r.user() != "alice" {
		t.Fatalf("%d %s, %q", a.status, a.location, r.user())
	}
	id := part(t, r.enter("books").ID, 1)
	if fmt.Sprint(id["amr"]) != "[swk user mfa]" {
		t.Error("amr", id["amr"])
	}
	list := p.keys()
	if len(list.Passkeys) != 1 || list.Passkeys[0].Name != "the blue one" || list.Passkeys[0].UsedAt == "" || !list.Passkeys[0].Synced {
		t.Errorf("%+v", list)
	}
	at := "/account/passkeys/" + list.Passkeys[0].ID
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	for _, act := range []string{"/rename", "/remove"} {
		if a := bob.post(at+act, with(fields(bob.get("/account/passkeys").body), "name", "bob's")); a.status != 404 {
			t.Errorf("somebody else's %s: %d", act, a.status)
		}
	}
	if a := p.post(at+"/rename", with(fields(p.get("/account/passkeys").body), "name", " <b>green</b> ")); a.status != 303 || !strings.Contains(p.get("/account/passkeys").body, "&lt;b&gt;green&lt;/b&gt;") {
		t.Errorf("rename: %d", a.status)
	}
	if a := p.post(at+"/rename", with(fields(p.get("/account/passkeys").body), "name", strings.Repeat("x", 65))); a.status != 400 {
		t.Errorf("a long name: %d", a.status)
	}
	app := p.setUp() // from here on, the password alone does not do
	s := n.person()
	if a := s.passkey("/login", key); a.status != 303 || s.user() != "alice" {
		t.Errorf("both factors in one: %d", a.status)
	}
	s = n.person()
	step := s.first("/login")
	if a := s.passkey(step, key); a.status != 303 || s.user() != "alice" || fmt.Sprint(part(t, s.enter("books").ID, 1)["amr"]) != "[pwd swk user mfa]" {
		t.Errorf("as the second step: %d", a.status)
	}
	s.stale()
	if a := s.passkey("/login?again=%2Faccount", key); a.location != "/login?again=%2Faccount" || s.get(a.location).location != "/account" {
		t.Errorf("step-up: %d %s", a.status, a.location)
	}
	p.get("/csrf_token/")
	a := p.do("DELETE", at, "", map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin", "Accept": "application/json"})
	if a.status != 200 || len(p.keys().Passkeys) != 0 || s.user() != "" || p.user() != "alice" {
		t.Errorf("remove: %d %s, %q elsewhere", a.status, a.body, s.user())
	}
	if a := n.person().passkey("/login", key); a.status != 403 {
		t.Errorf("a removed passkey: %d", a.status)
	}
	_ = app
}

// What an attacker may send in place of a good answer.
func TestPasskeyAttacks(t *testing.T) {
	n := startNamed(t)
	owner, key := n.enrolled()
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	bobs := n.authenticator()
	if a := bob.add(bobs, "bob's"); a.status != 303 {
		t.Fatal(a.status)
	}
	bent := func(f func(a *authenticator)) *authenticator { k := *key; f(&k); return &k }
	refused := func(t *testing.T, p *person, a answer) {
		t.Helper()
		if a.status < 400 || a.status >= 500 || p.user() != "" {
			t.Errorf("%d %s, %q", a.status, a.location, p.user())
		}
	}
	for what, k := range map[string]*authenticator{
		"another origin":        bent(func(a *authenticator) { a.origin = "https://evil.test" }),
		"another port":          bent(func(a *authenticator) { a.origin = "http://localhost:1" }),
		"a subdomain":           bent(func(a *authenticator) { a.origin = strings.Replace(a.origin, "localhost", "x.localhost", 1) }),
		"in a frame":            bent(func(a *authenticator) { a.crossOrigin = true }),
		"another relying party": bent(func(a *authenticator) { a.rp = "evil.test" }),
		"nobody verified":       bent(func(a *authenticator) { a.flags = present }),
		"nobody present":        bent(func(a *authenticator) { a.flags = verified }),
		"another key":           bent(func(a *authenticator) { a.key = bobs.key }),
		"another's handle":      bent(func(a *authenticator) { a.handle = bobs.handle }),
		"no handle":             bent(func(a *authenticator) { a.handle = nil }),
		"another's credential":  bent(func(a *authenticator) { a.id = bobs.id }),
		"an unknown credential": n.authenticator(),
		"backed up in between":  bent(func(a *authenticator) { a.flags |= eligible | backedUp }),
	} {
		t.Run(what, func(t *testing.T) { p := n.person(); refused(t, p, p.passkey("/login", k)) })
	}
	t.Run("replayed", func(t *testing.T) {
		p := n.person()
		key.count++
		q := p.asks("/login", "/login/passkey")
		answer := key.get(q)
		if a := p.present("/login", q.Ceremony, answer); a.status != 303 || p.user() != "alice" {
			t.Fatalf("a good one: %d", a.status)
		}
		thief := n.person()
		refused(t, thief, thief.present("/login", q.Ceremony, answer))
		fresh := thief.asks("/login", "/login/passkey")
		refused(t, thief, thief.present("/login", fresh.Ceremony, answer))
		p.post("/account/signout", fields(p.get("/account").body))
		refused(t, p, p.present("/login", q.Ceremony, answer))
	})
	t.Run("another browser's", func(t *testing.T) {
		p, other := n.person(), n.person()
		key.count++
		q := p.asks("/login", "/login/passkey")
		answer := key.get(q)
		refused(t, other, other.present("/login", q.Ceremony, answer))
		if a := p.present("/login", q.Ceremony, answer); a.status != 303 || p.user() != "alice" { // and the owner's is not used up by that
			t.Errorf("%d", a.status)
		}
	})
	t.Run("once, whatever came of it", func(t *testing.T) {
		p := n.person()
		key.count++
		q := p.asks("/login", "/login/passkey")
		refused(t, p, p.present("/login", q.Ceremony, bent(func(a *authenticator) { a.key = bobs.key }).get(q)))
		refused(t, p, p.present("/login", q.Ceremony, key.get(q)))
	})
	t.Run("cloned", func(t *testing.T) {
		p := n.person()
		key.count -= 2
		refused(t, p, p.passkey("/login", key))
		key.count++
	})
	t.Run("the other ceremony", func(t *testing.T) {
		p := n.person()
		q := owner.asks("/account/passkeys", "/account/passkeys/challenge")
		refused(t, p, p.present("/login", q.Ceremony, key.get(q)))
		q = owner.asks("/account/passkeys", "/login/passkey")
		if a := owner.post("/account/passkeys", with(fields(owner.get("/account/passkeys").body), "ceremony", q.Ceremony, "name", "x", "credential", n.authenticator().create(q))); a.status == 303 {
			t.Errorf("a challenge of a sign-in adds a passkey: %s", a.location)
		}
	})
	t.Run("somebody else's step-up", func(t *testing.T) {
		owner.stale()
		if a := owner.passkey("/login?again=%2Faccount", bobs); a.status != 403 || owner.user() != "alice" || owner.get("/login?again=%2Faccount").status != 200 {
			t.Errorf("%d, %q", a.status, owner.user())
		}
	})
	t.Run("somebody else's second step", func(t *testing.T) {
		owner.passkey("/login?again=%2Faccount", key)
		owner.setUp()
		p := n.person()
		step := p.first("/login")
		if a := p.passkey(step, bobs); a.status != 403 || p.user() != "" {
			t.Errorf("%d, %q", a.status, p.user())
		}
	})
	t.Run("locked", func(t *testing.T) {
		cause := idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorOperator("test")}
		if _, err := n.server.Door().End(t.Context(), idp.EndAccount(n.id("alice"), idp.AccountLocked), cause); err != nil {
			t.Fatal(err)
		}
		p := n.person()
		a := p.passkey("/login", key)
		if refused(t, p, a); !strings.Contains(a.body, "locked") {
			t.Error("the owner is not told")
		}
		a = p.passkey("/login", bent(func(a *authenticator) { a.key = bobs.key }))
		if strings.Contains(a.body, "locked") {
			t.Error("strangers are told")
		}
	})
}

// What may not be added as a passkey.
func TestPasskeyNotAdded(t *testing.T) {
	n := startNamed(t)
	p, key := n.enrolled()
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	try := func(who *person, a *authenticator) answer { return who.add(a, "x") }
	for what, f := range map[string]func(a *authenticator){
		"another origin":  func(a *authenticator) { a.origin = "https://evil.test" },
		"in a frame":      func(a *authenticator) { a.crossOrigin = true },
		"another party":   func(a *authenticator) { a.rp = "evil.test" },
		"nobody verified": func(a *authenticator) { a.flags = present },
	} {
		a := n.authenticator()
		f(a)
		if got := try(p, a); got.status != 403 {
			t.Errorf("%s: %d %s", what, got.status, got.location)
		}
	}
	if a := try(bob, key); a.status != 409 || bob.user() != "bob" {
		t.Errorf("alice's, by bob: %d", a.status)
	}
	q := p.asks("/account/passkeys", "/account/passkeys/challenge")
	if len(q.Options.PublicKey.Exclude) != 1 {
		t.Error("the passkey that is there is not excluded")
	}
	if a := bob.post("/account/passkeys", with(fields(bob.get("/account/passkeys").body), "ceremony", q.Ceremony, "name", "x", "credential", n.authenticator().create(q))); a.status != 409 {
		t.Errorf("alice's ceremony, by bob: %d", a.status)
	}
	p.stale()
	if a := p.post("/account/passkeys/challenge", url.Values{"csrf": {fields(p.get("/account/passkeys").body).Get("csrf")}}); a.status != 403 || !strings.Contains(a.body, `"login":"/login?again=%2Faccount%2Fpasskeys"`) {
		t.Errorf("an old sign-in: %d %s", a.status, a.body)
	}
	if a := p.post("/account/passkeys", with(fields(p.get("/account/passkeys").body), "ceremony", q.Ceremony, "name", "x", "credential", n.authenticator().create(q))); a.location != "/login?again=%2Faccount%2Fpasskeys" {
		t.Errorf("an old sign-in: %d %s", a.status, a.location)
	}
	if len(p.keys().Passkeys) != 1 || len(bob.keys().Passkeys) != 0 {
		t.Error("something was added")
	}
}

// Nobody is left without a way in.
func TestLastWayIn(t *testing.T) {
	n := startNamed(t)
	p, key := n.enrolled()
	id := n.id("alice")
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		a.Password = ""
		return tx.UpdateAccount(a)
	}); err != nil {
		t.Fatal(err)
	}
	at := "/account/passkeys/" + p.keys().Passkeys[0].ID
	cookie := p.cookie("exeunt")
	if a := p.post(at+"/remove", fields(p.get("/account/passkeys").body)); a.status != 400 || !strings.Contains(a.body, "only way") || len(p.keys().Passkeys) != 1 || p.cookie("exeunt") != cookie {
		t.Errorf("the last one: %d %s", a.status, a.location)
	}
	p.get("/csrf_token/")
	if a := p.do("DELETE", at, "", map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin"}); a.status != 400 {
		t.Errorf("the last one, by JSON: %d", a.status)
	}
	if a := p.add(n.authenticator(), "another"); a.status != 303 {
		t.Fatal(a.status)
	}
	if a := p.post(at+"/remove", fields(p.get("/account/passkeys").body)); a.status != 303 {
		t.Errorf("one of two: %d", a.status)
	}
	if a := n.person().passkey("/login", key); a.status != 403 {
		t.Errorf("the removed one: %d", a.status)
	}
}

// Whoever asks, known or not, is asked the same; and at an address without a name nobody is offered what browsers refuse.
func TestPasskeyChallenges(t *testing.T) {
	n := startNamed(t)
	n.enrolled()
	shape := func(p *person) ceremony {
		q := p.asks("/login", "/login/passkey")
		q.Ceremony, q.Options.PublicKey.Challenge = "", ""
		return q
	}
	known := n.alice()
	known.post("/account/signout", fields(known.get("/account").body))
	if a, b := shape(known), shape(n.person()); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v and %+v", a, b)
	}
	if a := n.person().do("POST", "/login/passkey", "csrf=x", map[string]string{"Content-Type": formType}); a.status != 403 {
		t.Errorf("a challenge for another site: %d", a.status)
	}
	number := start(t).person()
	if page := number.get("/login").body; strings.Contains(page, "data-passkey") {
		t.Error("passkeys are offered at a number")
	}
	if a := number.post("/login/passkey", url.Values{"csrf": {fields(number.get("/login").body).Get("csrf")}}); a.status != 400 {
		t.Errorf("a challenge at a number: %d %s", a.status, a.body)
	}
}
