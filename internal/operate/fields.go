package operate

import (
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// Fields are what somebody has written about an app, by the names of RFC 7591 and ours. What is not there stays as it is; no values
// empty a list, and a text or a switch that is there without a value is empty or off.
type Fields map[string][]string

// Has says that something was written.
func (f Fields) Has(name string) bool { _, ok := f[name]; return ok }

// Get is the text of a field; "" if there is none.
func (f Fields) Get(name string) string {
	if all := f[name]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// On says that a switch is on.
func (f Fields) On(name string) bool {
	switch f.Get(name) {
	case "", "false", "no":
		return false
	}
	return true
}

const mostURIs = 50

// NewClient makes an app out of fields; id and kind, which never change, are among them. Errors are of idp.Invalid, by field.
func NewClient(f Fields, algs []string) (c idp.Client, err error) {
	c = idp.Client{ID: idp.ClientID(f.Get("client_id")), Kind: idp.ClientKind(f.Get("kind")), AuthMethod: idp.AuthBasic}
	if err := idp.ValidClientID(string(c.ID)); err != nil {
		return c, about("client_id", err)
	}
	switch c.Kind {
	case idp.KindWeb:
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
	case idp.KindBrowser, idp.KindNative:
		c.AuthMethod, c.GrantTypes = idp.AuthNone, []string{"authorization_code", "refresh_token"}
	case idp.KindMachine:
		c.GrantTypes = []string{"client_credentials"}
	case idp.KindAPI:
	default:
		return c, idp.Invalid("kind", "A kind is web, browser, native, machine or api.")
	}
	rest := Fields{}
	for name, values := range f {
		if name != "client_id" && name != "kind" {
			rest[name] = values
		}
	}
	return c, rest.apply(&c, algs)
}

// about says of a field what was found wrong with its value.
func about(field string, err error) error {
	if i, ok := err.(*idp.InvalidError); ok {
		again := *i
		again.Field = field
		return &again
	}
	return err
}

// apply writes the fields into an app and checks all of it.
func (f Fields) apply(c *idp.Client, algs []string) error {
	texts := map[string]*string{
		"name": &c.Name, "token_endpoint_auth_method": &c.AuthMethod, "id_token_signed_response_alg": &c.IDTokenAlg, "introspection_signed_response_alg": &c.IntrospectionAlg,
		"backchannel_logout_uri": &c.BackchannelLogoutURI, "frontchannel_logout_uri": &c.FrontchannelLogoutURI,
		"client_uri": &c.URI, "logo_uri": &c.LogoURI, "policy_uri": &c.Policy, "tos_uri": &c.Terms,
	}
	lists := map[string]*[]string{
		"redirect_uris": &c.RedirectURIs, "post_logout_redirect_uris": &c.PostLogoutURIs, "logout_uris": &c.LogoutURIs, "scopes": &c.Scopes, "audiences": &c.Audiences,
	}
	switches := map[string]*bool{
		"first_party": &c.FirstParty, "offline": &c.Offline, "await_logout": &c.AwaitLogout, "backchannel_sid_only": &c.BackchannelSidOnly,
		"backchannel_logout_session_required": &c.BackchannelLogoutSessionRequired, "frontchannel_logout_session_required": &c.FrontchannelLogoutSessionRequired,
	}
	dpop, binds, life := string(c.DPoP), c.BindAddress.String(), c.AccessLife.String()
	texts["dpop"], texts["bind_address"], texts["access_token_life"] = &dpop, &binds, &life
	told, asked, method := c.BackchannelLogoutURI, c.FrontchannelLogoutURI, c.AuthMethod
	for name, values := range f {
		switch {
		case texts[name] != nil:
			if len(values) > 1 {
				return idp.Invalid(name, "There is one value of this only.")
			}
			*texts[name] = strings.TrimSpace(f.Get(name))
		case lists[name] != nil:
			if *lists[name] = clean(values); len(*lists[name]) > mostURIs {
				return idp.Invalid(name, "There are at most 50 of them.")
			}
		case switches[name] != nil:
			*switches[name] = f.On(name)
		default:
			return idp.Invalid(name, "An app has no such setting.")
		}
	}
	// Who is told of a sign-out learns of which one, unless somebody says otherwise.
	if c.BackchannelLogoutURI != told && !f.Has("backchannel_logout_session_required") {
		c.BackchannelLogoutSessionRequired = c.BackchannelLogoutURI != ""
	}
	if c.FrontchannelLogoutURI != asked && !f.Has("frontchannel_logout_session_required") {
		c.FrontchannelLogoutSessionRequired = c.FrontchannelLogoutURI != ""
	}
	if c.DPoP = idp.DPoP(dpop); dpop == "allowed" {
		c.DPoP = idp.DPoPAllowed
	}
	var err error
	if c.BindAddress, err = idp.ParseNetworks(binds); err != nil {
		return err
	}
	if c.AccessLife, err = accessLife(life); err != nil {
		return err
	}
	people := c.Kind == idp.KindWeb || c.Kind == idp.KindBrowser || c.Kind == idp.KindNative
	if method == idp.AuthNone {
		c.AuthMethod = idp.AuthNone // whatever was said: it cannot keep a secret
	}
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	if people && len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email"}
	}
	if people && c.Offline && !slices.Contains(c.Scopes, "offline_access") {
		c.Scopes = append(c.Scopes, "offline_access")
	}
	return check(c, people, method, algs)
}

// accessLife reads how long an app's access tokens live at most; "" is as long as the server's.
func accessLife(text string) (idp.Life, error) {
	if text == "" {
		return 0, nil
	}
	d, err := config.Duration(text)
	if err != nil || d < time.Second || d > config.LongestAccessLife {
		return 0, idp.Invalid("access_token_life", "The life of access tokens is a length of time such as 30s, 1m or 12h, from 1s to 24h.")
	}
	return idp.Life(d), nil
}

// clean leaves out spaces, empty values and repeats.
func clean(values []string) (out []string) {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func check(c *idp.Client, people bool, method string, algs []string) error {
	if err := idp.ValidAppName(c.Name); err != nil {
		return err
	}
	switch {
	case people && len(c.RedirectURIs) == 0:
		return idp.Invalid("redirect_uris", "An app that people sign in to needs an address to come back to.")
	case !people && len(c.RedirectURIs)+len(c.PostLogoutURIs)+len(c.LogoutURIs)+len(c.BackchannelLogoutURI)+len(c.FrontchannelLogoutURI) > 0:
		return idp.Invalid("kind", "People do not sign in to a machine or an API: it has no addresses.")
	case c.Kind == idp.KindAPI && len(c.Audiences) == 0:
		return idp.Invalid("audiences", "An API needs the name that tokens for it carry.")
	case c.Offline && (!people || c.Kind == idp.KindBrowser):
		return idp.Invalid("offline", "Only a website with a server or a native app may act while people are away.")
	case c.AuthMethod != idp.AuthNone && c.AuthMethod != idp.AuthBasic && c.AuthMethod != idp.AuthPost:
		return idp.Invalid("token_endpoint_auth_method", "An app shows its secret by client_secret_basic or client_secret_post.")
	case c.AuthMethod == idp.AuthNone && method != idp.AuthNone:
		return idp.Invalid("token_endpoint_auth_method", "An app that has a secret shows it.")
	case c.Kind == idp.KindAPI && c.AccessLife != 0:
		return idp.Invalid("access_token_life", "An API gets no tokens.")
	}
	if err := c.ValidBinding(); err != nil {
		return err
	}
	for _, a := range []struct{ name, alg string }{{"id_token_signed_response_alg", c.IDTokenAlg}, {"introspection_signed_response_alg", c.IntrospectionAlg}} {
		if a.alg != "" && !slices.Contains(algs, a.alg) {
			return idp.Invalid(a.name, "This server signs nothing by that algorithm.")
		}
	}
	for _, s := range c.Scopes {
		// RFC 6749 section 3.3.
		if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return idp.Invalid("scopes", "A scope has visible ASCII characters, without quotes and backslashes.")
		}
		if idp.Power(s) && c.Kind != idp.KindMachine {
			return idp.Invalid("scopes", "Only a machine may have a scope that reaches everybody, such as exeunt.admin.")
		}
	}
	for _, a := range c.Audiences {
		if len(a) > 2048 || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || idp.Unseen(r) }) {
			return idp.Invalid("audiences", "The name of an API has no spaces, and at most 2048 characters.")
		}
	}
	return checkURIs(c)
}

