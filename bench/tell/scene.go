package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// scene is the server, the echo, the apps and the people.
type scene struct {
	dir, issuer, echoAt string
	server, echo        *exec.Cmd
	base                *server.Base // of the same database: sessions are put there, since a sign-in costs a password's hash
	tokens              *token.Issuer
	epochs              map[idp.ClientID]idp.Epochs
	bare                *sql.DB

	mu      sync.Mutex
	came    map[idp.Name]time.Time // when an app got the token of a sid
	arrived chan struct{}          // closed and replaced when one came
}

// browser is a session with a grant at each app, entered an hour ago.
type browser struct {
	cookie, hint string
	sids         map[idp.ClientID]idp.Name
}

const (
	account   = idp.AccountID("benchbenchbenchb")
	appSecret = "the secret of every app"
)

func newScene(binary string) (*scene, error) {
	dir, err := os.MkdirTemp("", "exeunt-tell-")
	if err != nil {
		return nil, err
	}
	s := &scene{dir: dir, epochs: map[idp.ClientID]idp.Epochs{}, came: map[idp.Name]time.Time{}, arrived: make(chan struct{})}
	for _, step := range []func() error{s.openBare, func() error { return s.start(binary) }, s.people} {
		if err := step(); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *scene) close() {
	for _, c := range []*exec.Cmd{s.server, s.echo} {
		if c != nil && c.Process != nil {
			c.Process.Kill()
			c.Wait()
		}
	}
	if s.base != nil {
		s.base.Close()
	}
	if s.bare != nil {
		s.bare.Close()
	}
	os.RemoveAll(s.dir)
}

// openBare opens a database of one table, as durable as the server's.
func (s *scene) openBare() (err error) {
	if s.bare, err = sql.Open("sqlite", "file:"+filepath.Join(s.dir, "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"); err != nil {
		return err
	}
	s.bare.SetMaxOpenConns(1)
	_, err = s.bare.Exec(`CREATE TABLE x (n INTEGER PRIMARY KEY, b BLOB)`)
	return err
}

func (s *scene) commit() error {
	_, err := s.bare.Exec(`INSERT INTO x (b) VALUES (randomblob(100))`)
	return err
}

func (s *scene) start(binary string) error {
	conf := filepath.Join(s.dir, "exeunt.yaml")
	if binary == "" {
		binary = filepath.Join(s.dir, "exeunt")
		if out, err := exec.Command("go", "build", "-o", binary, "./cmd/exeunt").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	s.issuer = "http://" + address
	text := "issuer: " + s.issuer + "\nlisten: " + address + "\nlog_level: error\napps:\n  allow_networks: [127.0.0.0/8]\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	c, err := config.Load(conf)
	if err != nil {
		return err
	}
	if s.base, err = server.Open(context.Background(), c, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	s.tokens = token.NewIssuer(s.issuer, s.base.Ring)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.echo = exec.Command(self, "-echo")
	pipe, err := s.echo.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.echo.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fscanln(pipe, &s.echoAt); err != nil {
		return err
	}
	s.server = exec.Command(binary, "--config", conf, "serve")
	s.server.Stderr = os.Stderr
	if err := s.server.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; {
		res, err := http.Get(s.issuer + "/readyz")
		if err == nil {
			res.Body.Close()
			return nil
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// people makes the account and the apps: twenty that answer, one that hangs, one that is dead.
func (s *scene) people() error {
	serve := func(h http.HandlerFunc) (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		go http.Serve(l, h)
		return "http://" + l.Addr().String() + "/backchannel", nil
	}
	hangs, err := serve(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() })
	if err != nil {
		return err
	}
	uris := map[idp.ClientID]string{"hangs": hangs, "dead": "http://127.0.0.1:1/backchannel"}
	for _, id := range apps(20) {
		if uris[id], err = serve(s.told); err != nil { // a host of its own
			return err
		}
	}
	return s.base.Store.Update(context.Background(), func(tx idp.Tx) error {
		if err := tx.InsertAccount(idp.Account{ID: account, Username: "bench", State: idp.AccountActive}, ledger.NewName()); err != nil {
			return err
		}
		for id, uri := range uris {
			c := idp.Client{ID: id, Name: string(id), Kind: idp.KindWeb, AuthMethod: idp.AuthBasic, Secret: idp.HashOf(appSecret), FirstParty: true, PostLogoutURIs: []string{"https://app0.example/bye"}, BackchannelLogoutURI: uri}
			if err := errors.Join(tx.InsertClient(c, ledger.NewName()), tx.PutConsent(idp.Consent{Account: account, Client: id}, ledger.NewName())); err != nil {
				return err
			}
			e, err := tx.Epochs(account, id)
			if err != nil {
				return err
			}
			s.epochs[id] = e
		}
		return nil
	})
}

// told is an app's back channel.
func (s *scene) told(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	m, err := jws.Parse(r.PostFormValue("logout_token"))
	_, rest, _ := bytes.Cut(m.Payload, []byte(`"sid":"`))
	if err != nil || len(rest) < 16 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	sid, err := ledger.ParseName(string(rest[:16]))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.came[sid]; !twice {
		s.came[sid] = now
	}
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// wait returns when the last app, but for one, got its token.
func (s *scene) wait(b browser, but idp.ClientID) (last time.Time, err error) {
	late := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		arrived, missing := s.arrived, 0
		for id, sid := range b.sids {
			at, ok := s.came[sid]
			if !ok && id != but {
				missing++
			} else if at.After(last) {
				last = at
			}
		}
		s.mu.Unlock()
		if missing == 0 {
			return last, nil
		}
		select {
		case <-arrived:
		case <-late:
			return last, fmt.Errorf("%d apps were not told", missing)
		}
	}
}

// settled waits until nothing is owed but to apps that do not answer.
func (s *scene) settled() error {
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Microsecond) {
		left := false
		err := s.base.Store.View(context.Background(), func(v idp.View) error {
			owed, err := v.Owed()
			if err != nil {
				return err
			}
			all, err := v.DeliveryCounts()
			left = owed > 0
			for _, t := range all {
				left = left || t.State == idp.Owed && t.Client != "hangs"
			}
			return err
		})
		if err != nil || !left {
			return err
		}
		if time.Now().After(late) {
			return errors.New("deliveries are not settled")
		}
	}
}

func (s *scene) browsers(n int, apps ...idp.ClientID) (out []browser, err error) {
	for len(out) < n {
		var some []browser
		err := s.base.Store.Update(context.Background(), func(tx idp.Tx) error {
			some = some[:0]
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			for range min(500, n-len(out)) {
				b := browser{cookie: idp.NewSecret(32), sids: map[idp.ClientID]idp.Name{}}
				e := s.epochs[apps[0]]
				session := idp.Session{Name: ledger.NewName(), Account: account, Realm: e.Realm, Epoch: e.Account, Cookie: idp.HashOf(b.cookie), CreatedAt: now, ExpiresAt: now + 3_600_000, LastSeen: now}
				session.Ref = session.Name.String()
				if err := tx.InsertSession(session); err != nil {
					return err
				}
				for _, id := range apps {
					e := s.epochs[id]
					g := idp.Grant{Name: ledger.NewName(), Account: account, Client: id, Session: session.Name, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent}, CreatedAt: now, RedeemedAt: now - 3_600_000}
					if err := errors.Join(tx.InsertGrant(g), tx.PutSlot(idp.Slot{Session: session.Name, Client: id, Grant: g.Name})); err != nil {
						return err
					}
					b.sids[id] = g.Name
				}
				if b.hint, err = s.tokens.ID(token.ID{Subject: account, Client: apps[0], Sid: b.sids[apps[0]], IssuedAt: now, Expires: now + 300_000}); err != nil {
					return err
				}
				some = append(some, b)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// owe makes deliveries owed to the dead app; forgive makes them never due.
func (s *scene) owe(n int) error {
	for done := 0; done < n; done += 1000 {
		if err := s.base.Store.Update(context.Background(), func(tx idp.Tx) error {
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			for range min(1000, n-done) {
				if err := tx.InsertDelivery(idp.Delivery{Receipt: 1, Sid: ledger.NewName(), Client: "dead", Account: account, State: idp.Owed, CreatedAt: now, Due: now}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) forgive() error {
	for {
		n := 0
		err := s.base.Store.Update(context.Background(), func(tx idp.Tx) error {
			rows, err := tx.Deliveries(idp.DeliveryFilter{Client: "dead", State: idp.Owed}, idp.Page{Limit: 1000})
			n = len(rows)
			for _, d := range rows {
				if _, err := tx.GiveUp(d.ID()); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// memory is the server's resident size, in MiB.
func (s *scene) memory() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.server.Process.Pid))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return -1
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() >> 20
}

// cpu is what a process has used, in milliseconds.
func cpu(c *exec.Cmd) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid))
	_, rest, _ := bytes.Cut(text, []byte(") "))
	f := strings.Fields(string(rest))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) * 10 // clock ticks of 10 ms
}
