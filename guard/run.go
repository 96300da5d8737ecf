package guard

import (
	"encoding/binary"
	"math/bits"

	"exeunt.dev/ledger"
)

// run is names in ascending order that never change, with a directory by leading bits. Names are random, so that the
// directory leads to a block of about blockSize neighbours: one load that misses the cache, then one more.
type run struct {
	names []ledger.Name
	dir   []uint32 // dir[i] is the first position whose leading bits are >= i; one more at the end
	shift uint     // what to shift the first 8 bytes by to get the leading bits
}

const blockSize = 4

// newRun takes over names, which are in ascending order without repeats.
func newRun(names []ledger.Name) run {
	width := max(bits.Len(uint(len(names)/blockSize)), 1)
	r := run{names: names, dir: make([]uint32, 1<<width+1), shift: uint(64 - width)}
	at := 0
	for i, n := range names {
		for lead := int(leading(n) >> r.shift); at <= lead; at++ {
			r.dir[at] = uint32(i)
		}
	}
	for ; at < len(r.dir); at++ {
		r.dir[at] = uint32(len(names))
	}
	return r
}

// has looks through the block from its start. Searching it by halves would be fewer steps and slower: their branches
// cannot be predicted, and a wrong guess ends the overlap of this lookup's loads with those of the next.
func (r *run) has(n ledger.Name) bool {
	lead := leading(n)
	at := lead >> r.shift
	block := r.names[r.dir[at]:r.dir[at+1]]
	for i := range block {
		if leading(block[i]) == lead && block[i] == n {
			return true
		}
	}
	return false
}

func leading(n ledger.Name) uint64 { return binary.BigEndian.Uint64(n[:8]) }

func compare(a, b ledger.Name) int {
	if x, y := leading(a), leading(b); x != y {
		if x < y {
			return -1
		}
		return 1
	}
	x, y := binary.BigEndian.Uint32(a[8:]), binary.BigEndian.Uint32(b[8:])
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// merge is both, without repeats: the same ending may arrive by tail, beat and snapshot.
func merge(a, b []ledger.Name) []ledger.Name {
	out := make([]ledger.Name, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compare(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
