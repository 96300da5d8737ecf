package mail

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/mail/mailtest"
	"exeunt.dev/internal/store/sqlite"
)

type scene struct {
	*Post
	t      *testing.T
	store  *sqlite.Store
	server *mailtest.Server
	log    *locked
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newScene(t *testing.T, o mailtest.Options) *scene {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	vault, err := keys.NewVault(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, store: store, server: mailtest.Start(t, o), log: new(locked)}
	server := Server{Host: s.server.Host, Port: s.server.Port, Implicit: o.Implicit, Plain: !o.TLS && !o.Implicit, Username: o.Username, Password: o.Password,
		From: "exeunt@id.example.com", FromName: "Exeunt, ümlaut", Issuer: "https://id.example.com", Roots: s.server.Roots}
	if s.Post, err = New(store, vault, server, "Exeunt", "https://id.example.com", nil, slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	return s
}

func letter() Letter {
	return Letter{Kind: "reset", Account: "alice", To: "alice@example.com", Name: "Älice", Subject: L("Set a new pässword"),
		Lines: []Line{L("Somebody asked for it from %s.", "<192.0.2.1>")}, Link: "https://id.example.com/login/reset?token=abc", Press: L("Set a new password"), Below: []Line{L("Else do nothing.")}}
}

func (s *scene) write(l Letter) (sent bool) {
	s.t.Helper()
	err := s.store.Update(s.t.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err == nil {
			sent, err = s.Write(tx, now, 0, l)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sent
}

// work makes everything due and works it off once.
func (s *scene) work() {
	s.t.Helper()
	ctx := context.Background()
	if _, err := s.round(ctx, ctx); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) waiting() (n int64) {
	s.t.Helper()
	if err := s.store.View(s.t.Context(), func(v idp.View) (err error) { n, _, err = v.Mails(); return err }); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// due makes what waits due now, as time would.
func (s *scene) due() {
	s.t.Helper()
	err := s.store.Update(s.t.Context(), func(tx idp.Tx) error {
		all, err := tx.LeaseMails(1<<60, 1, 100)
		for _, m := range all {
			m.Due = 1
			if _, err := tx.DelayMail(m); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// A letter comes as it was written, by each kind of connection, and its row goes.
func TestSend(t *testing.T) {
	for name, o := range map[string]mailtest.Options{
		"plain": {}, "plain, signed in": {Username: "exeunt", Password: "geheim"}, "STARTTLS": {TLS: true},
		"STARTTLS, signed in": {TLS: true, Username: "exeunt", Password: "geheim"}, "implicit, signed in": {Implicit: true, Username: "exeunt", Password: "geheim"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, o)
			if !s.write(letter()) {
				t.Fatal("not written")
			}
			s.work()
			got := s.server.Letters()
			if len(got) != 1 || s.waiting() != 0 {
				t.Fatal(len(got), "letters; waiting:", s.waiting(), s.log)
			}
			l := got[0]
			if l.From != "exeunt@id.example.com" || l.To != "alice@example.com" || l.Subject != "Set a new pässword" || l.TLS != (o.TLS || o.Implicit) || l.User != o.Username {
				t.Errorf("%+v", l)
			}
			for _, want := range []string{"Hello Älice,\n", "from <192.0.2.1>.", "\nSet a new password:\nhttps://id.example.com/login/reset?token=abc\n", "Else do nothing.", "\n-- \nSent by Exeunt (https://id.example.com)."} {
				if !strings.Contains(l.Text, want) {
					t.Errorf("the text lacks %q:\n%s", want, l.Text)
				}
			}
			for _, want := range []string{"&lt;192.0.2.1&gt;", `href="https://id.example.com/login/reset?token=abc"`, `lang="en"`} {
				if !strings.Contains(l.HTML, want) {
					t.Errorf("the HTML lacks %q:\n%s", want, l.HTML)
				}
			}
			if h := l.Header; h.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(h.Get("Message-Id"), "@id.example.com>") || h.Get("Date") == "" {
				t.Error(h)
			}
		})
	}
}

// Nothing is sent where the connection is not what the configuration says.
func TestSend_NotWithoutTLS(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	s.Post.server.Plain = false // the server offers no STARTTLS: somebody in between may have taken the offer away
	s.write(letter())
	s.work()
	if len(s.server.Letters()) != 0 || s.waiting() != 1 {
		t.Error("sent without TLS")
	}
	o := newScene(t, mailtest.Options{TLS: true})
	o.Post.server.Roots = nil // nobody whom the system trusts has signed its certificate
	o.write(letter())
	o.work()
	if len(o.server.Letters()) != 0 || o.waiting() != 1 || !strings.Contains(o.log.String(), "certificate") {
		t.Error("sent to a stranger:", o.log)
	}
}

// What the server says decides: later, never, or nobody knows.
func TestFailures(t *testing.T) {
	busy, never := mailtest.Refuse(451, "try later, <alice@example.com>"), mailtest.Refuse(550, "no such user alice@example.com")
	for name, c := range map[string]struct {
		fail  mailtest.Failure
		again bool // it is tried again
		twice bool // and then comes a second time
	}{
		"4xx to MAIL": {mailtest.Failure{Mail: busy}, true, false}, "4xx to RCPT": {mailtest.Failure{Rcpt: busy}, true, false}, "4xx to DATA": {mailtest.Failure{Data: busy}, true, false},
		"5xx to MAIL": {mailtest.Failure{Mail: never}, false, false}, "5xx to RCPT": {mailtest.Failure{Rcpt: never}, false, false}, "5xx to DATA": {mailtest.Failure{Data: never}, false, false},
		"lost after DATA, not kept": {mailtest.Failure{Drop: true}, true, false}, "lost after DATA, kept": {mailtest.Failure{Drop: true, Keep: true}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, mailtest.Options{})
			s.server.Fail(c.fail)
			var came []string
			s.Observe = func(state string) { came = append(came, state) }
			s.write(letter())
			s.work()
			if again := s.waiting() == 1; again != c.again {
				t.Fatal("it waits for another attempt:", again, s.log)
			}
			if strings.Contains(s.log.String(), "alice@") || !strings.Contains(s.log.String(), "account=alice") {
				t.Error("the log:", s.log)
			}
			s.due()
			s.work()
			got, want := s.server.Letters(), 0
			if c.again {
				want = 1
			}
			if c.twice {
				want = 2
			}
			if len(got) != want || s.waiting() != 0 {
				t.Fatalf("%d letters, not %d; waiting: %d", len(got), want, s.waiting())
			}
			told := []string{"given-up"}
			if c.again {
				told = []string{"delayed", "sent"}
			}
			if !slices.Equal(came, told) {
				t.Errorf("told of %q, not %q", came, told)
			}
			if c.twice && got[0].Header.Get("Message-Id") != got[1].Header.Get("Message-Id") {
				t.Error("a letter that comes twice has two ids")
			}
		})
	}
}

// A server that says nothing is left when the worker stops, and the letter is due again when its lease ends.
func TestHang(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	free := make(chan struct{})
	defer close(free)
	ctx, cancel := context.WithCancel(context.Background())
	s.server.Fail(mailtest.Failure{Hang: func() { cancel(); <-free }})
	s.write(letter())
	if _, err := s.round(context.Background(), ctx); err != nil {
		t.Fatal(err)
	}
	if s.waiting() != 1 || len(s.server.Letters()) != 0 {
		t.Error("waiting:", s.waiting())
	}
	s.due()
	s.work()
	if s.waiting() != 0 || len(s.server.Letters()) != 1 {
		t.Error("afterwards:", s.waiting(), s.log)
	}
}

func TestServerDown(t *testing.T) {
	s := newScene(t, mailtest.Options{Username: "exeunt", Password: "right"})
	s.Post.server.Password = "wrong"
	s.write(letter())
	s.work()
	if s.waiting() != 1 {
		t.Error("a wrong password of ours is no fault of the letter's")
	}
	s.Post.server.Port = 1
	s.due()
	s.work()
	if s.waiting() != 1 {
		t.Error("nobody answered, and the letter is gone")
	}
}

// What has waited too long is given up: its link is dead, or nobody wants to know any more.
func TestGivenUp(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	err := s.store.Update(t.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err == nil {
			_, err = s.Write(tx, now, now, letter())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.work()
	if s.waiting() != 0 || len(s.server.Letters()) != 0 || !strings.Contains(s.log.String(), "its time is over") {
		t.Error("waiting:", s.waiting(), s.log)
	}
}

// A stranger cannot fill a mailbox, whatever he appends to the address; what is not his doing still comes, within a limit.
func TestLimits(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	send := func(to string, stranger bool) bool {
		l := letter()
		l.To, l.Stranger = to, stranger
		return s.write(l)
	}
	for i := range strangersAnHour {
		if !send([]string{"alice@example.com", "ALICE@example.com", "alice+more@Example.com"}[i%3], true) {
			t.Fatal("refused:", i)
		}
	}
	for range 2 * oursAnHour {
		if send("alice@example.com", true) || send("alice+another@example.com", true) {
			t.Error("a stranger may send more")
		}
	}
	if !send("bob@example.com", true) {
		t.Error("the limit reaches others")
	}
	for i := range oursAnHour {
		if !send("alice@example.com", false) {
			t.Fatal("what a stranger asks for keeps away what tells of him:", i)
		}
		if i > 0 && !send("carol@example.com", false) {
			t.Fatal("refused:", i)
		}
	}
	if send("alice@example.com", false) || !send("carol@example.com", true) {
		t.Error("there is no limit for what tells, or it keeps away the link to recover")
	}
	if n := s.waiting(); n != strangersAnHour+2*oursAnHour+1 {
		t.Error("waiting:", n)
	}
}

// Nothing that ends a header gets into one.
func TestHeaderInjection(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	for _, to := range []string{"", "alice", "alice@example.com\r\nBcc: bob@example.com", "alice@example.com\nx", "Alice <alice@example.com>", "a@example.com,b@example.com", `"a b"@example.com`,
		"alice@example.com ", "alice@[127.0.0.1]", "alice@example.com\x00", "(x)alice@example.com", strings.Repeat("a", 250) + "@example.com"} {
		l := letter()
		l.To = to
		if s.write(l) || (to != "" && ValidAddress(to) == nil) {
			t.Errorf("%q is taken for an address", to)
		}
	}
	l := letter()
	l.Subject = L("Hello %s", "x\r\nBcc: bob@example.com")
	s.write(l)
	s.work()
	if s.waiting() != 0 || len(s.server.Letters()) != 0 || !strings.Contains(s.log.String(), "control characters") {
		t.Error("a subject of two lines:", s.log)
	}
	s.Post.server.FromName = "x\r\nBcc: bob@example.com"
	s.write(letter())
	s.work()
	if len(s.server.Letters()) != 0 {
		t.Error("a sender of two lines")
	}
}

// The row tells nothing of the letter, and one whose row was exchanged for another's is not sent.
func TestSealed(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	s.write(letter())
	err := s.store.Update(t.Context(), func(tx idp.Tx) error {
		all, err := tx.LeaseMails(1<<60, 1, 10)
		if err != nil || len(all) != 1 {
			return errors.Join(errors.New("no row"), err)
		}
		m := all[0]
		if bytes.Contains(m.Sealed, []byte("alice")) || bytes.Contains(m.Sealed, []byte("token")) {
			t.Error("the row can be read")
		}
		m.ID[0]++
		return errors.Join(tx.InsertMail(m), tx.DropMail(all[0].ID))
	})
	if err != nil {
		t.Fatal(err)
	}
	s.work()
	if len(s.server.Letters()) != 0 || s.waiting() != 0 {
		t.Error("sent")
	}
}

func TestRun(t *testing.T) {
	s := newScene(t, mailtest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	for range 2 * atOnce {
		l := letter()
		l.To = idp.NewSecret(6) + "@example.com"
		s.write(l)
	}
	s.Wake()
	s.server.Wait(t, 2*atOnce-1)
	cancel()
	<-done
	var none *Post
	none.Wake()
	if sent, err := none.Write(nil, 0, 0, letter()); sent || err != nil || none.On() || !s.On() {
		t.Error("no post:", sent, err)
	}
}
