package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"

	"exeunt.dev/internal/idp"
)

var errRow = errors.New("sqlite: a row holds what it cannot hold")

// bind turns arguments into the driver's. Zero names and zero hashes are NULL; times and durations are milliseconds.
// What it returns is valid until the next call.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: value(a)})
	}
	return c.args
}

func value(a any) driver.Value {
	switch v := a.(type) {
	case idp.Name:
		if v.IsZero() {
			return nil
		}
		return v[:]
	case idp.Hash:
		if v.IsZero() {
			return nil
		}
		return v[:]
	case idp.Time:
		return int64(v)
	case time.Duration:
		return v.Milliseconds()
	case int:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		return int64(v)
	case bool:
		return v
	case []string:
		if len(v) == 0 {
			return "[]"
		}
		b, _ := json.Marshal(v) // strings always marshal
		return string(b)
	case idp.AccountID:
		return string(v)
	case idp.ClientID:
		return string(v)
	}
	return a
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

func (r *row) bytes() []byte {
	b, ok := r.next().([]byte)
	_ = ok // NULL is nil
	return b
}

func (r *row) name() (n idp.Name) {
	if b := r.bytes(); b != nil && copy(n[:], b) != len(b) {
		r.bad = true
	}
	return n
}

func (r *row) hash() (h idp.Hash) {
	if b := r.bytes(); b != nil && copy(h[:], b) != len(b) {
		r.bad = true
	}
	return h
}

func (r *row) text() string {
	s, ok := r.next().(string)
	r.bad = r.bad || !ok
	return s
}

func (r *row) int() int64 {
	i, ok := r.next().(int64)
	r.bad = r.bad || !ok
	return i
}

// intOr0 reads an integer that may be NULL.
func (r *row) intOr0() int64 {
	i, _ := r.next().(int64)
	return i
}

// textOrEmpty reads a text that may be NULL.
func (r *row) textOrEmpty() string {
	s, _ := r.next().(string)
	return s
}

func (r *row) time() idp.Time          { return idp.Time(r.int()) }
func (r *row) duration() time.Duration { return time.Duration(r.int()) * time.Millisecond }
func (r *row) bool() bool              { return r.int() != 0 }

func (r *row) list() []string {
	s := r.text()
	if s == "[]" {
		return nil
	}
	var l []string
	if json.Unmarshal([]byte(s), &l) != nil {
		r.bad = true
	}
	return l
}
