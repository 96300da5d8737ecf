package feed_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/guard"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/feed"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

const secret = "s p+a%c/e secret of the orders API 0123456789"

// flaky is the store with a switch for its readers, and one for another history.
type flaky struct {
	idp.Store
	down atomic.Bool

	mu      sync.RWMutex // a reader sees the entries of one history only, as in a real database
	lineage *ledger.Lineage
}

func (f *flaky) restore(l ledger.Lineage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lineage = &l
}

// restored is what readers see once a backup was put in place.
type restored struct {
	idp.View
	lineage ledger.Lineage
}

func (r restored) Head() (idp.Head, error) {
	h, err := r.View.Head()
	h.Lineage = r.lineage
	return h, err
}

func (r restored) Tail(after uint64, limit int) (idp.Head, []idp.Entry, error) {
	h, entries, err := r.View.Tail(after, limit)
	h.Lineage = r.lineage
	return h, entries, err
}

func (f *flaky) View(ctx context.Context, do func(idp.View) error) error {
	if f.down.Load() {
		return idp.ErrUnavailable
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if l := f.lineage; l != nil {
		return f.Store.View(ctx, func(v idp.View) error { return do(restored{v, *l}) })
	}
	return f.Store.View(ctx, do)
}

type world struct {
	t     *testing.T
	store *flaky
	door  *door.Door
	feed  *feed.Feed
	mux   *http.ServeMux
	url   string
	stop  context.CancelFunc
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: &flaky{Store: db}, mux: http.NewServeMux()}
	grown := make(chan struct{}, 1)
	w.feed = feed.New(w.store, func([]idp.Entry) {
		select {
		case grown <- struct{}{}:
		default:
		}
	})
	w.door = door.New(w.store, func(bool) { w.feed.Wake() })
	w.feed.Mount(w.mux)
	server := httptest.NewServer(w.mux)
	w.url = server.URL
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.feed.Run(ctx); close(done) }()
	w.stop = func() { stop(); <-done }
	t.Cleanup(func() { w.stop(); server.Close(); db.Close() })
	w.client("orders", idp.KindAPI)
	w.client("books", idp.KindWeb)
	w.end(ledger.NewName()) // the feed has begun once it has seen this one, or begins behind it
	return w
}

func (w *world) client(id idp.ClientID, kind idp.ClientKind) {
	w.t.Helper()
	c := idp.Client{ID: id, Kind: kind, Name: string(id), Secret: idp.HashOf(secret), AuthMethod: idp.AuthBasic}
	if err := w.store.Update(w.t.Context(), func(tx idp.Tx) error { return tx.InsertClient(c, ledger.NewName()) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) end(n ledger.Name) {
	w.t.Helper()
	if _, err := w.door.End(w.t.Context(), idp.EndToken(n), idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorRule("test")}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) head() (h idp.Head) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(v idp.View) (err error) { h, err = v.Head(); return err }); err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) do(method, path, id, pass, kind string, body []byte) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if id != "" {
		r.SetBasicAuth(strings.ReplaceAll(id, " ", "+"), escape(pass))
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return res
}

func escape(s string) string {
	return strings.NewReplacer("%", "%25", "+", "%2B", "/", "%2F", " ", "+").Replace(s)
}

func (w *world) tail(after uint64, l ledger.Lineage) *http.Response {
	return w.do("GET", "/ledger?after="+strconv.FormatUint(after, 10)+"&lineage="+l.String(), "orders", secret, "", nil)
}

func (w *world) openTail(after uint64) *ledger.TailReader {
	w.t.Helper()
	h := ledger.Hello{Lineage: w.head().Lineage, After: after}
	for {
		res := w.tail(after, h.Lineage)
		if res.StatusCode == http.StatusServiceUnavailable && !w.store.down.Load() {
			continue // Run has not read the ledger yet
		}
		if res.StatusCode != 200 {
			w.t.Fatal(res.Status)
		}
		r, err := ledger.NewTailReader(res.Body, h)
		if err != nil {
			w.t.Fatal(err)
		}
		return r
	}
}

func (w *world) collect(r *ledger.TailReader, n int) (out []ledger.Name) {
	w.t.Helper()
	for len(out) < n {
		b, err := r.Next()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range b.Entries {
			out = append(out, e.Name)
		}
	}
	return out
}

