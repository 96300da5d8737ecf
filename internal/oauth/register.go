package oauth

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// metadata is what a client says of itself (RFC 7591 section 2, with the logout members of OpenID Connect).
type metadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	AuthMethod      string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	Resources       []string `json:"resource,omitempty"` // ours: APIs that it may name (RFC 8707), of those open to registration
	PostLogoutURIs  []string `json:"post_logout_redirect_uris,omitempty"`
	LogoutURIs      []string `json:"logout_uris,omitempty"`
	IDTokenAlg      string   `json:"id_token_signed_response_alg,omitempty"`
	Bound           bool     `json:"dpop_bound_access_tokens,omitempty"`          // RFC 9449 section 5.2
	BindAddress     string   `json:"bind_address,omitempty"`                      // ours: off, exact, or two prefix lengths
	InspectAlg      string   `json:"introspection_signed_response_alg,omitempty"` // RFC 9701 section 6

	BackchannelLogoutURI              string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"`

	ClientURI string `json:"client_uri,omitempty"`
	LogoURI   string `json:"logo_uri,omitempty"`
	PolicyURI string `json:"policy_uri,omitempty"`
	TermsURI  string `json:"tos_uri,omitempty"`
}

// information is the answer (RFC 7591 section 3.2.1, RFC 7592 section 3).
type information struct {
	ClientID      idp.ClientID `json:"client_id"`
	ClientSecret  string       `json:"client_secret,omitempty"`
	SecretExpires *int         `json:"client_secret_expires_at,omitempty"`
	IssuedAt      int64        `json:"client_id_issued_at"`
	AccessToken   string       `json:"registration_access_token,omitempty"`
	URI           string       `json:"registration_client_uri"`
	metadata
}

func (o *OAuth) register(w http.ResponseWriter, r *http.Request) {
	if len(o.InitialTokens) == 0 {
		edge.OAuthError(w, http.StatusForbidden, "access_denied", "Registration is closed here.")
		return
	}
	if err := o.turn("register " + edge.Neighbourhood(edge.Client(r).IP)); err != nil {
		o.fail(w, r, err)
		return
	}
	token := edge.Bearer(r)
	given := idp.HashOf(token)
	allowed := 0
	for _, t := range o.InitialTokens {
		allowed |= subtle.ConstantTimeCompare(t[:], given[:])
	}
	// No token is none, even if somebody configured the hash of nothing.
	if allowed == 0 || token == "" {
		edge.TokenError(w, http.StatusUnauthorized, "invalid_token", "Registration needs an initial access token")
		return
	}
	var m metadata
	if err := edge.DecodeJSON(w, r, &m); err != nil {
		edge.Fail(w, r, err)
		return
	}
	c := idp.Client{ID: idp.ClientID("app_" + ledger.NewName().String())}
	if err := o.fill(&c, &m); err != nil {
		o.fail(w, r, err)
		return
	}
	secret, access := "", idp.NewSecret(32)
	if c.Confidential() {
		secret = idp.NewSecret(32)
		c.Secret = idp.HashOf(secret)
	}
	c.Registration = idp.HashOf(access)
	err := o.Store.Update(r.Context(), func(tx idp.Tx) (err error) {
		epochs, err := tx.Epochs("", "")
		if err != nil {
			return err
		}
		c.RegistrationBorn = idp.Epochs{Realm: epochs.Realm, Client: ledger.NewName()}
		if c.CreatedAt, err = tx.Mint(); err != nil {
			return err
		}
		return tx.InsertClient(c, c.RegistrationBorn.Client)
	})
	if err != nil {
		o.fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusCreated, o.inform(&c, secret, access))
}

func (o *OAuth) inform(c *idp.Client, secret, access string) information {
	out := information{ClientID: c.ID, ClientSecret: secret, IssuedAt: int64(c.CreatedAt) / 1000, AccessToken: access,
		URI: o.Tokens.URL + "/oauth2/register/" + url.PathEscape(string(c.ID)), metadata: describe(c)}
	if secret != "" {
		out.SecretExpires = new(int) // 0: never (RFC 7591 section 3.2.1)
	}
	return out
}

func describe(c *idp.Client) metadata {
	m := metadata{
		ClientName: c.Name, RedirectURIs: c.RedirectURIs, AuthMethod: c.AuthMethod, GrantTypes: c.GrantTypes, ApplicationType: "web",
		Scope: strings.Join(c.Scopes, " "), Resources: c.Audiences, PostLogoutURIs: c.PostLogoutURIs, LogoutURIs: c.LogoutURIs, IDTokenAlg: c.IDTokenAlg, InspectAlg: c.IntrospectionAlg,
		BackchannelLogoutURI: c.BackchannelLogoutURI, BackchannelLogoutSessionRequired: c.BackchannelLogoutSessionRequired,
		FrontchannelLogoutURI: c.FrontchannelLogoutURI, FrontchannelLogoutSessionRequired: c.FrontchannelLogoutSessionRequired,
		ClientURI: c.URI, LogoURI: c.LogoURI, PolicyURI: c.Policy, TermsURI: c.Terms,
	}
	m.Bound = c.DPoP == idp.DPoPRequired
	if c.BindAddress.On() {
		m.BindAddress = c.BindAddress.String()
	}
	if c.Kind == idp.KindNative {
		m.ApplicationType = "native"
	}
	if c.May("authorization_code") {
		m.ResponseTypes = []string{"code"}
	}
	return m
}

