package guard

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"exeunt.dev/ledger"
)

// arrive lets endings arrive as a tail brings them, so many a second, until the benchmark is over.
func arrive(b *testing.B, g *Guard, perSecond int) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		r := rand.New(rand.NewPCG(5, 6))
		const every = 10 * time.Millisecond
		tick := time.NewTicker(every)
		defer tick.Stop()
		batch := make([]ledger.Entry, perSecond/int(time.Second/every))
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			now := g.anchor.Load().told
			for i := range batch {
				batch[i] = ledger.Entry{Name: randomName(r), Until: ledger.Until(now, 5*time.Minute)}
			}
			g.applying.Lock()
			g.apply(batch, now)
			g.applying.Unlock()
		}
	}()
}

// BenchmarkCheckSeenWhileEvicting is a check of the thousand tokens in use while others come and go, for which there is no room:
// one of them for each thousand checks.
func BenchmarkCheckSeenWhileEvicting(b *testing.B) {
	g, iss, r := benchGuard(b, CacheBytes(16<<20))
	raws := make([]string, 1000)
	for i := range raws {
		raws[i] = iss.Token(hangsOn(r))
	}
	raws = shuffled(raws)
	proto, err := g.Check(raws[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 999 {
			t := *proto
			t.raw = t.raw[:len(t.raw)-16] + randomName(r).String()
			t.hangs = slices.Clone(t.hangs)
			t.hangs[1] = randomName(r)
			g.settled(&t).unpin()
		}
		if _, err := g.Check(raws[i&(1<<16-1)]); err != nil {
			b.Fatal(err)
		}
	}
	if s := g.Status(); s.Bytes > 16<<20 {
		b.Fatalf("%d bytes are held", s.Bytes)
	}
}

func BenchmarkCheckFirstSightParallel(b *testing.B) {
	g, iss, r := benchGuard(b, CacheBytes(1<<30))
	raws := make([]string, 4096)
	for i := range raws {
		raws[i] = iss.Token(hangsOn(r))
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(raws)); pb.Next(); i++ {
			tok, err := g.Check(raws[i%len(raws)])
			if err != nil {
				b.Fatal(err)
			}
			g.mu.Lock()
			if tok.entry.ring >= 0 {
				g.cache.drop(tok.entry)
			}
			g.mu.Unlock()
		}
	})
}

// BenchmarkHeldEndings is what ten million endings take in memory, spread over five minutes: bytes/ending. One round is enough.
func BenchmarkHeldEndings(b *testing.B) {
	const n = 10_000_000
	var before, after runtime.MemStats
	for b.Loop() {
		g, _, r := benchGuard(b)
		runtime.GC()
		runtime.ReadMemStats(&before)
		endings(g, r, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(g)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/ending")
}

// BenchmarkSnapshot10MEndings is what the guard's process spends on a snapshot of ten million endings, reading it from memory.
func BenchmarkSnapshot10MEndings(b *testing.B) {
	const n = 10_000_000
	r := rand.New(rand.NewPCG(1, 2))
	head := ledger.Head{Lineage: ledger.NewLineage(), Number: n, Time: ledger.Time(time.Now().UnixMilli())}
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{Name: randomName(r), Until: ledger.Until(head.Time, time.Duration(r.IntN(300))*time.Second)}
	}
	slices.SortFunc(entries, func(a, c ledger.Entry) int { return a.Name.Compare(c.Name) })
	body, err := ledger.AppendSnapshot(nil, head, entries)
	if err != nil {
		b.Fatal(err)
	}
	entries = nil
	runtime.GC()
	var spent time.Duration
	rounds := 0
	for b.Loop() {
		g, err := New("https://issuer.test", Audience("x"), Credentials("a", "b"), HTTPClient(&http.Client{Transport: canned(body)}))
		if err != nil {
			b.Fatal(err)
		}
		begun := used(b)
		if err := g.takeSnapshot(b.Context(), 0, false); err != nil {
			b.Fatal(err)
		}
		spent += used(b) - begun
		if s := g.Status(); s.Endings != n {
			b.Fatalf("%d endings held", s.Endings)
		}
		rounds++
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(rounds)/n, "cpu-ns/ending")
}

// canned answers every request with one snapshot.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{}
	h.Set("Content-Type", ledger.TypeSnapshot)
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(bytes.NewReader(c)), Request: r}, nil
}

// used is the processor time of this process so far.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
