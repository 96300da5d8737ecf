package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/ledger"
)

// wire is a way to the server that can lose what is on it.
type wire struct {
	l      net.Listener
	before atomic.Bool // the next COMMIT never arrives
	after  atomic.Bool // the next COMMIT arrives and its answer does not
}

func newWire(t *testing.T) *wire {
	w := &wire{}
	w.l = between(t, w.carry)
	return w
}

// between listens for connections, each of which carry takes to the server.
func between(t *testing.T, carry func(in, out net.Conn)) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.Port))
			if err != nil {
				in.Close()
				continue
			}
			go carry(in, out)
		}
	}()
	return l
}

func (w *wire) carry(in, out net.Conn) {
	defer in.Close()
	defer out.Close()
	var deaf atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		defer in.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := out.Read(b)
			switch {
			case err != nil, deaf.Load() && bytes.HasSuffix(b[:n], []byte("Z\x00\x00\x00\x05I")): // ready, in no transaction: it has committed
				return
			case !deaf.Load():
				in.Write(b[:n])
			}
		}
	}()
	b := make([]byte, 1<<20)
	for {
		n, err := in.Read(b)
		if err != nil {
			return
		}
		// The name under which pgx has prepared COMMIT is not known here; its statement text is, when it is parsed for the
		// first time, and a flight that appends ends with it.
		commits := bytes.Contains(b[:n], []byte("receipt-of-this-test"))
		if commits && w.before.CompareAndSwap(true, false) {
			return
		}
		if commits && w.after.CompareAndSwap(true, false) {
			deaf.Store(true)
		}
		if _, err := out.Write(b[:n]); err != nil {
			return
		}
		if deaf.Load() {
			<-answered
			return
		}
	}
}

func (w *wire) address(database string) string { return by(w.l, database) }

// by is the address of a database through a listener.
func by(l net.Listener, database string) string {
	return strings.Replace(database, fmt.Sprintf(":%d/", server.Port), fmt.Sprintf(":%d/", l.Addr().(*net.TCPAddr).Port), 1)
}

// COMMIT was sent and its answer lost: nobody knows, and the retry returns the one receipt. COMMIT never sent: nothing
// happened, and the retry ends it.
func TestLostCommit(t *testing.T) {
	for name, lose := range map[string]func(*wire) *atomic.Bool{
		"sent, answer lost": func(w *wire) *atomic.Bool { return &w.after },
		"never arrived":     func(w *wire) *atomic.Bool { return &w.before },
	} {
		for how, selector := range map[string]func(idp.Name) idp.Selector{
			"joined": idp.EndSession,
			"alone":  func(idp.Name) idp.Selector { return idp.EndRealm() },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				database := server.Database(t)
				w := newWire(t)
				s := open(t, w.address(database))
				session := storetest.Sessions(t, s, 1)[0]
				lose(w).Store(true)
				r, err := door.New(s, nil).End(t.Context(), selector(session), idp.Cause{Kind: idp.CauseSignOut, Reason: "receipt-of-this-test"})
				if err != nil {
					t.Fatal(err)
				}
				if lose(w).Load() {
					t.Fatal("nothing was lost: the test proves nothing")
				}
				var h idp.Head
				var stored idp.Receipt
				err = open(t, database).View(t.Context(), func(v idp.View) (err error) {
					if h, err = v.Head(); err != nil {
						return err
					}
					stored, err = v.Receipt(r.ID)
					return err
				})
				if err != nil || h.Number != 1 || stored.ID != r.ID {
					t.Errorf("%d endings, receipt %v: %v", h.Number, stored.ID, err)
				}
			})
		}
	}
}

