package jws

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Object is the top level of a JSON object, its values as they came. encoding/json alone would not do: it takes the last of two
// members with one name and compares names without regard to case, so that another reader of the same token could read other
// claims, and two readers that disagree about which value counts are an attack (RFC 7515 section 4, RFC 8725 section 2.4).
type Object []member

type member struct{ name, value string }

// maxMembers bounds the search for repeated names.
const maxMembers = 64

// ParseObject reads the top level. ErrMalformed: it is no JSON object, has a name twice, or more than 64 members.
//
// encoding/json decides what is JSON; the walk may therefore assume it.
func ParseObject(b []byte) (Object, error) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return nil, ErrMalformed
	}
	w := walker{s: string(b)}
	if w.space(); !w.take('{') {
		return nil, ErrMalformed
	}
	o := make(Object, 0, 16)
	for w.space(); !w.take('}'); w.space() {
		name, ok := Text(w.value())
		if _, twice := o.Get(name); twice || !ok || len(o) == maxMembers {
			return nil, ErrMalformed
		}
		w.space()
		w.take(':')
		w.space()
		o = append(o, member{name, w.value()})
		w.space()
		w.take(',')
	}
	return o, nil
}

// Get finds a member's value.
func (o Object) Get(name string) (value string, ok bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return "", false
}

// Must is Get for what must be there: "" is no JSON value and is refused by whoever reads it.
func (o Object) Must(name string) string {
	v, _ := o.Get(name)
	return v
}

// Text decodes a JSON string; ok is false for any other value. Strings without escapes are not copied.
func Text(value string) (s string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], true
	}
	return unescape(value)
}

// unescape stands apart because what json.Unmarshal writes to is allocated.
func unescape(value string) (s string, ok bool) {
	err := json.Unmarshal([]byte(value), &s)
	return s, err == nil
}

// Texts is a JSON array of strings, none of them empty; nil for anything else.
func Texts(value string) []string {
	w := walker{s: value}
	if !w.take('[') {
		return nil
	}
	out := make([]string, 0, strings.Count(value, ",")+1)
	for w.space(); !w.take(']'); w.space() {
		s, ok := Text(w.value())
		if !ok || s == "" {
			return nil
		}
		out = append(out, s)
		w.space()
		w.take(',')
	}
	return out
}

// walker steps through a text that is known to be valid JSON.
type walker struct {
	s string
	i int
}

func (w *walker) space() {
	for w.i < len(w.s) && strings.IndexByte(" \t\r\n", w.s[w.i]) >= 0 {
		w.i++
	}
}

func (w *walker) take(c byte) bool {
	if w.i < len(w.s) && w.s[w.i] == c {
		w.i++
		return true
	}
	return false
}

// value returns the JSON text of the value that begins here and steps over it.
func (w *walker) value() string {
	start, depth := w.i, 0
	for w.i < len(w.s) {
		switch w.s[w.i] {
		case '"':
			w.string()
			if depth == 0 {
				return w.s[start:w.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of the object that holds a number or a literal
				return w.s[start:w.i]
			}
			if depth--; depth == 0 {
				w.i++
				return w.s[start:w.i]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return w.s[start:w.i]
			}
		}
		w.i++
	}
	return w.s[start:]
}

func (w *walker) string() {
	for w.i++; w.i < len(w.s); w.i++ {
		switch w.s[w.i] {
		case '\\':
			w.i++
		case '"':
			w.i++
			return
		}
	}
}
