package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/boottime"
	"exeunt.dev/internal/store/verbs"
)

// Options of a store. The zero value is right for a server.
type Options struct {
	Connections int                  // at most, besides two for ledger time; 0: 16
	Monotonic   func() time.Duration // nil: the machine's clock since boot
}

// limits of every connection, in the server's words. A node that freezes within a transaction is thrown out of it, so that
// others wait for its locks for two seconds at most.
//
// Every question of ours has an index. A plan that was made while a table was small, and kept, would otherwise read the whole table for as long
// as nobody analyzes it: now and then a new database was six times as slow until then.
var limits = map[string]string{
	"application_name":                    "exeunt",
	"statement_timeout":                   "5s",
	"lock_timeout":                        "4s",
	"idle_in_transaction_session_timeout": "1500ms",
	"tcp_user_timeout":                    "1500ms",
	"default_transaction_isolation":       "read committed",
	"enable_seqscan":                      "off",
	"jit":                                 "off",
	"timezone":                            "UTC",
	"client_encoding":                     "UTF8",
}

// Open connects to the database that a connection string (URL or keywords, as libpq has them) names, and brings it up to
// date. Of several hosts the one that takes writes is used. Errors: ErrForgetful, ErrTooNew, ErrChanged, ErrForeign,
// idp.ErrUnavailable.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	if o.Connections == 0 {
		o.Connections = 16
	}
	if o.Monotonic == nil {
		o.Monotonic = boottime.Now
	}
	s := &Store{clock: &clock{mono: o.Monotonic}, cache: verbs.NewClientCache()}
	s.joins.store = s
	var err error
	if s.pool, err = connect(ctx, address, o.Connections); err != nil {
		return nil, err
	}
	if s.aside, err = connect(ctx, address, 2); err != nil {
		s.pool.Close()
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

func connect(ctx context.Context, address string, connections int) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the address of the database cannot be read: it is like postgres://user@host:5432/name?sslmode=verify-full")
	}
	for name, value := range limits {
		c.ConnConfig.RuntimeParams[name] = value
	}
	c.ConnConfig.ConnectTimeout = patience(c.ConnConfig)
	c.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	c.ConnConfig.StatementCacheCapacity = 512
	c.MaxConns, c.MinConns = int32(connections), 1
	c.MaxConnIdleTime, c.MaxConnLifetime, c.HealthCheckPeriod = 5*time.Minute, time.Hour, 5*time.Second
	c.PrepareConn = func(_ context.Context, c *pgx.Conn) (bool, error) { return !c.IsClosed(), nil }
	return pgxpool.NewWithConfig(ctx, c)
}

// patience is how long one host may take until a connection works, TLS and the server's new process included: on a machine
// with more to do than it can, that is seconds. A host that does not answer must not keep a node from the next one.
func patience(c *pgx.ConnConfig) time.Duration {
	if c.ConnectTimeout > 0 {
		return min(max(c.ConnectTimeout, time.Second), 5*time.Second)
	}
	for _, f := range c.Fallbacks {
		if f.Host != c.Host || f.Port != c.Port {
			return 2 * time.Second
		}
	}
	return 5 * time.Second
}

// begin asks the server whether it can be trusted, migrates, and reads the counter row.
func (s *Store) begin(ctx context.Context) error {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w: the server cannot be reached, or does not take writes", idp.ErrUnavailable)
	}
	defer c.Release()
	if err := trusted(ctx, c.Conn()); err != nil {
		return err
	}
	if err := migrate(ctx, c.Conn()); err != nil {
		return err
	}
	e := &engine{store: s, c: c.Conn(), begin: beginRead}
	defer e.end()
	_, err = e.Counter()
	return err
}

// trusted refuses settings under which an acknowledged ending can be lost.
func trusted(ctx context.Context, c *pgx.Conn) error {
	for _, setting := range []string{"synchronous_commit", "fsync", "full_page_writes"} {
		var value string
		if err := c.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return fault(err)
		}
		if value == "off" {
			return fmt.Errorf("%w: its setting %s is off; set it to on (ALTER SYSTEM SET %s = on)", ErrForgetful, setting, setting)
		}
	}
	return nil
}
