package fill

import (
	"bufio"
	"context"
	"encoding/hex"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/store/verbs"
)

const (
	sqlUniques = `SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || conname,
		'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid)
		FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u')`
	sqlIndexes = `SELECT 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
		FROM pg_index i WHERE i.indrelid = $1::text::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)`
)

// Postgres fills the tables of the database at an address, each in a transaction of its own. With the setting wal_level=minimal what is
// filled anew is written once, and to its place.
func Postgres(ctx context.Context, address string, tables ...Table) error {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	for i := range tables {
		if err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error { return tables[i].copy(ctx, tx) }); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "ANALYZE "+tables[i].Name); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) copy(ctx context.Context, tx pgx.Tx) error {
	columns, err := t.columns()
	if err != nil {
		return err
	}
	do := []string{`SET LOCAL maintenance_work_mem = '512MB'`}
	var after []string
	for _, sql := range []string{sqlUniques, sqlIndexes} {
		rows, err := tx.Query(ctx, sql, t.Name)
		if err != nil {
			return err
		}
		var drop, put string
		if _, err := pgx.ForEachRow(rows, []any{&drop, &put}, func() error {
			do, after = append(do, drop), append(after, put)
			return nil
		}); err != nil {
			return err
		}
	}
	options := ""
	if t.Anew { // only in a table that is new may rows be written as if they were old
		do, options = append(do, "TRUNCATE "+t.Name), " WITH (FREEZE)"
	}
	if err := each(ctx, tx, do); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(t.write(w, columns)) }()
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, r, "COPY "+t.into(columns)+" FROM STDIN"+options)
	r.CloseWithError(err)
	if err != nil {
		return err
	}
	if err := t.check(tag.RowsAffected()); err != nil {
		return err
	}
	return each(ctx, tx, after)
}

func each(ctx context.Context, tx pgx.Tx, statements []string) error {
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// write is COPY's text format.
func (t *Table) write(to io.Writer, columns []string) error {
	out := bufio.NewWriterSize(to, 1<<18)
	var line []byte
	for row := range t.Rows {
		line = line[:0]
		for i, c := range columns {
			if i > 0 {
				line = append(line, '\t')
			}
			v, same := t.Same[c]
			if !same {
				v, row = row[0], row[1:]
			}
			line = appendText(line, v)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

func appendText(b []byte, v any) []byte {
	switch v := verbs.Value(v).(type) {
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case []byte:
		return hex.AppendEncode(append(b, `\\x`...), v)
	case string:
		for i := range len(v) {
			switch v[i] {
			case '\\', '\t', '\n', '\r':
				b = append(b, '\\')
			}
			b = append(b, v[i])
		}
		return b
	}
	return append(b, `\N`...)
}
