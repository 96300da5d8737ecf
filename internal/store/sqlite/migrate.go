package sqlite

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/ledger"
)

//go:embed schema/*.sql
var schema embed.FS

// Reasons to refuse a database.
var (
	ErrTooNew  = errors.New("the database was written by a newer version of this program")
	ErrChanged = errors.New("the database was made by a different text of its migrations")
	ErrForeign = errors.New("the file is a database of another program")
)

// firstLifeCap in seconds is what a new database allows until the server says what it needs.
const firstLifeCap = 300

// migrate brings the schema up to date, forward only. It asks first and takes the write lock only if there is work.
func migrate(c *conn, k *clock, o verbs.Opening) error {
	steps, err := verbs.Steps(schema)
	if err != nil {
		return err
	}
	for {
		done, err := applied(c, steps)
		if err != nil {
			return err
		}
		switch {
		case done == len(steps):
			return nil
		case done == 0 && o.There:
			return idp.ErrNoDatabase
		case o.AsItIs:
			return idp.ErrOlder
		}
		if err := c.script("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		err = step(c, k, steps)
		if err == nil {
			err = c.script("COMMIT")
		}
		if err != nil {
			return errors.Join(err, c.script("ROLLBACK"))
		}
	}
}

// step applies one migration, if another process has not done it meanwhile.
func step(c *conn, k *clock, steps [][]byte) error {
	done, err := applied(c, steps)
	if err != nil || done == len(steps) {
		return err
	}
	if done == 0 {
		if err := c.script(`CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT`); err != nil {
			return err
		}
	}
	if err := c.script(string(steps[done])); err != nil {
		return err
	}
	if done == 0 {
		if err := begin(c, k); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(steps[done])
	_, err = c.exec(`INSERT INTO migration (number, checksum) VALUES (?, ?)`, done+1, sum[:])
	return err
}

// begin writes the rows that every database has: its lineage, its first realm epoch.
func begin(c *conn, k *clock) error {
	now, _ := k.now()
	lineage, realm := ledger.NewLineage(), ledger.NewName()
	if _, err := c.exec(`INSERT INTO counter VALUES (1, ?, 0, ?, ?, 0, 0, ?)`, lineage[:], now, firstLifeCap, firstLifeCap); err != nil {
		return err
	}
	_, err := c.exec(`INSERT INTO realm VALUES (1, ?)`, realm)
	return err
}

// applied says how many migrations the database has, and refuses one that is not ours to open.
func applied(c *conn, steps [][]byte) (int, error) {
	var tables, ours int64
	if _, err := c.one(`SELECT count(*), coalesce(sum(name = 'migration'), 0) FROM sqlite_schema WHERE type = 'table'`,
		func(r verbs.Row) { tables, ours = r.Int(), r.Int() }); err != nil {
		return 0, err
	}
	if tables == 0 {
		return 0, nil
	}
	if ours == 0 {
		return 0, ErrForeign
	}
	n := 0
	var wrong error
	err := c.each(`SELECT number, checksum FROM migration ORDER BY number`, func(r verbs.Row) {
		number, sum := r.Int(), r.Bytes()
		n++
		switch {
		case number > int64(len(steps)):
			wrong = fmt.Errorf("%w: it has migration %d, this program knows %d", ErrTooNew, number, len(steps))
		case wrong == nil && (number != int64(n) || !same(sum, steps[n-1])):
			wrong = fmt.Errorf("%w: number %d differs", ErrChanged, number)
		}
	})
	return n, errors.Join(err, wrong)
}

func same(sum, step []byte) bool {
	want := sha256.Sum256(step)
	return bytes.Equal(sum, want[:])
}
