package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"exeunt.dev/ledger"
)

// Name is 96 random bits, used once, no secret.
type Name = ledger.Name

// Time is ledger time: Unix milliseconds of the database's clock, made monotone.
type Time = ledger.Time

// At is a time for people; nil for 0, which is none.
func At(t Time) *time.Time {
	if t == 0 {
		return nil
	}
	out := t.Time()
	return &out
}

// Hash is the SHA-256 of a secret. Secrets at rest exist only in this form.
type Hash [sha256.Size]byte

// HashOf hashes a secret of at least 128 random bits (not a password: those go through argon2).
func HashOf(secret string) Hash {
	var b [1024]byte // longer than nearly all: a copy that needs no memory
	return sha256.Sum256(append(b[:0], secret...))
}

// IsZero says that there is no secret.
func (h Hash) IsZero() bool { return h == Hash{} }

// NewSecret returns n random bytes as unpadded base64url text.
func NewSecret(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Names is a set of names that something hangs on, without the zero name and without repeats.
type Names []Name

// NamesOf gathers names, leaving out zero names and repeats, in the order given.
func NamesOf(names ...Name) Names {
	out := make(Names, 0, len(names))
	for _, n := range names {
		if !n.IsZero() && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Epochs are the current eras of what a new thing is about to hang on. A zero name means: none. An account or
// client that is locked, disabled or gone has no epoch, and nothing can be born under it.
//
// R: read them together with the credential that is checked, carry them, and create under them; never read newer ones
// at creation. [EpochReader] is the only reader of current epochs.
type Epochs struct {
	Realm   Name `json:"realm"`
	Account Name `json:"account,omitzero"`
	Client  Name `json:"client,omitzero"`
	Consent Name `json:"consent,omitzero"`
}

// Names of these epochs.
func (e Epochs) Names() Names { return NamesOf(e.Realm, e.Account, e.Client, e.Consent) }
