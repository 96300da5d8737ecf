package token

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/internal/keys"
	"exeunt.dev/ledger"
)

// Types of our tokens (JOSE header typ), so that none is taken for another (RFC 8725 section 3.11).
const (
	typeAccess = "at+jwt" // RFC 9068 section 2.1
	typeID     = "JWT"
)

// ErrInvalid says that a token is not one of ours, or not of the kind asked for. It never says why.
var ErrInvalid = errors.New("token is not valid")

// Issuer mints and reads tokens of one issuer.
type Issuer struct {
	URL    string       // the `iss`
	Nonces *dpop.Nonces // that proofs must carry; nil: none
	// Strayed is told when a code or token is shown by somebody to whom it is not bound. nil: nobody is told.
	Strayed func(idp.Event)
	ring    *keys.Ring
	seen    recent // tokens that were verified
}

// NewIssuer returns an issuer that signs with the ring.
func NewIssuer(url string, ring *keys.Ring) *Issuer {
	return &Issuer{URL: url, ring: ring, seen: recent{young: map[idp.Hash]*Access{}}}
}

// Access is what an access token says.
type Access struct {
	Subject  string // account id; of a machine token the client id
	Client   idp.ClientID
	Audience []string
	Scopes   []string
	JTI      idp.Name
	Sid      idp.Name // the grant that the app knows; zero for offline and machine tokens
	AuthTime idp.Time // 0 for machine tokens
	IssuedAt idp.Time // ledger time, read before the names
	Expires  idp.Time
	EndsWith idp.Names // what it hangs on
	Bond     idp.Bond

	kid idp.Name // read back
}

// Machine says that no person is behind the token.
func (a *Access) Machine() bool { return a.Subject == string(a.Client) }

// Account is the person behind the token; "" of a machine token.
func (a *Access) Account() idp.AccountID {
	if a.Machine() {
		return ""
	}
	return idp.AccountID(a.Subject)
}

// HasScope says whether the token carries a scope.
func (a *Access) HasScope(scope string) bool { return slices.Contains(a.Scopes, scope) }

// Hangs are all names that end this token: what it hangs on, itself, and the key that signed it.
func (a *Access) Hangs() idp.Names {
	return append(append(make(idp.Names, 0, len(a.EndsWith)+2), a.EndsWith...), a.JTI, a.kid)
}

