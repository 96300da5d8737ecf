package ledger

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"
)

// Errors of text forms.
var (
	ErrName    = errors.New("ledger: not a name (16 base64url characters)")
	ErrLineage = errors.New("ledger: not a lineage (22 base64url characters)")
)

// strict refuses padding, line breaks and stray trailing bits, so that a value has exactly one text.
var strict = base64.RawURLEncoding.Strict()

// Name is 96 random bits that name one thing which can end. It is used once and is no secret. The zero Name means:
// none; it never enters the ledger.
type Name [12]byte

// NewName draws a name.
func NewName() Name {
	var n Name
	for n.IsZero() {
		rand.Read(n[:]) // never fails (crypto/rand since Go 1.24)
	}
	return n
}

// ParseName reads the 16 characters that [Name.String] writes. It refuses the zero name.
func ParseName(s string) (Name, error) {
	var n Name
	if !decode(n[:], s) || n.IsZero() {
		return Name{}, ErrName
	}
	return n, nil
}

// IsZero says that this is no name.
func (n Name) IsZero() bool { return n == Name{} }

// Compare orders names by their bytes.
func (n Name) Compare(o Name) int { return bytes.Compare(n[:], o[:]) }

// String is 16 characters of unpadded base64url.
func (n Name) String() string { return strict.EncodeToString(n[:]) }

// MarshalText writes [Name.String], and nothing for the zero name.
func (n Name) MarshalText() ([]byte, error) {
	if n.IsZero() {
		return []byte{}, nil
	}
	return strict.AppendEncode(nil, n[:]), nil
}

// UnmarshalText reads what MarshalText writes.
func (n *Name) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = Name{}
		return nil
	}
	p, err := ParseName(string(text))
	if err != nil {
		return err
	}
	*n = p
	return nil
}

// Lineage is one uninterrupted history of numbers. It changes when a backup is restored. The zero Lineage means: none.
type Lineage [16]byte

// NewLineage draws a lineage.
func NewLineage() Lineage {
	var l Lineage
	for l.IsZero() {
		rand.Read(l[:])
	}
	return l
}

// ParseLineage reads the 22 characters that [Lineage.String] writes. It refuses the zero lineage.
func ParseLineage(s string) (Lineage, error) {
	var l Lineage
	if !decode(l[:], s) || l.IsZero() {
		return Lineage{}, ErrLineage
	}
	return l, nil
}

// IsZero says that this is no lineage.
func (l Lineage) IsZero() bool { return l == Lineage{} }

// String is 22 characters of unpadded base64url.
func (l Lineage) String() string { return strict.EncodeToString(l[:]) }

// MarshalText writes [Lineage.String], and nothing for the zero lineage.
func (l Lineage) MarshalText() ([]byte, error) {
	if l.IsZero() {
		return []byte{}, nil
	}
	return strict.AppendEncode(nil, l[:]), nil
}

// UnmarshalText reads what MarshalText writes.
func (l *Lineage) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*l = Lineage{}
		return nil
	}
	p, err := ParseLineage(string(text))
	if err != nil {
		return err
	}
	*l = p
	return nil
}

// decode fills dst from s, which must be exactly its one text.
func decode(dst []byte, s string) bool {
	if len(s) != strict.EncodedLen(len(dst)) {
		return false
	}
	var buf [24]byte
	// A line break is skipped by the decoder even in strict mode; then fewer bytes come out.
	n, err := strict.Decode(buf[:], []byte(s))
	return err == nil && n == copy(dst, buf[:n]) && n == len(dst)
}

// Time is ledger time: Unix milliseconds of the database's clock, made monotone.
type Time int64

// Time as Go has it.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)) }

// Add moves t by d, in whole milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Forever is an until that never comes: the entry never leaves the feed.
const Forever = ^uint32(0)

// Until is the until of an ending at t when no token lives longer than lifeCap. It rounds up, so that every exp (which
// is rounded down) of a token minted at or before t lies at or before it.
func Until(t Time, lifeCap time.Duration) uint32 {
	s := (int64(t) + lifeCap.Milliseconds() + 1000) / 1000
	return uint32(min(max(s, 0), int64(Forever)))
}
