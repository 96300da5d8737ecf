package verbs

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
)

// Errors of both stores.
var (
	ErrProgram = errors.New("a statement is wrong") // the fault is ours, not the input's
	ErrRow     = errors.New("a row holds what it cannot hold")
)

// Engine runs statements in one transaction.
type Engine interface {
	// One calls f for the first row and says whether there was one.
	One(sql string, f func(Row), args ...any) (bool, error)
	// Each calls f for every row. f must not use the engine.
	Each(sql string, f func(Row), args ...any) error
	// Over returns those of the names that are in the table of endings.
	Over(names []idp.Name) ([]idp.Name, error)
	// Counter reads the counter row, with what this transaction will change in it.
	Counter() (Counter, error)
}

// Writer is an Engine that writes.
type Writer interface {
	Engine
	// Write runs a statement and says how many rows it changed.
	Write(sql string, args ...any) (int64, error)
	// Writes is Write for each of the arguments, all sent at once.
	Writes(sql string, args [][]any) ([]int64, error)
	// Later runs a statement whose answer is not needed now: its error may come with a later one, at the latest with COMMIT.
	// must: no row changed is idp.ErrNotFound.
	Later(must bool, sql string, args ...any) error
}

// Row reads the columns of one row in order.
type Row interface {
	Name() idp.Name // NULL is the zero name
	Hash() idp.Hash
	Text() string
	Bytes() []byte // NULL is nil
	Int() int64
	IntOr0() int64 // NULL is 0
	TextOrEmpty() string
	Bool() bool
	Time() idp.Time
	Duration() time.Duration
	List() []string
	// Bad says that the row holds what it cannot hold; the statement fails with ErrRow.
	Bad()
}

// Value is what an argument is in the database: nil, int64, bool, string or []byte.
func Value(a any) any {
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
	case idp.EventID:
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

// List reads what Value makes of a list; false: it is none.
func List(s string) ([]string, bool) {
	if s == "[]" {
		return nil, true
	}
	// Nearly all: without an escape a quotation mark begins or ends a text, and nothing else.
	if n := len(s) - 2; n >= 2 && s[:2] == `["` && s[n:] == `"]` && plain(s) {
		if l := strings.Split(s[2:n], `","`); strings.Count(s, `"`) == 2*len(l) {
			return l, true
		}
	}
	var l []string
	return l, json.Unmarshal([]byte(s), &l) == nil
}

// plain says that a text is of ASCII's letters and signs, with nothing that JSON escapes but the quotation mark.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}