type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	ClientID string   `json:"client_id"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	JTI      string   `json:"jti"`
	Scope    string   `json:"scope,omitempty"`
	Sid      string   `json:"sid,omitempty"`
	AuthTime int64    `json:"auth_time,omitempty"`
	EndsWith []string `json:"ends_with"`
	Bond     idp.Bond `json:"cnf,omitzero"`
}

// Access signs an access token. a.JTI is given here if it is zero.
//
// R: exp never passes ledger time + life: both are cut to whole seconds downwards.
func (i *Issuer) Access(a *Access) (string, error) {
	if len(a.EndsWith) == 0 {
		return "", errors.New("a token without names is a token that never ends")
	}
	if a.JTI.IsZero() {
		a.JTI = ledger.NewName()
	}
	signer, err := i.ring.Signer(idp.UseAccess, "")
	if err != nil {
		return "", err
	}
	c := accessClaims{
		Issuer: i.URL, Subject: a.Subject, Audience: a.Audience, ClientID: string(a.Client),
		IssuedAt: seconds(a.IssuedAt), Expires: seconds(a.Expires), AuthTime: seconds(a.AuthTime),
		JTI: a.JTI.String(), Scope: strings.Join(a.Scopes, " "), EndsWith: make([]string, len(a.EndsWith)), Bond: a.Bond,
	}
	if !a.Sid.IsZero() {
		c.Sid = a.Sid.String()
	}
	for n, name := range a.EndsWith {
		c.EndsWith[n] = name.String()
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return signer.Sign(typeAccess, payload)
}

// ReadAccess verifies signature, issuer and type of an access token, whether or not it has expired. Signatures that
// were verified before are remembered. Whether the key still verifies is asked each time.
func (i *Issuer) ReadAccess(raw string) (*Access, error) {
	hash := idp.HashOf(raw)
	if a, ok := i.seen.get(hash); ok {
		if !i.ring.Verifies(a.kid) {
			return nil, ErrInvalid
		}
		return a, nil
	}
	payload, kid, err := i.open(raw, typeAccess, idp.UseAccess)
	if err != nil {
		return nil, err
	}
	a := &Access{kid: kid}
	if a.read(payload, i.URL) != nil {
		return nil, ErrInvalid
	}
	i.seen.put(hash, a)
	return a, nil
}

// read takes the claims of a token whose signature holds. It is written out, since encoding/json would take as long as a tenth of
// the signature's check.
func (a *Access) read(payload []byte, issuer string) error {
	claims, err := jws.ParseObject(payload)
	if err != nil {
		return err
	}
	var iss, client, scope, jti, sid string
	for _, c := range [...]struct {
		name string
		to   *string
	}{{"iss", &iss}, {"sub", &a.Subject}, {"client_id", &client}, {"scope", &scope}, {"jti", &jti}, {"sid", &sid}} {
		*c.to, _ = jws.Text(claims.Must(c.name))
	}
	for _, c := range [...]struct {
		name string
		to   *idp.Time
	}{{"iat", &a.IssuedAt}, {"exp", &a.Expires}, {"auth_time", &a.AuthTime}} {
		n, _ := strconv.ParseInt(claims.Must(c.name), 10, 64)
		*c.to = idp.Time(n * 1000)
	}
	if a.Audience = jws.Texts(claims.Must("aud")); a.Audience == nil {
		if one, ok := jws.Text(claims.Must("aud")); ok {
			a.Audience = []string{one}
		}
	}
	a.Client, a.Scopes = idp.ClientID(client), strings.Fields(scope)
	if a.JTI, err = ledger.ParseName(jti); err != nil {
		return err
	}
	if sid != "" {
		if a.Sid, err = ledger.ParseName(sid); err != nil {
			return err
		}
	}
	if cnf, here := claims.Get("cnf"); here {
		if a.Bond, here = dpop.ParseBond(cnf); !here {
			return ErrInvalid
		}
	}
	names := jws.Texts(claims.Must("ends_with"))
	if iss != issuer || len(names) == 0 {
		return ErrInvalid
	}
	a.EndsWith = make(idp.Names, len(names))
	for n, text := range names {
		if a.EndsWith[n], err = ledger.ParseName(text); err != nil {
			return err
		}
	}
	return nil
}

// open verifies a compact JWS of ours of a given type and use.
func (i *Issuer) open(raw, typ string, use idp.KeyUse) (payload []byte, kid idp.Name, err error) {
	m, err := jws.Parse(raw)
	if err != nil || m.Type != typ {
		return nil, kid, ErrInvalid
	}
	key, ok := i.ring.Verifier(m.KeyID)
	if !ok || key.Use != use || !key.Signed(m) {
		return nil, kid, ErrInvalid
	}
	kid, err = ledger.ParseName(m.KeyID)
	return m.Payload, kid, err
}

// Lifetime gives exp for a token issued at t: life long, but no longer than the absolute end of what it hangs on (0:
// none).
func Lifetime(t idp.Time, life time.Duration, end idp.Time) idp.Time {
	exp := t.Add(life)
	if end != 0 && end < exp {
		return end
	}
	return exp
}

func seconds(t idp.Time) int64 { return int64(t) / 1000 }

// audience is a JWT aud: written as a string when there is one, read in both forms (RFC 7519 section 4.1.3).
type audience []string

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*a = make(audience, 1)
		return json.Unmarshal(b, &(*a)[0])
	}
	return json.Unmarshal(b, (*[]string)(a))
}
