package sqlite

import (
	"database/sql/driver"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// bind turns arguments into the driver's. What it returns is valid until the next call.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: verbs.Value(a)})
	}
	return c.args
}

// row reads the columns of one row in order.
type row struct {
	values []driver.Value
	at     int
	bad    bool
}

func (r *row) next() driver.Value {
	v := r.values[r.at]
	r.at++
	return v
}

func (r *row) Bytes() []byte {
	b, ok := r.next().([]byte)
	_ = ok // NULL is nil
	return b
}

func (r *row) Name() (n idp.Name) {
	if b := r.Bytes(); b != nil && copy(n[:], b) != len(b) {
		r.bad = true
	}
	return n
}

func (r *row) Hash() (h idp.Hash) {
	if b := r.Bytes(); b != nil && copy(h[:], b) != len(b) {
		r.bad = true
	}
	return h
}

func (r *row) Text() string {
	s, ok := r.next().(string)
	r.bad = r.bad || !ok
	return s
}

func (r *row) Int() int64 {
	i, ok := r.next().(int64)
	r.bad = r.bad || !ok
	return i
}

// IntOr0 reads an integer that may be NULL.
func (r *row) IntOr0() int64 {
	i, _ := r.next().(int64)
	return i
}

// TextOrEmpty reads a text that may be NULL.
func (r *row) TextOrEmpty() string {
	s, _ := r.next().(string)
	return s
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
