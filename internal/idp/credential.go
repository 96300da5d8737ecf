package idp

// CredentialID is what pages and the API call a credential: 16 base64url characters, no secret.
type CredentialID string

// CredentialKind says what a credential is. The password is none of them: it stands in the account's row.
type CredentialKind string

// Kinds of credential.
const (
	CredentialPasskey  CredentialKind = "passkey"  // WebAuthn, discoverable, user verified: both factors in one
	CredentialTOTP     CredentialKind = "totp"     // authenticator app (RFC 6238): a second factor
	CredentialRecovery CredentialKind = "recovery" // one of the codes that stand in for the second factor, once each
)

// Credential is something besides the password that a person signs in with.
type Credential struct {
	ID      CredentialID
	Account AccountID
	Kind    CredentialKind
	Name    string // given by the person; of a passkey
	Handle  Hash   // what it is found by: hash of the authenticator's id for a passkey, of a recovery code; zero for others
	Public  []byte // of a passkey: its record, as JSON
	Secret  []byte // of an authenticator app, encrypted by the vault

	// Counter only grows, and is written by compare: the signature counter of a passkey, the last time step that an authenticator
	// app's code was taken for (RFC 6238 section 5.2: a code is good once), 1 for a recovery code that is used up.
	Counter int64

	AddedAt Time
	UsedAt  Time   // 0: not yet
	From    string // Ref of the session in which it was added
	IP      string // and from where
}

// OwesSecond says that whoever has one of these must show a second factor besides a password.
func OwesSecond(all []Credential) bool {
	for _, c := range all {
		if c.Kind == CredentialTOTP {
			return true
		}
	}
	return false
}

// Has counts the credentials of a kind that are good for a sign-in.
func Has(all []Credential, kind CredentialKind) (n int) {
	for _, c := range all {
		if c.Kind == kind && (kind != CredentialRecovery || c.Counter == 0) {
			n++
		}
	}
	return n
}

// WaysIn counts the ways by which a person can begin a sign-in: the password, and each passkey. A second factor is none.
func WaysIn(a *Account, all []Credential) int {
	n := Has(all, CredentialPasskey)
	if a.Password != "" {
		n++
	}
	return n
}

// CredentialReader reads credentials. ErrNotFound when there is none.
type CredentialReader interface {
	Credential(CredentialID) (Credential, error)
	CredentialByHandle(Hash) (Credential, error)
	Credentials(AccountID) ([]Credential, error) // oldest first
}

// CredentialWriter writes credentials. Who adds or takes away one ends what hangs on the others in the same transaction, at the door.
type CredentialWriter interface {
	InsertCredential(Credential) error // ErrConflict: id or handle taken
	// UseCredential writes counter, public data and time of use, if the row's counter is still was.
	UseCredential(c Credential, was int64) (bool, error)
	RenameCredential(a AccountID, id CredentialID, name string) error
	DeleteCredential(a AccountID, id CredentialID) error // ErrNotFound: the account has none such
	DeleteCredentials(a AccountID, kind CredentialKind) error
}
