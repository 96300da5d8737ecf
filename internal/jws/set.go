package jws

import (
	"encoding/json"
	"fmt"
	"slices"
)

// MaxSetSize is the longest key set, in bytes, that is read.
const MaxSetSize = 256 << 10

// Set is an unchanging set of verification keys.
type Set struct {
	keys []Key
	byID map[string]Key
}

// NewSet makes a set of keys, each usable and with an ID of its own. Errors: ErrKey, ErrAlgorithm.
func NewSet(keys ...Key) (*Set, error) {
	s := &Set{byID: make(map[string]Key, len(keys))}
	for _, k := range keys {
		if err := k.check(); err != nil {
			return nil, err
		}
		if k.ID == "" {
			return nil, fmt.Errorf("%w: a key of a set needs a kid", ErrKey)
		}
		if !s.add(k) {
			return nil, fmt.Errorf("%w: two keys have the same kid", ErrKey)
		}
	}
	return s, nil
}

func (s *Set) add(k Key) bool {
	if k.ID != "" {
		if _, taken := s.byID[k.ID]; taken {
			return false
		}
		s.byID[k.ID] = k
	}
	s.keys = append(s.keys, k)
	return true
}

// Key finds a key by its kid. The empty kid finds none: whoever ends keys by kid must not be shown a token without one.
func (s *Set) Key(kid string) (Key, bool) {
	k, ok := s.byID[kid]
	return k, ok
}

// Only returns the key of a set that has just one. It is for tokens of providers that set no kid, which they may only
// while they publish a single key (OpenID Connect Core section 10.1).
func (s *Set) Only() (Key, bool) {
	if len(s.keys) != 1 {
		return Key{}, false
	}
	return s.keys[0], true
}

// Keys returns the keys in the order of the document.
func (s *Set) Keys() []Key { return slices.Clone(s.keys) }

// ParseSet reads a JWK Set. Keys that are not for verifying signatures with an algorithm of this package, or that
// cannot be used, are left out (RFC 7517 section 5), and so is the second of two keys with one kid; an RSA key that
// names no algorithm is for RS256. A set with private or symmetric key material is refused whole, because its owner has
// published a secret. Errors: ErrMalformed, ErrTooLarge, ErrPrivate.
func ParseSet(data []byte) (*Set, error) {
	if len(data) > MaxSetSize {
		return nil, ErrTooLarge
	}
	// Maps, because decoding into a struct does not tell "D" from "d".
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: not a key set", ErrMalformed)
	}
	var jwks []map[string]json.RawMessage
	if err := json.Unmarshal(doc["keys"], &jwks); err != nil || jwks == nil {
		return nil, fmt.Errorf("%w: a key set without keys", ErrMalformed)
	}
	s := &Set{byID: make(map[string]Key, len(jwks))}
	for _, members := range jwks {
		k, ok, err := parseJWK(members)
		if err != nil {
			return nil, err
		}
		if ok {
			s.add(k)
		}
	}
	return s, nil
}

// MarshalJSON writes the JWK Set to publish.
func (s *Set) MarshalJSON() ([]byte, error) {
	doc := struct {
		Keys []jwk `json:"keys"`
	}{make([]jwk, len(s.keys))}
	for i, k := range s.keys {
		var err error
		if doc.Keys[i], err = newJWK(k.Public); err != nil {
			return nil, err
		}
		doc.Keys[i].Use, doc.Keys[i].Alg, doc.Keys[i].ID, doc.Keys[i].For = "sig", k.Alg, k.ID, k.For
	}
	return json.Marshal(doc)
}