func TestWhoMayRead(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		id, pass string
		want     int
	}{{"", "", 401}, {"orders", "wrong", 401}, {"nobody", secret, 401}, {"books", secret, 403}, {"books", "", 401}, {"orders", secret, 200}} {
		res := w.do("GET", "/ledger/snapshot", c.id, c.pass, "", nil)
		if res.StatusCode != c.want || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %s, want %d", c.id, res.Status, c.want)
		}
		if (res.StatusCode == 401) != (res.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%q: challenge %q", c.id, res.Header.Get("WWW-Authenticate"))
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/ledger/snapshot", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("orders", escape(secret))
	r.Header.Add("Authorization", "Bearer x") // whoever stands before us may have looked at the other one
	if res, err := http.DefaultClient.Do(r); err != nil || res.Body.Close() != nil || res.StatusCode != 401 {
		t.Errorf("two headers: %v %v", res, err)
	}
	if _, err := w.door.End(t.Context(), idp.EndClient("orders", true), idp.Cause{Kind: idp.CauseClientEnded, Actor: idp.ActorOperator("t")}); err != nil {
		t.Fatal(err)
	}
	if res := w.do("GET", "/ledger/snapshot", "orders", secret, "", nil); res.StatusCode != 401 {
		t.Errorf("an ended client: %s", res.Status)
	}
}

// A reader gets what was committed before it came and what comes after, once each and in order; so does one that comes
// back in the middle.
func TestTailResumes(t *testing.T) {
	w := newWorld(t)
	var want []ledger.Name
	grow := func(n int) {
		for range n {
			want = append(want, ledger.NewName())
			w.end(want[len(want)-1])
		}
	}
	start := w.head().Number
	grow(20)
	r := w.openTail(start)
	grow(20)
	if got := w.collect(r, 40); !slices.Equal(got, want) {
		t.Fatalf("got %d of %d, or not in order", len(got), len(want))
	}
	for n := range uint64(40) {
		if got := w.collect(w.openTail(start+n), 40-int(n)); !slices.Equal(got, want[n:]) {
			t.Fatalf("resumed after %d: %d entries", n, len(got))
		}
	}
	w.stop()
	if _, err := r.Next(); err == nil {
		t.Error("the tail outlives the feed")
	}
	w.stop = func() {}
}

func TestTailRefuses(t *testing.T) {
	w := newWorld(t)
	h := w.head()
	w.openTail(h.Number)
	for name, c := range map[string]struct {
		query string
		want  int
	}{
		"above the head":  {"after=" + strconv.FormatUint(h.Number+1, 10) + "&lineage=" + h.Lineage.String(), 410},
		"another lineage": {"after=0&lineage=" + ledger.NewLineage().String(), 410},
		"no lineage":      {"after=0", 400},
		"no number":       {"lineage=" + h.Lineage.String(), 400},
		"negative":        {"after=-1&lineage=" + h.Lineage.String(), 400},
		"twice":           {"after=0&after=0&lineage=" + h.Lineage.String(), 400},
	} {
		if res := w.do("GET", "/ledger?"+c.query, "orders", secret, "", nil); res.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", name, res.Status, c.want)
		}
	}
}

// Another history: who follows the old one is sent away, told to take a snapshot, and never given entries of the new one
// under the old one's numbers.
func TestAnotherLineage(t *testing.T) {
	w := newWorld(t)
	old := w.head()
	r := w.openTail(old.Number)
	next := ledger.NewLineage()
	w.store.restore(next)
	w.end(ledger.NewName())
	for {
		b, err := r.Next()
		if err != nil {
			break // cut off
		}
		if len(b.Entries) > 0 {
			t.Fatal("an entry of the new history in the old one's tail")
		}
	}
	if res := w.tail(old.Number, old.Lineage); res.StatusCode != ledger.StatusTakeSnapshot {
		t.Errorf("resuming the old history: %s", res.Status)
	}
	a, _ := w.beat(ledger.Question{Nonce: ledger.NewNonce(), Lineage: old.Lineage, After: old.Number})
	if !a.Snapshot || len(a.Entries) > 0 || a.Head.Lineage != next {
		t.Errorf("a beat of the old history: %+v", a)
	}
	s, err := ledger.NewSnapshotReader(w.do("GET", "/ledger/snapshot", "orders", secret, "", nil).Body)
	if err != nil || s.Head().Lineage != next {
		t.Fatalf("the snapshot: %v", err)
	}
	h := w.head()
	follow := w.openTail(h.Number)
	n := ledger.NewName()
	w.end(n)
	if got := w.collect(follow, 1); got[0] != n {
		t.Error("the new history cannot be followed")
	}
}

