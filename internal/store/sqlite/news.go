package sqlite

import (
	"context"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Follow tells of what this process commits to the ledger, before those who asked for it are answered, until ctx ends. What other processes
// commit is not told. tell must not block.
func (s *Store) Follow(ctx context.Context, tell func(idp.News)) {
	s.tell.Store(&tell)
	<-ctx.Done()
	s.tell.Store(nil)
}

// told tells of a flight that is committed. More than a frame holds are to be read.
func (s *Store) told(f *flight) {
	tell := s.tell.Load()
	if tell == nil || f.buffer.Endings == 0 {
		return
	}
	if f.buffer.Endings > ledger.MaxEntries {
		(*tell)(idp.News{})
		return
	}
	n := idp.News{Lineage: f.counter.Lineage, First: f.read.Number + 1, Time: f.counter.Time, Entries: make([]idp.Entry, 0, f.buffer.Endings)}
	for _, a := range f.buffer.Acts {
		for _, e := range a.Endings {
			n.Entries = append(n.Entries, idp.Entry{Name: e.Name, Until: f.counter.UntilOf(e.Until, f.now)})
		}
	}
	(*tell)(n)
}