// fill checks metadata and writes it into the client (RFC 7591 section 2).
func (o *OAuth) fill(c *idp.Client, m *metadata) error {
	bad := func(text string) error { return refuse("invalid_client_metadata", text) }
	if len(m.RedirectURIs) > 20 || len(m.PostLogoutURIs) > 20 || len(m.LogoutURIs) > 20 {
		return bad("too much of one thing")
	}
	if idp.ValidAppName(m.ClientName) != nil {
		return bad("client_name has more than 100 characters, or some that cannot be seen: people read it when they are asked")
	}
	c.Name = m.ClientName
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	if c.AuthMethod = m.AuthMethod; c.AuthMethod == "" {
		c.AuthMethod = idp.AuthBasic
	}
	if !has([]string{idp.AuthBasic, idp.AuthPost, idp.AuthNone}, c.AuthMethod) {
		return bad("token_endpoint_auth_method must be client_secret_basic, client_secret_post or none")
	}
	if c.GrantTypes = m.GrantTypes; len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{"authorization_code"}
	}
	for _, g := range c.GrantTypes {
		if !has([]string{"authorization_code", "refresh_token", "client_credentials"}, g) {
			return bad("grant_types has a value that is not supported")
		}
	}
	if c.AuthMethod == idp.AuthNone && c.May("client_credentials") {
		return bad("a public client cannot use client_credentials")
	}
	for _, t := range m.ResponseTypes {
		if t != "code" {
			return bad("response_types must be code")
		}
	}
	switch {
	case m.ApplicationType != "" && !has([]string{"web", "native"}, m.ApplicationType):
		return bad("application_type must be web or native")
	case m.ApplicationType == "native":
		c.Kind = idp.KindNative
	case !c.May("authorization_code"):
		c.Kind = idp.KindMachine
	case c.AuthMethod == idp.AuthNone:
		c.Kind = idp.KindBrowser
	default:
		c.Kind = idp.KindWeb
	}
	if m.Bound {
		c.DPoP = idp.DPoPRequired
	} else if c.DPoP == idp.DPoPRequired {
		c.DPoP = idp.DPoPAllowed // off stays: an operator said so
	}
	var invalid *idp.InvalidError
	var err error
	if c.BindAddress, err = idp.ParseNetworks(m.BindAddress); err == nil {
		err = c.ValidBinding()
	}
	if errors.As(err, &invalid) {
		return bad(invalid.Sentence)
	}
	if c.May("authorization_code") && len(m.RedirectURIs) == 0 {
		return refuse("invalid_redirect_uri", "redirect_uris is missing")
	}
	for _, u := range m.RedirectURIs {
		if err := idp.ValidRedirectURI(u, c.Kind); err != nil {
			return refuse("invalid_redirect_uri", u+" must be https, or http on a loopback address, without fragment")
		}
	}
	for _, u := range append(append([]string{}, m.PostLogoutURIs...), m.LogoutURIs...) {
		if err := idp.ValidRedirectURI(u, c.Kind); err != nil {
			return bad(u + " must be https, or http on a loopback address, without fragment")
		}
	}
	for _, u := range []string{m.BackchannelLogoutURI, m.ClientURI, m.LogoURI, m.PolicyURI, m.TermsURI} {
		if u != "" && idp.ValidRedirectURI(u, idp.KindWeb) != nil {
			return bad("an address must be https, or http on a loopback address, without fragment")
		}
	}
	if m.BackchannelLogoutURI != "" && !sharesHost(m.BackchannelLogoutURI, m.RedirectURIs) {
		return bad("backchannel_logout_uri must be on the host of a redirect URI")
	}
	if m.FrontchannelLogoutURI != "" && idp.ValidFrontchannelURI(m.FrontchannelLogoutURI, m.RedirectURIs) != nil {
		return bad("frontchannel_logout_uri must have the scheme, host and port of a redirect URI, no fragment, and no iss or sid of its own")
	}
	if m.IDTokenAlg != "" && !has(o.Ring.Algs(), m.IDTokenAlg) {
		return bad("id_token_signed_response_alg is not supported")
	}
	if c.IntrospectionAlg = m.InspectAlg; m.InspectAlg != "" && !has(o.Ring.Algs(), m.InspectAlg) {
		return bad("introspection_signed_response_alg is not supported")
	}
	c.RedirectURIs, c.PostLogoutURIs, c.LogoutURIs, c.IDTokenAlg = m.RedirectURIs, m.PostLogoutURIs, m.LogoutURIs, m.IDTokenAlg
	c.BackchannelLogoutURI, c.BackchannelLogoutSessionRequired = m.BackchannelLogoutURI, m.BackchannelLogoutSessionRequired
	c.FrontchannelLogoutURI, c.FrontchannelLogoutSessionRequired = m.FrontchannelLogoutURI, m.FrontchannelLogoutSessionRequired
	c.URI, c.LogoURI, c.Policy, c.Terms = m.ClientURI, m.LogoURI, m.PolicyURI, m.TermsURI
	c.Audiences = append([]string{o.Tokens.URL}, o.Resources...)
	if len(m.Resources) > 0 {
		c.Audiences = nil
		for _, r := range m.Resources {
			if !has(o.Resources, r) && r != o.Tokens.URL {
				return bad("resource names an API that is not open to registration")
			}
			c.Audiences = append(c.Audiences, r)
		}
	}
	c.Scopes = o.open(c.Scopes, m.Scope)
	return nil
}

