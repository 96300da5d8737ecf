package bearer

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// window is how far iat of a proof may lie from ledger time. Clocks of devices are wrong by minutes; what keeps a proof from being
// made ahead or kept is the nonce, and from being used twice its row (RFC 9449 section 11.1).
var window = dpop.Window{Past: 5 * time.Minute, Future: 5 * time.Minute}

const notValid = "The access token is not valid"

// Token is the access token of a request: signed by us, not expired, and shown by whom it is bound to. If there is none it answers,
// and says false. Whether it has ended is not asked.
func Token(w http.ResponseWriter, r *http.Request, tokens *token.Issuer, store idp.Store) (*token.Access, bool) {
	scheme, raw := edge.Authorization(r)
	if raw == "" { // nothing is said of errors then (RFC 6750 section 3.1)
		edge.Refuse(w, scheme, http.StatusUnauthorized, "", "")
		return nil, false
	}
	a, err := tokens.ReadAccess(raw)
	now, _ := store.Now()
	if err != nil || now >= a.Expires {
		edge.Refuse(w, scheme, http.StatusUnauthorized, "invalid_token", notValid)
		return nil, false
	}
	return a, bound(w, r, tokens, store, a, raw, scheme, now)
}

// bound checks what the token is bound to.
func bound(w http.ResponseWriter, r *http.Request, tokens *token.Issuer, store idp.Store, a *token.Access, raw, scheme string, now idp.Time) bool {
	refuse := func(code, text string) bool {
		edge.Refuse(w, scheme, http.StatusUnauthorized, code, text)
		return false
	}
	switch {
	case !a.Bond.Admits(edge.Client(r).IP):
		Strayed(r, tokens, a.Account(), a.Client, "access token", "address")
		return refuse("invalid_token", "The access token is bound to another address")
	case a.Bond.Key == "" && scheme != edge.DPoP:
		return true
	case a.Bond.Key == "": // RFC 9449 section 7.1: the scheme says that the token is bound
		return refuse("invalid_token", "The access token is not bound to a key: it is a Bearer token")
	case scheme != edge.DPoP: // section 7.2: MUST be refused
		scheme = edge.DPoP
		Strayed(r, tokens, a.Account(), a.Client, "access token", "key")
		return refuse("invalid_token", "The access token is bound to a key: it comes by the scheme DPoP, with a proof")
	}
	p, use, err := check(w, r, tokens, raw, now)
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return refuse("use_dpop_nonce", sentence(err))
	case err != nil:
		return refuse("invalid_dpop_proof", sentence(err))
	case subtle.ConstantTimeCompare([]byte(p.Key), []byte(a.Bond.Key)) != 1:
		Strayed(r, tokens, a.Account(), a.Client, "access token", "key")
		return refuse("invalid_token", "The access token is bound to another key")
	}
	err = use.note(r.Context(), store)
	if used, ok := errors.AsType[*edge.Error](err); ok {
		return refuse(used.Code, used.Description)
	}
	if err != nil {
		edge.Fail(w, r, err)
	}
	return err == nil
}

// Strayed says that something was shown by somebody to whom it is not bound: to the request's log line, and to who keeps events.
func Strayed(r *http.Request, tokens *token.Issuer, whose idp.AccountID, by idp.ClientID, what, bond string) {
	edge.Note(r.Context(), "strayed", what+", another "+bond)
	if tokens.Strayed != nil {
		tokens.Strayed(idp.Event{Kind: idp.EventStrayed, Account: whose, Actor: "stranger", Client: by, IP: edge.Client(r).IP.String(), Device: r.UserAgent(),
			Data: map[string]string{"what": what, "bond": bond}})
	}
}

func sentence(err error) string { return "The " + err.Error() }

// check reads the proof of a request, and tells the nonce for the next.
func check(w http.ResponseWriter, r *http.Request, tokens *token.Issuer, raw string, now idp.Time) (p dpop.Proof, u Use, err error) {
	here, _ := dpop.Normal(tokens.URL + r.URL.EscapedPath()) // the address at which we are reached, whatever Host says
	want := dpop.Want{Method: r.Method, URLs: []string{here}, Now: now.Time(), Window: window, Nonces: tokens.Nonces, Token: raw}
	p, until, err := want.Check(r.Header.Values("DPoP"))
	if tokens.Nonces != nil {
		w.Header().Set("DPoP-Nonce", tokens.Nonces.At(now.Time()))
	}
	return p, Use{p.Use(), idp.Time(until.UnixMilli()), tokens.Nonces != nil}, err
}

// Use is one use of a proof.
type Use struct {
	id    idp.Hash
	until idp.Time
	again bool // the answer has a nonce for another proof
}

var (
	errUsed = &edge.Error{Status: http.StatusBadRequest, Code: "invalid_dpop_proof", Description: "The DPoP proof was used before."}
	// errAgain is for a proof with one of our nonces, so not for one made long ago: mostly a proxy has repeated a request whose first answer
	// was 503. Who has the key makes another proof by himself (RFC 9449 sections 8 and 9); who only overheard this one cannot.
	errAgain = &edge.Error{Status: http.StatusBadRequest, Code: "use_dpop_nonce", Description: "The DPoP proof was used before: make another one."}
)

// Note notes the use beside what it is for, so that no other node takes the proof again. An error: it was used before.
func (u Use) Note(tx idp.ProofWriter) error {
	if u == (Use{}) {
		return nil
	}
	fresh, err := tx.UseProof(u.id, u.until)
	switch {
	case err != nil || fresh:
		return err
	case u.again:
		return errAgain
	}
	return errUsed
}

func (u Use) note(ctx context.Context, store idp.Store) error {
	return store.Update(ctx, func(tx idp.Tx) error { return u.Note(tx) })
}
