package faults

import (
	"database/sql"
	"iter"
	"path/filepath"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/fill"
	"exeunt.dev/ledger"
)

// fill writes n ends of tokens into the SQLite database of a server that is down, as apps would have given them back one by one in the last
// half hour.
func (c *cluster) fill(n int) {
	c.t.Helper()
	path := filepath.Join(c.dir, "db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		c.t.Fatal(err)
	}
	var first, since, lifeCap int64
	err = db.QueryRow(`SELECT number + 1, coalesce((SELECT max(at) FROM ending), 0), life_cap FROM counter`).Scan(&first, &since, &lifeCap)
	if err != nil {
		c.t.Fatal(err)
	}
	db.Close()
	now := time.Now().UnixMilli()
	since = max(since, now-1_800_000)
	at := func(i int) idp.Time { return idp.Time(since + (now-since)*int64(i)/int64(n)) }
	names := make([]idp.Name, n)
	for i := range names {
		names[i] = ledger.NewName()
	}
	rows := func(columns int, row func(i int, out []any)) iter.Seq[[]any] {
		return func(yield func([]any) bool) {
			out := make([]any, columns)
			for i := range n {
				if row(i, out); !yield(out) {
					return
				}
			}
		}
	}
	life := time.Duration(lifeCap) * time.Second
	err = fill.SQLite(path,
		fill.Table{Name: "ending", Number: n, Rows: rows(6, func(i int, out []any) {
			number := first + int64(i)
			out[0], out[1], out[2], out[3], out[4], out[5] = number, names[i], string(idp.WhatToken), number, at(i), ledger.Until(at(i), life)
		})},
		fill.Table{Name: "receipt", Number: n, Rows: rows(19, func(i int, out []any) {
			copy(out, []any{first + int64(i), 1, string(idp.NewReceiptID(names[i])), nil, string(idp.CauseRevoked), string(idp.ActorClient("books")), "",
				string(idp.SelectToken), "", "", nil, at(i), idp.NobodyToTell, 0, 0, "", nil, nil, nil})
		})})
	if err != nil {
		c.t.Fatal(err)
	}
	if db, err = sql.Open("sqlite", "file:"+path); err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	last := first + int64(n) - 1
	if _, err := db.Exec(`UPDATE counter SET number = ?, time = max(time, ?)`, last, int64(at(n-1))); err != nil {
		c.t.Fatal(err)
	}
	var holes int64
	if err := db.QueryRow(`SELECT (SELECT max(number) FROM ending) - (SELECT count(*) FROM ending)`).Scan(&holes); err != nil || holes != 0 {
		c.t.Fatalf("the ledger has %d holes: %v", holes, err)
	}
}
