package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/provider"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	documentFresh = time.Hour // how old a discovery document may be
	documentLimit = 24 * time.Hour
	keysFresh     = 5 * time.Minute // how old a key set may be
	keysLimit     = time.Hour       // and if the provider does not answer
	setSize       = 64 << 10
	idLeeway      = 2 * time.Minute // by which a provider's clock may lag; its ID tokens come from its own hands, with our nonce
)

// Upstream is a provider as this process knows it. It may be used by any number of goroutines.
type Upstream struct {
	Name string // what the site calls it
	P    provider.Provider

	client *http.Client
	now    func() time.Time

	documents shared[Document]
	sets      shared[*jws.Set]
	waiting   chan struct{} // logout tokens that wait for keys
}

// Document is where a provider has what.
type Document struct {
	EndSession, Revoke string // "" if it is not offered

	endpoint          oauth2.Endpoint
	userinfo, keys    string
	answersWithIssuer bool
}

// Options of an Upstream.
type Options struct {
	Roots   *x509.CertPool   // whom its certificate must come from; nil: the system's
	Timeout time.Duration    // of one call
	Now     func() time.Time // the clock that tokens are compared with
}

// New makes one. It dials nothing: a provider that is down does not keep a site from starting.
func New(name string, p provider.Provider, o Options) *Upstream {
	u := &Upstream{Name: name, P: p, client: newCaller(p, o.Roots, o.Timeout), now: o.Now, waiting: make(chan struct{}, mostWaiting)}
	u.documents.fetch, u.documents.timeout = u.discover, o.Timeout
	u.sets.fetch, u.sets.timeout = u.fetchKeys, o.Timeout
	return u
}

// Document asks the provider if need be. What the owner wrote down goes before what the provider says.
func (u *Upstream) Document(ctx context.Context) (Document, error) {
	var d Document
	if u.P.OIDC() {
		var err error
		if d, err = u.documents.get(ctx, documentFresh, documentLimit); err != nil {
			return Document{}, err
		}
	}
	e := u.P.Endpoints
	for _, over := range []struct {
		to   *string
		with string
	}{{&d.endpoint.AuthURL, e.Authorize}, {&d.endpoint.TokenURL, e.Token}, {&d.userinfo, e.Profile}, {&d.EndSession, e.EndSession}, {&d.Revoke, e.Revoke}} {
		if over.with != "" {
			*over.to = over.with
		}
	}
	if !u.P.SignOut.Offered {
		d.EndSession = ""
	}
	if !u.P.Revocation.Offered() {
		d.Revoke = ""
	}
	// Never by trial and error, which would send the secret twice.
	d.endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if u.P.SecretInBody {
		d.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return d, nil
}

func (u *Upstream) discover(ctx context.Context) (Document, error) {
	ctx = oidc.ClientContext(ctx, u.client)
	if u.P.IssuerPattern != "" {
		// The document of an endpoint for many tenants names a pattern as its issuer; each ID token is compared with it.
		ctx = oidc.InsecureIssuerURLContext(ctx, u.P.Issuer)
	}
	op, err := oidc.NewProvider(ctx, u.P.Issuer)
	if err != nil {
		return Document{}, err
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
		Revoke     string `json:"revocation_endpoint"`
		Keys       string `json:"jwks_uri"`
		Issuer     bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := op.Claims(&more); err != nil {
		return Document{}, err
	}
	d := Document{endpoint: op.Endpoint(), userinfo: op.UserInfoEndpoint(), EndSession: more.EndSession, Revoke: more.Revoke, keys: more.Keys, answersWithIssuer: more.Issuer}
	for _, at := range []string{d.endpoint.AuthURL, d.endpoint.TokenURL, d.keys} {
		if err := provider.Safe(at); err != nil {
			return Document{}, err
		}
	}
	for _, at := range []*string{&d.userinfo, &d.EndSession, &d.Revoke} {
		if provider.Safe(*at) != nil {
			*at = "" // optional: without it the rest works
		}
	}
	return d, nil
}

func (u *Upstream) fetchKeys(ctx context.Context) (*jws.Set, error) {
	d, err := u.Document(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.keys, nil)
	if err != nil {
		return nil, err
	}
	res, err := u.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("the key set was not answered with 200")
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, setSize+1))
	if err != nil {
		return nil, err
	}
	set, err := jws.ParseSet(b)
	if err == nil && len(set.Keys()) == 0 {
		err = errors.New("the key set is empty")
	}
	return set, err
}

// ErrUnavailable says that the provider could not be asked for its keys; the token may be good.
var ErrUnavailable = errors.New("the provider's keys cannot be had")

// VerifySignature makes an Upstream go-oidc's KeySet. The algorithm is the key's, never the header's choice. A key that is
// not known, and a signature that does not verify, are asked about once, because the provider may have changed its keys.
func (u *Upstream) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	t, err := jws.Parse(token)
	if err != nil {
		return nil, err
	}
	if err := u.verify(ctx, t); err != nil {
		return nil, err
	}
	return t.Payload, nil
}

func (u *Upstream) verify(ctx context.Context, t jws.Unverified) error {
	set, err := u.sets.get(ctx, keysFresh, keysLimit)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	_, before := u.sets.held()
	known, err := check(t, set)
	if err == nil {
		return nil
	}
	_ = u.sets.renew(ctx) // whether it brought something is seen below
	set, got := u.sets.held()
	if got.After(before) {
		_, err = check(t, set)
	} else if !known {
		return ErrUnavailable
	}
	return err
}

func check(t jws.Unverified, set *jws.Set) (known bool, err error) {
	key, ok := set.Key(t.KeyID)
	if t.KeyID == "" {
		key, ok = set.Only()
	}
	if !ok {
		return false, jws.ErrSignature
	}
	return true, t.Verify(key)
}

// verifier checks ID tokens by everything but nonce and, for many tenants, the issuer.
func (u *Upstream) verifier() *oidc.IDTokenVerifier {
	return oidc.NewVerifier(u.P.Issuer, u, &oidc.Config{
		ClientID: u.P.ClientID, Now: func() time.Time { return u.now().Add(-idLeeway) }, SkipIssuerCheck: u.P.IssuerPattern != "",
		SupportedSigningAlgs: []string{jws.ES256, jws.EdDSA, jws.RS256, jws.PS256},
	})
}

// config is the flow of x/oauth2 with the secret of this moment.
func (u *Upstream) config(d Document, redirect string) (*oauth2.Config, error) {
	c := &oauth2.Config{ClientID: u.P.ClientID, Endpoint: d.endpoint, RedirectURL: redirect, Scopes: u.P.Scopes}
	if u.P.Secret != nil {
		var err error
		if c.ClientSecret, err = u.P.Secret(u.now()); err != nil {
			return nil, errors.New("the client secret cannot be made")
		}
	}
	if c.ClientSecret == "" {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client says who it is in the form (RFC 6749 section 3.2.1)
	}
	return c, nil
}
