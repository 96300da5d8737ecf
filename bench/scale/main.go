// Command scale simulates an installation that is larger than one primary: ends arrive at shards, each with a counter row of
// its own, are joined into flights, and travel over relays to guards in several regions. The costs are figures of our own
// benchmarks (docs/measured.md); docs/scale.md has the arithmetic. The simulation shows what queueing makes of it.
//
//	go run ./bench/scale [-ends 50000] [-shards 6] [-guards 100000] [-seconds 20]
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// world is what is assumed. Times are in seconds.
type world struct {
	ends    float64 // a second, all shards together
	shards  int
	nodes   int     // of each shard
	commit  float64 // one flight's share of the counter row: a sync and the commit
	row     float64 // and each ending in it
	join    int     // members of a flight at most
	look    float64 // locks and questions, before the counter row is taken
	spread  float64 // of a commit, as a share (log-normal would be kinder)
	regions []region
}

type region struct {
	name   string
	away   float64 // one way from the primary
	guards int
}

func main() {
	w := world{nodes: 2, commit: 0.0008, row: 0.000022, join: 128, look: 0.0009, spread: 0.5}
	guards := flag.Int("guards", 100_000, "guards, in three regions")
	seconds := flag.Float64("seconds", 20, "simulated time")
	flag.Float64Var(&w.ends, "ends", 50_000, "ends a second")
	flag.IntVar(&w.shards, "shards", 6, "primaries, each with a ledger of its own")
	flag.Parse()
	w.regions = []region{{"near", 0.001, *guards / 2}, {"a continent away", 0.045, *guards / 4}, {"around the world", 0.110, *guards / 4}}
	rng := rand.New(rand.NewPCG(1, 2))
	begin := time.Now()

	fmt.Printf("%.0f ends a second, %d guards\n\n| shards | busy | flight size | end acknowledged p50, p99 (ms) |\n|---|---|---|---|\n", w.ends, *guards)
	for _, n := range slices.Compact([]int{1, max(1, w.shards/3), max(1, w.shards*2/3), w.shards, w.shards * 2}) {
		v := w
		v.shards = n
		a := v.simulate(rng, *seconds)
		fmt.Printf("| %d | %.0f %% | %.0f | %s |\n", n, 100*a.busy, a.size, a.text())
	}
	a := w.simulate(rng, *seconds)
	fmt.Printf("\n| region | guards | refused at the last guard p50, p99 (ms) |\n|---|---|---|\n")
	for _, r := range w.regions {
		fmt.Printf("| %s | %d | %s |\n", r.name, r.guards, w.travel(rng, a.acknowledged, r))
	}
	const entry = 16
	stream := w.ends * entry
	fmt.Printf("\none guard reads %.2f MB/s of entries; all of them %.1f GB/s; a relay of 1,000 guards writes %.0f MB/s\n", stream/1e6, stream*float64(*guards)/1e9, stream*1000/1e6)
	fmt.Printf("entries to hold for 5 minutes: %.0f million; a snapshot is %.0f MB; in a guard at 26 bytes each %.0f MB\n", w.ends*300/1e6, w.ends*300*entry/1e6, w.ends*300*26/1e6)
	fmt.Printf("(simulated in %v)\n", time.Since(begin).Round(time.Millisecond))
}

type outcome struct {
	acknowledged []float64
	busy, size   float64
	behind       bool // it never catches up
}

func (a outcome) text() string {
	if a.behind {
		return "cannot keep up"
	}
	return quantiles(a.acknowledged)
}

func quantiles(times []float64) string {
	s := slices.Clone(times)
	slices.Sort(s)
	at := func(q float64) float64 { return s[int(q*float64(len(s)-1))] * 1000 }
	return fmt.Sprintf("%.1f, %.1f", at(.5), at(.99))
}

// simulate runs one shard, since all are alike: ends arrive at its nodes at random; a node flies all that wait, as soon as
// its last flight is back; the counter row serves one flight at a time.
func (w world) simulate(rng *rand.Rand, seconds float64) (a outcome) {
	rate := w.ends / float64(w.shards)
	type node struct {
		waiting []float64 // arrivals
		free    float64   // when its flight is back
	}
	nodes := make([]node, w.nodes)
	var arrivals []float64
	for t := rng.ExpFloat64() / rate; t < seconds; t += rng.ExpFloat64() / rate {
		arrivals = append(arrivals, t)
	}
	counter, used, flights, flown := 0.0, 0.0, 0, 0
	next := 0
	for now := 0.0; next < len(arrivals) || slices.ContainsFunc(nodes, func(n node) bool { return len(n.waiting) > 0 }); {
		// The next thing that happens: an end arrives, or a node with ends waiting becomes free.
		best, when := -1, 1e18
		if next < len(arrivals) {
			when = arrivals[next]
		}
		for i := range nodes {
			if len(nodes[i].waiting) > 0 && max(nodes[i].free, now) < when {
				best, when = i, max(nodes[i].free, now)
			}
		}
		now = when
		if best < 0 {
			i := rng.IntN(w.nodes)
			nodes[i].waiting = append(nodes[i].waiting, arrivals[next])
			next++
			if now < nodes[i].free {
				continue
			}
			best = i
		}
		n := &nodes[best]
		size := min(len(n.waiting), w.join)
		took := (w.commit + w.row*float64(size)) * (1 - w.spread/2 + w.spread*rng.Float64())
		if rng.IntN(1000) == 0 {
			took += 0.02 // a slow sync
		}
		start := max(counter, now+w.look)
		counter = start + took
		n.free = counter
		used += took
		flights++
		flown += size
		for _, arrived := range n.waiting[:size] {
			a.acknowledged = append(a.acknowledged, counter-arrived)
		}
		n.waiting = n.waiting[size:]
		if counter > 4*seconds {
			break // it will never catch up
		}
	}
	a.busy, a.size = used/max(counter, seconds), float64(flown)/float64(flights)
	a.behind = counter > 1.05*seconds
	return a
}

// travel adds the way to the last guard of a region: notification and read at a node there, a relay that writes to 1,000
// guards in turn (7 µs each, measured), and the distance twice: the node asks the primary.
func (w world) travel(rng *rand.Rand, acknowledged []float64, r region) string {
	const notified, write, under = 0.003, 0.000007, 1000
	var out []float64
	for _, a := range acknowledged[:min(len(acknowledged), 200_000)] {
		out = append(out, a+notified+3*r.away+write*under*(0.9+0.4*rng.Float64()))
	}
	return quantiles(out)
}
