package guard

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"exeunt.dev/ledger"
)

const (
	maxToken    = 16 << 10 // longest raw token looked at
	maxEndsWith = 16       // longest ends_with; more would be a way to make the guard work
)

// members reads the top level of a JSON object. A name twice is refused: two readers could choose differently. Names
// are compared exactly, which encoding/json by itself does not do ("EXP" would fill exp).
func members(b []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, invalid("claims are not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid("claims are not an object")
	}
	m := make(map[string]json.RawMessage, 16)
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, invalid("claims are not JSON")
		}
		if _, twice := m[name]; twice {
			return nil, invalid("a claim twice")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, invalid("claims are not JSON")
		}
		m[name] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, invalid("claims are not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, invalid("bytes after the claims")
	}
	return m, nil
}

// claims reads the payload of a token whose signature holds, by RFC 9068 sections 2.2 and 4 and our ends_with.
func (g *Guard) claims(raw string, payload []byte, kid ledger.Name) (*Token, error) {
	m, err := members(payload)
	if err != nil {
		return nil, err
	}
	t := &Token{raw: raw}
	var iss, jti, scope string
	for _, c := range []struct {
		name     string
		to       *string
		optional bool
	}{
		{"iss", &iss, false}, {"sub", &t.subject, false}, {"client_id", &t.clientID, false}, {"jti", &jti, false},
		{"scope", &scope, true}, {"sid", &t.session, true},
	} {
		v, here := m[c.name]
		if !here && c.optional {
			continue
		}
		if !isString(v) || json.Unmarshal(v, c.to) != nil || *c.to == "" && !c.optional {
			return nil, invalid(c.name)
		}
	}
	if iss != g.issuer {
		return nil, invalid("iss")
	}
	if t.audience = stringOrList(m["aud"]); !slices.ContainsFunc(t.audience, func(a string) bool {
		return slices.Contains(g.conf.audience, a)
	}) {
		return nil, invalid("aud")
	}
	var ok bool
	if t.issued, ok = seconds(m["iat"]); !ok {
		return nil, invalid("iat")
	}
	if t.expires, ok = seconds(m["exp"]); !ok {
		return nil, invalid("exp")
	}
	if _, bound := m["cnf"]; bound {
		return nil, ErrBound
	}
	if _, here := m["nbf"]; here {
		// Our tokens have none, and the floor clock may lag, so that it could not be kept to the second.
		return nil, invalid("nbf")
	}
	t.scopes = strings.Fields(scope)
	if t.id, err = ledger.ParseName(jti); err != nil {
		return nil, invalid("jti")
	}
	ends := list(m["ends_with"])
	if len(ends) < 1 || len(ends) > maxEndsWith {
		return nil, invalid("ends_with")
	}
	t.hangs = append(make([]ledger.Name, 0, len(ends)+2), t.id, kid)
	for _, s := range ends {
		n, err := ledger.ParseName(s)
		if err != nil {
			return nil, invalid("ends_with")
		}
		if !slices.Contains(t.hangs, n) {
			t.hangs = append(t.hangs, n)
		}
	}
	return t, nil
}

func isString(v json.RawMessage) bool { return len(v) > 0 && v[0] == '"' }

// list is a JSON array of strings, nil for anything else. A null would decode as "" and is refused with it.
func list(v json.RawMessage) (out []string) {
	if len(v) == 0 || v[0] != '[' || json.Unmarshal(v, &out) != nil || slices.Contains(out, "") {
		return nil
	}
	return out
}

// stringOrList is what RFC 7519 section 4.1.3 allows for aud.
func stringOrList(v json.RawMessage) []string {
	var one string
	if isString(v) && json.Unmarshal(v, &one) == nil {
		return []string{one}
	}
	return list(v)
}

// seconds is a NumericDate (RFC 7519 section 2), rounded down: a token is never good for longer than it says.
func seconds(v json.RawMessage) (int64, bool) {
	var f float64
	if len(v) == 0 || v[0] == 'n' || json.Unmarshal(v, &f) != nil || f < 1 || f > 1<<40 {
		return 0, false
	}
	return int64(math.Floor(f)), true
}