func TestSnapshot(t *testing.T) {
	w := newWorld(t)
	ended := ledger.NewName()
	w.end(ended)
	res := w.do("GET", "/ledger/snapshot", "orders", secret, "", nil)
	s, err := ledger.NewSnapshotReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.Next(nil, 100)
	if err != io.EOF && err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(entries, func(e ledger.Entry) bool { return e.Name == ended }) || res.Header.Get("Content-Type") != ledger.TypeSnapshot {
		t.Errorf("%v does not have %v", entries, ended)
	}
}

func (w *world) beat(q ledger.Question) (ledger.Answer, int) {
	w.t.Helper()
	res := w.do("POST", "/ledger/beat", "orders", secret, ledger.TypeBeat, ledger.AppendQuestion(nil, q))
	if res.StatusCode != 200 {
		return ledger.Answer{}, res.StatusCode
	}
	b, _ := io.ReadAll(res.Body)
	a, err := ledger.ParseAnswer(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return a, 200
}

// R: a node vouches only for what it read: an ending committed before the question is in the answer, and when the read
// fails there is no answer.
func TestBeatIsARead(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		h := w.head()
		n := ledger.NewName()
		w.end(n)
		q := ledger.Question{Nonce: ledger.NewNonce(), Lineage: h.Lineage, After: h.Number}
		a, _ := w.beat(q)
		if a.Nonce != q.Nonce || a.Head.Number != h.Number+1 || len(a.Entries) != 1 || a.Entries[0].Name != n || a.More || a.Snapshot {
			t.Fatalf("%+v", a)
		}
	}
	h := w.head()
	if a, _ := w.beat(ledger.Question{}); !a.Snapshot {
		t.Errorf("a guard that holds nothing: %+v", a)
	}
	if a, _ := w.beat(ledger.Question{Lineage: h.Lineage, After: h.Number + 5}); a.Snapshot || a.More || len(a.Entries) > 0 || a.Head.Number != h.Number {
		t.Errorf("a question from beyond: %+v", a)
	}
	w.store.down.Store(true)
	if _, status := w.beat(ledger.Question{Lineage: h.Lineage, After: h.Number}); status != 503 {
		t.Errorf("store down: %d", status)
	}
	w.store.down.Store(false)
	for name, body := range map[string][]byte{"empty": nil, "long": append(ledger.AppendQuestion(nil, ledger.Question{}), 0), "version": bytes.Repeat([]byte{2}, ledger.QuestionSize)} {
		if res := w.do("POST", "/ledger/beat", "orders", secret, ledger.TypeBeat, body); res.StatusCode != 400 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

// The real guard follows the real feed, over sockets: an ending is refused with one push, an ending written by another
// process with the next poll.
func TestGuardFollows(t *testing.T) {
	w := newWorld(t)
	vault, err := keys.NewVault(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), w.store, vault, []string{jws.ES256})
	if err != nil {
		t.Fatal(err)
	}
	issuer := token.NewIssuer(w.url, ring)
	w.mux.HandleFunc("GET /.well-known/jwks.json", func(rw http.ResponseWriter, _ *http.Request) { rw.Write(ring.JWKS()) })
	applied := make(chan guard.Event, 64)
	g, err := guard.New(w.url, guard.Audience("https://orders.example"), guard.Credentials("orders", secret), guard.Observe(func(e guard.Event) {
		if e.Kind == guard.Applied {
			applied <- e
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	ran := make(chan struct{})
	go func() { g.Run(ctx); close(ran) }()
	defer func() { stop(); <-ran }()
	if err := g.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	elsewhere := door.New(w.store, nil) // a command beside the server: nobody wakes the feed
	for _, d := range []*door.Door{w.door, elsewhere} {
		session := ledger.NewName()
		var now idp.Time
		if err := w.store.Update(ctx, func(tx idp.Tx) (err error) { now, err = tx.Mint(); return err }); err != nil {
			t.Fatal(err)
		}
		raw, err := issuer.Access(&token.Access{Subject: "someone", Client: "books", Audience: []string{"https://orders.example"},
			IssuedAt: now, Expires: now + 60_000, EndsWith: idp.NamesOf(session)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Check(raw); err != nil {
			t.Fatal(err)
		}
		if _, err := d.End(ctx, idp.EndToken(session), idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorRule("test")}); err != nil {
			t.Fatal(err)
		}
		want := w.head().Number
		for e := range applied {
			if e.Number >= want {
				break
			}
		}
		if _, err := g.Check(raw); !errors.Is(err, guard.ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	}
}
