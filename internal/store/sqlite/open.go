package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/boottime"
	"exeunt.dev/internal/store/verbs"
)

// Options of a store. The zero value is right for a server.
type Options struct {
	// Wall and Monotonic are the clocks that ledger time is made of: the machine's when nil. For tests.
	Wall      func() time.Time
	Monotonic func() time.Duration

	verbs.Opening
	commit func(*conn) error // for tests that make the disk fail; nil: do it
}

// Store is idp.Store on one SQLite file.
type Store struct {
	file    *file
	commit  func(*conn) error
	moved   bool // it may be another one now
	clock   *clock
	tell    atomic.Pointer[func(idp.News)] // nil: nobody follows
	clients *verbs.ClientCache
	readers *readers
	looks   looks
	writer  *writer
}

var _ idp.Store = (*Store)(nil)

// busy is how long a transaction waits for one of another process.
const busy = 5 * time.Second

// Open opens the database at path, makes it if there is none (readable by its owner only), and brings it up to date.
// Errors: ErrTooNew, ErrChanged, ErrForeign, idp.MovedError, idp.ErrUnavailable.
func Open(ctx context.Context, path string) (*Store, error) { return OpenWith(ctx, path, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, path string, o Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Monotonic == nil {
		o.Monotonic = boottime.Now
	}
	if o.commit == nil {
		o.commit = commit
	}
	f, err := openFile(path, o.There)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, commit: o.commit, moved: o.Moved, clients: verbs.NewClientCache(), clock: newClock(o.Wall, o.Monotonic)}
	c, err := s.dialWriter()
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := migrate(c, s.clock, o.Opening); err != nil {
		c.close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	n, err := readCounter(c)
	if err != nil && !s.tolerates(err) {
		c.close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	s.clock.observe(n.Time)
	s.readers = newReaders(s.dialReader)
	s.writer = newWriter(s, c)
	return s, nil
}

// Close lets what waits finish, then closes the file. Later calls get idp.ErrUnavailable.
func (s *Store) Close() error {
	s.writer.close()
	s.readers.close()
	return nil
}

// Now is ledger time.
func (s *Store) Now() (idp.Time, error) {
	t, jumped := s.clock.now()
	if jumped {
		return t, idp.ErrClock
	}
	return t, nil
}

func (s *Store) dialWriter() (*conn, error) {
	return newConn(s.file.dsn,
		"journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 16000",
		"cache_size = -32768", "temp_store = MEMORY", "trusted_schema = OFF")
}

// dialReader also asks whether the database is alive. One that is moved had no connections but the one that moved it: who reads in it has
// come since.
func (s *Store) dialReader() (*conn, error) {
	c, err := newConn(s.file.dsn,
		"query_only = ON", "cache_size = -4096", "temp_store = MEMORY", "trusted_schema = OFF")
	if err != nil {
		return nil, err
	}
	if _, err := readCounter(c); err != nil && !s.tolerates(err) {
		c.close()
		return nil, err
	}
	return c, nil
}

// tolerates says that the database was moved, and was opened all the same.
func (s *Store) tolerates(err error) bool { return s.moved && errors.As(err, new(*idp.MovedError)) }

// file is the database's place, and the file that was there when it was opened.
type file struct {
	path string
	dsn  string
	info os.FileInfo
}

// openFile makes the file if need be and it may, for its owner only; SQLite gives the files beside it the same mode.
func openFile(path string, there bool) (*file, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if i, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := Vacant(path); err != nil {
			return nil, err
		}
		if there {
			return nil, idp.ErrNoDatabase
		}
	} else if err == nil && i.IsDir() {
		return nil, idp.Advise(fmt.Errorf("%w: it is a folder", idp.ErrUnavailable), "name a file in it")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, denied(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, denied(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return &file{path: path, dsn: "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?mode=rw", info: info}, nil
}

// Vacant returns an error if files lie beside a path that belong to a database which was there. SQLite would throw them away, or write what they
// hold into the new one.
func Vacant(path string) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Lstat(path + suffix); err == nil {
			return idp.Advise(fmt.Errorf("%s is there, which holds the end of a database that was called %s", path+suffix, path), "move it to where that database is now, under that one's name, or name a new file")
		}
	}
	return nil
}

func denied(err error) error {
	return idp.Advise(fmt.Errorf("%w: %w", idp.ErrUnavailable, err), "let this user read and write the file and its folder, or name another")
}

// there returns an error if the file is no longer at its path. SQLite would go on in the file that nobody can
// find any more, and acknowledge what is lost.
func (f *file) there() error {
	info, err := os.Stat(f.path)
	if err != nil || !os.SameFile(info, f.info) {
		return fmt.Errorf("%w: the database file is no longer at its path", idp.ErrUnavailable)
	}
	return nil
}
