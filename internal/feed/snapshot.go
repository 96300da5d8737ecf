package feed

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// snapshotFor is how long one snapshot serves everybody who asks. What came since is in the tail.
const snapshotFor = time.Second

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
	head  idp.Head
	made  time.Time
	bytes []byte
}

// get returns a snapshot of the lineage of now, whose number may be a little lower. After a restart of everything many
// guards ask at once: they wait here for one that is being made.
func (s *snapshots) get(ctx context.Context, now idp.Head) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.bytes != nil && s.head.Lineage == now.Lineage && s.head.Number <= now.Number && time.Since(s.made) < snapshotFor {
		return s.bytes, nil
	}
	made := time.Now()
	var head idp.Head
	var entries []idp.Entry
	err := s.store.View(ctx, func(v idp.View) (err error) {
		if head, err = v.Head(); err != nil {
			return err
		}
		entries = entries[:0]
		return v.Entries(head.Time, func(e idp.Entry) error {
			entries = append(entries, e)
			return ctx.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	b, err := ledger.AppendSnapshot(make([]byte, 0, ledger.SnapshotSize(len(entries))), head, entries)
	if err != nil {
		return nil, err
	}
	s.head, s.made, s.bytes = head, made, b
	return b, nil
}
