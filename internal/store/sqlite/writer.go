package sqlite

import (
	"context"
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
)

// joined is how many closures share a commit at most.
const joined = 256

type job struct {
	ctx  context.Context
	f    func(idp.Tx) error
	done chan outcome
}

type outcome struct {
	err   error
	panic any
}

// Update is idp.Store's.
func (s *Store) Update(ctx context.Context, f func(idp.Tx) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan outcome, 1)}
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return idp.ErrUnavailable
	}
	select {
	case s.jobs <- j:
		s.closing.RUnlock()
	case <-ctx.Done():
		s.closing.RUnlock()
		return ctx.Err()
	}
	o := <-j.done // even if ctx is cancelled now: only the writer knows what became of it
	if o.panic != nil {
		panic(o.panic)
	}
	return o.err
}

// write is the goroutine that owns the writing connection.
func (s *Store) write() {
	defer close(s.stopped)
	for first := range s.jobs {
		batch := []*job{first}
		for len(batch) < joined {
			select {
			case j, ok := <-s.jobs:
				if !ok {
					s.commit(batch)
					return
				}
				batch = append(batch, j)
				continue
			default:
			}
			break
		}
		s.commit(batch)
	}
}

// commit runs a batch in one transaction. If that fails as a whole, each member is tried alone, so that none suffers
// for its neighbours.
func (s *Store) commit(batch []*job) {
	outcomes, err := s.flight(batch)
	if err != nil && len(batch) > 1 && !errors.Is(err, idp.ErrUnknown) {
		for _, j := range batch {
			s.commit([]*job{j})
		}
		return
	}
	for i, j := range batch {
		o := outcomes[i]
		if err != nil && o.err == nil && o.panic == nil {
			o.err = err
		}
		j.done <- o
	}
}

// flight is one transaction. Its error is that of beginning, of writing the ledger, or of COMMIT.
func (s *Store) flight(batch []*job) (outcomes []outcome, err error) {
	outcomes = make([]outcome, len(batch))
	if _, err := s.writer.exec(`BEGIN IMMEDIATE`); err != nil {
		return outcomes, err
	}
	over := false
	defer func() {
		if !over {
			s.writer.exec(`ROLLBACK`)
		}
	}()
	t := &tx{view: view{conn: s.writer, store: s}, fresh: map[idp.Name]int{}}
	t.view.tx = t
	if err := t.readCounter(); err != nil {
		return outcomes, err
	}
	for i, j := range batch {
		if err := j.ctx.Err(); err != nil {
			outcomes[i].err = err
			continue
		}
		outcomes[i] = t.member(j.f)
	}
	if err := t.flush(); err != nil {
		return outcomes, err
	}
	over = true
	if _, err := s.writer.exec(`COMMIT`); err != nil {
		s.writer.exec(`ROLLBACK`)
		// Frames may have reached the file before its sync failed, so that they come back after a crash.
		return outcomes, fmt.Errorf("%w: commit: %v", idp.ErrUnknown, err)
	}
	return outcomes, nil
}

// member runs one closure. A closure that fails or panics is undone by its savepoint, and what it appended is dropped.
func (t *tx) member(f func(idp.Tx) error) (o outcome) {
	mark := t.mark()
	defer func() {
		if p := recover(); p != nil {
			o.panic = p
		}
		if o.err == nil && o.panic == nil {
			if t.savepoint {
				_, o.err = t.conn.exec(`RELEASE member`)
			}
		} else {
			t.undo(mark)
		}
		t.savepoint = false
	}()
	o.err = f(t)
	return o
}

// write runs a statement that changes rows, opening the member's savepoint first.
func (t *tx) write(query string, args ...any) (int64, error) {
	if !t.savepoint {
		if _, err := t.conn.exec(`SAVEPOINT member`); err != nil {
			return 0, err
		}
		t.savepoint = true
	}
	t.wrote = true
	return t.conn.exec(query, args...)
}
