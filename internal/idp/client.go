package idp

import (
	"crypto/subtle"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ClientID names an app.
type ClientID string

// ClientKind says how an app keeps its tokens and whether it can keep a secret.
type ClientKind string

// Kinds of client.
const (
	KindWeb     ClientKind = "web"     // server-side website, confidential
	KindBrowser ClientKind = "browser" // single-page app, public, never gets offline access
	KindNative  ClientKind = "native"  // mobile or desktop, public
	KindMachine ClientKind = "machine" // client credentials only, confidential
	KindAPI     ClientKind = "api"     // resource server: introspects, follows the ledger; confidential
)

// Methods of client authentication (RFC 7591 section 2).
const (
	AuthNone  = "none"
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
)

// ScopeSignOut lets a person's token sign the person out everywhere, and see where they are signed in.
const ScopeSignOut = "account.signout"

// Powers are scopes of machines, in tokens that say nothing else and are for this server only. An operator gives them, and no app
// gets one by asking.
const (
	ScopeGlobalRevocation = "global_token_revocation" // sign anybody out
	ScopeAdmin            = "exeunt.admin"            // what operators may
)

// Power says whether a scope is one of the powers.
func Power(scope string) bool { return scope == ScopeGlobalRevocation || scope == ScopeAdmin }

// Client is an app or an API.
type Client struct {
	ID         ClientID   `json:"id"`
	Kind       ClientKind `json:"kind"`
	Name       string     `json:"name"`
	Secret     Hash       `json:"-"` // SHA-256 of a generated secret; zero for public clients
	AuthMethod string     `json:"auth_method"`
	Disabled   bool       `json:"-"`                 // has no epoch
	Deleted    bool       `json:"deleted,omitempty"` // for good: disabled, and the id is never given again

	// The secret before this one, good until a time: its app is being given the new one. Zero: there is none.
	OldSecret      Hash `json:"-"`
	OldSecretUntil Time `json:"-"`

	RedirectURIs   []string `json:"redirect_uris,omitempty"`
	PostLogoutURIs []string `json:"post_logout_redirect_uris,omitempty"`
	LogoutURIs     []string `json:"logout_uris,omitempty"` // for logout_uri: leave this app only
	GrantTypes     []string `json:"grant_types,omitempty"`
	Scopes         []string `json:"scopes,omitempty"`    // what it may ask for
	Audiences      []string `json:"audiences,omitempty"` // web, browser, native, machine: resources it may name, the first ones are its default; api: what it is

	FirstParty bool `json:"first_party,omitempty"` // no consent page
	Offline    bool `json:"offline,omitempty"`     // may be granted offline_access

	DPoP        DPoP     `json:"dpop,omitempty"`
	BindAddress Networks `json:"bind_address,omitzero"` // of whoever redeems its codes; of a browser app also of who was sent here
	IDTokenAlg  string   `json:"id_token_signed_response_alg,omitempty"`
	// IntrospectionAlg is that of signed introspection answers to this caller (RFC 9701 section 6); "": the server's default.
	IntrospectionAlg string `json:"introspection_signed_response_alg,omitempty"`

	BackchannelLogoutURI              string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `json:"backchannel_logout_session_required,omitempty"`
	BackchannelSidOnly                bool   `json:"backchannel_sid_only,omitempty"` // its logout tokens have no sub: it would end all sessions of the person by it
	AwaitLogout                       bool   `json:"await_logout,omitempty"`         // a browser that signs out waits for it, for a moment
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"`

	URI     string `json:"client_uri,omitempty"`
	LogoURI string `json:"logo_uri,omitempty"`
	Policy  string `json:"policy_uri,omitempty"`
	Terms   string `json:"tos_uri,omitempty"`

	Registration     Hash   `json:"-"`                          // SHA-256 of its registration access token (RFC 7592); zero: made by an operator
	RegistrationBorn Epochs `json:"registration_born,omitzero"` // realm and client epoch that the registration access token hangs on
	CreatedAt        Time   `json:"-"`
	AccessLife       Life   `json:"access_token_life,omitzero"` // at most; zero: the server's default
}

// Life is a length of time, as text 1m or 1h30m; zero is no text.
type Life time.Duration

func (l Life) String() string {
	if l == 0 {
		return ""
	}
	text := time.Duration(l).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText is String.
func (l Life) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Life) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*l = Life(d)
	return err
}

// Confidential clients authenticate at the token endpoint.
func (c *Client) Confidential() bool { return c.AuthMethod != AuthNone }

// Knows compares a secret with the client's, in constant time. now decides whether the one before the last still counts.
func (c *Client) Knows(secret string, now Time) bool {
	given := HashOf(secret) // also where there is none, which is compared with the zero hash
	first := subtle.ConstantTimeCompare(given[:], c.Secret[:]) == 1 && !c.Secret.IsZero()
	second := subtle.ConstantTimeCompare(given[:], c.OldSecret[:]) == 1 && !c.OldSecret.IsZero() && now < c.OldSecretUntil
	return first || second
}

// May says whether the client registered a grant type.
func (c *Client) May(grantType string) bool { return slices.Contains(c.GrantTypes, grantType) }

// MayWield says whether the client may ask for a power.
func (c *Client) MayWield(power string) bool {
	return c.Kind == KindMachine && c.Confidential() && slices.Contains(c.Scopes, power)
}

