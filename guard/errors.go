package guard

import (
	"errors"
	"fmt"
	"strings"
)

// Why a request is not admitted. Ask with errors.Is; the text is for logs and holds nothing of the token.
var (
	// ErrEnded: the token, its key or something it hangs on is over. 401.
	ErrEnded = errors.New("guard: access token has been revoked")
	// ErrExpired: exp has passed, in ledger time. 401.
	ErrExpired = errors.New("guard: access token has expired")
	// ErrInvalid: forged, malformed, of another issuer, for another audience, or without the names it hangs on. 401.
	ErrInvalid = errors.New("guard: access token is not valid")
	// ErrBound: the token is bound to a key or an address (cnf), and the request comes from another, or this check cannot
	// see who calls. 401.
	ErrBound = errors.New("guard: access token is bound and the binding was not proved")
	// ErrProof: the token is bound to a key, and the proof of it (DPoP) is missing, not for this request, old, or used before. 401.
	ErrProof = errors.New("guard: proof of possession is not valid")
	// ErrNonce: as ErrProof, but only the nonce is missing that [ProofNonces] asks for. The client is told one and tries again. 401.
	ErrNonce = errors.New("guard: proof of possession needs a nonce")
	// ErrStale: the guard cannot know, because it has not started or has lost the ledger for too long. 503, never 401:
	// the token may be good, and a client told 401 would sign its person out.
	ErrStale = errors.New("guard: ledger not known recently enough")
	// ErrMissing: the request carries no access token. 401 without an error code.
	ErrMissing = errors.New("guard: no bearer token")
	// ErrRequest: the Authorization header is malformed or there are several. 400.
	ErrRequest = errors.New("guard: malformed authorization")
	// ErrScope: a good token without a scope that is needed. 403.
	ErrScope = errors.New("guard: scope missing")
)

func invalid(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }

// scopeError is an ErrScope that knows what is needed, for the challenge.
type scopeError struct{ need []string }

func (e scopeError) Error() string        { return ErrScope.Error() + ": " + strings.Join(e.need, " ") }
func (e scopeError) Is(target error) bool { return target == ErrScope }

// schemeError is why a request whose token came by the scheme DPoP, or should have, is not admitted: it is told so in that scheme
// (RFC 9449 section 7.1).
type schemeError struct{ error }

func (e schemeError) Unwrap() error { return e.error }
