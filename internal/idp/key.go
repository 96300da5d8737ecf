package idp

// KeyUse keeps keys of different jobs apart.
type KeyUse string

// Uses of a key.
const (
	UseAccess  KeyUse = "access"  // access tokens
	UseID      KeyUse = "id"      // ID tokens and logout tokens
	UseReceipt KeyUse = "receipt" // signed receipts
)

// KeyState is where a key is in its life.
type KeyState string

// States of a key. A killed key is one whose name is in the ledger; the state is not written.
const (
	KeyStandby KeyState = "standby" // published ahead, signs nothing yet
	KeyActive  KeyState = "active"
	KeyRetired KeyState = "retired" // signs nothing more, still verifies
)

// Key is a signing key. Its name is its kid, a name like any other: tokens hang on it.
type Key struct {
	Kid       Name
	Use       KeyUse
	Alg       string
	State     KeyState
	Private   []byte // encrypted with a key that is not in the database
	Public    []byte // PKIX DER
	CreatedAt Time
	RetiredAt Time
}
