package provider

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Provider is one upstream provider as one website uses it.
type Provider struct {
	Title  string // for people: "GitHub"
	Source string // where the provider documents its sign-in

	// Issuer is the OpenID Provider's issuer, from which all endpoints are discovered. Empty for plain OAuth 2.0.
	Issuer string
	// IssuerPattern replaces Issuer when ID tokens are compared, with {tenantid} standing for the claim tid (Microsoft's
	// endpoints for several tenants). Empty: the issuer is Issuer.
	IssuerPattern string

	ClientID string
	Secret   Secret
	// SecretInBody sends the client secret in the form and not as HTTP Basic (RFC 6749 section 2.3.1).
	SecretInBody bool

	Scopes    []string
	Authorize map[string]string // parameters added to every authorization request
	Ask       map[string]string // parameters that make the provider ask who, after an explicit sign-out; nil if it cannot

	Endpoints Endpoints // all of a plain provider; what is set here goes before what is discovered
	Profile   Profile   // how to read the profile of a plain provider

	Revocation Revocation
	SignOut    SignOut

	// AnyLogoutType accepts logout tokens whose typ is "JWT" or missing, which the specification allows (Back-Channel
	// Logout 1.0 section 2.4) and old providers send. By default typ must be logout+jwt, so that no other token of the
	// provider can be taken for one (section 4.1).
	AnyLogoutType bool

	// Hosts are hosts with private addresses that discovered endpoints may have beside the issuer's own.
	Hosts []string
}

// Secret gives the client secret of this moment; most are constant. nil for a public client.
type Secret func(now time.Time) (string, error)

// Constant is a secret that stays.
func Constant(secret string) Secret {
	return func(time.Time) (string, error) { return secret, nil }
}

// Endpoints are absolute URLs.
type Endpoints struct {
	Authorize, Token, Profile, EndSession string
	// Revoke may contain {client_id} and {user}.
	Revoke string
}

// At moves every endpoint that is set to another scheme and host, given as "https://host:port": a proxy, a self-hosted
// installation or a test on loopback.
func (e Endpoints) At(base string) Endpoints {
	move := func(s string) string {
		_, rest, ok := strings.Cut(s, "://")
		if !ok {
			return s
		}
		_, path, _ := strings.Cut(rest, "/")
		return strings.TrimSuffix(base, "/") + "/" + path
	}
	return Endpoints{Authorize: move(e.Authorize), Token: move(e.Token), Profile: move(e.Profile), EndSession: move(e.EndSession), Revoke: move(e.Revoke)}
}

// Profile names the members of a plain provider's profile.
type Profile struct {
	Subject string // the person's identifier there, never reused by the provider: a number or a string
	Name    string
}

// SignOut says whether people can be signed out at the provider itself.
type SignOut struct {
	Offered bool // an end_session_endpoint, discovered or in Endpoints
	// Return is the parameter for the address to come back to, where it is not that of RP-Initiated Logout 1.0; such an endpoint
	// knows neither hint nor state.
	Return string
	ByHand string // where the person does it, if there is none
	Source string // where the provider documents it, if not beside its sign-in
}

// OIDC reports whether the provider is an OpenID Provider.
func (p Provider) OIDC() bool { return p.Issuer != "" }

// Check says what is missing or unsafe.
func (p Provider) Check() error {
	if p.ClientID == "" {
		return errors.New("provider: no client id")
	}
	if !p.OIDC() && (p.Endpoints.Authorize == "" || p.Endpoints.Token == "" || p.Endpoints.Profile == "" || p.Profile.Subject == "") {
		return errors.New("provider: neither an issuer nor authorization, token and profile endpoints with a subject")
	}
	e := p.Endpoints
	for _, u := range []string{p.Issuer, e.Authorize, e.Token, e.Profile, e.EndSession, e.Revoke} {
		if u == "" {
			continue
		}
		if err := Safe(u); err != nil {
			return err
		}
	}
	return nil
}

// Safe accepts absolute https URLs, and http on loopback addresses, without user and fragment.
func Safe(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		if err == nil {
			address = u.Redacted()
		}
		return fmt.Errorf("provider: %q is not an absolute URL without user and fragment", address)
	}
	if u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("provider: %q is not https", address)
}

// Loopback reports whether a host is this machine by its spelling. Names other than localhost are not: whoever answers
// for a name decides where it points.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
