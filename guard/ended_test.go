package guard

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"exeunt.dev/ledger"
)

const day = ledger.Time(1_800_000_000_000)

// The set against a map, with repeats, all lives and time passing.
func TestEndedIsASet(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		set, oracle, now := &ended{}, map[ledger.Name]uint32{}, day
		var all []ledger.Name
		for range 60 {
			batch := make([]ledger.Entry, r.IntN(200))
			for i := range batch {
				n := randomName(r)
				if len(all) > 0 && r.IntN(5) == 0 {
					n = all[r.IntN(len(all))] // told again
				}
				if r.IntN(3) == 0 {
					n[0], n[1] = 7, 7 // crowd into one block
				}
				life := []time.Duration{0, time.Second, 5 * time.Minute, time.Hour, 24 * time.Hour}[r.IntN(5)]
				until := ledger.Until(now, life)
				if r.IntN(50) == 0 {
					until = ledger.Forever
				}
				batch[i] = ledger.Entry{Name: n, Until: until}
				oracle[n] = max(oracle[n], until)
				all = append(all, n)
			}
			set = set.with(batch, now).without(now)
			if r.IntN(4) == 0 {
				now += ledger.Time(r.IntN(3_600_000))
				set = set.without(now)
			}
			for n, until := range oracle {
				if int64(until)*1000 > int64(now) && !set.hasAny(n) {
					t.Fatalf("seed %d: %v is forgotten before its until", seed, n)
				}
			}
			if len(set.buckets) > 90 {
				t.Fatalf("%d buckets", len(set.buckets))
			}
			if n := randomName(r); set.hasAny(n) {
				t.Fatal("a name that never ended")
			}
		}
		for n, until := range oracle {
			if set := set.without(now + 48*3600*1000); set.hasAny(n) != (until == ledger.Forever) {
				t.Fatalf("seed %d: two days later: %v until %d", seed, n, until)
			}
		}
	}
}

func TestEndOf(t *testing.T) {
	now := int64(day / 1000)
	for ahead := int64(-100); ahead < 400*24*3600; ahead += 1 + ahead*ahead/1e6 {
		end := int64(endOf(uint32(now+ahead), day))
		if late := end - (now + ahead); late < 0 || late > max(60, ahead/8) {
			t.Fatalf("%d s ahead is kept %d s too long", ahead, late)
		}
	}
	for _, until := range []uint32{ledger.Forever, ledger.Forever - 1} {
		if endOf(until, day) != ledger.Forever {
			t.Errorf("%d ends", until)
		}
	}
}

func TestRunsStayFewAndSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	set := &ended{}
	for range 20_000 {
		set = set.with([]ledger.Entry{{Name: randomName(r), Until: ledger.Until(day, time.Minute)}}, day)
	}
	if n := len(set.buckets[0].runs); n > 6 {
		t.Errorf("%d runs", n)
	}
	for _, run := range set.buckets[0].runs {
		for i := 1; i < len(run.names); i++ {
			if compare(run.names[i-1], run.names[i]) >= 0 {
				t.Fatal("not in order")
			}
		}
	}
	if set.size() != 20_000 {
		t.Errorf("size %d", set.size())
	}
}

func TestBytesPerEnding(t *testing.T) {
	const n = 300_000
	r := rand.New(rand.NewPCG(1, 1))
	before := heap()
	set := &ended{}
	for done := 0; done < n; done += 1000 {
		batch := make([]ledger.Entry, 1000)
		for i := range batch {
			batch[i] = ledger.Entry{Name: randomName(r), Until: ledger.Until(day, time.Duration(done/1000)*time.Second)}
		}
		set = set.with(batch, day)
	}
	per := float64(heap()-before) / n
	t.Logf("%.1f bytes per ending", per)
	if per > 20 { // twice that at worst, while a run is merged
		t.Errorf("%.1f bytes per ending", per)
	}
	runtime.KeepAlive(set)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func FuzzEnded(f *testing.F) {
	f.Add([]byte("some names, in any order, and twice some names, in any order, and twice"))
	f.Fuzz(func(t *testing.T, in []byte) {
		set, oracle := &ended{}, map[ledger.Name]bool{}
		for ; len(in) >= 14; in = in[14:] {
			n := ledger.Name(in[:12])
			oracle[n] = true
			set = set.with([]ledger.Entry{{Name: n, Until: ledger.Forever - uint32(binary.BigEndian.Uint16(in[12:]))}}, day)
		}
		for n := range oracle {
			n2 := n
			n2[11] ^= 1
			if !set.hasAny(n) || set.hasAny(n2) != oracle[n2] {
				t.Fatalf("wrong about %v", n)
			}
		}
	})
}
