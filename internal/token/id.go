package token

import (
	"encoding/json"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// ID is what an ID token says.
type ID struct {
	Subject  idp.AccountID
	Client   idp.ClientID
	Sid      idp.Name // of the session's grant; zero once that is over
	Nonce    string
	AuthTime idp.Time
	Methods  []string
	IssuedAt idp.Time
	Expires  idp.Time
	Alg      string // as the client registered; "" for the default
}

type idClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	AuthTime int64    `json:"auth_time,omitempty"`
	Nonce    string   `json:"nonce,omitempty"`
	Sid      string   `json:"sid,omitempty"`
	Methods  []string `json:"amr,omitempty"`
}

// ID signs an ID token.
func (i *Issuer) ID(t ID) (string, error) {
	signer, err := i.ring.Signer(idp.UseID, t.Alg)
	if err != nil {
		return "", err
	}
	c := idClaims{
		Issuer: i.URL, Subject: string(t.Subject), Audience: audience{string(t.Client)},
		Expires: seconds(t.Expires), IssuedAt: seconds(t.IssuedAt), AuthTime: seconds(t.AuthTime),
		Nonce: t.Nonce, Methods: t.Methods,
	}
	if !t.Sid.IsZero() {
		c.Sid = t.Sid.String()
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return signer.Sign(typeID, payload)
}

// Hint is an ID token come back as id_token_hint: who it was for, at which app, in which grant.
type Hint struct {
	Subject idp.AccountID
	Client  idp.ClientID
	Sid     idp.Name // zero if the token had none
	Key     idp.Name // that signed it; over when it is killed, which the ledger knows before this node's keys do
}

// ReadHint verifies an id_token_hint. Expired is fine (RP-Initiated Logout 1.0 section 2), retired keys verify, killed
// ones do not. ErrInvalid for anything that is not an ID token of ours.
func (i *Issuer) ReadHint(raw string) (Hint, error) {
	payload, kid, err := i.open(raw, typeID, idp.UseID)
	if err != nil {
		return Hint{}, err
	}
	var c idClaims
	if json.Unmarshal(payload, &c) != nil || c.Issuer != i.URL || len(c.Audience) != 1 || c.Subject == "" {
		return Hint{}, ErrInvalid
	}
	h := Hint{Subject: idp.AccountID(c.Subject), Client: idp.ClientID(c.Audience[0]), Key: kid}
	if c.Sid != "" {
		if h.Sid, err = ledger.ParseName(c.Sid); err != nil {
			return Hint{}, ErrInvalid
		}
	}
	return h, nil
}
