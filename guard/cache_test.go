package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"exeunt.dev/exeunttest"
	"exeunt.dev/ledger"
)

// held is a guard that needs no issuer any more, and a verified token to make others from.
func held(t testing.TB, opts ...Option) (*Guard, *Token) {
	t.Helper()
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss, opts...)
	tok, err := g.Check(iss.Token())
	if err != nil {
		t.Fatal(err)
	}
	return g, tok
}

// another files a token that hangs on names, as if it had been verified.
func another(g *Guard, proto *Token, i int, names ...ledger.Name) *entry {
	t := *proto
	t.raw = fmt.Sprintf("%s%016d%016d", proto.raw[:len(proto.raw)-32], i, i)
	t.hangs = names
	e := g.settled(&t)
	e.unpin()
	return e
}

func TestCacheStaysWithinItsBytes(t *testing.T) {
	g, proto := held(t, CacheBytes(minCacheBytes))
	everybody := ledger.NewName()
	watched := another(g, proto, 0, everybody, ledger.NewName())
	_, stop := g.Watch(t.Context(), &watched.token)
	defer stop()
	used := another(g, proto, 1, everybody, ledger.NewName())
	for i := range 10_000 {
		another(g, proto, i+2, everybody, ledger.NewName())
		wantErr(t, g, used.raw, nil) // in use: must survive what is seen once
		if g.cache.bytes > minCacheBytes {
			t.Fatalf("%d bytes", g.cache.bytes)
		}
		if g.cache.find(used.raw) == nil || g.cache.find(watched.raw) == nil {
			t.Fatalf("after %d: dropped", i)
		}
	}
	checkFiling(t, g)
	if len(g.cache.ring) < 200 {
		t.Errorf("only %d tokens", len(g.cache.ring))
	}
	// What has expired goes, although there is room.
	clock := reading{mono: 1 << 60}
	g.conf.clock = func() reading { return clock }
	for i := range len(g.cache.ring) {
		another(g, proto, 20_000+i, ledger.NewName())
	}
	stop()
	another(g, proto, 19_999, ledger.NewName())
	if n := len(g.cache.ring); n > 50 {
		t.Errorf("%d tokens, all expired", n)
	}
	checkFiling(t, g)
}

// checkFiling proves that table, ring and filing agree.
func checkFiling(t *testing.T, g *Guard) {
	t.Helper()
	links, bytes := 0, 0
	for i, e := range g.cache.ring {
		if e.ring != i || g.cache.find(e.raw) != e || e.state.Load()&stateDropped != 0 {
			t.Fatal("ring and table disagree")
		}
		bytes += e.cost()
		for j := range e.links {
			if e.links[j].filed {
				links++
			}
		}
	}
	for n, l := range g.cache.filed {
		if l.prev != nil {
			t.Fatal("a head with something before it")
		}
		for ; l != nil; l = l.next {
			if l.name != n || !l.filed || l.next != nil && l.next.prev != l || g.cache.ring[l.entry.ring] != l.entry {
				t.Fatal("filed wrongly")
			}
			links--
		}
	}
	chained := 0
	for i := range g.cache.buckets {
		for e := g.cache.buckets[i].Load(); e != nil; e = e.next.Load() {
			chained++
		}
	}
	if links != 0 || bytes != g.cache.bytes || chained != len(g.cache.ring) {
		t.Fatalf("%d links, %d bytes of %d, %d chained of %d", links, bytes, g.cache.bytes, chained, len(g.cache.ring))
	}
}

// Random filing, ends and drops against a map.
func TestCacheAgainstAMap(t *testing.T) {
	g, proto := held(t, CacheBytes(minCacheBytes))
	r := rand.New(rand.NewPCG(5, 5))
	names := make([]ledger.Name, 40)
	for i := range names {
		names[i] = ledger.NewName()
	}
	over := map[ledger.Name]bool{}
	hangs := map[*entry][]ledger.Name{}
	for i := range 3000 {
		switch r.IntN(20) {
		case 0:
			n := names[r.IntN(len(names))]
			if r.IntN(6) == 0 {
				over[n] = true
				g.applying.Lock()
				g.apply([]ledger.Entry{{Name: n, Until: ledger.Forever}}, day)
				g.applying.Unlock()
			}
		case 1:
			g.mu.Lock()
			g.cache.drop(g.cache.ring[r.IntN(len(g.cache.ring))])
			g.mu.Unlock()
		default:
			on := []ledger.Name{ledger.NewName()}
			for range r.IntN(6) {
				on = append(on, names[r.IntN(len(names))])
			}
			hangs[another(g, proto, i, on...)] = on
		}
	}
	checkFiling(t, g)
	for e, on := range hangs {
		want := false
		for _, n := range on {
			want = want || over[n]
		}
		if err := g.admit(e); !errors.Is(err, errDropped) && errors.Is(err, ErrEnded) != want {
			t.Fatalf("%v, ended %v", err, want)
		}
	}
}

func TestCacheBytesAreHonest(t *testing.T) {
	iss := exeunttest.NewInMemory(t)
	g := caughtUp(t, iss, CacheBytes(256<<20))
	r := rand.New(rand.NewPCG(1, 1))
	raw := iss.Token(hangsOn(r), exeunttest.Scope("openid", "orders:read"))
	const n = 5_000
	before, counted := heap(), g.cache.bytes
	for i := range n {
		// As a request brings it: verified claims of its own.
		tok, err := g.verify(raw)
		if err != nil {
			t.Fatal(err)
		}
		tok.raw = fmt.Sprintf("%s%016d%016d", raw[:len(raw)-32], i, i)
		for j := range tok.hangs {
			if j != 1 && j != 2 {
				tok.hangs[j] = randomName(r)
			}
		}
		g.settled(tok).unpin()
	}
	real, said := float64(heap()-before)/n, float64(g.cache.bytes-counted)/n
	t.Logf("a token of %d bytes takes %.0f, counted as %.0f", len(raw), real, said)
	if real > said*1.1 || real < said*0.6 {
		t.Errorf("a token takes %.0f bytes, counted as %.0f", real, said)
	}
	runtime.KeepAlive(g)
}

// One name that carries very many tokens: marked in pieces, all of them before anything may be proved on it.
func TestMarkingInChunks(t *testing.T) {
	g, proto := held(t, CacheBytes(1<<30))
	realm := ledger.NewName()
	entries := make([]*entry, 20*markChunk+7)
	for i := range entries {
		entries[i] = another(g, proto, i, realm, ledger.NewName())
	}
	other := another(g, proto, len(entries), ledger.NewName())
	g.applying.Lock()
	g.apply([]ledger.Entry{{Name: realm, Until: ledger.Forever}}, day)
	g.applying.Unlock()
	for i, e := range entries {
		if err := g.admit(e); !errors.Is(err, ErrEnded) {
			t.Fatalf("%d: %v", i, err)
		}
	}
	wantErr(t, g, other.raw, nil)
	checkFiling(t, g)
	late := another(g, proto, -1, realm)
	if err := g.admit(late); !errors.Is(err, ErrEnded) {
		t.Fatalf("born late under a dead name: %v", err)
	}
}

func TestCheckSeenAllocatesNothing(t *testing.T) {
	g, tok := held(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := g.Check(tok.raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
