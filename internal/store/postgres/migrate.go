package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

//go:embed schema/*.sql
var schema embed.FS

const (
	firstLifeCap = 300 // seconds, until the server says what it needs

	// migrationLock is held by the one of several starting nodes that migrates.
	migrationLock = 0x65786575 // "exeu"
	handOverLock  = migrationLock + 1
	sqlTables     = `SELECT count(*), count(*) FILTER (WHERE table_name = 'migration') FROM information_schema.tables WHERE table_schema = current_schema()`
)

// migrate brings the schema up to date, forward only, in one transaction.
func migrate(ctx context.Context, c *pgx.Conn, o verbs.Opening) error {
	steps, err := verbs.Steps(schema)
	if err != nil {
		return err
	}
	switch done, err := applied(ctx, c, steps); {
	case err != nil || done == len(steps):
		return err
	case done == 0 && o.There:
		return idp.ErrNoDatabase
	case o.AsItIs:
		return idp.ErrOlder
	}
	for end := time.Now().Add(migrateWithin); ; {
		var locked *faultError
		if err := climb(ctx, c, steps); !errors.As(err, &locked) || locked.code != lockNotAvailable || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(time.Second)):
		}
	}
}

const (
	// migrateWithin is how long a node tries to migrate while others use the tables, each time for no longer than they bear: behind a
	// statement that waits for a table all others wait, and a backup reads it for minutes.
	migrateWithin = time.Minute

	lockNotAvailable = "55P03"
)

// climb takes the steps that are left, all of them or none.
func climb(ctx context.Context, c *pgx.Conn, steps [][]byte) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return fault(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	for _, sql := range []string{`SET LOCAL lock_timeout = '500ms'`, `SET LOCAL statement_timeout = 0`, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock)} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fault(err)
		}
	}
	done, err := applied(ctx, tx.Conn(), steps) // another node may have been first
	if err != nil {
		return err
	}
	for i := done; i < len(steps); i++ {
		if err := step(ctx, tx, i, steps[i]); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return fault(err)
	}
	return nil
}

func step(ctx context.Context, tx pgx.Tx, i int, text []byte) error {
	if i == 0 {
		if _, err := tx.Exec(ctx, `CREATE TABLE migration (number BIGINT PRIMARY KEY, checksum BYTEA NOT NULL)`); err != nil {
			return fault(err)
		}
	}
	if _, err := tx.Exec(ctx, string(text)); err != nil {
		return fault(err)
	}
	if i == 0 {
		lineage, realm := ledger.NewLineage(), ledger.NewName()
		if _, err := tx.Exec(ctx, `INSERT INTO counter VALUES (1, $1, 0, `+wall+`, $2, 0, 0, $2)`, lineage[:], firstLifeCap); err != nil {
			return fault(err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO realm VALUES (1, $1)`, realm[:]); err != nil {
			return fault(err)
		}
	}
	sum := sha256.Sum256(text)
	if _, err := tx.Exec(ctx, `INSERT INTO migration (number, checksum) VALUES ($1, $2)`, i+1, sum[:]); err != nil {
		return fault(err)
	}
	return nil
}

// applied says how many migrations the database has, and refuses one that is not ours to open.
func applied(ctx context.Context, c *pgx.Conn, steps [][]byte) (int, error) {
	var tables, ours int64
	if err := c.QueryRow(ctx, sqlTables).Scan(&tables, &ours); err != nil {
		return 0, fault(err)
	}
	if tables == 0 {
		return 0, nil
	}
	if ours == 0 {
		return 0, ErrForeign
	}
	rows, err := c.Query(ctx, `SELECT number, checksum FROM migration ORDER BY number`)
	if err != nil {
		return 0, fault(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var number int64
		var sum []byte
		if err := rows.Scan(&number, &sum); err != nil {
			return 0, fault(err)
		}
		n++
		if number > int64(len(steps)) {
			return 0, fmt.Errorf("%w: it has migration %d, this program knows %d", ErrTooNew, number, len(steps))
		}
		if want := sha256.Sum256(steps[n-1]); number != int64(n) || !bytes.Equal(sum, want[:]) {
			return 0, fmt.Errorf("%w: number %d differs", ErrChanged, number)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fault(err)
	}
	return n, nil
}
