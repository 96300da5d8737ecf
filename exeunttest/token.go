package exeunttest

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"exeunt.dev/ledger"
)

// Claim changes the claims of a token before it is signed.
type Claim func(map[string]any)

// Set sets any claim, whatever it is good for.
func Set(name string, value any) Claim { return func(c map[string]any) { c[name] = value } }

// Without leaves claims out.
func Without(names ...string) Claim {
	return func(c map[string]any) {
		maps.DeleteFunc(c, func(n string, _ any) bool {
			for _, o := range names {
				if n == o {
					return true
				}
			}
			return false
		})
	}
}

// Subject sets sub.
func Subject(sub string) Claim { return Set("sub", sub) }

// Client sets client_id.
func Client(id string) Claim { return Set("client_id", id) }

// Audience sets aud.
func Audience(aud ...string) Claim { return Set("aud", aud) }

// Scope sets scope.
func Scope(scopes ...string) Claim { return Set("scope", strings.Join(scopes, " ")) }

// HangsOn sets ends_with: the token ends when one of the names does. By default it hangs on the realm and a session
// of its own.
func HangsOn(names ...ledger.Name) Claim { return Set("ends_with", names) }

// Lives sets exp to d from now; by default five minutes, at most LifeCap.
func Lives(d time.Duration) Claim {
	return func(c map[string]any) { c["exp"] = c["iat"].(int64) + int64(min(d, LifeCap)/time.Second) }
}

// Token signs an access token (RFC 9068).
func (i *Issuer) Token(claims ...Claim) string {
	i.tb.Helper()
	i.mu.Lock()
	now := int64(i.now) / 1000
	c := map[string]any{
		"iss":       i.URL,
		"sub":       "alice",
		"aud":       i.Audience,
		"client_id": "app",
		"jti":       ledger.NewName(),
		"sid":       ledger.NewName(),
		"iat":       now,
		"exp":       now + 300,
		"ends_with": []ledger.Name{i.realm, ledger.NewName()},
	}
	i.mu.Unlock()
	for _, f := range claims {
		f(c)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		i.tb.Fatal(err)
	}
	return i.Sign("at+jwt", payload)
}

// Sign signs any payload with any typ, for tests of what must be refused.
func (i *Issuer) Sign(typ string, payload []byte) string {
	i.tb.Helper()
	i.mu.Lock()
	signer := i.signer
	i.mu.Unlock()
	raw, err := signer.Sign(typ, payload)
	if err != nil {
		i.tb.Fatal(err)
	}
	return raw
}
