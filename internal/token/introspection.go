package token

import (
	"encoding/json"

	"exeunt.dev/internal/idp"
)

// typeIntrospection keeps the answer from being taken for any other token of ours (RFC 9701 sections 5 and 8.1).
const typeIntrospection = "token-introspection+jwt"

type introspectionClaims struct {
	Issuer   string       `json:"iss"`
	Audience idp.ClientID `json:"aud"`
	IssuedAt int64        `json:"iat"`
	About    any          `json:"token_introspection"`
}

// Introspection signs what introspection says about a token, for the caller that asked (RFC 9701 section 5). alg "" means the
// default. Absent on purpose: sub and exp at the top, so that whoever forgets to look at the type finds no token in it.
func (i *Issuer) Introspection(caller idp.ClientID, alg string, at idp.Time, about any) (string, error) {
	signer, err := i.ring.Signer(idp.UseID, alg)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(introspectionClaims{i.URL, caller, seconds(at), about})
	if err != nil {
		return "", err
	}
	return signer.Sign(typeIntrospection, payload)
}
