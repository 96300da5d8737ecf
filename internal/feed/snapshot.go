package feed

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const (
	// snapshotFor is how long one snapshot serves everybody who asks, at least: twice as long as it took to make, if that is longer. What
	// came since is in the tail.
	snapshotFor = time.Second
	// snapshotPiece is how many numbers of the ledger are read at once: a database lets nobody read ten million rows in one question.
	snapshotPiece = 1 << 17
)

func (f *Feed) takeSnapshot(w http.ResponseWriter, r *http.Request) {
	head, err := f.heads.read(r.Context())
	if err != nil {
		down(w, r, err)
		return
	}
	b, err := f.snapshot.get(r.Context(), head)
	if err != nil {
		down(w, r, err)
		return
	}
	out := http.NewResponseController(w)
	// At least 1 MiB a second, so that a reader cannot hold the bytes for ever.
	_ = out.SetWriteDeadline(time.Now().Add(writeWithin + time.Duration(len(b)>>20)*time.Second))
	w.Header().Set("Content-Type", ledger.TypeSnapshot)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

// snapshots keeps one encoded snapshot for all guards.
type snapshots struct {
	store idp.Store
	mu    sync.Mutex
	last  *snapshot
}

// snapshot is one that is made, or being made.
type snapshot struct {
	done  chan struct{} // closed when it is made; what follows is written before
	head  idp.Head
	until time.Time // when it is too old
	bytes []byte
	err   error
}

// serves says whether it is made and good for who has read a head.
func (m *snapshot) serves(now idp.Head) bool {
	return m.err == nil && m.head.Lineage == now.Lineage && m.head.Number <= now.Number && time.Now().Before(m.until)
}

// get returns a snapshot of the lineage of now. After a restart of everything many guards ask at once: they wait here for one that is being
// made. It is made whoever gives up waiting: a guard that does comes again, and would else never get one of a ledger that takes longer.
func (s *snapshots) get(ctx context.Context, now idp.Head) ([]byte, error) {
	for {
		s.mu.Lock()
		m, made := s.last, false
		if m != nil {
			select {
			case <-m.done:
				made = true
			default:
			}
		}
		if m == nil || made && !m.serves(now) {
			m, made = &snapshot{done: make(chan struct{})}, false
			s.last = m
			go s.make(m)
		}
		s.mu.Unlock()
		select {
		case <-m.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if m.err != nil {
			return nil, m.err
		}
		if made || m.head.Lineage == now.Lineage { // else it was begun before another history
			return m.bytes, nil
		}
	}
}

// make reads the ledger up to where it stands. Rows are only added to it, so that what is read in pieces is one snapshot.
func (s *snapshots) make(m *snapshot) {
	defer close(m.done)
	begun := time.Now()
	if m.err = s.read(m); m.err != nil {
		return
	}
	m.until = time.Now().Add(max(snapshotFor-time.Since(begun), 2*time.Since(begun)))
	time.AfterFunc(time.Until(m.until), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.last == m {
			s.last = nil // it may be hundreds of megabytes
		}
	})
}

func (s *snapshots) read(m *snapshot) error {
	ctx := context.Background() // nobody's: it belongs to all who wait
	look := func(f func(idp.View) error) error { return s.store.View(ctx, f) }
	if err := look(func(v idp.View) (err error) { m.head, err = v.Head(); return err }); err != nil {
		return err
	}
	var entries []idp.Entry
	for at := uint64(0); at < m.head.Number; {
		var some []idp.Entry
		err := look(func(v idp.View) error {
			head, err := v.Head()
			if err == nil && (head.Lineage != m.head.Lineage || head.Number < m.head.Number) {
				err = fmt.Errorf("%w: the ledger has become another", idp.ErrUnavailable)
			}
			if err == nil {
				some, at, err = v.Entries(m.head.Time, at, m.head.Number, snapshotPiece)
			}
			return err
		})
		if err != nil {
			return err
		}
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, func(a, b idp.Entry) int { return a.Name.Compare(b.Name) })
	var err error
	m.bytes, err = ledger.AppendSnapshot(make([]byte, 0, ledger.SnapshotSize(len(entries))), m.head, entries)
	return err
}
