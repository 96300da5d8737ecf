package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

func TestRefresh_RotateReplayLateTheft(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	bystander := p.enter("books")
	first := p.enter("books")
	second := n.refresh("books", first.Refresh).tokens(t)
	if second.Refresh == first.Refresh || claims(t, second.ID)["sid"] != claims(t, first.ID)["sid"] || claims(t, second.ID)["nonce"] != nil {
		t.Errorf("rotated: %+v", second)
	}
	again := n.refresh("books", first.Refresh).tokens(t)
	if again.Refresh != second.Refresh {
		t.Error("a lost answer is not given again")
	}
	third := n.refresh("books", second.Refresh).tokens(t)
	expect(t, "two behind", n.refresh("books", first.Refresh), 400, "invalid_grant")
	if a := n.userInfo(third.Access); a.status != 200 {
		t.Fatalf("a race of tabs has ended the family: %s", a.body)
	}
	fourth := n.refresh("books", third.Refresh).tokens(t)
	n.pass(31 * time.Second)
	expect(t, "after the grace", n.refresh("books", third.Refresh), 400, "invalid_grant")
	expect(t, "the thief's or the owner's", n.refresh("books", fourth.Refresh), 400, "invalid_grant")
	expect(t, "access", n.userInfo(fourth.Access), 401, "invalid_token")
	n.refresh("books", bystander.Refresh).tokens(t) // promise 4
}

func TestRefresh_StrangersEndNothing(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	old := p.enter("books")
	now := n.refresh("books", old.Refresh).tokens(t)
	n.pass(31 * time.Second)
	expect(t, "another client with a used token", n.refresh("spa", old.Refresh), 400, "invalid_grant")
	expect(t, "another client", n.refresh("third", now.Refresh), 400, "invalid_grant")
	typo := []byte(now.Refresh)
	if typo[20]++; typo[20] == 'z'+1 {
		typo[20] = 'a'
	}
	expect(t, "typing error", n.refresh("books", string(typo)), 400, "invalid_grant")
	expect(t, "nothing", n.refresh("books", ""), 400, "invalid_grant")
	expect(t, "an access token", n.refresh("books", now.Access), 400, "invalid_grant")
	expect(t, "of nobody", n.refresh("books", "exrt_"+strings.Repeat("A", 70)), 400, "invalid_grant")
	n.refresh("books", now.Refresh).tokens(t)
}

// Scopes and resources only ever narrow, and a request for more does not cost the client its token.
func TestRefresh_Narrows(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	got := p.enter("books", "scope", "openid profile")
	expect(t, "more scope", n.refresh("books", got.Refresh, "scope", "openid email"), 400, "invalid_scope")
	expect(t, "another resource of the client", n.refresh("books", got.Refresh, "resource", otherAud), 400, "invalid_target")
	expect(t, "a stranger's resource", n.refresh("books", got.Refresh, "resource", "https://elsewhere.test"), 400, "invalid_target")
	n.pass(31 * time.Second) // were it rotated, this would be theft now
	less := n.refresh("books", got.Refresh, "scope", "profile profile", "resource", apiAud).tokens(t)
	if less.Scope != "profile" || less.ID != "" {
		t.Errorf("%+v", less)
	}
	if all := n.refresh("books", less.Refresh).tokens(t); all.Scope != got.Scope {
		t.Errorf("the grant itself has shrunk to %q", all.Scope)
	}
}

