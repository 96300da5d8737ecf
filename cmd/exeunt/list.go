package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// list prints rows: as a table under a heading when all are there, or each at once as a line of JSON.
type list struct {
	w    *world
	rows [][]string
}

func (w *world) list(heading ...string) *list { return &list{w, [][]string{heading}} }

func (l *list) add(v any, cells ...string) error {
	if l.w.json {
		return printJSON(l.w.out, v)
	}
	l.rows = append(l.rows, cells)
	return nil
}

// print ends the list; empty is what is said where nothing is in it.
func (l *list) print(empty string) error {
	switch {
	case l.w.json:
		return nil
	case len(l.rows) == 1:
		return l.w.done(nil, "%s", empty)
	}
	return table(l.w.out, l.rows)
}

// table prints rows in columns.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, cell)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// show prints one thing: its fields below each other, or JSON.
func (w *world) show(v any, fields ...[]string) error {
	if w.json {
		return printJSON(w.out, v)
	}
	return table(w.out, fields)
}

// every reads all rows of a kind, page by page, and hands each over.
func every[T any](w *world, b *server.Base, read func(idp.View, idp.Page) ([]T, error), key func(*T) string, each func(*T) error) error {
	for page := (idp.Page{Limit: 500}); ; {
		var rows []T
		if err := b.Store.View(w.ctx, func(v idp.View) (err error) { rows, err = read(v, page); return err }); err != nil {
			return err
		}
		for i := range rows {
			if err := each(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < page.Limit {
			return nil
		}
		page.After = key(&rows[len(rows)-1])
	}
}
