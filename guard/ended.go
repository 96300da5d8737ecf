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
	runs []run  // largest first, each at least twice the next
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

// has says whether n has ended.
func (s *ended) has(n ledger.Name) bool {
	for i := range s.buckets {
		for j := range s.buckets[i].runs {
			if s.buckets[i].runs[j].has(n) {
				return true
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

// push adds names as a run and merges while the last run is more than half of the one before, so that there are few
// runs and each name is moved seldom.
func push(runs []run, names []ledger.Name) []run {
	keep := len(runs)
	for keep > 0 && len(runs[keep-1].names) < 2*len(names) {
		keep--
		names = merge(runs[keep].names, names)
	}
	if cap(names) > len(names)+len(names)/8 { // repeats merged away, or a slice that grew
		names = append(make([]ledger.Name, 0, len(names)), names...)
	}
	return append(slices.Clone(runs[:keep]), newRun(names))
}
