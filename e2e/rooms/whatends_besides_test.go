package rooms_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// What goes with the table, idp.TableNotes.
func TestBesidesTheTable(t *testing.T) {
	program := build(t)
	t.Run("rotating keys ends nothing", func(t *testing.T) {
		s := newScene(t, program)
		before := s.head()
		s.command("key", "rotate")
		if now := s.head(); now != before {
			t.Errorf("%d endings", now-before)
		}
		s.catchUp()
		row := idp.Row{Session: idp.Stays, Others: idp.None, Refresh: idp.None, Offline: idp.None, Access: idp.None, Apps: idp.None, Pendings: idp.None, Providers: idp.None}
		s.told(&row, named{}, idp.Receipt{})
		s.columns(&row, named{})
	})
	t.Run("ending an ended thing writes nothing", func(t *testing.T) { endsTwice(t, newScene(t, program)) })
	t.Run("unlocking revives nothing", func(t *testing.T) { unlocks(t, newScene(t, program)) })
	t.Run("strangers end nothing with what is bound", boundEndsNothing)
	t.Run("browser-only apps get no offline access", noOffline)
}

// endsTwice does one act after the other, from the smallest to the largest, each twice.
func endsTwice(t *testing.T, s *scene) {
	kid := part(t, s.machine, 0)["kid"].(string)
	for _, l := range s.list(s.here.get("/account/sessions")).Sessions {
		if l.Current {
			continue
		}
		for _, x := range []struct {
			what string
			do   func()
		}{
			{"an access token", func() { s.asked("shop", "/oauth2/revoke", "", s.shop.tokens.Access) }},
			{"a family", func() { s.revokes(s.shop) }},
			{"a code used again", func() { s.again(s.away) }},
			{"an app", func() {
				s.here.from("https://desk.test/shelf", logout("client_id", "desk", "logout_uri", "https://desk.test/left"))
			}},
			{"a session", func() { s.command("session", "end", "alice", l.ID) }},
			{"a consent", func() { s.end(idp.EndConsent(s.account(), "shop"), idp.CauseConsentWithdrawn) }},
			{"a client", func() { s.command("client", "disable", "crawler") }},
			{"this session", func() { s.copy.thief().get(logout("id_token_hint", s.shop.tokens.ID)) }},
			{"an account", func() { s.command("account", "lock", "alice") }},
			{"an account for good", func() { _, _ = s.tries("account", "delete", "alice", "--yes") }}, // the second time it says that it is done
			{"a key", func() { s.command("key", "kill", kid) }},
		} {
			start := s.head()
			x.do()
			once := s.head()
			x.do()
			if again := s.head(); again != once || once == start && x.what != "an account for good" {
				t.Errorf("%s: %d endings, then %d", x.what, once-start, again-once)
			}
		}
	}
	var told []idp.Told
	until(t, "whoever is to be told is told", func() bool {
		owed := int64(0)
		s.view(func(v idp.View) (err error) {
			if owed, err = v.Owed(); err == nil {
				told, err = v.DeliveryCounts()
			}
			return err
		})
		return owed == 0 && len(told) == 0
	})
	times := map[string]int{}
	s.view(func(v idp.View) error {
		all, err := v.Receipts("", 0, 100)
		for _, r := range all {
			sums, err := v.ToldOf(r.Number)
			if err != nil {
				return err
			}
			for _, x := range sums {
				times[string(x.Client)] += int(x.Count)
			}
		}
		return err
	})
	// From here and from there, once each; and shop once more, when the offline access ends that it was given there.
	if times["shop"] != 3 || times["desk"] != 2 {
		t.Errorf("told: %v", times)
	}
}

func unlocks(t *testing.T, s *scene) {
	s.command("account", "lock", "alice")
	p := s.person()
	if a := p.signIn("/login", "alice", alicePW); a.status != http.StatusForbidden || p.user() != "" {
		t.Errorf("a locked account is signed in to: %d", a.status)
	}
	s.command("account", "unlock", "alice")
	s.catchUp()
	for _, row := range idp.Table() {
		if row.Cause == idp.CauseLock {
			s.columns(&row, named{browser: s.here})
		}
	}
	if p.signIn("/login", "alice", alicePW); p.user() != "alice" {
		t.Error("an unlocked account is not signed in to")
	}
}

// noOffline is an app in the browser for which an operator has set offline access all the same.
func noOffline(t *testing.T) {
	n := start(t)
	spa := idp.Client{ID: "spa", Name: "Spa", Kind: idp.KindBrowser, FirstParty: true, AuthMethod: idp.AuthNone, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "offline_access"}, RedirectURIs: []string{"https://spa.test/cb"}, Offline: true}
	if _, err := n.server.AddClient(t.Context(), &spa); err != nil {
		t.Fatal(err)
	}
	p := n.alice()
	exchange := func(v url.Values) (out struct {
		tokens
		Scope string
	}, status int) {
		v.Set("client_id", "spa")
		a := n.person().do("POST", "/oauth2/token", v.Encode(), map[string]string{"Content-Type": formType})
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			t.Fatal(err)
		}
		return out, a.status
	}
	u, err := url.Parse(p.get(n.authorizeURL("spa", "scope", "openid offline_access")).location)
	if err != nil {
		t.Fatal(err)
	}
	got, status := exchange(url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {"https://spa.test/cb"}, "code_verifier": {verifier}})
	if status != http.StatusOK || got.Refresh == "" || strings.Contains(got.Scope, "offline_access") || part(t, got.Access, 1)["sid"] == nil {
		t.Fatalf("%d, scope %q", status, got.Scope)
	}
	if a := p.get(logout("id_token_hint", got.ID)); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	if _, status := exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}); status != http.StatusBadRequest || n.alive(got.Access) {
		t.Errorf("it outlives the session: %d", status)
	}
}
