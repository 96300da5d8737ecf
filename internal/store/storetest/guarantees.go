package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func reopen(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	s := addSession(t, o.Store, p)
	if _, err := door.New(o.Store, nil).End(t.Context(), idp.EndSession(s.Name), signOut()); err != nil {
		t.Fatal(err)
	}
	before := head(t, o.Store)
	again := o.Reopen(t)
	if after := head(t, again); after != before {
		t.Errorf("head was %v, is %v", before, after)
	}
	if len(ended(t, again, s.Name)) != 1 {
		t.Error("an acknowledged ending is missing")
	}
	if now, err := again.Now(); err != nil || now < before.Time {
		t.Errorf("time went back from %d to %d: %v", before.Time, now, err)
	}
}

// lostUpdate counts in a row that two nodes lock, read and write.
func lostUpdate(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	nodes := []idp.Store{o.Store, o.Second(t)}
	const workers, each = 8, 20
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				err := nodes[w%2].Update(context.Background(), func(tx idp.Tx) error {
					if err := tx.LockAccount(p.id, idp.Exclusive); err != nil {
						return err
					}
					a, err := tx.Account(p.id)
					if err != nil {
						return err
					}
					n, _ := strconv.Atoi(a.Name)
					a.Name = strconv.Itoa(n + 1)
					return tx.UpdateAccount(a)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, o.Store, func(v idp.View) error {
		a, err := v.Account(p.id)
		if a.Name != strconv.Itoa(workers*each) {
			t.Errorf("counted to %s instead of %d", a.Name, workers*each)
		}
		return err
	})
}

// endedAfterLock opens grants beneath sessions that two nodes end meanwhile: after the lock, the opener sees the end, or
// else the end comes later and finds the grant.
func endedAfterLock(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	nodes := []idp.Store{o.Store, o.Second(t)}
	for range 30 {
		s := addSession(t, o.Store, p)
		var wg sync.WaitGroup
		var opened bool
		wg.Go(func() {
			err := nodes[0].Update(context.Background(), func(tx idp.Tx) error {
				opened = false
				if err := tx.LockSession(s.Name, idp.Share); err != nil {
					return err
				}
				if err := idp.Live(tx, s.Name); err != nil {
					return err
				}
				opened = true
				return tx.InsertGrant(idp.Grant{Name: ledger.NewName(), Account: p.id, Client: "app", Session: s.Name})
			})
			if err != nil && !errors.Is(err, idp.ErrEnded) {
				t.Error(err)
			}
		})
		var seen int
		wg.Go(func() {
			err := nodes[1].Update(context.Background(), func(tx idp.Tx) error {
				if _, err := door.EndIn(tx, idp.EndSession(s.Name), signOut()); err != nil {
					return err
				}
				grants, err := tx.GrantsOfSession(s.Name)
				seen = len(grants)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if opened != (seen == 1) {
			t.Fatalf("grant opened: %v, but the end saw %d", opened, seen)
		}
	}
}

// bornLate is a sign-in whose password was checked before an end and whose session is written after it, at another node: it is
// refused, or what it makes is over.
func bornLate(t *testing.T, o Opened) {
	there := o.Second(t)
	for range 20 {
		p := addPerson(t, o.Store)
		var checked, written sync.WaitGroup
		checked.Add(1)
		var made idp.Session
		refused := false
		written.Go(func() {
			checked.Wait()
			err := there.Update(context.Background(), func(tx idp.Tx) error {
				if err := tx.LockAccount(p.id, idp.Share); err != nil {
					return err
				}
				now, err := tx.Mint()
				if err != nil {
					return err
				}
				made = newSession(p, now) // under the epochs that were read with the password
				if err := idp.Live(tx, made.Names()...); err != nil {
					return err
				}
				return tx.InsertSession(made)
			})
			if refused = errors.Is(err, idp.ErrEnded); err != nil && !refused {
				t.Error(err)
			}
		})
		checked.Done()
		if _, err := door.New(o.Store, nil).End(context.Background(), idp.EndAccount(p.id, idp.AccountActive), signOut()); err != nil {
			t.Fatal(err)
		}
		written.Wait()
		if !refused && len(ended(t, there, made.Names()...)) == 0 {
			t.Fatal("a session that was born under an ended epoch lives")
		}
	}
}

// numbers writes from two nodes while two readers tail: every number once, in order, none skipped.
func numbers(t *testing.T, o Opened) {
	nodes := []idp.Store{o.Store, o.Second(t)}
	const workers, each = 8, 25
	const all = workers * each
	var writers, readers sync.WaitGroup
	read := make([][]idp.Entry, len(nodes))
	for i, s := range nodes {
		readers.Go(func() {
			for len(read[i]) < all && !t.Failed() {
				view(t, s, func(v idp.View) error {
					h, more, err := v.Tail(uint64(len(read[i])), 7)
					if i == 0 && err == nil {
						var same idp.Head
						if same, err = v.Head(); same != h {
							t.Errorf("one snapshot, two heads: %v, %v", h, same)
						}
					}
					if i == 0 && err == nil {
						more, err = v.EntriesAfter(uint64(len(read[i])), 7)
					}
					if got := uint64(len(read[i]) + len(more)); err == nil && len(more) < 7 && got != h.Number {
						t.Errorf("head is %d, but %d entries can be read", h.Number, got)
					}
					read[i] = append(read[i], more...)
					return err
				})
			}
		})
	}
	for w := range workers {
		writers.Go(func() {
			d := door.New(nodes[w%2], nil)
			for range each {
				if _, err := d.End(context.Background(), idp.EndToken(ledger.NewName()), signOut()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
	if !slices.Equal(read[0], read[1]) {
		t.Error("two readers read two ledgers")
	}
	view(t, o.Store, func(v idp.View) error {
		list, err := v.Endings(0, all+1)
		for i, e := range list {
			if e.Number != uint64(i+1) || (i > 0 && e.At < list[i-1].At) || e.Name != read[0][i].Name {
				t.Fatalf("ending %d has number %d, time %d", i+1, e.Number, e.At)
			}
		}
		if len(list) != all {
			t.Errorf("%d endings of %d", len(list), all)
		}
		return err
	})
}

// members joins members of every fate into commits; each one's fate is its own.
func members(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	boom := errors.New("boom")
	const n = 60
	names := make([]idp.Name, n)
	var wg sync.WaitGroup
	hold := holdWriter(t, o.Store)
	for i := range names {
		names[i] = ledger.NewName()
		ready := make(chan struct{})
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			returned := false
			defer func() {
				if r := recover(); (r != nil) != (i%6 == 2) || returned == (i%6 == 2 || i%6 == 4) {
					t.Errorf("member %d: panic %v, returned %v", i, r, returned)
				}
			}()
			close(ready)
			err := o.Store.Update(ctx, func(tx idp.Tx) error {
				if _, err := door.EndIn(tx, idp.EndToken(names[i]), signOut()); err != nil {
					return err
				}
				s := newSession(p, 1)
				s.Name = names[i]
				if err := tx.InsertSession(s); err != nil {
					return err
				}
				switch i % 6 {
				case 1:
					return boom
				case 2:
					panic("member")
				case 4:
					runtime.Goexit()
				}
				return nil
			})
			returned = true
			if errors.Is(err, boom) != (i%6 == 1) || (err != nil && i%6 != 1) {
				t.Errorf("member %d: %v", i, err)
			}
		})
		<-ready
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := o.Store.Update(ctx, func(tx idp.Tx) error { t.Error("ran although cancelled"); return nil }); !errors.Is(err, context.Canceled) {
		t.Error("cancelled before its turn:", err)
	}
	hold()
	wg.Wait()
	over := ended(t, o.Store, names...)
	for i, name := range names {
		want := i%6 != 1 && i%6 != 2 && i%6 != 4
		if slices.Contains(over, name) != want {
			t.Errorf("member %d: ended is not %v", i, want)
		}
		view(t, o.Store, func(v idp.View) error {
			if _, err := v.Session(name); (err == nil) != want {
				t.Errorf("member %d: row %v", i, err)
			}
			return nil
		})
	}
	if h := head(t, o.Store); h.Number != uint64(len(over)) {
		t.Errorf("head is %d with %d endings", h.Number, len(over))
	}
}

// holdWriter keeps a transaction open until the returned function is called, so that others wait and are joined.
func holdWriter(t *testing.T, s idp.Store) (release func()) {
	t.Helper()
	running, free, done := make(chan struct{}), make(chan struct{}), make(chan error)
	var once sync.Once
	go func() {
		done <- s.Update(context.Background(), func(idp.Tx) error {
			once.Do(func() { close(running) })
			<-free
			return nil
		})
	}()
	<-running
	return func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// appended asks within one commit what earlier members have appended.
func appended(t *testing.T, o Opened) {
	p := addPerson(t, o.Store)
	s := addSession(t, o.Store, p)
	hold := holdWriter(t, o.Store)
	const n = 20
	receipts := make([]idp.ReceiptID, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := door.New(o.Store, nil).End(context.Background(), idp.EndSession(s.Name), signOut())
			if err != nil {
				t.Error(err)
			}
			receipts[i] = r.ID
		})
	}
	hold()
	wg.Wait()
	if slices.ContainsFunc(receipts, func(r idp.ReceiptID) bool { return r != receipts[0] || r == "" }) {
		t.Error("one name, more than one receipt:", receipts)
	}
	if h := head(t, o.Store); h.Number != 1 {
		t.Error("one name ended, but head is", h.Number)
	}
	failed, token := errors.New("failed"), ledger.NewName()
	err := o.Store.Update(t.Context(), func(tx idp.Tx) error {
		r, err := door.EndIn(tx, idp.EndToken(token), idp.Cause{Kind: idp.CauseRevoked, Request: "x"})
		if err != nil {
			return err
		}
		if err := idp.Live(tx, token); !errors.Is(err, idp.ErrEnded) {
			t.Error("the transaction does not see what it appended:", err)
		}
		for what, ask := range map[string]func() (idp.Receipt, error){
			"request": func() (idp.Receipt, error) { return tx.ReceiptByRequest(r.Request) },
			"ending":  func() (idp.Receipt, error) { return tx.ReceiptOfEnding(token) },
			"id":      func() (idp.Receipt, error) { return tx.Receipt(r.ID) },
		} {
			if got, err := ask(); err != nil || got.ID != r.ID {
				t.Errorf("receipt by %s: %v, %v", what, got.ID, err)
			}
		}
		return failed
	})
	if !errors.Is(err, failed) || len(ended(t, o.Store, token)) != 0 {
		t.Error("a failed member's ending stayed:", err)
	}
}
