package rooms_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail/mailtest"
	"exeunt.dev/ledger"
)

// mailed is a node with a mail server, whose letters are read one after the other.
type mailed struct {
	*node
	office *mailtest.Server
	read   int
}

const aliceMail = "alice@mail.example"

// startMailed is start with a mail server, where alice has a confirmed address.
func startMailed(t *testing.T, change ...func(*config.Config)) *mailed {
	t.Helper()
	m := &mailed{office: mailtest.Start(t, mailtest.Options{})}
	m.node = start(t, append(change, func(c *config.Config) { c.Mail = mailServer(m.office) })...)
	m.hasMail("alice", aliceMail)
	return m
}

func mailServer(s *mailtest.Server) config.Mail {
	return config.Mail{Host: s.Host, Port: s.Port, TLS: "none", From: "exeunt@id.example"}
}

// hasMail gives somebody a confirmed address.
func (n *node) hasMail(user, address string) {
	n.t.Helper()
	n.change(user, func(a *idp.Account) { a.Email, a.EmailVerified = address, true })
}

func (n *node) change(user string, f func(*idp.Account)) {
	n.t.Helper()
	err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(user)
		if err != nil {
			return err
		}
		f(&a)
		return tx.UpdateAccount(a)
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) row(user string) (a idp.Account) {
	n.t.Helper()
	err := n.server.Store.View(n.t.Context(), func(v idp.View) (err error) { a, err = v.AccountByUsername(user); return err })
	if err != nil {
		n.t.Fatal(err)
	}
	return a
}

// letter waits for the next letter, which must go to an address and have a subject.
func (m *mailed) letter(to, subject string) mailtest.Letter {
	m.t.Helper()
	l := m.office.Wait(m.t, m.read)
	m.read++
	if l.To != to || l.Subject != subject {
		m.t.Fatalf("a letter to %s, %q, in place of one to %s, %q", l.To, l.Subject, to, subject)
	}
	return l
}

// forgot asks for a link to set a new password.
func (p *person) forgot(who string) answer {
	p.t.Helper()
	return p.post("/login/forgot", with(fields(p.get("/login/forgot").body), "who", who))
}

// resetLink is the link that comes when somebody asks for one.
func (m *mailed) resetLink() string {
	m.t.Helper()
	m.person().forgot("alice")
	l := m.letter(aliceMail, "Set a new password")
	return m.path(l)
}

// path is where a letter's link leads, on this node.
func (m *mailed) path(l mailtest.Letter) string {
	m.t.Helper()
	path, ours := strings.CutPrefix(l.Link(), m.at)
	if !ours || !strings.HasPrefix(path, "/") {
		m.t.Fatalf("a link to %q", l.Link())
	}
	return path
}

// presses opens a link's page and presses its button.
func (p *person) presses(link string, pairs ...string) answer {
	p.t.Helper()
	page := p.get(link)
	if page.status != 200 {
		return page
	}
	at, _ := url.Parse(link)
	return p.post(at.Path, with(fields(page.body), pairs...))
}

func (p *person) sets(link, password string) answer {
	p.t.Helper()
	return p.presses(link, "new", password, "again", password)
}

// good says whether a link's page can be opened, and forced whether its button does anything if the page is left out.
func (m *mailed) good(link string) bool { m.t.Helper(); return m.person().get(link).status == 200 }

// tries presses the button of a link's page without the page.
func (m *mailed) tries(link string) answer {
	m.t.Helper()
	p := m.person()
	at, _ := url.Parse(link)
	form := fields(p.get("/login/forgot").body)
	return p.post(at.Path, with(form, "token", at.Query().Get("token"), "new", "what the thief would like", "again", "what the thief would like"))
}

// lockRow changes why alice is locked, as time would.
func (n *node) lockOf(user string) (l idp.Lock) {
	n.t.Helper()
	err := n.server.Store.View(n.t.Context(), func(v idp.View) (err error) {
		a, err := v.AccountByUsername(user)
		if err == nil {
			l, err = v.Lock(a.ID)
		}
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return l
}

// passes lets the time pass until a lock opens.
func (n *node) passes(user string) {
	n.t.Helper()
	l := n.lockOf(user)
	l.At, l.OpensAt = l.At-l.OpensAt+1, 1
	if err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error { return tx.PutLock(l) }); err != nil {
		n.t.Fatal(err)
	}
}

// next waits for the next letter with a subject, and passes over others.
func (m *mailed) next(subject string) mailtest.Letter {
	m.t.Helper()
	for {
		l := m.office.Wait(m.t, m.read)
		m.read++
		if l.Subject == subject {
			return l
		}
	}
}

// forgetLimits lets an hour pass for those who count letters.
func (m *mailed) forgetLimits() {
	m.t.Helper()
	now, err := m.server.Store.Now()
	if err == nil {
		err = m.server.Store.Update(m.t.Context(), func(tx idp.Tx) error {
			_, err := tx.Sweep(now.Add(2*time.Hour), 1000)
			return err
		})
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// sessionOf makes a session, and gives its cookie.
func (n *node) sessionOf(id idp.AccountID) string {
	n.t.Helper()
	cookie := idp.NewSecret(32)
	err := n.server.Store.Update(n.t.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		e, err := tx.Epochs(id, "")
		if err != nil {
			return err
		}
		return tx.InsertSession(idp.Session{Name: ledger.NewName(), Ref: ledger.NewName().String(), Account: id, Realm: e.Realm, Epoch: e.Account, Cookie: idp.HashOf(cookie),
			CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Hour)})
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return cookie
}
