package rooms_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"exeunt.dev/internal/idp"
)

var (
	appKey  = regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`)
	appCode = regexp.MustCompile(`<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>`)
)

// phone is an authenticator app with its recovery codes.
type phone struct {
	*node
	secret string
	shown  string // the last code
	codes  []string
}

func (p *phone) code() string {
	p.t.Helper()
	p.shown = codeAt(p.t, p.secret, time.Now())
	return p.shown
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// account is somebody's id.
func (n *node) id(username string) (id idp.AccountID) {
	n.t.Helper()
	err := n.server.Store.View(n.t.Context(), func(v idp.View) error {
		a, err := v.AccountByUsername(username)
		id = a.ID
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

// later forgets that the app's last code was taken, as if half a minute had passed.
func (p *phone) later() {
	p.t.Helper()
	id := p.id("alice")
	err := p.server.Store.Update(p.t.Context(), func(tx idp.Tx) error {
		all, err := tx.Credentials(id)
		for _, c := range all {
			if was := c.Counter; c.Kind == idp.CredentialTOTP {
				c.Counter = 0
				_, err = tx.UseCredential(c, was)
			}
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// setUp sets up an authenticator app on the page.
func (p *person) setUp() *phone {
	p.t.Helper()
	began := p.post("/account/authenticator/offer", fields(p.get("/account/authenticator").body))
	if !strings.HasPrefix(began.location, "/account/authenticator?offer=") {
		p.t.Fatalf("no offer: %d %s %s", began.status, began.location, began.body)
	}
	page := p.get(began.location)
	key := appKey.FindStringSubmatch(page.body)
	if key == nil || !strings.Contains(page.body, `src="data:image/png;base64,`) {
		p.t.Fatalf("no key on the page: %s", page.body)
	}
	out := &phone{node: p.node, secret: key[1]}
	a := p.post("/account/authenticator/confirm", with(fields(page.body), "code", out.code()))
	for _, m := range appCode.FindAllStringSubmatch(a.body, -1) {
		out.codes = append(out.codes, m[1])
	}
	if a.status != 200 || len(out.codes) != 10 {
		p.t.Fatalf("not on: %d %s", a.status, a.body)
	}
	return out
}

// first shows the password at the address and returns where the second step is.
func (p *person) first(at string) string {
	p.t.Helper()
	a := p.signIn(at, "alice", alicePW)
	u, err := url.Parse(a.location)
	if err != nil || a.status != 303 || u.Path != "/login" || u.Query().Get("step") == "" {
		p.t.Fatalf("no second step: %d %s %s", a.status, a.location, a.body)
	}
	return a.location
}

// second shows a code on the page of the second step.
func (p *person) second(at, code string) answer {
	p.t.Helper()
	return p.post("/login", with(fields(p.get(at).body), "code", code, "act", "code"))
}

// stale makes the session one whose person proved who they are an hour ago.
func (p *person) stale() {
	p.t.Helper()
	err := p.server.Store.Update(p.t.Context(), func(tx idp.Tx) error {
		s, err := tx.SessionByCookie(idp.HashOf(p.cookie("exeunt")))
		if err != nil {
			return err
		}
		return tx.ReRootSession(s.Name, s.Realm, s.Epoch, idp.ReRoot{AuthTime: s.AuthTime - 3_600_000})
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
