package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

// Store is idp.Store on one Postgres primary.
type Store struct {
	pool  *pgxpool.Pool
	aside *pgxpool.Pool // for ticks, which a transaction that holds a connection of pool waits for
	clock *clock
	cache *verbs.ClientCache
	texts texts
	joins joins

	newsKey []byte // set before the store is used by many
	mu      sync.Mutex
	highest ledger.Head // that was read
	waits   string      // synchronous_commit of every connection; "": none was made
	ticking sync.Mutex
}

var _ idp.Store = (*Store)(nil)

const (
	within    = 8 * time.Second // a transaction, all its flights together
	tries     = 8               // of a transaction that loses races
	moment    = 3 * time.Second // for which a transaction may stand still and be run again; the server throws it out after half of that
	hearing   = 100 * time.Millisecond
	beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginBoth = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
)

// Update runs f in one transaction.
func (s *Store) Update(ctx context.Context, f func(idp.Tx) error) error {
	return s.with(ctx, s.pool, beginBoth, func(e *engine) error {
		var b verbs.Buffer
		t := &tx{Tx: verbs.NewTx(e, s.cache, &b), e: e}
		t.SkipLocked = " FOR UPDATE SKIP LOCKED"
		err := f(t)
		if err := e.sure(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		return e.commit(&b)
	})
}

// View runs f on one snapshot. Postgres takes it at the first read.
func (s *Store) View(ctx context.Context, f func(idp.View) error) error {
	return s.read(ctx, beginRead, f)
}

// Look runs f without a transaction: each statement has its own snapshot, and there is nothing to begin or to end.
func (s *Store) Look(ctx context.Context, f func(idp.View) error) error {
	return s.read(ctx, "", f)
}

func (s *Store) read(ctx context.Context, begin string, f func(idp.View) error) error {
	return s.with(ctx, s.pool, begin, func(e *engine) error {
		err := f(&view{View: verbs.View{E: e, Cache: s.cache}, e: e, looks: begin == ""})
		if err := e.sure(); err != nil {
			return err
		}
		return err
	})
}

// Now is ledger time.
func (s *Store) Now() (idp.Time, error) {
	t, jumped := s.clock.now()
	if jumped {
		return t, idp.ErrClock
	}
	return t, nil
}

// Close lets what is under way finish. Later calls get idp.ErrUnavailable.
func (s *Store) Close() error {
	s.joins.close()
	s.pool.Close()
	s.aside.Close()
	return nil
}

// with runs a transaction on a connection, and again as long as it loses races, or stood still for a moment. What runs in View runs once.
//
// R: who stood still is not to do late what its caller has given up: an end of everything would reach what was begun since. So it does
// not run again after a longer standstill (a frozen process), and before it does, it hears whether its caller has hung up meanwhile.
func (s *Store) with(ctx context.Context, pool *pgxpool.Pool, begin string, f func(*engine) error) error {
	times, began := tries, s.clock.mono()
	if begin == beginRead {
		times = 1
	}
	return again(times, func(n int) error {
		err := s.once(ctx, pool, begin, n > 0, f)
		var still *faultError
		if !errors.As(err, &still) || still.code != stoodStill {
			return err
		}
		if s.clock.mono()-began > moment {
			return &faultError{stoodStill, idp.ErrUnavailable}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(hearing):
			return err
		}
	})
}

func again(times int, run func(n int) error) (err error) {
	for n := range times {
		if err = run(n); !errors.Is(err, errAgain) {
			return err
		}
	}
	return errors.Join(idp.ErrUnavailable, err)
}

func (s *Store) once(ctx context.Context, pool *pgxpool.Pool, begin string, again bool, f func(*engine) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	waiting, stop := context.WithTimeout(ctx, within)
	c, err := pool.Acquire(waiting)
	stop()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault(err)
	}
	// The limit is the connection's deadline and no context's: a context is watched by a goroutine for each statement.
	wire := c.Conn().PgConn().Conn()
	if err := wire.SetDeadline(time.Now().Add(within)); err != nil {
		c.Release()
		return fault(err)
	}
	e := &engine{store: s, c: c.Conn(), begin: begin, again: again, known: s.known()}
	finish := func() {
		e.end()
		wire.SetDeadline(time.Time{})
		c.Release()
	}
	if begin == beginRead {
		defer func() { go finish() }() // nobody waits for the end of a reading
	} else {
		defer finish()
	}
	if err := f(e); err != nil {
		if errors.Is(e.failed, errAgain) {
			return e.failed // whatever the closure made of it
		}
		return err
	}
	return e.failed // that a closure has forgotten
}

// known is the longest ledger that was read so far.
func (s *Store) known() ledger.Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.highest
}

// seen refuses a ledger that is shorter than what was known before its snapshot was opened. One that is shorter than what
// others have read since is only older.
func (s *Store) seen(h, before ledger.Head) error {
	if h.Lineage == before.Lineage && h.Number < before.Number {
		return ErrDeposed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Lineage != s.highest.Lineage || h.Number > s.highest.Number {
		s.highest = h
	}
	return nil
}

const sqlTick = `UPDATE counter SET time = ` + ledgerTime + ` RETURNING ` + verbs.CounterColumns + `, ` + wall

// tick moves the counter row's time on, in a transaction of its own.
func (s *Store) tick() (t idp.Time, lifeCap int64, err error) {
	s.ticking.Lock()
	defer s.ticking.Unlock()
	if row, lifeCap, fresh := s.clock.minted(verbs.MintAge); fresh {
		return row, lifeCap, nil // somebody else's tick
	}
	err = s.with(noLimit, s.aside, beginBoth, func(e *engine) error {
		estimate, _ := s.clock.now()
		var n verbs.Counter
		var now idp.Time
		if err := e.Each(sqlTick, func(r verbs.Row) { n, now = verbs.ReadCounter(r), r.Time() }, estimate); err != nil {
			return err
		}
		if err := n.Alive(); err != nil {
			return err
		}
		e.sent = true // the question was a write
		if err := e.commit(&verbs.Buffer{}); err != nil {
			return err
		}
		s.clock.read(n.Time, n.Cap, now)
		t, lifeCap = n.Time, n.Cap
		return nil
	})
	if _, jumped := s.clock.now(); err == nil && jumped {
		return 0, 0, idp.ErrClock
	}
	return t, lifeCap, err
}
