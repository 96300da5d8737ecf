package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/ledger"
)

// family opens n families of an app of their own in a session.
func family(t testing.TB, s *Store, session idp.Name, n int) (families []idp.Family) {
	t.Helper()
	app, epoch := idp.ClientID(ledger.NewName().String()), ledger.NewName()
	err := s.Update(t.Context(), func(tx idp.Tx) error {
		families = nil
		row, err := tx.Session(session)
		if err != nil {
			return err
		}
		g := idp.Grant{Name: ledger.NewName(), Account: row.Account, Client: app, Session: session, Epochs: idp.Epochs{Client: epoch}}
		for range n {
			f := idp.Family{
				Name: ledger.NewName(), Grant: g.Name, Sid: g.Name, Client: app, Handle: idp.HashOf(ledger.NewName().String()),
				Cur: idp.HashOf(ledger.NewName().String()), Scopes: []string{"openid"}, Audience: []string{"https://api.example.com"},
			}
			if err := tx.InsertFamily(f); err != nil {
				return err
			}
			families = append(families, f)
		}
		return errors.Join(tx.InsertClient(idp.Client{ID: app}, epoch), tx.InsertGrant(g))
	})
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// idle lets a transaction wait for longer than a node that froze may: on a busy machine a test's does.
func idle(t testing.TB, e *engine) {
	t.Helper()
	if _, err := e.c.Exec(context.Background(), `SET idle_in_transaction_session_timeout = 0`); err != nil {
		t.Error(err)
	}
}

// blocked waits until a transaction of the database waits for a lock.
func blocked(t testing.TB, address string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	for limit := time.Now().Add(time.Minute); ; {
		var n int
		if err := c.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("nobody waits for a lock: the test proves nothing")
		}
	}
}

