package postgres

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/ledger"
)

// hear follows a database and waits for its next notification.
func hear(t *testing.T, s *Store) (next func() idp.News) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	news, over := make(chan idp.News, 64), make(chan struct{})
	go func() { defer close(over); s.Follow(ctx, func(n idp.News) { news <- n }) }()
	t.Cleanup(func() { stop(); <-over })
	next = func() idp.News {
		t.Helper()
		select {
		case n := <-news:
			return n
		case <-time.After(time.Minute):
			t.Fatal("no notification")
		}
		return idp.News{}
	}
	if n := next(); len(n.Entries) > 0 {
		t.Error("listening begins with entries")
	}
	return next
}

func end(t testing.TB, s *Store, n int) {
	t.Helper()
	err := s.Update(t.Context(), func(tx idp.Tx) error {
		var all []idp.Ending
		for range n {
			all = append(all, idp.Ending{Name: ledger.NewName(), What: idp.WhatToken})
		}
		all[0].What, all[0].Until = idp.WhatKey, idp.UntilForever
		return tx.Append(idp.Receipt{ID: idp.NewReceiptID(all[0].Name), Cause: idp.CauseRevoked}, all)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a notification says is what a reader finds, with numbers, time and lineage; what is too long is not said.
func TestNews(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	key := []byte("a key that all nodes have, from their key file")
	a.BelieveNews(key)
	b.BelieveNews(key)
	next := hear(t, b)
	for _, n := range []int{1, 2, 128, maxNews, maxNews + 1} {
		var before idp.Head
		if err := b.View(t.Context(), func(v idp.View) (err error) { before, err = v.Head(); return err }); err != nil {
			t.Fatal(err)
		}
		end(t, a, n)
		got := next()
		var head idp.Head
		var want []idp.Entry
		if err := b.View(t.Context(), func(v idp.View) (err error) { head, want, err = v.Tail(before.Number, 1000); return err }); err != nil {
			t.Fatal(err)
		}
		switch {
		case len(want) != n || want[0].Until != ledger.Forever:
			t.Fatalf("%d endings of %d", len(want), n)
		case n > maxNews:
			if len(got.Entries) > 0 {
				t.Error("more than fit were told")
			}
		case got.Lineage != head.Lineage || got.First != before.Number+1 || got.Time != head.Time || !slices.Equal(got.Entries, want):
			t.Errorf("%d endings: told %d from %d on at %d, of %v; there are %d from %d on at %d, of %v",
				n, len(got.Entries), got.First, got.Time, got.Lineage, len(want), before.Number+1, head.Time, head.Lineage)
		}
	}
}

// Whoever may log in to a Postgres may notify. What a stranger says is a reason to read, and never read itself; so is what a node says whose
// key is another.
func TestNews_OfStrangers(t *testing.T) {
	address := server.Database(t)
	s, other, keyless := open(t, address), open(t, address), open(t, address)
	s.BelieveNews([]byte("the key"))
	other.BelieveNews([]byte("another key"))
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), sqlListen); err != nil {
		t.Fatal(err)
	}
	next := hear(t, s)
	end(t, s, 2)
	if n := next(); len(n.Entries) != 2 {
		t.Fatal("a node's own news are not believed: the test proves nothing")
	}
	heard, err := c.WaitForNotification(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	real, err := base64.StdEncoding.DecodeString(heard.Payload)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(f func([]byte) []byte) string { return base64.StdEncoding.EncodeToString(f(slices.Clone(real))) }
	for what, payload := range map[string]string{
		"nothing":         "",
		"no base 64":      "?",
		"a later number":  forge(func(b []byte) []byte { binary.BigEndian.PutUint64(b[32+16:], 1000); return b }),
		"another name":    forge(func(b []byte) []byte { b[32+32]++; return b }),
		"another until":   forge(func(b []byte) []byte { b[len(b)-1]++; return b }),
		"another lineage": forge(func(b []byte) []byte { b[32]++; return b }),
		"one more":        forge(func(b []byte) []byte { return append(b, b[len(b)-newsEntry:]...) }),
		"one fewer":       forge(func(b []byte) []byte { return b[:len(b)-newsEntry] }),
		"none at all":     forge(func(b []byte) []byte { return b[:32+newsHead] }),
		"a part of one":   forge(func(b []byte) []byte { return b[:len(b)-1] }),
		"under no key":    forge(func(b []byte) []byte { return append(newsMAC(nil, b[32:]), b[32:]...) }),
	} {
		if _, err := c.Exec(t.Context(), `SELECT pg_notify('exeunt', $1)`, payload); err != nil {
			t.Fatal(err)
		}
		if n := next(); len(n.Entries) > 0 {
			t.Errorf("%s: believed: %d entries from %d on", what, len(n.Entries), n.First)
		}
	}
	for what, node := range map[string]*Store{"with another key": other, "without a key": keyless} {
		end(t, node, 1)
		if n := next(); len(n.Entries) > 0 {
			t.Errorf("a node %s is believed", what)
		}
	}
	if n := readNews(nil, base64.StdEncoding.EncodeToString(append(newsMAC(nil, real[32:]), real[32:]...))); len(n.Entries) > 0 {
		t.Error("a node without a key believes")
	}
}

// An end that flies alone does not ask first. What it took for granted and is not so, COMMIT finds out: another node has ended it, there is no
// such session, the request has its receipt.
func TestPresumed(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	doors := []*door.Door{door.New(a, nil), door.New(b, nil)}
	session := storetest.Sessions(t, a, 1)[0]
	token := ledger.NewName()
	var number uint64
	for what, s := range map[string]idp.Selector{"session": idp.EndSession(session), "token": idp.EndToken(token)} {
		for _, request := range []string{"", "one request"} {
			var first idp.Receipt
			for i, d := range []*door.Door{doors[0], doors[1], doors[0]} {
				r, err := d.End(t.Context(), s, idp.Cause{Kind: idp.CauseSignOut, Actor: "operator:" + idp.Actor(what), Request: request})
				if err != nil || r.ID == "" {
					t.Fatal(what, err)
				}
				if i == 0 {
					first = r
				} else if r.ID != first.ID {
					t.Errorf("%s: another receipt for the same end", what)
				}
			}
		}
		number++
	}
	if _, err := doors[0].End(t.Context(), idp.EndSession(ledger.NewName()), idp.Cause{Kind: idp.CauseSignOut}); !errors.Is(err, idp.ErrNotFound) {
		t.Error("a session that there is not:", err)
	}
	if _, err := doors[0].End(t.Context(), idp.EndThis(&idp.Session{Name: ledger.NewName(), Account: "nobody"}), idp.Cause{Kind: idp.CauseSignOut}); !errors.Is(err, idp.ErrNotFound) {
		t.Error("a session that there is no more:", err)
	}
	var head idp.Head
	if err := b.View(t.Context(), func(v idp.View) (err error) { head, err = v.Head(); return err }); err != nil || head.Number != number {
		t.Errorf("%d endings, %d written: %v", number, head.Number, err)
	}
}

// An end that flies alone waits for who opens something beneath its session, holding nothing that others need.
func TestPresumed_Waits(t *testing.T) {
	address := server.Database(t)
	a, b := open(t, address), open(t, address)
	sessions := storetest.Sessions(t, a, 2)
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `BEGIN`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), `SELECT 1 FROM session WHERE name = $1 FOR SHARE`, sessions[0][:]); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := door.New(a, nil).End(context.Background(), idp.EndThis(&idp.Session{Name: sessions[0], Account: "x"}), idp.Cause{Kind: idp.CauseSignOut})
		ended <- err
	}()
	blocked(t, address)
	if _, err := door.New(b, nil).End(t.Context(), idp.EndSession(sessions[1]), idp.Cause{Kind: idp.CauseSignOut}); err != nil {
		t.Error("another end, meanwhile:", err)
	}
	select {
	case err := <-ended:
		t.Error("the end did not wait:", err)
	default:
	}
	if _, err := c.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
