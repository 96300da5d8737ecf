package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
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

	verbs.Opening
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
// idp.MovedError, idp.ErrUnavailable.
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
	if s.pool, err = s.connect(ctx, address, o.Connections); err != nil {
		return nil, err
	}
	if s.aside, err = s.connect(ctx, address, 2); err != nil {
		s.pool.Close()
		return nil, err
	}
	if err := again(tries, func(int) error { return s.begin(ctx, o.Opening) }); err != nil {
		s.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, address string, connections int) (*pgxpool.Pool, error) {
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
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		wire, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return patient{wire}, nil
	}
	c.AfterConnect = s.trust
	c.PrepareConn = func(_ context.Context, c *pgx.Conn) (bool, error) { return !c.IsClosed(), nil }
	return pgxpool.NewWithConfig(ctx, c)
}

// patient is a connection without an address. When pgx gives a connection up it asks the server, at its address, to cancel what is under way; a
// COMMIT that waits for a synchronous standby would be done without it then: everybody would read what a failover loses. The limits of
// statements are the server's own.
type patient struct{ net.Conn }

func (patient) RemoteAddr() net.Addr { return nowhere{} }

type nowhere struct{}

func (nowhere) Network() string { return "none" }
func (nowhere) String() string  { return "" }

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

// begin migrates, and reads the counter row.
func (s *Store) begin(ctx context.Context, o verbs.Opening) error {
	c, err := s.pool.Acquire(ctx)
	if errors.Is(err, ErrForgetful) {
		return err
	}
	if err != nil {
		return unreachable(err)
	}
	defer c.Release()
	if err := migrate(ctx, c.Conn(), o); err != nil {
		return err
	}
	e := &engine{store: s, c: c.Conn(), begin: beginRead}
	defer e.end()
	if _, err = e.Counter(); o.Moved && errors.As(err, new(*idp.MovedError)) {
		return nil
	}
	return err
}

const (
	sqlTrust = `SELECT set_config('synchronous_commit', coalesce(nullif($1, ''), current_setting('synchronous_commit')), false), current_setting('fsync'), current_setting('full_page_writes')`

	trustWithin = 5 * time.Second
)

// trust refuses a new connection to a server whose settings can lose an acknowledged ending: the one that a failover leads to, too. How a
// commit is waited for (synchronous_commit) is what the first connection found, off excepted: set for each session, so that no setting of
// the server, the database or the role changes it beneath a node that runs.
func (s *Store) trust(ctx context.Context, c *pgx.Conn) error {
	ctx, stop := context.WithTimeout(ctx, trustWithin)
	defer stop()
	s.mu.Lock()
	waits := s.waits
	s.mu.Unlock()
	var fsync, pages string
	if err := c.QueryRow(ctx, sqlTrust, pgx.QueryExecModeSimpleProtocol, waits).Scan(&waits, &fsync, &pages); err != nil {
		return fault(err)
	}
	for _, setting := range []struct{ name, value string }{{"synchronous_commit", waits}, {"fsync", fsync}, {"full_page_writes", pages}} {
		if setting.value == "off" {
			return fmt.Errorf("%w: its setting %s is off; set it to on (ALTER SYSTEM SET %s = on)", ErrForgetful, setting.name, setting.name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits == "" {
		s.waits = waits
	}
	return nil
}