// What a node keeps of a client decides nothing once the row is another, whether the closure asks for more, writes, or
// only judges.
func TestStaleCopyDecidesNothing(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	c := idp.Client{ID: "app", Name: "0"}
	if err := a.Update(t.Context(), func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) }); err != nil {
		t.Fatal(err)
	}
	stale := errors.New("stale")
	for name, use := range map[string]func(ask func(idp.ClientReader) error) error{
		"judges in Look": func(ask func(idp.ClientReader) error) error {
			return b.Look(t.Context(), func(v idp.View) error { return ask(v) })
		},
		"View asks first": func(ask func(idp.ClientReader) error) error {
			return b.View(t.Context(), func(v idp.View) error { return ask(v) })
		},
		"judges in Update": func(ask func(idp.ClientReader) error) error {
			return b.Update(t.Context(), func(tx idp.Tx) error { return ask(tx) })
		},
		"asks for more": func(ask func(idp.ClientReader) error) error {
			return b.Look(t.Context(), func(v idp.View) error {
				verdict := ask(v)
				_, err := v.Ended(ledger.NewName())
				return errors.Join(verdict, err)
			})
		},
		"finds nothing to lock": func(ask func(idp.ClientReader) error) error {
			return b.Update(t.Context(), func(tx idp.Tx) error {
				if ask(tx) == nil {
					return nil
				}
				err := tx.LockSession(ledger.NewName(), idp.Share)
				if err == nil {
					_, err = tx.Ended(ledger.NewName())
				}
				return err
			})
		},
		"writes": func(ask func(idp.ClientReader) error) error {
			k := idp.Key{Kid: ledger.NewName(), Use: idp.UseAccess, Alg: "ES256"}
			err := b.Update(t.Context(), func(tx idp.Tx) error {
				if ask(tx) == nil {
					return nil
				}
				return tx.InsertKey(k)
			})
			return errors.Join(err, b.View(t.Context(), func(v idp.View) error {
				keys, err := v.Keys()
				if slices.ContainsFunc(keys, func(s idp.Key) bool { return s.Kid == k.Kid }) {
					return stale
				}
				return err
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.Name
			view := func() (got string) {
				if err := b.View(t.Context(), func(v idp.View) error { row, err := v.Client("app"); got = row.Name; return err }); err != nil {
					t.Fatal(err)
				}
				return got
			}
			if view() != before {
				t.Fatal("the node keeps no copy: the test proves nothing")
			}
			c.Name += "1"
			if err := a.Update(t.Context(), func(tx idp.Tx) error { return tx.UpdateClient(c) }); err != nil {
				t.Fatal(err)
			}
			runs := 0
			err := use(func(r idp.ClientReader) error {
				runs++
				row, err := r.Client("app")
				if err == nil && row.Name == before {
					return stale
				}
				return err
			})
			want := 2
			if name == "View asks first" {
				want = 1
			}
			if err != nil || runs != want {
				t.Errorf("%d runs: %v", runs, err)
			}
		})
	}
}

// One secret presented at two nodes at once: one rotates it, and the other finds it rotated.
func TestOneRotation(t *testing.T) {
	address := server.Database(t)
	nodes := []*Store{open(t, address), open(t, address)}
	f := family(t, nodes[0], storetest.Sessions(t, nodes[0], 1)[0], 1)[0]
	for range 20 {
		was := f.Cur
		var mu sync.Mutex
		var wg sync.WaitGroup
		var done []idp.Hash
		for _, s := range nodes {
			wg.Go(func() {
				next := idp.HashOf(ledger.NewName().String())
				mine := false
				err := s.Update(context.Background(), func(tx idp.Tx) error {
					mine = false
					if err := tx.LockHandle(f.Handle, idp.Exclusive); err != nil {
						return err
					}
					c, err := tx.ChainByHandle(f.Handle)
					if err != nil || c.Family.Cur != was {
						return err
					}
					c.Family.Cur, c.Family.Prev = next, was
					mine, err = tx.RotateFamily(c.Family, was)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				} else if mine {
					done = append(done, next)
				}
			})
		}
		wg.Wait()
		err := nodes[0].View(context.Background(), func(v idp.View) error {
			c, err := v.ChainByHandle(f.Handle)
			f = c.Family
			return err
		})
		if err != nil || len(done) != 1 || done[0] != f.Cur {
			t.Fatalf("%d rotations, the row has the one's: %v, %v", len(done), len(done) == 1 && done[0] == f.Cur, err)
		}
	}
}

// S2 for a refresh: an end that commits while the refresh waits for its family is seen by it, though the question for endings
// left with the lock.
func TestHeldChainSeesTheEnd(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	for what, end := range map[string]func(*idp.Chain) idp.Selector{
		"family":  func(c *idp.Chain) idp.Selector { return idp.EndFamily(c.Family.Name) },
		"session": func(c *idp.Chain) idp.Selector { return idp.EndSession(c.Session.Name) },
		"client":  func(c *idp.Chain) idp.Selector { return idp.EndClient(c.Grant.Client, false) },
		"realm":   func(c *idp.Chain) idp.Selector { return idp.EndRealm() },
	} {
		t.Run(what, func(t *testing.T) {
			f := family(t, a, storetest.Sessions(t, a, 1)[0], 1)[0]
			var chain idp.Chain
			if err := a.View(t.Context(), func(v idp.View) (err error) { chain, err = v.ChainByHandle(f.Handle); return err }); err != nil {
				t.Fatal(err)
			}
			// Not one of our transactions: those are thrown out when they are idle, and a test may be.
			c, err := pgx.Connect(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(context.Background())
			if _, err := c.Exec(t.Context(), `BEGIN`); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(t.Context(), `SELECT 1 FROM family WHERE handle = $1 FOR UPDATE`, f.Handle[:]); err != nil {
				t.Fatal(err)
			}
			waits := make(chan error, 1)
			var wg sync.WaitGroup
			wg.Go(func() {
				waits <- b.Update(context.Background(), func(tx idp.Tx) error {
					if err := tx.LockHandle(f.Handle, idp.Exclusive); err != nil {
						return err
					}
					c, err := tx.ChainByHandle(f.Handle)
					if err != nil {
						return err
					}
					return idp.Live(tx, c.Names()...)
				})
			})
			blocked(t, address)
			if _, err := door.New(a, nil).End(t.Context(), end(&chain), idp.Cause{Kind: idp.CauseRevoked}); err != nil {
				t.Error(err)
			}
			if _, err := c.Exec(t.Context(), `COMMIT`); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			if err := <-waits; !errors.Is(err, idp.ErrEnded) {
				t.Error("the refresh that waited:", err)
			}
		})
	}
}

// S2: what was asked before a lock is asked again after it.
func TestLockDoubtsWhatWasAlive(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	session := storetest.Sessions(t, a, 1)[0]
	err := a.Update(t.Context(), func(itx idp.Tx) error {
		tx := itx.(*tx)
		idle(t, tx.e)
		if err := idp.Live(tx, session); err != nil {
			return err
		}
		if _, err := door.New(b, nil).End(context.Background(), idp.EndSession(session), idp.Cause{Kind: idp.CauseSignOut}); err != nil {
			return err
		}
		if err := tx.LockSession(session, idp.Share); err != nil {
			return err
		}
		return idp.Live(tx, session)
	})
	if !errors.Is(err, idp.ErrEnded) {
		t.Error("after the lock:", err)
	}
}

// A server on a machine that is busy takes seconds to make a connection; of several hosts none may take so long.
func TestPatience(t *testing.T) {
	for address, want := range map[string]time.Duration{
		"postgres://u@a/d":                      5 * time.Second,
		"postgres://u@a,b/d":                    2 * time.Second,
		"postgres://u@a:1,a:2/d":                2 * time.Second,
		"postgres://u@a/d?sslmode=prefer":       5 * time.Second,
		"postgres://u@a/d?connect_timeout=1":    time.Second,
		"postgres://u@a,b/d?connect_timeout=3":  3 * time.Second,
		"postgres://u@a/d?connect_timeout=3600": 5 * time.Second,
	} {
		c, err := pgx.ParseConfig(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := patience(c); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// A reader whose snapshot is older than what another has read meanwhile is no sign of a server that was deposed; one that
// begins after it and knows less is.
func TestOldSnapshotIsNotADeposedServer(t *testing.T) {
	s := open(t, server.Database(t))
	head := func(v idp.View) (idp.Head, error) { return v.Head() }
	err := s.View(t.Context(), func(old idp.View) error {
		idle(t, old.(*view).e)
		before, err := head(old)
		if err != nil {
			return err
		}
		if _, err := door.New(s, nil).End(context.Background(), idp.EndToken(ledger.NewName()), idp.Cause{Kind: idp.CauseRevoked}); err != nil {
			return err
		}
		if err := s.View(context.Background(), func(v idp.View) error {
			h, err := head(v)
			if h.Number != before.Number+1 {
				t.Errorf("the end has number %d", h.Number)
			}
			return err
		}); err != nil {
			return err
		}
		again, err := head(old)
		if again.Number != before.Number {
			t.Errorf("one snapshot, two heads: %d, %d", before.Number, again.Number)
		}
		return err
	})
	if err != nil {
		t.Error("on the old snapshot:", err)
	}
	c, err := pgx.Connect(t.Context(), s.pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `UPDATE counter SET number = number - 1`); err != nil { // as a server that lost a commit
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(v idp.View) error { _, err := head(v); return err }); !errors.Is(err, ErrDeposed) {
		t.Error("a shorter ledger:", err)
	}
}

// Reads side by side ask before any of them is told: their questions fly together.
func TestAbreastAskTogether(t *testing.T) {
	s := open(t, server.Database(t))
	var order []string
	read := func(name string) func(idp.View) error {
		return func(v idp.View) error {
			for _, n := range []string{"1", "2"} {
				order = append(order, name+n)
				if _, err := v.Usernames([]idp.AccountID{"x"}); err != nil {
					return err
				}
			}
			order = append(order, name+" told")
			return nil
		}
	}
	if err := s.View(t.Context(), func(v idp.View) error { return v.Abreast(read("a"), read("b")) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a1", "b1", "a2", "b2", "a told", "b told"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}
