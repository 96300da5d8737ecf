package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
)

const (
	refreshPrefix = "exrt_"
	handleSize    = 16
	secretSize    = 32
	sumSize       = 4
)

// Refresh is a refresh token: a handle, one for each family, and a secret, one for each generation. As text:
// "exrt_" + base64url(handle ‖ secret ‖ CRC-32 of both).
type Refresh struct {
	Handle [handleSize]byte
	Secret [secretSize]byte
}

// NewRefresh makes the first token of a family.
func NewRefresh() Refresh {
	var r Refresh
	rand.Read(r.Handle[:])
	rand.Read(r.Secret[:])
	return r
}

// Next makes the successor.
func (r Refresh) Next() Refresh {
	rand.Read(r.Secret[:])
	return r
}

// String is the token as the client gets it.
func (r Refresh) String() string {
	b := make([]byte, 0, handleSize+secretSize+sumSize)
	b = append(b, r.Handle[:]...)
	b = append(b, r.Secret[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseRefresh reads a token. A wrong checksum is a typing error, not a theft: ErrInvalid, and nothing is looked up.
func ParseRefresh(text string) (Refresh, error) {
	var r Refresh
	rest, ok := strings.CutPrefix(text, refreshPrefix)
	if !ok || len(rest) > 128 {
		return r, ErrInvalid
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(b) != handleSize+secretSize+sumSize {
		return r, ErrInvalid
	}
	body := b[:handleSize+secretSize]
	if binary.BigEndian.Uint32(b[len(body):]) != crc32.ChecksumIEEE(body) {
		return r, ErrInvalid
	}
	copy(r.Handle[:], body)
	copy(r.Secret[:], body[handleSize:])
	return r, nil
}

// HandleHash finds the family.
func (r Refresh) HandleHash() idp.Hash { return sha256.Sum256(r.Handle[:]) }

// SecretHash is what the family's row holds.
func (r Refresh) SecretHash() idp.Hash { return sha256.Sum256(r.Secret[:]) }

// Verdict is what a presented refresh token is to its family.
type Verdict int

// Verdicts.
const (
	Current Verdict = iota // rotate
	Replay                 // the answer was lost: give the same successor again
	Late                   // two behind within the grace, a race of tabs: refuse, and nothing ends
	Theft                  // the family ends
)

// Judge says what a presented token is. now is ledger time.
func Judge(f *idp.Family, r Refresh, now idp.Time, grace time.Duration) Verdict {
	h := r.SecretHash()
	within := now <= f.RotatedAt.Add(grace)
	switch {
	case same(h, f.Cur):
		return Current
	case within && f.Generation >= 1 && same(h, f.Prev):
		return Replay
	case within && f.Generation >= 2 && same(h, f.Prev2):
		return Late
	}
	return Theft
}

func same(a, b idp.Hash) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// Rotate writes the successor of the presented token into the family's row and returns it. The row keeps it only
// encrypted under a key that the presented secret gives, so that the predecessor decrypts its successor and the server
// stores nothing usable.
func Rotate(f *idp.Family, presented Refresh, now idp.Time) (Refresh, error) {
	next := presented.Next()
	aead, err := successorKey(presented)
	if err != nil {
		return next, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	f.Succ = aead.Seal(nonce, nonce, next.Secret[:], f.Handle[:])
	f.Prev2, f.Prev, f.Cur = f.Prev, f.Cur, next.SecretHash()
	f.Generation++
	f.RotatedAt = now
	return next, nil
}

// Successor returns the token that the presented one was rotated to.
func Successor(f *idp.Family, presented Refresh) (Refresh, error) {
	next := presented
	aead, err := successorKey(presented)
	if err != nil {
		return next, err
	}
	n := aead.NonceSize()
	if len(f.Succ) < n {
		return next, errors.New("family has no successor")
	}
	secret, err := aead.Open(nil, f.Succ[:n], f.Succ[n:], f.Handle[:])
	if err != nil || len(secret) != secretSize {
		return next, errors.New("successor cannot be decrypted")
	}
	copy(next.Secret[:], secret)
	return next, nil
}

func successorKey(r Refresh) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, r.Secret[:], r.Handle[:], "exeunt successor", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
