package guard

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"exeunt.dev/exeunttest"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// The numbers to compare: a seen token against BenchmarkVerifyES256Only, in one run.

// hangsOn is what an ordinary token hangs on.
func hangsOn(r *rand.Rand) exeunttest.Claim {
	names := make([]ledger.Name, 7) // realm, account, client, consent, session, grant, family
	for i := range names {
		names[i] = randomName(r)
	}
	return exeunttest.HangsOn(names...)
}

func randomName(r *rand.Rand) (n ledger.Name) {
	binary.BigEndian.PutUint64(n[:], r.Uint64())
	binary.BigEndian.PutUint32(n[8:], r.Uint32()|1)
	return n
}

func benchGuard(b *testing.B, opts ...Option) (*Guard, *exeunttest.Issuer, *rand.Rand) {
	b.Helper()
	iss := exeunttest.NewInMemory(b)
	real := func(s *settings) error { s.clock = machineClock(); return nil } // a look at it is part of every check
	g := caughtUp(b, iss, append(opts, MaxStaleness(time.Hour), real)...)
	return g, iss, rand.New(rand.NewPCG(1, 2))
}

// fill files n tokens without paying for n signatures: one real token, each with another tail.
func fill(b *testing.B, g *Guard, iss *exeunttest.Issuer, r *rand.Rand, n int) []string {
	b.Helper()
	raw := iss.Token(hangsOn(r), exeunttest.Scope("openid", "orders:read"))
	proto, err := g.Check(raw)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]string, n)
	for i := range out {
		tail := randomName(r).String() + randomName(r).String()
		t := *proto
		t.raw = raw[:len(raw)-len(tail)] + tail
		t.hangs = slices.Clone(t.hangs)
		for j := range t.hangs[2:] { // realm and key are everybody's
			t.hangs[j+1] = randomName(r)
		}
		e := g.settled(&t)
		e.unpin()
		out[i] = e.raw
	}
	return out
}

// endings puts n names into the ledger as a guard would hold them: over five minutes.
func endings(g *Guard, r *rand.Rand, n int) {
	g.applying.Lock()
	defer g.applying.Unlock()
	now := g.anchor.Load().told
	for batch := make([]ledger.Entry, 0, 4096); n > 0; n -= len(batch) {
		batch = batch[:min(n, 4096)]
		for i := range batch {
			batch[i] = ledger.Entry{Name: randomName(r), Until: ledger.Until(now, time.Duration(r.IntN(300))*time.Second)}
		}
		g.apply(batch, now)
	}
}

// shuffled is raws in random order, so that a check need not ask for a random number first.
func shuffled(raws []string) []string {
	r := rand.New(rand.NewPCG(3, 4))
	order := make([]string, 1<<16)
	for i := range order {
		order[i] = raws[r.IntN(len(raws))]
	}
	return order
}

func checkAll(b *testing.B, g *Guard, raws []string) {
	b.Helper()
	order := shuffled(raws)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := g.Check(order[i&(1<<16-1)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func checkAllParallel(b *testing.B, g *Guard, raws []string) {
	b.Helper()
	order := shuffled(raws)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(order)); pb.Next(); i++ {
			if _, err := g.Check(order[i&(1<<16-1)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func seen(b *testing.B) (*Guard, []string) {
	g, iss, r := benchGuard(b)
	return g, fill(b, g, iss, r, 1000)
}

func seen256k(b *testing.B) (*Guard, []string) {
	g, iss, r := benchGuard(b, CacheBytes(1<<30))
	raws := fill(b, g, iss, r, 256<<10)
	if s := g.Status(); s.Tokens < len(raws) {
		b.Fatalf("only %d tokens held", s.Tokens)
	}
	return g, raws
}

// seenAt10M holds ten million endings while 20,000 more arrive each second.
func seenAt10M(b *testing.B) (*Guard, []string) {
	g, iss, r := benchGuard(b)
	endings(g, r, 10_000_000)
	raws := fill(b, g, iss, r, 1000)
	arrive(b, g, 20_000)
	return g, raws
}

func BenchmarkCheckSeen(b *testing.B)         { g, raws := seen(b); checkAll(b, g, raws) }
func BenchmarkCheckSeenParallel(b *testing.B) { g, raws := seen(b); checkAllParallel(b, g, raws) }

func BenchmarkCheckSeen256k(b *testing.B) { g, raws := seen256k(b); checkAll(b, g, raws) }
func BenchmarkCheckSeen256kParallel(b *testing.B) {
	g, raws := seen256k(b)
	checkAllParallel(b, g, raws)
}

func BenchmarkCheckSeenAt10MEndings(b *testing.B) { g, raws := seenAt10M(b); checkAll(b, g, raws) }
func BenchmarkCheckSeenAt10MEndingsParallel(b *testing.B) {
	g, raws := seenAt10M(b)
	checkAllParallel(b, g, raws)
}

func benchFirstSight(b *testing.B, n int) {
	g, iss, r := benchGuard(b, CacheBytes(1<<30))
	endings(g, r, n)
	raws := make([]string, 4096)
	for i := range raws {
		raws[i] = iss.Token(hangsOn(r), exeunttest.Scope("openid", "orders:read"))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		tok, err := g.Check(raws[i%len(raws)])
		if err != nil {
			b.Fatal(err)
		}
		g.mu.Lock()
		g.cache.drop(tok.entry)
		g.mu.Unlock()
		i++
	}
}

func BenchmarkCheckFirstSight(b *testing.B)             { benchFirstSight(b, 0) }
func BenchmarkCheckFirstSightAt10MEndings(b *testing.B) { benchFirstSight(b, 10_000_000) }

// BenchmarkVerifyES256Only is what every check would cost without a cache, claims and ledger left out.
func BenchmarkVerifyES256Only(b *testing.B) {
	g, iss, r := benchGuard(b)
	raw := iss.Token(hangsOn(r), exeunttest.Scope("openid", "orders:read"))
	for b.Loop() {
		msg, err := jws.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		key, ok := g.keys.set.Load().Key(msg.KeyID)
		if !ok || msg.Verify(key) != nil {
			b.Fatal("does not verify")
		}
	}
}

// BenchmarkRequire is all of the middleware, with its watch, around a handler that does nothing.
func BenchmarkRequire(b *testing.B) {
	g, iss, _ := benchGuard(b)
	h := g.Require("orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+iss.Token(exeunttest.Scope("orders:read")))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if w.Code != http.StatusOK {
		b.Fatal(w.Code)
	}
}

// BenchmarkApplyAt10MEndings is one ending that arrives while ten million are held.
func BenchmarkApplyAt10MEndings(b *testing.B) {
	g, _, r := benchGuard(b)
	endings(g, r, 10_000_000)
	now := g.anchor.Load().told
	b.ReportAllocs()
	for b.Loop() {
		g.applying.Lock()
		g.apply([]ledger.Entry{{Name: randomName(r), Until: ledger.Until(now, 5*time.Minute)}}, now)
		g.applying.Unlock()
	}
}
