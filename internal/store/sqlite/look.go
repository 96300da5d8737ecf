package sqlite

import (
	"context"
	"runtime"
	"sync"

	"exeunt.dev/internal/idp"
)

// mostLooks share a snapshot, so that the last of them does not wait for long.
const mostLooks = 16

// looks gathers those who look at about the same time. A connection that finds the database changed forgets all pages that it had: many who
// read on one snapshot, one after the other, fetch them once.
type looks struct {
	mu         sync.Mutex
	head, tail *looker // who will share the next snapshot; nil: nobody waits
	n          int
}

// looker is one call of Look. Its closure runs in its caller's goroutine.
type looker struct {
	turn chan *conn // nil: there is no snapshot in common
	next *looker
}

// board says whether the looker is the first, who leads.
func (l *looks) board() (me *looker, leads bool) {
	me = &looker{turn: make(chan *conn, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if leads = l.head == nil; leads {
		l.head, l.n = me, 0
	} else {
		l.tail.next = me
	}
	l.tail = me
	if l.n++; l.n == mostLooks {
		l.head = nil
	}
	return me, leads
}

// depart lets nobody else join the leader.
func (l *looks) depart(leader *looker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == leader {
		l.head = nil
	}
}

// Look is View on a snapshot that others may read on, too. It is opened when all of them have come.
func (s *Store) Look(ctx context.Context, f func(idp.View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	me, leads := s.looks.board()
	var c *conn
	if leads {
		runtime.Gosched() // who is on the way comes along
		s.looks.depart(me)
		if me.next == nil {
			return s.View(ctx, f)
		}
		c, _ = s.beginRead(ctx) // with an error each tries alone, and has its own
	} else {
		c = <-me.turn
	}
	if c == nil || c.fatal != nil {
		s.pass(me, c)
		return s.View(ctx, f)
	}
	defer s.pass(me, c)
	return s.read(c, f)
}

// pass gives the snapshot to the next; the last one ends it.
func (s *Store) pass(l *looker, c *conn) {
	switch {
	case l.next != nil:
		l.next.turn <- c
	case c != nil:
		s.endRead(c)
	}
}
