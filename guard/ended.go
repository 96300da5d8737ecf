package guard

import (
	"cmp"
	"math"
	"slices"

	"exeunt.dev/ledger"
)

// ended is the set of names that are over. It is a value that never changes: with and without return another that
// shares what stayed the same, so that an answer to "has it ended" costs no lock of its own and growing the set holds
// up nobody.
type ended struct {
	buckets []bucket // ascending by end
}

// bucket is all names with an until in the same stretch of time; it is dropped whole once the stretch has passed.
type bucket struct {
	end  uint32 // Unix seconds, at or after every until in it; ledger.Forever: never dropped
	runs []run  // largest first, each at least runRatio times the next
}

// endOf is the end of the bucket for until: to the minute for tokens that live minutes. For lives of hours the
// stretch grows, so that there are never more than about thirty buckets to ask.
func endOf(until uint32, now ledger.Time) uint32 {
	ahead := int64(until) - int64(now)/1000
	width := int64(60)
	for width*32 <= ahead {
		width *= 2
	}
	end := (int64(until) + width - 1) / width * width
	if until == ledger.Forever || end >= math.MaxUint32 {
		return ledger.Forever
	}
	return uint32(end)
}

// hasAny says whether one of names has ended. It asks each run for all of them, so that what the processor has just
// loaded to find the way serves the next name too.
func (s *ended) hasAny(names ...ledger.Name) bool {
	for i := range s.buckets {
		for j := range s.buckets[i].runs {
			r := &s.buckets[i].runs[j]
			for _, n := range names {
				if r.has(n) {
					return true
				}
			}
		}
	}
	return false
}

// size counts the names held.
func (s *ended) size() (n int) {
	for _, b := range s.buckets {
		for _, r := range b.runs {
			n += len(r.names)
		}
	}
	return n
}

// with adds entries. now decides only how finely they are kept apart.
func (s *ended) with(entries []ledger.Entry, now ledger.Time) *ended {
	fresh := map[uint32][]ledger.Name{}
	for _, e := range entries {
		end := endOf(e.Until, now)
		fresh[end] = append(fresh[end], e.Name)
	}
	next := &ended{buckets: slices.Clone(s.buckets)}
	for end, names := range fresh {
		slices.SortFunc(names, compare)
		names = slices.Compact(names)
		i, found := slices.BinarySearchFunc(next.buckets, end, func(b bucket, end uint32) int {
			return cmp.Compare(b.end, end)
		})
		if !found {
			next.buckets = slices.Insert(next.buckets, i, bucket{end: end})
		}
		next.buckets[i].runs = push(next.buckets[i].runs, names)
	}
	return next
}

// without drops the buckets that lie wholly before now. now must be a ledger time that was told: the floor clock never
// falls below it, so what is dropped here has no token left that an exp check would admit.
func (s *ended) without(now ledger.Time) *ended {
	gone := 0
	for gone < len(s.buckets) && s.buckets[gone].end != ledger.Forever && int64(s.buckets[gone].end)*1000 <= int64(now) {
		gone++
	}
	if gone == 0 {
		return s
	}
	return &ended{buckets: slices.Clone(s.buckets[gone:])}
}

// runRatio is how much smaller each run is than the one before. Larger means fewer runs to ask, each of which may cost
// a load from memory, and more moving of names as they come.
const runRatio = 8

// push adds names as a run and merges it with those that are not much larger.
func push(runs []run, names []ledger.Name) []run {
	keep := len(runs)
	for keep > 0 && len(runs[keep-1].names) < runRatio*len(names) {
		keep--
		names = merge(runs[keep].names, names)
	}
	if cap(names) > len(names)+len(names)/8 { // repeats merged away, or a slice that grew
		names = append(make([]ledger.Name, 0, len(names)), names...)
	}
	return append(slices.Clone(runs[:keep]), newRun(names))
}
