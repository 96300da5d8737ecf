package guard

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/ledger"
)

// Token is a verified access token. Every request with the same token shares one Token, so it cannot be changed. It
// prints as its name, never as itself.
type Token struct {
	raw      string
	subject  string
	clientID string
	session  string
	audience []string
	scopes   []string
	id       ledger.Name
	issued   int64         // Unix seconds
	expires  int64         // Unix seconds
	hangs    []ledger.Name // jti, kid and ends_with, without repeats
	bond     dpop.Bond
	entry    *entry
}

// Subject is sub: the account; for a machine token its client.
func (t *Token) Subject() string { return t.subject }

// ClientID is the app that holds the token.
func (t *Token) ClientID() string { return t.clientID }

// Session is sid: the app's sign-in that the token came from. Empty for machine and offline tokens.
func (t *Token) Session() string { return t.session }

// ID is jti, the token's own name.
func (t *Token) ID() ledger.Name { return t.id }

// Audience is aud.
func (t *Token) Audience() []string { return slices.Clone(t.audience) }

// Scopes that the token grants.
func (t *Token) Scopes() []string { return slices.Clone(t.scopes) }

// HasScope says whether the token grants s.
func (t *Token) HasScope(s string) bool { return slices.Contains(t.scopes, s) }

// IssuedAt is iat.
func (t *Token) IssuedAt() time.Time { return time.Unix(t.issued, 0) }

// Expires is exp. The guard compares it with ledger time, not with this machine's clock.
func (t *Token) Expires() time.Time { return time.Unix(t.expires, 0) }

// Claims decodes all claims into v, as json.Unmarshal does. It decodes anew each time.
func (t *Token) Claims(v any) error {
	_, rest, _ := strings.Cut(t.raw, ".")
	part, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// String is the token's name, safe to log.
func (t Token) String() string { return "token " + t.id.String() }

// GoString is String, so that %#v does not show the token.
func (t Token) GoString() string { return t.String() }
