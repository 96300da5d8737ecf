package token

import (
	"encoding/json"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// typeLogout is the explicit type of logout tokens (OpenID Connect Back-Channel Logout 1.0 errata 1 section 2.4).
const typeLogout = "logout+jwt"

// logoutLife is how long a logout token is good for; each attempt gets a new one (section 4 wants two minutes at most).
const logoutLife = 2 * time.Minute

// backchannelLogout is the one member of `events`; its value is an empty object.
const backchannelLogout = "http://schemas.openid.net/event/backchannel-logout"

// Logout is what a logout token says: that at this app the grant it knows as sid is over.
type Logout struct {
	Subject  idp.AccountID // "": left out
	Client   idp.ClientID
	Sid      idp.Name
	IssuedAt idp.Time
	Alg      string // as the client registered for its ID tokens; "" for the default
}

type logoutClaims struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub,omitempty"`
	Audience audience            `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	JTI      string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	Sid      string              `json:"sid"`
}

// Logout signs a logout token, with the key that signs the app's ID tokens (section 2.4). Its jti is new each time.
func (i *Issuer) Logout(t Logout) (string, error) {
	signer, err := i.ring.Signer(idp.UseID, t.Alg)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(logoutClaims{
		Issuer: i.URL, Subject: string(t.Subject), Audience: audience{string(t.Client)}, IssuedAt: seconds(t.IssuedAt),
		Expires: seconds(t.IssuedAt.Add(logoutLife)), JTI: ledger.NewName().String(), Events: map[string]struct{}{backchannelLogout: {}}, Sid: t.Sid.String(),
	})
	if err != nil {
		return "", err
	}
	return signer.Sign(typeLogout, payload)
}
