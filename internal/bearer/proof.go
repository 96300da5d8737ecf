package bearer

import (
	"errors"
	"net/http"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// Shown is what a client showed of a key, at an endpoint that makes something for it. The zero value: nothing.
type Shown struct {
	Key string // thumbprint
	Use Use
	err error
}

// Proof reads the proof of a request to the token endpoint and its like. What is wrong with it shows when it is asked for by
// [Shown.Bond], for only the client's row says whether it counts.
func Proof(w http.ResponseWriter, r *http.Request, tokens *token.Issuer, store idp.Store) (s Shown) {
	if len(r.Header.Values("DPoP")) == 0 {
		return s
	}
	now, _ := store.Now()
	p, use, err := check(w, r, tokens, "", now)
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return Shown{err: &edge.Error{Status: http.StatusBadRequest, Code: "use_dpop_nonce", Description: sentence(err) + "."}}
	case err != nil:
		return Shown{err: &edge.Error{Status: http.StatusBadRequest, Code: "invalid_dpop_proof", Description: sentence(err) + "."}}
	}
	return Shown{Key: p.Key, Use: use}
}

// Wrong is what is wrong with it, if it counts for the client.
func (s Shown) Wrong(c *idp.Client) error {
	if c.DPoP == idp.DPoPOff {
		return nil
	}
	return s.err
}

// Bond is what a client's tokens are bound to, if they are made for this request.
func (s Shown) Bond(r *http.Request, c *idp.Client) (b idp.Bond, err error) {
	if c.DPoP != idp.DPoPOff {
		if s.err != nil {
			return b, s.err
		}
		if s.Key == "" && c.DPoP == idp.DPoPRequired {
			return b, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_dpop_proof", Description: "This client's tokens are bound to a key: a DPoP proof is needed."}
		}
		b.Key = s.Key
	}
	if c.BindAddress.On() {
		var known bool
		if b.Net, known = c.BindAddress.Of(edge.Client(r).IP); !known {
			return idp.Bond{}, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "This client's tokens are bound to its address, which is not known."}
		}
	}
	return b, nil
}
