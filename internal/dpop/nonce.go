package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// nonceTurn is how long one nonce is handed out. It is good for that long again, so that nobody meets its end in flight.
const nonceTurn = time.Minute

const (
	nonceTag  = 16
	nonceSize = 8 + nonceTag
)

// Nonces are those that a server hands out (RFC 9449 sections 8 and 9). They are the number of a minute with a MAC: nothing is
// kept, and all nodes with the same key and nearly the same time agree. Who cannot guess them cannot make proofs ahead of time.
type Nonces struct{ key []byte }

// NewNonces takes a key of at least 32 bytes.
func NewNonces(key []byte) (*Nonces, error) {
	if len(key) < 32 {
		return nil, errors.New("a key for nonces has at least 32 bytes")
	}
	return &Nonces{append([]byte(nil), key...)}, nil
}

func turn(t time.Time) int64 { return t.Unix() / int64(nonceTurn/time.Second) }

// At is the nonce to hand out.
func (n *Nonces) At(now time.Time) string { return n.of(turn(now)) }

func (n *Nonces) of(number int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+sha256.Size), uint64(number))
	mac := hmac.New(sha256.New, n.key)
	mac.Write([]byte("dpop nonce "))
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(b)[:nonceSize])
}

// Good says whether a nonce is one of this minute or the one before, or of the next, which a node that is a little ahead may have
// handed out; and when it will be good no more.
func (n *Nonces) Good(nonce string, now time.Time) (end time.Time, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceSize {
		return end, false
	}
	number := int64(binary.BigEndian.Uint64(b))
	if at := turn(now); number < at-1 || number > at+1 || !hmac.Equal([]byte(nonce), []byte(n.of(number))) {
		return end, false
	}
	return time.Unix((number+2)*int64(nonceTurn/time.Second), 0), true
}
