package fill

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	modernc "modernc.org/sqlite"

	"exeunt.dev/internal/store/verbs"
)

// SQLite fills the tables of the database in a file, which nobody else has open. What is not an index's to build anew (the keys of a
// table) is kept in up to 2 GB of memory meanwhile.
func SQLite(path string, tables ...Table) error {
	c, err := (&modernc.Driver{}).Open("file:" + path)
	if err != nil {
		return err
	}
	l := &lite{c}
	err = l.fill(tables)
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type lite struct{ driver.Conn }

func (l *lite) fill(tables []Table) error {
	if err := l.script("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -2000000",
		"PRAGMA temp_store = MEMORY", "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i := range tables {
		if err := l.table(&tables[i]); err != nil {
			return fmt.Errorf("table %s: %w", tables[i].Name, err)
		}
	}
	return l.script("COMMIT", "PRAGMA journal_mode = WAL")
}

func (l *lite) table(t *Table) error {
	columns, err := t.columns()
	if err != nil {
		return err
	}
	var after []string
	rows, err := l.query("SELECT 'DROP INDEX ' || name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '" + t.Name + "'")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := l.script(r[0].(string)); err != nil {
			return err
		}
		after = append(after, r[1].(string))
	}
	if t.Anew {
		if err := l.script("DELETE FROM " + t.Name); err != nil {
			return err
		}
	}
	n, err := l.insert(t, columns)
	if err != nil {
		return err
	}
	if err := t.check(n); err != nil {
		return err
	}
	return l.script(after...)
}

// atOnce is how many rows a statement inserts: what it costs besides its rows is more than a row costs.
const atOnce = 32

func (l *lite) insert(t *Table, columns []string) (n int64, err error) {
	values := make([]string, len(columns)) // what need not be bound costs next to nothing
	for i, c := range columns {
		values[i] = "?"
		if v, same := t.Same[c]; same {
			values[i] = literal(v)
		}
	}
	bound := len(columns) - len(t.Same)
	row := "(" + strings.Join(values, ", ") + ")"
	one := "INSERT INTO " + t.into(columns) + " VALUES " + row
	many, err := l.Prepare(one + strings.Repeat(", "+row, atOnce-1))
	if err != nil {
		return 0, err
	}
	defer many.Close()
	single, err := l.Prepare(one)
	if err != nil {
		return 0, err
	}
	defer single.Close()
	args := make([]driver.NamedValue, 0, atOnce*bound)
	for varying := range t.Rows {
		for _, v := range varying {
			args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: verbs.Value(v)})
		}
		n++
		if len(args) < cap(args) {
			continue
		}
		if _, err := many.(driver.StmtExecContext).ExecContext(context.Background(), args); err != nil {
			return n, err
		}
		args = args[:0]
	}
	for len(args) > 0 {
		some := args[:bound]
		for i := range some {
			some[i].Ordinal = i + 1
		}
		if _, err := single.(driver.StmtExecContext).ExecContext(context.Background(), some); err != nil {
			return n, err
		}
		args = args[bound:]
	}
	return n, nil
}

func literal(v any) string {
	switch v := verbs.Value(v).(type) {
	case nil:
		return "NULL"
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return fmt.Sprintf("X'%x'", v)
	default:
		return fmt.Sprint(v)
	}
}

func (l *lite) script(statements ...string) error {
	for _, sql := range statements {
		if _, err := l.Conn.(driver.ExecerContext).ExecContext(context.Background(), sql, nil); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func (l *lite) query(sql string) (out [][]driver.Value, err error) {
	rows, err := l.Conn.(driver.QueryerContext).QueryContext(context.Background(), sql, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for {
		r := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(r); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
}
