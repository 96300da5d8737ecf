package faults

import (
	"database/sql"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/fill"
)

// fill writes n ends of tokens into the SQLite database of a server that is down, as an app would have given them back in the last half hour.
func (c *cluster) fill(n int) {
	c.t.Helper()
	path := filepath.Join(c.dir, "db")
	ask := func(text string, into []any, args ...any) {
		c.t.Helper()
		db, err := sql.Open("sqlite", "file:"+path)
		if err == nil {
			err = db.QueryRow(text, args...).Scan(into...)
			db.Close()
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	var first, last, life, holes int64
	ask(`SELECT number + 1, coalesce((SELECT max(at) FROM ending), 0), life_cap FROM counter`, []any{&first, &last, &life})
	now := time.Now().UnixMilli()
	tables := fill.Ends("books", first, n, idp.Time(max(last, now-1_800_000)), idp.Time(now), time.Duration(life)*time.Second)
	if err := fill.SQLite(path, tables...); err != nil {
		c.t.Fatal(err)
	}
	ask(`UPDATE counter SET number = number + ?, time = max(time, ?) RETURNING number`, []any{&last}, n, now)
	ask(`SELECT max(number) - count(*) FROM ending`, []any{&holes})
	if holes != 0 || last != first+int64(n)-1 {
		c.t.Fatalf("the ledger goes to %d and has %d holes", last, holes)
	}
}
