package sqlite

import (
	"time"

	"zombiezen.com/go/sqlite"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// row reads the columns of the row that a statement stands on, in order.
type row struct {
	s       *sqlite.Stmt
	columns int
	at      int
	bad     bool
}

func (r *row) next() (column int, kind sqlite.ColumnType) {
	if column = r.at; column == r.columns {
		panic("sqlite: a column that was not asked for") // SQLite would say NULL
	}
	r.at++
	return column, r.s.ColumnType(column)
}

func (r *row) int(column int) int64   { return r.s.ColumnInt64(column) }
func (r *row) text(column int) string { return r.s.ColumnText(column) }

func (r *row) Bytes() []byte {
	column, kind := r.next()
	if kind != sqlite.TypeBlob {
		return nil
	}
	b := make([]byte, r.s.ColumnLen(column))
	r.s.ColumnBytes(column, b)
	return b
}

func (r *row) fill(b []byte) {
	column, kind := r.next()
	if kind != sqlite.TypeBlob {
		return
	}
	r.bad = r.bad || r.s.ColumnLen(column) > len(b)
	r.s.ColumnBytes(column, b)
}

func (r *row) Name() (n idp.Name) {
	r.fill(n[:])
	return n
}

func (r *row) Hash() (h idp.Hash) {
	r.fill(h[:])
	return h
}

func (r *row) Text() string {
	column, kind := r.next()
	if kind != sqlite.TypeText {
		r.bad = true
		return ""
	}
	return r.text(column)
}

func (r *row) Int() int64 {
	column, kind := r.next()
	if kind != sqlite.TypeInteger {
		r.bad = true
		return 0
	}
	return r.int(column)
}

// IntOr0 reads an integer that may be NULL.
func (r *row) IntOr0() int64 {
	if column, kind := r.next(); kind == sqlite.TypeInteger {
		return r.int(column)
	}
	return 0
}

// TextOrEmpty reads a text that may be NULL.
func (r *row) TextOrEmpty() string {
	if column, kind := r.next(); kind == sqlite.TypeText {
		return r.text(column)
	}
	return ""
}

func (r *row) Time() idp.Time          { return idp.Time(r.Int()) }
func (r *row) Duration() time.Duration { return time.Duration(r.Int()) * time.Millisecond }
func (r *row) Bool() bool              { return r.Int() != 0 }

func (r *row) List() []string {
	l, ok := verbs.List(r.Text())
	r.bad = r.bad || !ok
	return l
}

func (r *row) Bad() { r.bad = true }

// value reads what there is.
func (r *row) value() any {
	column, kind := r.next()
	switch kind {
	case sqlite.TypeInteger:
		return r.int(column)
	case sqlite.TypeText:
		return r.text(column)
	case sqlite.TypeBlob:
		r.at--
		return r.Bytes()
	case sqlite.TypeFloat:
		r.bad = true // no table has any
	}
	return nil
}