// open gives the scopes of a client that registers itself: of those it asks for the ones that are open to everybody, that the
// operator opened to registration, or that it was given before. The answer says which (RFC 7591 section 3.2.1): a scope is
// a right at somebody's API, and nobody takes one by asking.
func (o *OAuth) open(had []string, asked string) []string {
	if asked == "" {
		return []string{scopeOpenID, "profile", "email"}
	}
	var out []string
	for _, s := range strings.Fields(asked) {
		opened := has(o.Scopes, s) && !idp.Power(s)
		may := has([]string{scopeOpenID, "profile", "email", scopeOffline}, s) || opened || has(had, s)
		if may && !has(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func sharesHost(uri string, others []string) bool {
	u, err := url.Parse(uri)
	for _, o := range others {
		if p, err2 := url.Parse(o); err == nil && err2 == nil && p.Hostname() == u.Hostname() {
			return true
		}
	}
	return false
}

// managed finds the client whose registration access token the request bears (RFC 7592 section 2). Whatever is wrong is 401.
func (o *OAuth) managed(w http.ResponseWriter, r *http.Request) (c idp.Client, ok bool) {
	given := idp.HashOf(edge.Bearer(r))
	err := o.Store.View(r.Context(), func(v idp.View) (err error) {
		if c, err = v.Client(idp.ClientID(r.PathValue("client"))); err != nil {
			return err
		}
		return idp.Live(v, c.RegistrationBorn.Names()...)
	})
	if err != nil && !errors.Is(err, idp.ErrNotFound) && !errors.Is(err, idp.ErrEnded) {
		edge.Fail(w, r, err)
		return c, false
	}
	if err != nil || c.Disabled || c.Registration.IsZero() || subtle.ConstantTimeCompare(given[:], c.Registration[:]) != 1 {
		edge.TokenError(w, http.StatusUnauthorized, "invalid_token", "The registration access token is not valid")
		return c, false
	}
	return c, true
}

func (o *OAuth) registered(w http.ResponseWriter, r *http.Request) {
	if c, ok := o.managed(w, r); ok {
		edge.JSON(w, http.StatusOK, o.inform(&c, "", ""))
	}
}

func (o *OAuth) reregister(w http.ResponseWriter, r *http.Request) {
	c, ok := o.managed(w, r)
	if !ok {
		return
	}
	var in struct {
		ClientID idp.ClientID `json:"client_id"`
		metadata
	}
	if err := edge.DecodeJSON(w, r, &in); err != nil {
		edge.Fail(w, r, err)
		return
	}
	if in.ClientID != c.ID {
		o.fail(w, r, refuse("invalid_request", "client_id must be the client's own (RFC 7592 section 2.2)"))
		return
	}
	// R: half-finished things too. The right to write is asked again where it is written: a registration token that has ended
	// meanwhile must not move a redirect URI, and what an operator has set meanwhile stays.
	err := o.Store.Update(r.Context(), func(tx idp.Tx) error {
		if err := tx.LockClient(c.ID, idp.Exclusive); err != nil {
			return err
		}
		row, err := tx.Client(c.ID)
		if err != nil {
			return err
		}
		if row.Registration != c.Registration {
			return idp.ErrEnded
		}
		if err := idp.Live(tx, row.RegistrationBorn.Names()...); err != nil {
			return err
		}
		confidential := row.Confidential()
		if err := o.fill(&row, &in.metadata); err != nil {
			return err
		}
		if row.Confidential() != confidential {
			return refuse("invalid_client_metadata", "a client cannot change between public and confidential")
		}
		c = row
		return tx.UpdateClient(row)
	})
	if errors.Is(err, idp.ErrEnded) || errors.Is(err, idp.ErrNotFound) {
		edge.TokenError(w, http.StatusUnauthorized, "invalid_token", "The registration access token is not valid")
		return
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	edge.JSON(w, http.StatusOK, o.inform(&c, "", ""))
}

func (o *OAuth) unregister(w http.ResponseWriter, r *http.Request) {
	c, ok := o.managed(w, r)
	if !ok {
		return
	}
	cause := idp.Cause{Kind: idp.CauseClientEnded, Actor: idp.ActorClient(c.ID)}
	if _, err := o.Door.End(r.Context(), idp.EndClient(c.ID, true), cause); err != nil {
		o.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