func checkURIs(c *idp.Client) error {
	for _, l := range []struct {
		name string
		uris []string
	}{{"redirect_uris", c.RedirectURIs}, {"post_logout_redirect_uris", c.PostLogoutURIs}, {"logout_uris", c.LogoutURIs}} {
		for _, uri := range l.uris {
			if err := idp.ValidRedirectURI(uri, c.Kind); err != nil {
				return about(l.name, err)
			}
		}
	}
	for _, l := range []struct{ name, uri string }{{"client_uri", c.URI}, {"logo_uri", c.LogoURI}, {"policy_uri", c.Policy}, {"tos_uri", c.Terms}} {
		if l.uri != "" && idp.ValidRedirectURI(l.uri, idp.KindWeb) != nil {
			return idp.Invalid(l.name, "An address must be https, or http on a loopback address, without fragment.")
		}
	}
	switch {
	case c.BackchannelLogoutURI != "":
		if err := idp.ValidBackchannelURI(c.BackchannelLogoutURI); err != nil {
			return err
		}
	case c.AwaitLogout:
		return idp.Invalid("await_logout", "An app that is not told cannot be waited for.")
	case c.BackchannelSidOnly:
		return idp.Invalid("backchannel_sid_only", "An app that is not told is told of nobody.")
	}
	if c.FrontchannelLogoutURI != "" {
		return idp.ValidFrontchannelURI(c.FrontchannelLogoutURI, c.RedirectURIs)
	}
	return nil
}
