package guard

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// object is the top level of a JSON object, its values as they came. encoding/json alone would not do: it takes the
// last of two members with one name and compares names without regard to case, so that another reader of the same
// token could read other claims.
type object []member

type member struct {
	name  string
	value []byte
}

func (o object) get(name string) ([]byte, bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// must is get for what must be there: nil is no JSON value and is refused by whoever reads it.
func (o object) must(name string) []byte {
	v, _ := o.get(name)
	return v
}

// parseObject reads the top level. A name twice is refused.
func parseObject(b []byte) (object, error) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return nil, invalid("claims are not JSON")
	}
	// b is valid from here on, so that looking for quotes and brackets finds the ends of things.
	i := skipSpace(b, 0)
	if b[i] != '{' {
		return nil, invalid("claims are not an object")
	}
	o := make(object, 0, 16)
	for i = skipSpace(b, i+1); b[i] != '}'; i = skipSpace(b, i) {
		if b[i] == ',' {
			i = skipSpace(b, i+1)
		}
		end := skipValue(b, i)
		name, _ := text(b[i:end])
		if _, twice := o.get(name); twice {
			return nil, invalid("a claim twice")
		}
		i = skipSpace(b, skipSpace(b, end)+1) // over the colon
		end = skipValue(b, i)
		o = append(o, member{name: name, value: b[i:end]})
		i = end
	}
	return o, nil
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue is the end of the value that begins at i, in valid JSON.
func skipValue(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth > 0 {
			continue
		}
		// A string or bracket has just been closed, or this is a word or number, which ends at what is not part of it.
		if c := b[i-1]; c == '"' || c == '}' || c == ']' {
			return i
		}
		for i < len(b) && bytes.IndexByte([]byte(",]} \t\r\n"), b[i]) < 0 {
			i++
		}
		return i
	}
}

// text is a JSON string.
func text(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1]), true
	}
	var s string
	return s, json.Unmarshal(v, &s) == nil
}

// list is a JSON array of strings, none of them empty; nil for anything else.
func list(v []byte) []string {
	if len(v) == 0 || v[0] != '[' {
		return nil
	}
	var out []string
	for i := skipSpace(v, 1); v[i] != ']'; i = skipSpace(v, i) {
		if v[i] == ',' {
			i = skipSpace(v, i+1)
		}
		end := skipValue(v, i)
		s, ok := text(v[i:end])
		if !ok || s == "" {
			return nil
		}
		out = append(out, s)
		i = end
	}
	return slices.Clip(out)
}
