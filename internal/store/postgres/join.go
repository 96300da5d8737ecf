package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// maxJoin bounds the members of a flight, so that its message stays small enough to leave in one piece.
const maxJoin = 128

// joins gathers closures into shared transactions.
type joins struct {
	store *Store

	mu      sync.Mutex
	waiting []*guest
	flying  bool
	closed  bool
	idle    sync.WaitGroup
}

// guest is one call of Join. Its closure runs in its caller's goroutine, when it is told to.
type guest struct {
	ctx  context.Context
	asks idp.Foresight
	f    func(idp.Tx) error

	turn chan *tx   // nil: the flight is over
	ran  chan error // the closure's verdict
	err  error      // once turn is closed
	gone bool       // the closure did not return: its goroutine is on its way out
}

var errAlone = errors.New("fly alone")

// Join is Update for a closure that ends what is used once. What it foresees is asked for all members at once.
func (s *Store) Join(ctx context.Context, asks idp.Foresight, f func(idp.Tx) error) error {
	g := &guest{ctx: ctx, asks: asks, f: f, turn: make(chan *tx), ran: make(chan error, 1)}
	if err := s.joins.board(g); err != nil {
		return err
	}
	for t := range g.turn {
		g.run(t)
	}
	if errors.Is(g.err, errAlone) {
		return s.Update(ctx, f)
	}
	return g.err
}

// Decide looks first, beside all others: in a flight a question would make its neighbours wait.
func (s *Store) Decide(ctx context.Context, look func(idp.View) (*idp.Foresight, error), do func(idp.Tx) error) error {
	var asks *idp.Foresight
	err := s.Look(ctx, func(v idp.View) (err error) { asks, err = look(v); return err })
	if err != nil || asks == nil {
		return err
	}
	return s.Join(ctx, *asks, do)
}

// run gives the closure its turn. One that panics or exits says so on its way out.
func (g *guest) run(t *tx) {
	var verdict error
	g.gone = true
	defer func() { g.ran <- verdict }()
	verdict = g.f(t)
	g.gone = false
}

func (j *joins) board(g *guest) error {
	if err := g.ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fmt.Errorf("%w: the store is closed", idp.ErrUnavailable)
	}
	j.waiting = append(j.waiting, g)
	if !j.flying {
		j.flying = true
		j.idle.Add(1)
		go j.pilot()
	}
	return nil
}

// quiet is how long nobody may have come before a flight leaves.
const quiet = 50 * time.Microsecond

// gather gives those whom the last flight has answered a moment to come back: a flight for all of them costs one commit.
func (j *joins) gather(answered int) {
	n := j.queue()
	for all, since := min(n+answered, maxJoin), time.Now(); n < all && time.Since(since) < quiet; {
		runtime.Gosched()
		if more := j.queue(); more > n {
			n, since = more, time.Now()
		}
	}
}

func (j *joins) queue() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting)
}

// pilot flies as long as somebody waits.
func (j *joins) pilot() {
	defer j.idle.Done()
	for answered := 0; ; {
		j.gather(answered)
		j.mu.Lock()
		n := min(len(j.waiting), maxJoin)
		if n == 0 {
			j.flying = false
			j.mu.Unlock()
			return
		}
		batch := slices.Clone(j.waiting[:n])
		j.waiting = slices.Delete(j.waiting, 0, n)
		j.mu.Unlock()
		j.fly(batch)
		answered = n
	}
}

func (j *joins) close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.idle.Wait()
}

// fly runs the members' closures in one transaction and answers. One that fails is left behind with its error; if one
// spoils the transaction, all fly alone.
func (j *joins) fly(batch []*guest) {
	err := j.store.with(context.Background(), j.store.pool, beginBoth, func(e *engine) error {
		members := slices.DeleteFunc(slices.Clone(batch), (*guest).leaves)
		f := &foreseen{}
		if len(members) == 1 && !e.again {
			f.presume(members[0].asks)
		} else if err := f.look(e, members); err != nil {
			return err
		}
		var b verbs.Buffer
		b.Learn(f.names, f.over)
		t := &tx{Tx: verbs.NewTx(e, j.store.cache, &b), e: e, foreseen: f}
		for _, g := range members {
			mark, waiting := b.Mark(), len(e.waiting)
			g.turn <- t
			if g.err = <-g.ran; g.err == nil && !g.gone {
				continue
			}
			if e.sent || e.failed != nil {
				return errors.Join(errAlone, e.failed)
			}
			b.Reset(mark)
			e.waiting = e.waiting[:waiting]
		}
		return e.commit(&b)
	})
	if err != nil && !errors.Is(err, idp.ErrUnknown) && !errors.Is(err, idp.ErrUnavailable) {
		err = errAlone
	}
	for _, g := range batch {
		if err != nil && !(g.err != nil && g.ctx.Err() != nil) {
			g.err = err // its own verdict rested on what did not happen
		}
		close(g.turn)
	}
}

// leaves says that a member is not to have a turn.
func (g *guest) leaves() bool {
	g.err = g.ctx.Err()
	return g.gone || g.err != nil
}

// foreseen is what was asked for all members of a flight at once.
type foreseen struct {
	sessions map[idp.Name]*idp.Session // locked; nil: there is none
	names    []idp.Name                // asked whether they have ended
	over     []idp.Name                // and have
	requests map[idp.Hash]bool         // asked; true: has a receipt
	presumed bool                      // not asked: COMMIT finds out
}

// presume takes for granted that what one member ends has not ended, and that its requests are new: nearly always so, and a trip less.
// Names and requests are unique, so that COMMIT fails if it is not, and the closure runs again and asks.
func (f *foreseen) presume(asks idp.Foresight) {
	f.presumed = true
	f.names = append(slices.Clone(asks.Sessions), asks.Names...)
	f.requests = map[idp.Hash]bool{}
	for _, h := range asks.Requests {
		f.requests[h] = false
	}
}

// unasked says that a request was foreseen and had no receipt.
func (f *foreseen) unasked(h idp.Hash) bool {
	found, asked := f.requests[h]
	return asked && !found
}

const (
	sqlHoldSessions = verbs.SessionsBy + ` = ANY(?) ORDER BY s.name FOR UPDATE OF s`
	sqlRequests     = `SELECT request FROM receipt WHERE request = ANY(?)`
)

// look locks the sessions, in the order of their names, and then asks for the rest.
func (f *foreseen) look(e *engine, members []*guest) error {
	f.sessions, f.requests = map[idp.Name]*idp.Session{}, map[idp.Hash]bool{}
	var sessions []idp.Name
	var requests [][]byte
	for _, g := range members {
		sessions = append(sessions, g.asks.Sessions...)
		f.names = append(append(f.names, g.asks.Sessions...), g.asks.Names...)
		for _, h := range g.asks.Requests {
			f.requests[h] = false
			requests = append(requests, h[:])
		}
	}
	for _, n := range sessions {
		f.sessions[n] = nil
	}
	var ask []*question
	if len(sessions) > 0 {
		ask = append(ask, &question{sql: sqlHoldSessions, args: []any{nameArray(sessions)}, f: func(r verbs.Row) {
			s := verbs.ReadSession(r)
			f.sessions[s.Name] = &s
		}})
	}
	if len(f.names) > 0 {
		ask = append(ask, askOver(f.names, &f.over))
	}
	if len(requests) > 0 {
		ask = append(ask, &question{sql: sqlRequests, args: []any{requests}, f: func(r verbs.Row) { f.requests[r.Hash()] = true }})
	}
	if len(ask) == 0 {
		return nil
	}
	return e.fly(ask...)
}
