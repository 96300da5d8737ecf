package token

import (
	"encoding/json"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
)

// typeReceipt keeps a signed receipt from being taken for any other token (RFC 8725 section 3.11).
const typeReceipt = "signout-receipt+jwt"

type receiptClaims struct {
	Issuer   string          `json:"iss"`
	Subject  string          `json:"sub,omitempty"`
	IssuedAt int64           `json:"iat"`
	Receipt  json.RawMessage `json:"receipt"`
}

// Receipt signs what a sign-out reached, as it is known at the time of issue. It has no expiry: a record does not expire.
func (i *Issuer) Receipt(subject idp.AccountID, at idp.Time, body any) (string, error) {
	signer, err := i.ring.Signer(idp.UseReceipt, "")
	if err != nil {
		return "", err
	}
	receipt, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(receiptClaims{i.URL, string(subject), seconds(at), receipt})
	if err != nil {
		return "", err
	}
	return signer.Sign(typeReceipt, payload)
}

// SignedReceipt is a receipt come back.
type SignedReceipt struct {
	Issuer   string
	Subject  string
	IssuedAt idp.Time
	Body     json.RawMessage
}

// ReadReceipt verifies a signed receipt with the key that find returns for its kid. ErrInvalid: it is none, or was changed.
func ReadReceipt(raw string, find func(kid string) (jws.Key, error)) (r SignedReceipt, err error) {
	m, err := jws.Parse(raw)
	if err != nil || m.Type != typeReceipt {
		return r, ErrInvalid
	}
	key, err := find(m.KeyID)
	if err != nil {
		return r, err
	}
	var c receiptClaims
	if m.Verify(key) != nil || json.Unmarshal(m.Payload, &c) != nil {
		return r, ErrInvalid
	}
	return SignedReceipt{c.Issuer, c.Subject, idp.Time(c.IssuedAt * 1000), c.Receipt}, nil
}
