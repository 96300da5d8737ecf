package rooms_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail/mailtest"
)

// How the ways into an account meet.

// brokeredMail is a node with a provider and a mail server.
func brokeredMail(t *testing.T, change ...func(*config.Config)) (*brokered, *mailed) {
	t.Helper()
	office := mailtest.Start(t, mailtest.Options{})
	b := startBroker(t, append(change, func(c *config.Config) { c.Mail = mailServer(office) })...)
	b.hasMail("alice", aliceMail)
	return b, &mailed{node: b.node, office: office}
}

// A provider that was linked before a recovery signs nobody in until the person has said that it is theirs: a thief may have linked his own.
func TestReview_Provider(t *testing.T) {
	for _, say := range []string{"keep", "remove"} {
		b, m := brokeredMail(t)
		b.linked()
		thief := b.person()
		m.person().forgot("alice")
		if m.person().sets(m.path(m.next("Set a new password")), newPW).status != http.StatusSeeOther {
			t.Fatal("no new password")
		}
		if a := thief.through("/login", "hub"); a.status != http.StatusForbidden || thief.user() != "" || !strings.Contains(a.body, "from before a new password") {
			t.Fatalf("a provider from before the recovery signs in: %d, %q", a.status, thief.user())
		}
		p := b.person()
		p.signIn("/login", "alice", newPW)
		page := p.get("/account/review")
		if !strings.Contains(page.body, "Sign-in through Hub (") {
			t.Errorf("the review names the provider by its id: %s", page.body)
		}
		form := fields(page.body)
		if a := p.post("/account/review", form); a.status != http.StatusBadRequest {
			t.Errorf("nothing was said of it: %d", a.status)
		}
		form.Set("credential-"+b.identities("alice")[0].Ref(), say)
		if a := p.post("/account/review", form); a.location != "/account" || p.user() != "alice" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if say == "keep" {
			if thief.through("/login", "hub"); thief.user() != "alice" {
				t.Error("kept, and signs nobody in")
			}
			continue
		}
		b.revoked(1)
		if a := thief.through("/login", "hub"); thief.user() != "" || !strings.HasPrefix(a.location, "/login/hub/signup") {
			t.Errorf("removed, and known: %q", a.location)
		}
	}
}

// A new password that an operator sets makes older ways in as doubtful as one that is set by a letter.
func TestReview_OperatorsPassword(t *testing.T) {
	b := startBroker(t)
	b.linked()
	s := &scene{node: b.node, t: t, program: build(t)}
	s.command("account", "password", "alice", "--generate", "--reason", "somebody had it")
	p := b.person()
	if a := p.through("/login", "hub"); a.status != http.StatusForbidden || p.user() != "" {
		t.Errorf("%d, %q", a.status, p.user())
	}
	if !b.recorded("alice", idp.EventPasswordReset) {
		t.Error("no event says who set the password")
	}
}

func (n *node) recorded(user string, kind idp.EventKind) (found bool) {
	n.t.Helper()
	err := n.server.Store.View(n.t.Context(), func(v idp.View) error {
		a, err := v.AccountByUsername(user)
		if err != nil {
			return err
		}
		all, err := v.Events(idp.EventFilter{Account: a.ID, Kind: kind}, idp.Page{Limit: 10})
		found = len(all) > 0
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return found
}

// Whoever deletes an account, by whatever way, takes all of it away: the links to providers with their consents, the operator's role, what
// the person told, and what was to be signed in with.
func TestDelete_Alike(t *testing.T) {
	for name, way := range map[string]func(b *brokered, p *person){
		"the person": func(b *brokered, p *person) {
			if a := p.post("/account/close", with(fields(p.get("/account/close").body), "username", "alice")); a.status >= 400 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		},
		"the console": func(b *brokered, _ *person) {
			q := b.operator("root", idp.RoleAdmin)
			if a := q.acts("/admin/people/"+string(b.id("alice"))+"/delete", "reason", "asked for it", "confirm", "on"); a.status >= 400 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		},
		"the command": func(b *brokered, _ *person) {
			s := &scene{node: b.node, t: t, program: build(t)}
			s.command("account", "delete", "alice", "--yes", "--reason", "asked for it")
		},
	} {
		b := startBroker(t)
		b.hasMail("alice", aliceMail)
		p := b.linked()
		p.setUp()
		id := b.id("alice")
		b.give(id, idp.RoleViewer)
		way(b, p)
		b.revoked(1)
		a := b.account(id)
		if a.State != idp.AccountDeleted || a.Name+a.Email+a.Password != "" || a.EmailVerified {
			t.Errorf("by %s: left: %+v", name, a)
		}
		err := b.server.Store.View(t.Context(), func(v idp.View) error {
			if o, err := v.Operator(id); err == nil {
				t.Errorf("by %s: still an operator: %+v", name, o)
			}
			all, err := v.Credentials(id)
			if len(all) != 0 {
				t.Errorf("by %s: %d credentials are left", name, len(all))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(b.identities("alice")) != 0 || !b.recorded("alice", idp.EventAccountClosed) {
			t.Errorf("by %s: linked still, or nothing says who did it", name)
		}
	}
}

// What a provider ends is ended, also if a passkey was the second factor behind it.
func TestBroker_PasskeyBehind(t *testing.T) {
	b := startBroker(t, func(c *config.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) })
	b.at = b.config.Issuer
	p := b.linked()
	key := b.authenticator()
	if a := p.add(key, "hers"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	p.setUp()
	q := b.person()
	at := q.through("/login", "hub").location
	if a := q.passkey(at, key); q.user() != "alice" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.tell(b.op.LogoutToken(nil)); a.status != http.StatusOK || q.user() != "" {
		t.Errorf("the provider's sign-out ends nothing: %d", a.status)
	}
}

// Who signs in through a provider only may still take an authenticator app and a passkey away.
func TestBroker_OtherWaysIn(t *testing.T) {
	b := startBroker(t, func(c *config.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) })
	b.at = b.config.Issuer
	p := b.person()
	b.newcomer(p, "carol")
	p.setUp()
	if a := p.post("/account/authenticator/remove", fields(p.get("/account/authenticator").body)); a.status != http.StatusSeeOther {
		t.Errorf("an authenticator app: %d %s", a.status, a.body)
	}
	if a := p.add(b.authenticator(), "hers"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := p.post("/account/passkeys/"+p.keys().Passkeys[0].ID+"/remove", fields(p.get("/account/passkeys").body)); a.status != http.StatusSeeOther {
		t.Errorf("a passkey: %d %s", a.status, a.body)
	}
}

// One trip to a provider does not ask for every username whether it is taken.
func TestBroker_SignUpLimited(t *testing.T) {
	b := startBroker(t)
	p := b.person()
	form := url.Values(fields(p.get(p.through("/login", "hub").location).body))
	for range 40 {
		if p.post("/login/hub/signup", with(form, "username", "alice")).status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("40 usernames were asked for")
}

// The last admin is not closed by its person, as it is not by the console: the command line can make another one first.
func TestClose_LastAdmin(t *testing.T) {
	n := start(t)
	p := n.alice()
	id := n.id("alice")
	n.give(id, idp.RoleAdmin)
	closes := func() answer {
		return p.post("/account/close", with(fields(p.get("/account/close").body), "username", "alice"))
	}
	if a := closes(); a.status != http.StatusConflict || n.account(id).State != idp.AccountActive || p.user() != "alice" {
		t.Errorf("the last admin: %d", a.status)
	}
	n.operator("root", idp.RoleAdmin)
	if closes(); n.account(id).State != idp.AccountDeleted {
		t.Error("one of two")
	}
}
