package postgres

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// row reads the columns of one row in order, in the server's binary form.
type row struct {
	values [][]byte // the connection's: valid until the next row
	at     int
	bad    bool
}

var _ verbs.Row = (*row)(nil)

// each calls f for the rows and says how many there were.
func each(rows pgx.Rows, f func(verbs.Row)) (n int64, err error) {
	defer rows.Close()
	var r row
	for rows.Next() {
		r.values, r.at = rows.RawValues(), 0
		f(&r)
		n++
		if r.bad {
			return n, verbs.ErrRow
		}
	}
	return n, rows.Err()
}

func (r *row) next() []byte {
	b := r.values[r.at]
	r.at++
	return b
}

func (r *row) Bad() { r.bad = true }

func (r *row) Bytes() []byte {
	b := r.next()
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

func (r *row) Name() (n idp.Name) {
	if b := r.next(); b != nil && copy(n[:], b) != len(b) {
		r.bad = true
	}
	return n
}

func (r *row) Hash() (h idp.Hash) {
	if b := r.next(); b != nil && copy(h[:], b) != len(b) {
		r.bad = true
	}
	return h
}

func (r *row) Text() string {
	b := r.next()
	r.bad = r.bad || b == nil
	return string(b)
}

func (r *row) TextOrEmpty() string { return string(r.next()) }

func (r *row) Int() int64 {
	b := r.next()
	if len(b) != 8 {
		r.bad = true
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (r *row) IntOr0() int64 {
	if r.values[r.at] == nil {
		r.at++
		return 0
	}
	return r.Int()
}

func (r *row) Bool() bool {
	b := r.next()
	r.bad = r.bad || len(b) != 1
	return len(b) == 1 && b[0] == 1
}

func (r *row) Time() idp.Time          { return idp.Time(r.Int()) }
func (r *row) Duration() time.Duration { return time.Duration(r.Int()) * time.Millisecond }

func (r *row) List() []string {
	l, ok := verbs.List(r.Text())
	r.bad = r.bad || !ok
	return l
}
