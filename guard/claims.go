package guard

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

const (
	maxToken    = 16 << 10 // longest raw token looked at
	maxEndsWith = 16       // longest ends_with; more would be a way to make the guard work
)

// claims reads the payload of a token whose signature holds, by RFC 9068 sections 2.2 and 4 and our ends_with.
func (g *Guard) claims(raw string, payload []byte, kid ledger.Name) (*Token, error) {
	m, err := jws.ParseObject(payload)
	if err != nil {
		return nil, invalid("claims")
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
		v, here := m.Get(c.name)
		if !here && c.optional {
			continue
		}
		var ok bool
		if *c.to, ok = jws.Text(v); !ok || *c.to == "" && !c.optional {
			return nil, invalid(c.name)
		}
		*c.to = strings.Clone(*c.to) // else the cache would keep the whole payload
	}
	if iss != g.issuer {
		return nil, invalid("iss")
	}
	if t.audience = stringOrList(m.Must("aud")); !slices.ContainsFunc(t.audience, func(a string) bool {
		return slices.Contains(g.conf.audience, a)
	}) {
		return nil, invalid("aud")
	}
	var ok bool
	if t.issued, ok = seconds(m.Must("iat")); !ok {
		return nil, invalid("iat")
	}
	if t.expires, ok = seconds(m.Must("exp")); !ok {
		return nil, invalid("exp")
	}
	if cnf, bound := m.Get("cnf"); bound {
		if t.bond, ok = dpop.ParseBond(cnf); !ok {
			return nil, fmt.Errorf("%w: to something that this guard does not know", ErrBound)
		}
	}
	if _, here := m.Get("nbf"); here {
		// Our tokens have none, and the floor clock may lag, so that it could not be kept to the second.
		return nil, invalid("nbf")
	}
	t.scopes = strings.Fields(scope)
	if t.id, err = ledger.ParseName(jti); err != nil {
		return nil, invalid("jti")
	}
	ends := jws.Texts(m.Must("ends_with"))
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

// stringOrList is what RFC 7519 section 4.1.3 allows for aud.
func stringOrList(v string) []string {
	if one, ok := jws.Text(v); ok {
		return []string{strings.Clone(one)}
	}
	l := jws.Texts(v)
	for i := range l {
		l[i] = strings.Clone(l[i])
	}
	return l
}

// seconds is a NumericDate (RFC 7519 section 2), rounded down: a token is never good for longer than it says.
func seconds(v string) (int64, bool) {
	if len(v) == 0 || v[0] < '0' || v[0] > '9' { // negative numbers, strings, null
		return 0, false
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n, 0 < n && n < 1<<40
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || f < 1 || f >= 1<<40 {
		return 0, false
	}
	return int64(math.Floor(f)), true
}
