package dpop

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"exeunt.dev/internal/jws"
)

// Errors of a check. The texts may be told to the client: they hold nothing of the proof.
var (
	// ErrInvalid: not a proof for this request. RFC 9449: invalid_dpop_proof.
	ErrInvalid = errors.New("DPoP proof is not valid")
	// ErrNonce: a good proof, but without a nonce of now. RFC 9449 section 8: use_dpop_nonce.
	ErrNonce = errors.New("DPoP proof needs the nonce of this server")
)

func invalid(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }

// Bounds on what a client may make others keep and compare.
const (
	maxProof = 8 << 10
	maxText  = 512 // jti, nonce
	maxURL   = 4 << 10
)

// Proof is a proof whose signature holds.
type Proof struct {
	Key      string // RFC 7638 thumbprint of the key that it proves
	ID       string // jti
	Method   string // htm
	URL      string // htu, normalised
	IssuedAt int64  // iat, in whole seconds
	Token    string // ath: hash of the access token that it goes with; "" if it names none
	Nonce    string
}

// Use names this use of a key: the key, the place and jti (RFC 9449 section 11.1 wants jti unique in the context of its htu).
func (p *Proof) Use() [sha256.Size]byte {
	return sha256.Sum256([]byte(p.Key + "\n" + p.Method + "\n" + p.URL + "\n" + p.ID))
}

// Parse reads a proof and checks its signature with the key that it brings (RFC 9449 section 4.3, 2 to 7). Errors: ErrInvalid.
func Parse(compact string) (Proof, error) {
	if len(compact) > maxProof {
		return Proof{}, invalid("too long")
	}
	m, err := jws.Parse(compact)
	switch {
	case errors.Is(err, jws.ErrAlgorithm):
		return Proof{}, invalid("alg")
	case err != nil:
		return Proof{}, invalid("not a signed proof")
	case !m.HasType("dpop+jwt"):
		return Proof{}, invalid("typ")
	}
	key, err := m.OwnKey()
	switch {
	case errors.Is(err, jws.ErrPrivate):
		return Proof{}, invalid("jwk holds a private key")
	case err != nil:
		return Proof{}, invalid("jwk")
	}
	if m.Verify(key) != nil {
		return Proof{}, invalid("signature")
	}
	p, err := claims(m.Payload)
	if err != nil {
		return Proof{}, err
	}
	if p.Key, err = jws.Thumbprint(key.Public); err != nil {
		return Proof{}, invalid("jwk")
	}
	return p, nil
}

func claims(payload []byte) (p Proof, err error) {
	o, err := jws.ParseObject(payload)
	if err != nil {
		return p, invalid("claims")
	}
	var raw string
	for _, c := range [...]struct {
		name     string
		to       *string
		most     int
		optional bool
	}{
		{"jti", &p.ID, maxText, false}, {"htm", &p.Method, maxText, false}, {"htu", &raw, maxURL, false},
		{"ath", &p.Token, maxText, true}, {"nonce", &p.Nonce, maxText, true},
	} {
		v, here := o.Get(c.name)
		if !here && c.optional {
			continue
		}
		text, ok := jws.Text(v)
		if !ok || text == "" || len(text) > c.most {
			return Proof{}, invalid(c.name)
		}
		*c.to = strings.Clone(text)
	}
	var ok bool
	if p.URL, ok = Normal(raw); !ok {
		return Proof{}, invalid("htu")
	}
	if p.IssuedAt, ok = seconds(o.Must("iat")); !ok {
		return Proof{}, invalid("iat")
	}
	return p, nil
}

// seconds is a NumericDate (RFC 7519 section 2): whole, or with a fraction, which is cut off.
func seconds(v string) (int64, bool) {
	whole, fraction, cut := strings.Cut(v, ".")
	if cut && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return 0, false
	}
	n, err := strconv.ParseUint(whole, 10, 40)
	return int64(n), err == nil
}
