package feed

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// narrow keeps little for a client that does not read.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	}
	return c, err
}

type slowWorld struct {
	t     *testing.T
	store idp.Store
	feed  *Feed
	addr  string
	left  chan string // who was sent away
	grown chan struct{}
}

func newSlowWorld(t *testing.T, within time.Duration, lag uint64) *slowWorld {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &slowWorld{t: t, store: db, left: make(chan string, 8), grown: make(chan struct{}, 1)}
	w.feed = New(db, func([]idp.Entry) {
		select {
		case w.grown <- struct{}{}:
		default:
		}
	})
	w.feed.within, w.feed.lag = within, lag
	c := idp.Client{ID: "orders", Kind: idp.KindAPI, Name: "orders", Secret: idp.HashOf("secret"), AuthMethod: idp.AuthBasic}
	if err := db.Update(t.Context(), func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) }); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.feed.Mount(mux)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	server := &httptest.Server{Listener: narrow{l}, Config: &http.Server{Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		defer func() { w.left <- r.UserAgent() }()
		mux.ServeHTTP(out, r)
	})}}
	server.Start()
	w.feed.follow(t.Context()) // it has begun before anybody asks
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.feed.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done; server.Close(); db.Close() })
	return w
}

func (w *slowWorld) head() (h idp.Head) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(v idp.View) (err error) { h, err = v.Head(); return err }); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// open begins to follow over a plain connection and reads no more than the header and the greeting.
func (w *slowWorld) open(name string, narrow bool) *ledger.TailReader {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	if narrow {
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			w.t.Fatal(err)
		}
	}
	h := w.head()
	fmt.Fprintf(c, "GET %s?after=%d&lineage=%s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nAuthorization: Basic %s\r\n\r\n",
		ledger.PathTail, h.Number, h.Lineage, name, base64.StdEncoding.EncodeToString([]byte("orders:secret")))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != 200 {
		w.t.Fatal(res, err)
	}
	r, err := ledger.NewTailReader(res.Body, ledger.Hello{Lineage: h.Lineage, After: h.Number})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// grow ends n names, a thousand in each transaction.
func (w *slowWorld) grow(n int) {
	w.t.Helper()
	for ; n > 0; n -= 1000 {
		endings := make([]idp.Ending, min(n, 1000))
		for i := range endings {
			endings[i] = idp.Ending{Name: ledger.NewName(), What: idp.WhatToken}
		}
		receipt := idp.Receipt{ID: idp.NewReceiptID(endings[0].Name), Cause: idp.CauseRevoked, Actor: idp.ActorRule("test"), Selector: idp.SelectToken}
		if err := w.store.Update(w.t.Context(), func(tx idp.Tx) error { return tx.Append(receipt, endings) }); err != nil {
			w.t.Fatal(err)
		}
		w.feed.Wake()
	}
}

// much is more than all buffers on the way hold: 800 KB.
const much = 50_000

// A reader that does not read is sent away, and keeps nobody waiting.
func TestSlowReader(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	w.open("slow", true)
	quick := w.open("quick", false)
	got := make(chan int, 1)
	go func() {
		n := 0
		for n < much {
			b, err := quick.Next()
			if err != nil {
				break
			}
			n += len(b.Entries)
		}
		got <- n
	}()
	w.grow(much)
	if n := <-got; n != much {
		t.Errorf("the reader beside it got %d entries", n)
	}
	if who := <-w.left; who != "slow" {
		t.Errorf("%s was sent away", who)
	}
	if n := w.feed.Readers(); n != 1 {
		t.Errorf("%d readers are left", n)
	}
}

// A reader that reads a little, but falls behind, is sent away too: it must not hold the chain in memory.
func TestReaderThatLags(t *testing.T) {
	w := newSlowWorld(t, time.Minute, 5000)
	r := w.open("behind", false)
	w.grow(much)
	want := w.head().Number
	for w.feed.end.Load().last < want { // the feed has seen all of it
		<-w.grown
	}
	n := 0
	for {
		b, err := r.Next()
		if err != nil {
			break
		}
		n += len(b.Entries)
	}
	if who := <-w.left; who != "behind" || n == 0 || n >= much-5000 {
		t.Errorf("%s was sent away after %d entries", who, n)
	}
}

// ahead is a store in which time has passed since anything ended.
type ahead struct{ idp.Store }

func (a ahead) Now() (idp.Time, error) {
	now, err := a.Store.Now()
	return now.Add(time.Hour), err
}

// A beat tells the time of now, not that of the last ending: a guard that slept would hold exp against an old one.
func TestBeatTellsTheTime(t *testing.T) {
	w := newSlowWorld(t, time.Second, maxLag)
	h := w.head()
	a, err := New(ahead{w.store}, nil).answer(t.Context(), ledger.Question{Nonce: ledger.NewNonce(), Lineage: h.Lineage, After: h.Number})
	if err != nil || a.Head.Number != h.Number || a.Head.Time < h.Time.Add(time.Hour) {
		t.Errorf("%+v, %v; the last ending was at %d", a, err, h.Time)
	}
}

// An API whose client is ended, or loses its secret, does not go on reading what it reads already.
func TestReaderThatMayNoLonger(t *testing.T) {
	w := newSlowWorld(t, 10*time.Second, maxLag)
	w.feed.ping = 10 * time.Millisecond
	r := w.open("orders", false)
	for range 3 {
		if _, err := r.Next(); err != nil {
			t.Fatal("before:", err)
		}
	}
	if err := w.store.Update(t.Context(), func(tx idp.Tx) error {
		c, err := tx.Client("orders")
		if err != nil {
			return err
		}
		c.Secret = idp.HashOf("another secret")
		return tx.UpdateClient(c)
	}); err != nil {
		t.Fatal(err)
	}
	over := make(chan error)
	go func() {
		for {
			if _, err := r.Next(); err != nil {
				over <- err
				return
			}
		}
	}()
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Error("still reading")
	}
}
