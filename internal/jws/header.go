package jws

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// No header in use has ten parameters; the bound keeps the search for repeated names cheap.
const maxParameters = 32

type header struct{ alg, kid, typ string }

// parseHeader reads a JOSE header. Every repeated name is refused, not only those acted on: two readers that disagree
// about which of two values counts are an attack (RFC 7515 section 4, RFC 8725 section 2.4). Unknown parameters are
// ignored, as section 4 demands.
//
// encoding/json decides what is JSON; the walk below may therefore assume it. Decoding into a struct would not do: it
// takes "ALG" for "alg" and the last of two values.
func parseHeader(raw []byte) (h header, err error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return h, ErrMalformed
	}
	w := walker{s: string(raw)}
	if w.space(); !w.take('{') {
		return h, ErrMalformed
	}
	var names [maxParameters]string
	n := 0
	for w.space(); !w.take('}'); w.space() {
		if n == maxParameters {
			return h, ErrMalformed
		}
		name, ok := text(w.value())
		if !ok {
			return h, ErrMalformed
		}
		for _, earlier := range names[:n] {
			if earlier == name {
				return h, ErrMalformed
			}
		}
		names[n] = name
		n++
		w.space()
		w.take(':')
		w.space()
		value := w.value()
		w.space()
		w.take(',')

		switch name {
		case "alg":
			h.alg, ok = text(value)
		case "kid":
			h.kid, ok = text(value)
		case "typ":
			h.typ, ok = text(value)
		case "crit":
			return h, ErrCritical
		}
		if !ok {
			return h, ErrMalformed
		}
	}
	switch h.alg {
	case ES256, EdDSA, RS256, PS256:
		return h, nil
	}
	return h, ErrAlgorithm
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

// text decodes a JSON string; ok is false for any other value. Strings without escapes are not copied.
func text(value string) (s string, ok bool) {
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