// MatchURI is the one place that compares a given URI with registered ones: exactly, octet by octet (RFC 9700
// section 2.1). loopback allows a native client's http loopback redirect any port (RFC 8252 section 7.3).
func MatchURI(registered []string, given string, loopback bool) bool {
	if given == "" {
		return false
	}
	if slices.Contains(registered, given) {
		return true
	}
	if !loopback {
		return false
	}
	g, err := url.Parse(given)
	if err != nil || g.Scheme != "http" || !loopbackIP(g.Hostname()) {
		return false
	}
	for _, r := range registered {
		u, err := url.Parse(r)
		if err == nil && u.Scheme == "http" && u.Hostname() == g.Hostname() && strings.Replace(given, g.Host, u.Host, 1) == r {
			return true
		}
	}
	return false
}

func loopbackIP(host string) bool { return host == "127.0.0.1" || host == "::1" }

// RedirectAllowed says whether a redirect URI of an authorization request is registered for this client.
func (c *Client) RedirectAllowed(uri string) bool {
	return MatchURI(c.RedirectURIs, uri, c.Kind == KindNative)
}

// HasOrigin says whether an origin (scheme://host[:port]) belongs to the client: it is the origin of one of its https or
// loopback redirect URIs. Used for CORS and for the origin proof of an app's sign-out.
func (c *Client) HasOrigin(origin string) bool {
	for _, r := range c.RedirectURIs {
		if o := OriginOf(r); o != "" && o == origin {
			return true
		}
	}
	return false
}

// OriginOf returns the origin of an https URI or of an http URI on a loopback host, else "".
func OriginOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.User != nil {
		return ""
	}
	if u.Scheme == "https" || (u.Scheme == "http" && LoopbackHost(u.Hostname())) {
		return u.Scheme + "://" + strings.ToLower(u.Host)
	}
	return ""
}

// LoopbackHost says whether a host name or address means this machine only.
func LoopbackHost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || isIPv4Loopback(host)
}

// notInURI are characters that no address has (RFC 3986: what is not ASCII is encoded), and *, which some take for any.
func notInURI(r rune) bool { return r <= ' ' || r > '~' || r == '*' || r == '\\' }

// ValidAppName refuses a name that people could not read as it is written.
func ValidAppName(name string) error {
	if utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, Unseen) {
		return Invalid("name", "A name has at most 100 characters, all of which can be seen.")
	}
	return nil
}

// ValidRedirectURI refuses what a browser must not be sent to: anything but https, http on a loopback address, and, for native
// clients, a private-use scheme with a dot in it (RFC 8252 section 7.1).
func ValidRedirectURI(uri string, kind ClientKind) error {
	bad := InvalidText("redirect_uri", uri, "%s must be https, or http on a loopback address, without fragment and user name.")
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() || !plainHost(u) || u.Fragment != "" || strings.Contains(uri, "#") || u.User != nil || len(uri) > 2048 || strings.ContainsFunc(uri, notInURI) {
		return bad
	}
	switch {
	case u.Scheme == "https" && u.Host != "":
		return nil
	case u.Scheme == "http" && LoopbackHost(u.Hostname()):
		return nil
	case kind == KindNative && strings.Contains(u.Scheme, "."):
		return nil
	}
	return bad
}

// ValidBackchannelURI refuses what logout tokens must not be sent to: anything but https, or http in a network that the operator
// allows, which is known when it is connected to. Fragments cannot be sent (Back-Channel Logout 1.0 section 2.2).
func ValidBackchannelURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || !plainHost(u) || strings.Contains(uri, "#") || u.User != nil || len(uri) > 2048 || strings.ContainsFunc(uri, notInURI) {
		return InvalidText("backchannel_logout_uri", uri, "%s must be https, or http in a network of yours, without fragment and user name.")
	}
	return nil
}

// ValidFrontchannelURI refuses what a browser that signs out must not be shown in a frame: anything but an address with scheme, host and
// port of one of the app's redirect URIs, without fragment (Front-Channel Logout 1.0 section 2). iss and sid are added by this server:
// an address that has them already would say two things.
func ValidFrontchannelURI(uri string, redirects []string) error {
	bad := InvalidText("frontchannel_logout_uri", uri, "%s must have the scheme, host and port of a redirect URI, no fragment, and no iss or sid of its own.")
	u, err := url.Parse(uri)
	if err != nil || ValidRedirectURI(uri, KindWeb) != nil || u.Query().Has("iss") || u.Query().Has("sid") {
		return bad
	}
	for _, r := range redirects {
		if origin := OriginOf(uri); origin != "" && OriginOf(r) == origin {
			return nil
		}
	}
	return bad
}

// plainHost says that a host is one that browsers, resolvers and this program read alike: letters, digits, dots and dashes (an
// international name in its xn-- form), or an IPv6 address. It is written into Content-Security-Policy, where ; and , part things.
func plainHost(u *url.URL) bool {
	host := u.Hostname()
	if u.Scheme != "https" && u.Scheme != "http" {
		return true
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-'
	}
	return host != "" && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && !strings.Contains(host, "..") && !strings.ContainsFunc(host, odd)
}

// ValidClientID keeps client ids to 1 to 64 of A-Z a-z 0-9 . _ - and apart from account ids, which have 16 characters: a
// machine's token has its client id as `sub` (RFC 9068 section 5).
func ValidClientID(s string) error {
	ok := s != "" && len(s) <= 64 && len(s) != 16 && s[0] != '-' && strings.Trim(s, ".") != "" // it would be taken for a flag, or for a folder
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	if !ok {
		return Invalid("id", "A client id has 1 to 64 of A-Z a-z 0-9 . _ - but not exactly 16 characters, and no dash at its beginning.")
	}
	return nil
}
