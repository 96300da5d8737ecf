package rooms_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// named is what an act was about.
type named struct {
	browser *person // of the session
	app     string
	family  *holding
	token   string
	kid     any
	origin  []*person // whose sessions the provider's word is about
}

// act is one way to end something.
type act struct {
	cause    idp.CauseKind
	selector idp.SelectorKind
	by       string
	do       func(*scene) named
}

// acts are the ways to do what the rows say. Restoring a backup, which ends the realm too, has tests of its own (e2e/faults).
func acts() []act {
	return slices.Concat(personal(), byLetter(), byRule(), byOperator())
}

// personal are what the person does.
func personal() []act {
	here := func(do func(*scene)) func(*scene) named {
		return func(s *scene) named { do(s); return named{browser: s.here, app: "shop"} }
	}
	there := func(do func(s *scene, ref string)) func(*scene) named {
		return func(s *scene) named {
			for _, l := range s.list(s.here.get("/account/sessions")).Sessions {
				if !l.Current {
					do(s, l.ID)
				}
			}
			return named{browser: s.there}
		}
	}
	form := func(path string, pairs ...string) func(*scene) {
		return func(s *scene) {
			s.moved(s.here.post(path, with(fields(s.here.get("/account").body), pairs...)))
		}
	}
	script := func(s *scene, method, path string) {
		s.here.get("/csrf_token/")
		s.fine(s.here.do(method, path, "", map[string]string{"X-Csrftoken": s.here.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin", "Accept": "application/json"}))
	}
	leave := logout("client_id", "shop", "logout_uri", "https://shop.test/left")
	return []act{
		{idp.CauseAppSignOut, idp.SelectApp, "a link of the app's", here(func(s *scene) { s.moved(s.here.from("https://shop.test/shelf", leave)) })},
		{idp.CauseAppSignOut, idp.SelectApp, "this app only", here(func(s *scene) {
			s.moved(s.here.post("/logout/confirm", with(fields(s.here.get(leave).body), "act", "app")))
		})},
		{idp.CauseSignOut, idp.SelectSession, "id_token_hint", here(func(s *scene) { s.moved(s.here.get(logout("id_token_hint", s.shop.tokens.ID))) })},
		{idp.CauseSignOut, idp.SelectSession, "the account page", here(form("/account/signout"))},
		{idp.CauseSignOut, idp.SelectSession, "the accounts API", here(func(s *scene) { script(s, "POST", "/accounts/logout/") })},
		{idp.CauseSessionEnded, idp.SelectSession, "the account page", there(func(s *scene, ref string) { form("/account/sessions/" + ref + "/end")(s) })},
		{idp.CauseSessionEnded, idp.SelectSession, "JSON", there(func(s *scene, ref string) { script(s, "DELETE", "/account/sessions/"+ref) })},
		{idp.CauseSessionEnded, idp.SelectSession, "a command", there(func(s *scene, ref string) { s.command("session", "end", "alice", ref) })},
		{idp.CauseOthers, idp.SelectOthers, "the account page", here(form("/account/sessions/others/end"))},
		{idp.CauseOthers, idp.SelectOthers, "JSON", here(func(s *scene) { script(s, "DELETE", "/account/sessions?which=others") })},
		{idp.CauseEverywhere, idp.SelectAccount, "the account page", here(form("/account/sessions/all/end"))},
		{idp.CauseEverywhere, idp.SelectAccount, "JSON", here(func(s *scene) { script(s, "DELETE", "/account/sessions?which=all") })},
		{idp.CauseEverywhere, idp.SelectAccount, "a bearer token", here(func(s *scene) { s.fine(s.bearer("POST", "/customers/me/logout", s.shop.tokens.Access)) })},
		{idp.CauseCredential, idp.SelectOthers, "another provider linked", here(func(s *scene) { s.moved(s.here.link("hub")) })},
		{idp.CauseDelete, idp.SelectAccount, "the account page", here(form("/account/close", "username", "alice"))},
		{idp.CauseConsentWithdrawn, idp.SelectConsent, "the account page", here(form("/account/apps/shop/withdraw"))},
		{idp.CauseConsentWithdrawn, idp.SelectConsent, "JSON", here(func(s *scene) { script(s, "DELETE", "/account/apps/shop") })},
		{idp.CauseCredential, idp.SelectOthers, "a new password", here(form("/account/password", "old", alicePW, "new", "a new and longer one"))},
		{idp.CauseCredential, idp.SelectOthers, "an authenticator app", here(func(s *scene) { s.here.setUp() })},
	}
}

// byLetter are what links in letters do; the letters are there before the act, but for the one that the act is about.
func byLetter() []act {
	letter := func(s *scene, subject string) string {
		m := &mailed{node: s.node, office: s.office}
		return m.path(m.next(subject))
	}
	page := func(s *scene, pairs ...string) {
		s.moved(s.here.post("/account/lock", with(fields(s.here.get("/account/lock").body), pairs...)))
	}
	here := func(do func(*scene)) func(*scene) named {
		return func(s *scene) named { do(s); return named{browser: s.here, app: "shop"} }
	}
	return []act{
		{idp.CauseReset, idp.SelectAccount, "a link in a letter", here(func(s *scene) {
			s.person().forgot("alice")
			s.person().sets(letter(s, "Set a new password"), newPW)
		})},
		{idp.CauseLock, idp.SelectAccount, "a link in a letter", here(func(s *scene) { s.person().presses(letter(s, "A new device has signed in to your account")) })},
		{idp.CauseLock, idp.SelectAccount, "a lost device", here(func(s *scene) { page(s, "kind", string(idp.LockDevice), "for", "12h") })},
		{idp.CauseLock, idp.SelectAccount, "a known password", here(func(s *scene) { page(s, "kind", string(idp.LockPassword)) })},
		{idp.CauseCredential, idp.SelectOthers, "a new mail address", here(func(s *scene) {
			s.here.wants("new@mail.example")
			s.here.presses(letter(s, "Confirm your mail address"))
		})},
	}
}

// byRule are what apps, other systems, other people and the clock set off.
func byRule() []act {
	shop := func(do func(*scene) *holding) func(*scene) named {
		return func(s *scene) named { return named{browser: s.here, app: "shop", family: do(s)} }
	}
	return []act{
		{idp.CauseExpiry, idp.SelectSession, "the idle limit", func(s *scene) named {
			s.idle()
			return named{browser: s.here}
		}},
		{idp.CauseSomeoneElse, idp.SelectSession, "the accounts API", func(s *scene) named {
			s.here.get("/csrf_token/")
			s.fine(s.here.post("/accounts/login/", with(nil, "username", "bob", "password", bobPW, "csrfmiddlewaretoken", s.here.cookie("csrftoken"))))
			return named{browser: s.here}
		}},
		{idp.CauseSomeoneElse, idp.SelectSession, "the sign-in page", func(s *scene) named {
			s.here.signIn(s.waiting, "bob", bobPW)
			return named{browser: s.here}
		}},
		{idp.CauseEverywhere, idp.SelectAccount, "another system", func(s *scene) named {
			body, token := `{"sub_id":{"format":"opaque","id":"`+string(s.account())+`"}}`, s.machineToken("watcher", idp.ScopeGlobalRevocation)
			a := s.person().do("POST", "/oauth2/global-token-revocation", body, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token})
			if a.status != http.StatusNoContent {
				s.t.Fatalf("not done: %d %s", a.status, a.body)
			}
			return named{browser: s.here}
		}},
		{idp.CauseUpstream, idp.SelectUpstream, "a logout token of a session", upstreamSays(map[string]any{"sid": "hub-alice-0", "sub": nil}, 1)},
		{idp.CauseUpstream, idp.SelectUpstream, "a logout token of a person", upstreamSays(map[string]any{"sid": nil, "sub": "hub-alice"}, 2)},
		{idp.CauseUpstream, idp.SelectUpstream, "a front-channel call", func(s *scene) named {
			s.fine(s.person().get("/login/hub/logout?" + url.Values{"iss": {s.op.URL}, "sid": {"hub-alice-0"}}.Encode()))
			return named{browser: s.here, origin: []*person{s.here}}
		}},
		{idp.CauseUpstreamDisabled, idp.SelectUpstream, "a logout token that says so", upstreamSays(map[string]any{"sid": "hub-alice-0", "sub": "hub-alice", "events": map[string]any{
			"http://schemas.openid.net/event/backchannel-logout":                   map[string]any{},
			"https://schemas.openid.net/secevent/risc/event-type/account-disabled": map[string]any{}}}, 2)},
		{idp.CauseClientEnded, idp.SelectClient, "its registration token", func(s *scene) named {
			a := s.bearer("DELETE", "/oauth2/register/desk", s.registration("desk"))
			if a.status != http.StatusNoContent {
				s.t.Fatalf("not done: %d %s", a.status, a.body)
			}
			return named{app: "desk"}
		}},
		{idp.CauseReuse, idp.SelectFamily, "a code", shop(func(s *scene) *holding { return s.again(s.shop) })},
		{idp.CauseReuse, idp.SelectFamily, "an offline code", shop(func(s *scene) *holding { return s.again(s.away) })},
		{idp.CauseReuse, idp.SelectFamily, "a refresh token", shop(func(s *scene) *holding { return s.usedUp(s.shop) })},
		{idp.CauseReuse, idp.SelectFamily, "an offline refresh token", shop(func(s *scene) *holding { return s.usedUp(s.away) })},
		{idp.CauseRevoked, idp.SelectFamily, "a refresh token", shop(func(s *scene) *holding { return s.revokes(s.shop) })},
		{idp.CauseRevoked, idp.SelectFamily, "an offline refresh token", shop(func(s *scene) *holding { return s.revokes(s.away) })},
		{idp.CauseRevoked, idp.SelectToken, "an access token", func(s *scene) named {
			s.fine(s.asked("shop", "/oauth2/revoke", "", s.shop.tokens.Access))
			return named{token: s.shop.tokens.Access}
		}},
		{idp.CauseRevoked, idp.SelectToken, "a machine's token", func(s *scene) named {
			s.fine(s.asked("crawler", "/oauth2/revoke", "", s.machine))
			return named{token: s.machine}
		}},
	}
}

// byOperator are what operators do: with a command, or at the door where there is none.
func byOperator() []act {
	command := func(args ...string) func(*scene) named {
		return func(s *scene) named { s.command(args...); return named{browser: s.here} }
	}
	client := func(id string, args ...string) func(*scene) named {
		return func(s *scene) named {
			s.command(append([]string{"client", args[0], id}, args[1:]...)...)
			return named{app: id}
		}
	}
	console := func(method, to string, of named) func(*scene) named {
		return func(s *scene) named {
			if of.app == "" {
				of.browser = s.here
			}
			a := s.calls(method, strings.ReplaceAll(to, "SUB", string(s.account())), s.power(), map[string]any{"reason": "a test", "confirm": true})
			if a.status != http.StatusOK {
				s.t.Fatalf("%s %s: %d %s", method, to, a.status, a.body)
			}
			return of
		}
	}
	return []act{
		{idp.CauseEverywhere, idp.SelectAccount, "a command", command("account", "end", "alice")},
		{idp.CauseReset, idp.SelectAccount, "a command", command("account", "password", "alice", "--generate")},
		{idp.CauseLock, idp.SelectAccount, "a command", command("account", "lock", "alice")},
		{idp.CauseLock, idp.SelectAccount, "a command, for a lost device", command("account", "lock", "alice", "--kind", "lost-device", "--for", "1h", "--reason", "she called")},
		{idp.CauseDelete, idp.SelectAccount, "a command", command("account", "delete", "alice", "--yes")},
		{idp.CauseClientEnded, idp.SelectClient, "a command", client("shop", "end")},
		{idp.CauseClientEnded, idp.SelectClient, "a command, until it is enabled", client("shop", "disable")},
		{idp.CauseClientEnded, idp.SelectClient, "a command, for good", client("shop", "delete", "--yes")},
		{idp.CauseClientEnded, idp.SelectClient, "a command, a machine", client("crawler", "end")},
		{idp.CauseClientEnded, idp.SelectClient, "the console", console("POST", "/admin/apps/shop/end", named{app: "shop"})},
		{idp.CauseClientEnded, idp.SelectClient, "the console, for good", console("DELETE", "/admin/apps/shop", named{app: "shop"})},
		{idp.CauseEverywhere, idp.SelectAccount, "the console", console("POST", "/admin/people/SUB/end", named{})},
		{idp.CauseLock, idp.SelectAccount, "the console", console("POST", "/admin/people/SUB/lock", named{})},
		{idp.CauseDisable, idp.SelectAccount, "a command", command("account", "disable", "alice")},
		{idp.CauseDisable, idp.SelectAccount, "the console", console("POST", "/admin/people/SUB/disable", named{})},
		{idp.CauseDelete, idp.SelectAccount, "the console", console("DELETE", "/admin/people/SUB", named{})},
		{idp.CauseKeyKilled, idp.SelectKey, "the ring", func(s *scene) named {
			kid := part(s.t, s.machine, 0)["kid"]
			name, err := ledger.ParseName(kid.(string))
			if err != nil {
				s.t.Fatal(err)
			}
			s.kill(name)
			return named{kid: kid}
		}},
		{idp.CauseRealmEnded, idp.SelectRealm, "the door", func(s *scene) named {
			s.end(idp.EndRealm(), idp.CauseRealmEnded)
			return named{}
		}},
	}
}

// moved says that an act was done and led on.
func (s *scene) moved(a answer) {
	s.t.Helper()
	if a.status != http.StatusSeeOther || strings.HasPrefix(a.location, "/login") && !strings.HasPrefix(a.location, "/login/locked?") {
		s.t.Fatalf("not done: %d to %q %s", a.status, a.location, a.body)
	}
}

func (s *scene) fine(a answer) {
	s.t.Helper()
	if a.status != http.StatusOK {
		s.t.Fatalf("not done: %d %s", a.status, a.body)
	}
}

func (s *scene) end(what idp.Selector, why idp.CauseKind) {
	s.t.Helper()
	if _, err := s.server.Door().End(s.t.Context(), what, idp.Cause{Kind: why, Actor: idp.ActorOperator("test")}); err != nil {
		s.t.Fatal(err)
	}
}

// account is alice's id.
func (s *scene) account() (id idp.AccountID) {
	s.t.Helper()
	s.view(func(v idp.View) error {
		a, err := v.AccountByUsername("alice")
		id = a.ID
		return err
	})
	return id
}

// idle makes the session of here one that may be unused for a millisecond, and lets the sweep find it: it looks when the server starts.
func (s *scene) idle() {
	s.t.Helper()
	err := s.server.Store.Update(s.t.Context(), func(tx idp.Tx) error {
		x, err := tx.SessionByCookie(idp.HashOf(s.here.cookie("exeunt")))
		if err != nil {
			return err
		}
		x.Idle = time.Millisecond
		return tx.RenewSession(x)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.here.user() != "" {
		s.t.Error("a session that has expired works until it is swept")
	}
	s.restart()
}

// registration makes an app one that has registered itself, and returns its registration access token.
func (s *scene) registration(id idp.ClientID) string {
	s.t.Helper()
	token := idp.NewSecret(32)
	err := s.server.Store.Update(s.t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client(id)
		if err != nil {
			return err
		}
		c.Registration = idp.HashOf(token)
		if c.RegistrationBorn, err = tx.Epochs("", id); err != nil {
			return err
		}
		return tx.UpdateClient(c)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// again redeems a code twice.
func (s *scene) again(h *holding) *holding {
	s.t.Helper()
	if _, status := s.redeems(h); status != http.StatusBadRequest {
		s.t.Fatalf("a code, twice: %d", status)
	}
	return h
}

// usedUp presents a refresh token that was rotated three times since.
func (s *scene) usedUp(h *holding) *holding {
	s.t.Helper()
	old := h.tokens.Refresh
	for range 3 {
		h.tokens.Refresh = s.refreshed(h).Refresh
	}
	if _, status := s.token(h.app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old}}); status != http.StatusBadRequest {
		s.t.Fatalf("a used-up refresh token: %d", status)
	}
	return h
}

func (s *scene) revokes(h *holding) *holding {
	s.t.Helper()
	s.fine(s.asked(h.app, "/oauth2/revoke", "", h.tokens.Refresh))
	return h
}
