package oauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/oauth"
)

// between is the real store, with something that happens once, after the room has read and before it writes.
type between struct {
	idp.Store
	once func()
}

func (b *between) Update(ctx context.Context, f func(idp.Tx) error) error {
	if once := b.once; once != nil {
		b.once = nil
		once()
	}
	return b.Store.Update(ctx, f)
}

func startBetween(t *testing.T) (*node, *between) {
	t.Helper()
	b := &between{}
	n := start(t, func(o *oauth.OAuth) { b.Store, o.Store = o.Store, b })
	return n, b
}

// R: a registration token that ends while its PUT is under way moves no redirect URI.
func TestBetween_RegistrationEnds(t *testing.T) {
	n, b := startBetween(t)
	made := n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{"https://new.test/cb"}}).json(t)
	id := idp.ClientID(made["client_id"].(string))
	b.once = func() { n.end(idp.EndClient(id, false), idp.CauseClientEnded) }
	a := n.call("PUT", made["registration_client_uri"].(string), made["registration_access_token"].(string),
		object{"client_id": id, "redirect_uris": []string{"https://evil.test/cb"}})
	expect(t, "PUT", a, 401, "invalid_token")
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		c, err := v.Client(id)
		if c.RedirectURIs[0] != "https://new.test/cb" {
			t.Errorf("moved to %s", c.RedirectURIs[0])
		}
		return err
	}))
}

// What an operator sets while a PUT is under way stays.
func TestBetween_OperatorChanges(t *testing.T) {
	n, b := startBetween(t)
	made := n.call("POST", "/oauth2/register", initial, object{"redirect_uris": []string{"https://new.test/cb"}}).json(t)
	id := idp.ClientID(made["client_id"].(string))
	b.once = func() {
		n.update(func(tx idp.Tx) error {
			c, err := tx.Client(id)
			if err != nil {
				return err
			}
			c.Offline = true
			return tx.UpdateClient(c)
		})
	}
	a := n.call("PUT", made["registration_client_uri"].(string), made["registration_access_token"].(string),
		object{"client_id": id, "client_name": "Newer", "redirect_uris": []string{"https://new.test/cb"}})
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	must(t, n.store.View(t.Context(), func(v idp.View) error {
		c, err := v.Client(id)
		if !c.Offline || c.Name != "Newer" {
			t.Errorf("%+v", c)
		}
		return err
	}))
}

// Promise 6: what ends after it was looked at and before the code is written gives no code, and no grant beside it.
func TestBetween_CodeIsAsked(t *testing.T) {
	for name, end := range map[string]func(*person) idp.Selector{
		"session": func(p *person) idp.Selector { return idp.EndSession(p.session) },
		"app":     func(p *person) idp.Selector { return idp.EndApp(p.session, "books") },
		"account": func(p *person) idp.Selector { return idp.EndAccount(p.people["alice"], idp.AccountActive) },
		"consent": func(p *person) idp.Selector { return idp.EndConsent(p.people["alice"], "books") },
		"client":  func(p *person) idp.Selector { return idp.EndClient("books", false) },
		"realm":   func(*person) idp.Selector { return idp.EndRealm() },
	} {
		t.Run(name, func(t *testing.T) {
			n, b := startBetween(t)
			p := n.signedIn("alice")
			p.enter("books")
			grants := func() (out int) {
				must(t, n.store.View(t.Context(), func(v idp.View) error {
					all, err := v.GrantsOfSession(p.session)
					out = len(all)
					return err
				}))
				return out
			}
			had := grants()
			b.once = func() { n.end(end(p), idp.CauseSignOut) }
			a := p.authorize("books")
			if a.query().Has("code") || strings.Contains(a.body, `name="code"`) || grants() != had {
				t.Errorf("%d to %q", a.status, a.header.Get("Location"))
			}
		})
	}
}

// The same at the token endpoint: what ends after the client was checked and before the tokens are given.
func TestBetween_TokensAreAsked(t *testing.T) {
	n, b := startBetween(t)
	p := n.signedIn("alice")
	had, code := p.enter("books"), p.code("books")
	b.once = func() { n.end(idp.EndClient("robot", false), idp.CauseClientEnded) }
	expect(t, "machine", n.as("robot", "/oauth2/token", map[string][]string{"grant_type": {"client_credentials"}}), 401, "invalid_client")
	b.once = func() { n.end(idp.EndSession(p.session), idp.CauseSignOut) }
	expect(t, "code", n.as("books", "/oauth2/token", redeeming("books", code)), 400, "invalid_grant")
	expect(t, "refresh", n.refresh("books", had.Refresh), 400, "invalid_grant")
}

// R: a refresh that a node was at when it stood still, while its client went on at another one, is refused and ends nothing. The same token shown
// later ends the family.
func TestBetween_RefreshOvertaken(t *testing.T) {
	n, b := startBetween(t)
	g := n.signedIn("alice").enter("books")
	latest := g.Refresh
	next := func() { latest = n.refresh("books", latest).json(t)["refresh_token"].(string) }
	b.once = func() {
		time.Sleep(1100 * time.Millisecond) // ledger time for tokens moves once a second
		for range 3 {
			next()
		}
	}
	expect(t, "the late one", n.refresh("books", g.Refresh), 400, "invalid_grant")
	next()
	time.Sleep(1100 * time.Millisecond)
	expect(t, "shown later", n.refresh("books", g.Refresh), 400, "invalid_grant")
	expect(t, "the family after a theft", n.refresh("books", latest), 400, "invalid_grant")
}