// Two transactions that lock in opposite orders: the server breaks one off, and it is run again.
func TestDeadlockIsRunAgain(t *testing.T) {
	s := open(t, server.Database(t))
	names := storetest.Sessions(t, s, 2)
	var met sync.WaitGroup
	met.Add(2)
	var wg sync.WaitGroup
	runs := [2]int{}
	for i := range 2 {
		wg.Go(func() {
			err := s.Update(context.Background(), func(itx idp.Tx) error {
				runs[i]++
				idle(t, itx.(*tx).e)
				for k := range 2 {
					if err := itx.LockSession(names[(i+k)%2], idp.Exclusive); err != nil {
						return err
					}
					if _, err := itx.Session(names[(i+k)%2]); err != nil { // sends the lock
						return err
					}
					if k == 0 && runs[i] == 1 {
						met.Done()
						met.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs[0]+runs[1] < 3 {
		t.Errorf("runs: %v; no deadlock, the test proves nothing", runs)
	}
}

// Two nodes that end one name at once, without a lock on it: one ending, one receipt.
func TestOneNameTwoNodes(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	for range 20 {
		jti := ledger.NewName()
		var ids [2]idp.ReceiptID
		var wg sync.WaitGroup
		for i, s := range []*Store{a, b} {
			wg.Go(func() {
				r, err := door.New(s, nil).End(context.Background(), idp.EndToken(jti), idp.Cause{Kind: idp.CauseRevoked})
				if err != nil {
					t.Error(err)
				}
				ids[i] = r.ID
			})
		}
		wg.Wait()
		if ids[0] != ids[1] {
			t.Fatal("one name, two receipts:", ids)
		}
	}
}

// A server that may forget is refused at start.
func TestRefusesForgetfulServer(t *testing.T) {
	address := server.Database(t)
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	name := c.Config().Database
	if _, err := c.Exec(t.Context(), "ALTER DATABASE "+name+" SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), address, Options{}); !errors.Is(err, ErrForgetful) || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Error("synchronous_commit = off:", err)
	}
	// What one connection's owner sets for himself is no better.
	if _, err := Open(t.Context(), server.Database(t)+"&options=-csynchronous_commit%3Doff", Options{}); !errors.Is(err, ErrForgetful) {
		t.Error("by the address:", err)
	}
}

func TestRefusesForeignAndNewer(t *testing.T) {
	address := server.Database(t)
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "CREATE TABLE other (x INT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), address, Options{}); !errors.Is(err, ErrForeign) {
		t.Error("a database of another program:", err)
	}
	address = server.Database(t)
	open(t, address)
	c2, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close(context.Background())
	if _, err := c2.Exec(t.Context(), "INSERT INTO migration VALUES (99, '\\x00')"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), address, Options{}); !errors.Is(err, ErrTooNew) && !errors.Is(err, ErrChanged) {
		t.Error("a newer database:", err)
	}
}

// Many nodes that start at once on an empty database migrate it once.
func TestMigratesOnce(t *testing.T) {
	address := server.Database(t)
	var wg sync.WaitGroup
	heads := make([]idp.Head, 8)
	for i := range heads {
		wg.Go(func() {
			s, err := Open(context.Background(), address, Options{Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.View(context.Background(), func(v idp.View) (err error) { heads[i], err = v.Head(); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, h := range heads {
		if h.Lineage != heads[0].Lineage {
			t.Fatal("two beginnings")
		}
	}
}

// The clock of a node, without a server: a step that the monotonic clock did not see, drift, another node's time.
func TestClock(t *testing.T) {
	mono := time.Duration(0)
	c := &clock{mono: func() time.Duration { return mono }}
	c.read(500, 300, 1000)
	pass := func(d time.Duration) { mono += d }
	expect := func(what string, want idp.Time, jumped bool) {
		t.Helper()
		if now, j := c.now(); now != want || j != jumped {
			t.Errorf("%s: %d, %v; should be %d, %v", what, now, j, want, jumped)
		}
	}
	expect("at first", 1000, false)
	pass(10 * time.Second)
	expect("by monotonic time", 11_000, false)
	c.read(500, 300, 11_500)
	expect("a small step forward is taken over", 11_500, false)
	c.read(500, 300, 11_200)
	expect("never back", 11_500, false)
	pass(time.Second)
	expect("and then it goes on", 12_200, false)
	c.read(500, 300, 12_200+86_400_000)
	expect("a day ahead is not believed", 12_200, true)
	pass(time.Second)
	expect("time goes on", 13_200, true)
	c.read(500, 300, 13_300)
	expect("until the clock comes back", 13_300, false)
	c.read(500, 300, 13_300-86_400_000)
	expect("a day back is not followed", 13_300, false)
	pass(time.Second)
	expect("monotonic time goes on", 14_300, false)
	c.read(60_000, 300, 14_300)
	expect("another node's commit is", 60_000, false)
	if row, lifeCap, fresh := c.minted(1000); row != 60_000 || lifeCap != 300 || !fresh {
		t.Error(row, lifeCap, fresh)
	}
	pass(2 * time.Second)
	if _, _, fresh := c.minted(1000); fresh {
		t.Error("an old row mints")
	}
}