func TestRefresh_Limits(t *testing.T) {
	n := start(t)
	idle := n.signedIn("alice").enter("books")
	n.pass(2*time.Hour + time.Second)
	expect(t, "idle session", n.refresh("books", idle.Refresh), 400, "invalid_grant")

	// An offline family lives longer than its session, with limits of its own, and forgets the sid with it.
	p := n.signedIn("alice")
	off := p.enter("phone", "scope", "openid offline_access")
	if c := claims(t, off.Access); c["sid"] != nil || len(c["ends_with"].([]any)) != 6 {
		t.Errorf("offline access token: %v", c)
	}
	off = n.refresh("phone", off.Refresh).tokens(t)
	if claims(t, off.ID)["sid"] == nil {
		t.Error("no sid while the sign-in stands")
	}
	n.end(idp.EndSession(p.session), idp.CauseSignOut)
	off = n.refresh("phone", off.Refresh).tokens(t)
	if claims(t, off.ID)["sid"] != nil {
		t.Error("an ID token names a sign-in that is over")
	}
	n.pass(13 * 24 * time.Hour)
	off = n.refresh("phone", off.Refresh).tokens(t)
	n.pass(14 * 24 * time.Hour)
	if n.introspect("phone", off.Refresh).code() != "invalid_client" {
		t.Error("a public client may introspect")
	}
	expect(t, "unused too long", n.refresh("phone", off.Refresh), 400, "invalid_grant")

	off = n.signedIn("alice").enter("phone", "scope", "openid offline_access")
	for range 3 {
		n.pass(10*24*time.Hour - time.Minute)
		off = n.refresh("phone", off.Refresh).tokens(t)
		if claims(t, off.ID)["sid"] != nil {
			t.Error("an ID token names a sign-in whose session has expired")
		}
	}
	n.pass(4 * time.Minute)
	expect(t, "absolute end", n.refresh("phone", off.Refresh), 400, "invalid_grant")

	// A browser-only client never gets offline access, whatever its row says.
	p = n.signedIn("alice")
	spa := p.enter("spa", "scope", "openid offline_access")
	if strings.Contains(spa.Scope, "offline_access") {
		t.Errorf("granted %q", spa.Scope)
	}
	n.end(idp.EndSession(p.session), idp.CauseSignOut)
	expect(t, "session-bound", n.refresh("spa", spa.Refresh), 400, "invalid_grant")
}

// A token's life ends with the session's absolute end at the latest.
func TestRefresh_ExpNeverPassesTheSession(t *testing.T) {
	n := start(t)
	got := n.signedIn("alice").enter("books")
	for range 13 {
		n.pass(110 * time.Minute)
		n.update(func(tx idp.Tx) error {
			c, err := tx.SessionByRef(n.people["alice"], ref(tx, n))
			if err != nil {
				return err
			}
			now, _ := n.store.Now()
			return tx.SeeSession(c.Name, now, "127.0.0.1")
		})
		got = n.refresh("books", got.Refresh).tokens(t)
	}
	if got.Expires != 300 && got.Expires != 299 {
		t.Fatalf("expires_in %d long before the end", got.Expires)
	}
	n.pass(8 * time.Minute) // 23 h 58 min
	if got = n.refresh("books", got.Refresh).tokens(t); got.Expires > 121 {
		t.Errorf("lives %d s past the session", got.Expires-120)
	}
	n.pass(3 * time.Minute)
	expect(t, "after the session's end", n.refresh("books", got.Refresh), 400, "invalid_grant")
}

// An app's own life of access tokens makes the server's shorter, never longer.
func TestAccessTokenLifeOfAnApp(t *testing.T) {
	n := start(t)
	p := n.signedIn("alice")
	machine := func() tokens {
		return n.as("robot", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}}).tokens(t)
	}
	for life, want := range map[time.Duration]int64{time.Minute: 60, 0: 300, time.Hour: 300} {
		for _, app := range []idp.ClientID{"books", "robot"} {
			n.change(app, func(c *idp.Client) { c.AccessLife = idp.Life(life) })
		}
		code := p.enter("books")
		for what, got := range map[string]tokens{"code": code, "refresh": n.refresh("books", code.Refresh).tokens(t), "machine": machine()} {
			c := claims(t, got.Access)
			if lives := int64(c["exp"].(float64) - c["iat"].(float64)); got.Expires != lives || lives > want || lives < want-1 {
				t.Errorf("%s, %s: expires_in %d, lives %d s, want %d", life, what, got.Expires, lives, want)
			}
		}
	}
}

func ref(v idp.View, n *node) string {
	e, err := v.Epochs(n.people["alice"], "")
	must(n.t, err)
	list, err := v.Sessions(n.people["alice"], e.Realm, e.Account, idp.Page{Limit: 1})
	must(n.t, err)
	return list[0].Ref
}

// Many tabs refresh with one token at once: all get the same successor, and it works.
func TestRefresh_RaceOfTabs(t *testing.T) {
	n := start(t)
	got := n.signedIn("alice").enter("spa")
	next := map[string]bool{}
	for _, a := range together(12, func() answer { return n.refresh("spa", got.Refresh) }) {
		next[a.tokens(t).Refresh] = true
	}
	if len(next) != 1 {
		t.Fatalf("%d successors", len(next))
	}
	for token := range next {
		n.refresh("spa", token).tokens(t)
	}
}
