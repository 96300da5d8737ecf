package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate runs what is new, forward only, each file in a transaction of its own. A file that has changed since it was
// run, or one that this program does not have, is refused.
func migrate(ctx context.Context, c *sql.Conn) error {
	const table = `CREATE TABLE IF NOT EXISTS migration (id INTEGER PRIMARY KEY, sum TEXT NOT NULL) STRICT`
	if _, err := c.ExecContext(ctx, table); err != nil {
		return err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var have int
	if err := c.QueryRowContext(ctx, `SELECT count(*) FROM migration`).Scan(&have); err != nil {
		return err
	}
	if have > len(names) {
		return fmt.Errorf("the database is newer than this program (%d migrations, this program knows %d): use the newer program", have, len(names))
	}
	for i, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := step(ctx, c, i+1, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func step(ctx context.Context, c *sql.Conn, id int, text string) error {
	digest := sha256.Sum256([]byte(text))
	sum := hex.EncodeToString(digest[:])
	if _, err := c.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer c.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`) // an error after COMMIT: nothing to roll back
	var was string
	err := c.QueryRowContext(ctx, `SELECT sum FROM migration WHERE id = ?`, id).Scan(&was)
	switch {
	case err == nil && was == sum:
		return nil
	case err == nil:
		return fmt.Errorf("this migration has changed since it was run on this database")
	case err != sql.ErrNoRows:
		return err
	}
	if _, err := c.ExecContext(ctx, text); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, `INSERT INTO migration (id, sum) VALUES (?, ?)`, id, sum); err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, `COMMIT`)
	return err
}
