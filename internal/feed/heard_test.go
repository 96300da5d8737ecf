package feed

import (
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// News continue the chain only where it ends. All else is known already, or has to be read.
func TestHeard(t *testing.T) {
	here, elsewhere := ledger.NewLineage(), ledger.NewLineage()
	news := func(l ledger.Lineage, first uint64, n int) idp.News {
		out := idp.News{Lineage: l, First: first, Time: 7}
		for range n {
			out.Entries = append(out.Entries, idp.Entry{Name: ledger.NewName(), Until: 1})
		}
		return out
	}
	for what, c := range map[string]struct {
		n    idp.News
		took bool
		last uint64
	}{
		"the next":                    {news(here, 11, 1), true, 11},
		"the next three":              {news(here, 11, 3), true, 13},
		"the last once more":          {news(here, 10, 1), true, 10},
		"old ones":                    {news(here, 3, 4), true, 10},
		"one is missing before them":  {news(here, 12, 1), false, 10},
		"known ones, and one that is": {news(here, 10, 2), false, 10},
		"of another history":          {news(elsewhere, 11, 1), false, 10},
		"at the end of numbers":       {news(here, 1<<64-1, 1), false, 10},
	} {
		grown := 0
		f := New(nil, func(e []idp.Entry) { grown += len(e) })
		end := newLink(here, 10)
		f.end.Store(end)
		took := f.take(c.n)
		at := f.end.Load()
		if took != c.took || at.last != c.last || grown != int(c.last-10) {
			t.Errorf("%s: %v, the chain ends at %d, %d told", what, took, at.last, grown)
		}
		if c.last > 10 && (end.next != at || at.batch.First != 11 || at.batch.Time != 7 || len(at.batch.Entries) != len(c.n.Entries)) {
			t.Errorf("%s: %+v", what, at.batch)
		}
	}
	if New(nil, nil).take(news(here, 1, 1)) {
		t.Error("a chain that has not begun is continued")
	}
}

// More news than there is room for, and news that say nothing, are a call to read.
func TestHeard_NeverBlocks(t *testing.T) {
	f := New(nil, nil)
	awake := func() bool { return len(f.wake) == 1 }
	for range maxHeard {
		f.Heard(idp.News{First: 1, Entries: make([]idp.Entry, 1)})
	}
	if awake() {
		t.Error("woken although there was room")
	}
	f.Heard(idp.News{First: 1, Entries: make([]idp.Entry, 1)})
	if !awake() {
		t.Error("news were lost")
	}
	f = New(nil, nil)
	if f.Heard(idp.News{}); !awake() {
		t.Error("not woken")
	}
}
