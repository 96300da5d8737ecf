package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/jws"
)

const (
	logoutEvent  = "http://schemas.openid.net/event/backchannel-logout"
	riscDisabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	riscPurged   = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
	leeway       = 5 * time.Minute // by which a provider's clock may differ: what is refused is not sent again
	mostAge      = 15 * time.Minute
)

// LogoutToken is a verified logout token: the end of one session there (SID, perhaps with its Subject), or of all sessions of
// a Subject.
type LogoutToken struct {
	Issuer, Subject, SID, JTI string
	Issued                    time.Time
	// Disabled: the token says, beside the logout, that the provider has disabled or deleted the account (RISC 1.0
	// account-disabled, account-purged). It is of all sessions then, whatever SID says.
	Disabled bool
}

// logoutClaims is what Back-Channel Logout 1.0 section 2.4 names. Pointers and raw members tell absent from empty.
type logoutClaims struct {
	Iss    string                     `json:"iss"`
	Sub    *string                    `json:"sub"`
	Aud    json.RawMessage            `json:"aud"`
	Iat    *float64                   `json:"iat"`
	Exp    *float64                   `json:"exp"`
	Jti    string                     `json:"jti"`
	Sid    *string                    `json:"sid"`
	Tid    string                     `json:"tid"`
	Events map[string]json.RawMessage `json:"events"`
}

// logoutToken makes the checks of Back-Channel Logout 1.0 section 2.6. ErrUnavailable: the provider's keys cannot be
// had, and nothing is known of the token.
func (u *Upstream) logoutToken(raw string, verify func(jws.Unverified) error) (LogoutToken, error) {
	// Step 1: an encrypted token has five parts and is not taken; none was asked for at registration.
	t, err := jws.Parse(raw)
	if err != nil {
		return LogoutToken{}, err
	}
	// Section 4.1: an explicit type keeps other tokens of the provider from passing for a logout token.
	if !t.HasType("logout+jwt") && !(u.P.AnyLogoutType && (t.Type == "" || t.HasType("JWT"))) {
		return LogoutToken{}, errors.New("typ is not logout+jwt")
	}
	// Steps 2 and 3: signature, and an algorithm that is the key's; "none" does not exist in package jws.
	if err := verify(t); err != nil {
		return LogoutToken{}, err
	}
	var c logoutClaims
	var members map[string]json.RawMessage
	if json.Unmarshal(t.Payload, &members) != nil || json.Unmarshal(t.Payload, &c) != nil {
		return LogoutToken{}, errors.New("the claims cannot be read")
	}
	now := u.now()
	_, nonce := members["nonce"]
	switch {
	case !u.issued(c): // step 3, as for ID tokens
		return LogoutToken{}, ErrIssuer
	case !audience(c.Aud, u.P.ClientID):
		return LogoutToken{}, errors.New("aud is another client")
	case c.Iat == nil || c.Exp == nil:
		return LogoutToken{}, errors.New("iat or exp is missing")
	case !now.Before(seconds(*c.Exp).Add(leeway)):
		return LogoutToken{}, errors.New("expired")
	case seconds(*c.Iat).After(now.Add(leeway)):
		return LogoutToken{}, errors.New("iat is in the future")
	case now.Sub(seconds(*c.Iat)) > mostAge:
		return LogoutToken{}, errors.New("iat is too long ago")
	case c.Sub == nil && c.Sid == nil: // step 4
		return LogoutToken{}, errors.New("neither sub nor sid")
	case c.Sub != nil && !Clean(*c.Sub, 255) || c.Sid != nil && !Clean(*c.Sid, 255):
		return LogoutToken{}, errors.New("sub or sid cannot be used")
	case !isObject(c.Events[logoutEvent]): // step 5
		return LogoutToken{}, errors.New("events has no logout")
	case nonce: // step 6
		return LogoutToken{}, errors.New("nonce is there")
	case !Clean(c.Jti, 255): // section 2.4, and step 7 needs it
		return LogoutToken{}, errors.New("jti is missing or cannot be used")
	}
	out := LogoutToken{Issuer: c.Iss, JTI: c.Jti, Issued: seconds(*c.Iat)}
	if c.Sub != nil {
		out.Subject = *c.Sub
	}
	if c.Sid != nil {
		out.SID = *c.Sid
	}
	for _, e := range []string{riscDisabled, riscPurged} {
		out.Disabled = out.Disabled || out.Subject != "" && isObject(c.Events[e])
	}
	return out, nil
}

func (u *Upstream) issued(c logoutClaims) bool {
	if u.P.IssuerPattern != "" {
		return Clean(c.Tid, 100) && !strings.Contains(c.Tid, "/") && c.Iss == strings.ReplaceAll(u.P.IssuerPattern, "{tenantid}", c.Tid)
	}
	return c.Iss == u.P.Issuer
}

func audience(raw json.RawMessage, client string) bool {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one == client
	}
	var many []string
	return json.Unmarshal(raw, &many) == nil && slices.Contains(many, client)
}

func isObject(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] == '{'
}

// seconds reads a NumericDate (RFC 7519 section 2); what is beyond any calendar becomes a time that passes no check.
func seconds(n float64) time.Time {
	if n < 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n * 1000))
}
