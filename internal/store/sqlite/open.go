package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
	_ "modernc.org/sqlite" // the driver
)

// Store is idp.Store on one SQLite file.
type Store struct {
	db      *sql.DB
	writer  *conn
	readers chan *conn
	all     []*conn
	jobs    chan *job
	stopped chan struct{}
	closing sync.RWMutex
	closed  bool
	clock   *clock
	clients clientCache
}

// initialCap is the life_cap of a new database, in seconds; the server raises it before it mints longer tokens.
const initialCap = 300

// Open opens the database file, making it if it is not there (readable by its owner only).
func Open(ctx context.Context, path string) (*Store, error) {
	wall := func() idp.Time { return idp.Time(time.Now().UnixMilli()) }
	return open(ctx, path, newClock(wall, monotonic))
}

func open(ctx context.Context, path string, c *clock) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-4096)&_pragma=temp_store(MEMORY)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, jobs: make(chan *job, 1024), stopped: make(chan struct{}), clock: c}
	if err := s.start(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	go s.write()
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	var err error
	if s.writer, err = s.connect(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.writer.c); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0)*2)
	s.readers = make(chan *conn, n)
	for range n {
		c, err := s.connect(ctx)
		if err != nil {
			return err
		}
		s.readers <- c
	}
	return nil
}

func (s *Store) connect(ctx context.Context) (*conn, error) {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	out := &conn{c: c, stmts: map[string]*sql.Stmt{}}
	s.all = append(s.all, out)
	return out, nil
}

// begin writes the counter row and the realm of a new database, and lets the clock know how far an old one is.
func (s *Store) begin(ctx context.Context) error {
	now, _ := s.clock.now()
	lineage, realm := ledger.NewLineage(), ledger.NewName()
	if _, err := s.writer.exec(`INSERT OR IGNORE INTO counter (id, number, time, lineage, life_cap, old_cap, old_cap_until) VALUES (1, 0, ?, ?, ?, 0, 0)`,
		int64(now), lineage[:], initialCap); err != nil {
		return err
	}
	if _, err := s.writer.exec(`INSERT OR IGNORE INTO realm (id, epoch) VALUES (1, ?)`, realm[:]); err != nil {
		return err
	}
	var t int64
	if err := s.writer.row(`SELECT time FROM counter`, nil, &t); err != nil {
		return err
	}
	s.clock.told(idp.Time(t))
	return nil
}

// Now is idp.Store's.
func (s *Store) Now() (idp.Time, error) { return s.clock.now() }

// View is idp.Store's.
func (s *Store) View(ctx context.Context, f func(idp.View) error) error {
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return idp.ErrUnavailable
	}
	defer func() { s.readers <- c }()
	if _, err := c.exec(`BEGIN`); err != nil { // the snapshot is taken by the first read
		return err
	}
	defer c.exec(`ROLLBACK`)
	return f(&view{conn: c, store: s})
}

// Close waits for the writer to finish what was handed to it.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return nil
	}
	s.closed = true
	close(s.jobs)
	s.closing.Unlock()
	<-s.stopped
	var errs []error
	for range cap(s.readers) {
		<-s.readers
	}
	for _, c := range s.all {
		for _, st := range c.stmts {
			errs = append(errs, st.Close())
		}
		errs = append(errs, c.c.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

var _ idp.Store = (*Store)(nil)
