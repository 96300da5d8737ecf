package config

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Shared is a setting that all nodes of one database must have in common.
type Shared struct{ Key, Value string }

// Shared lists them, as this file would write them. One node with another issuer makes tokens that nobody takes; with another name of the
// session's cookie it does not see who wants to leave; with other lifetimes it keeps what the others end; with other networks, or a shorter time to
// try, it gives up what is owed; without a provider it does not hear its sign-outs, and where one is trusted with the second factor only there,
// one factor is two; with a shorter time to keep, it deletes what the others keep.
func (c *Config) Shared() []Shared {
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	out := []Shared{
		{"issuer", c.Issuer},
		{"cookies.session", or(c.Cookies.Session, "the default")},
		{"cookies.browser", or(c.Cookies.Browser, "the default")},
		{"cookies.csrf", or(c.Cookies.CSRF, "the default")},
		{"cookies.csrf_header", or(c.Cookies.Header, "the default")},
		{"signing_algs", strings.Join(c.Algs, ", ")},
		{"apps.try_for", written(c.TryFor)},
		{"apps.front_channel", strconv.FormatBool(c.FrontChannel)},
		{"lock.on_refresh_theft", strconv.FormatBool(c.Lock.OnTheft)},
	}
	for _, l := range lives(&c.Policy) {
		out = append(out, Shared{"lifetimes." + l.name, written(*l.to)})
	}
	keep := "forever"
	if c.AuditKeep > 0 {
		keep = written(c.AuditKeep)
	}
	nets := slices.SortedFunc(slices.Values(c.Outbound), netip.Prefix.Compare)
	networks := make([]string, len(nets))
	for i, n := range nets {
		networks[i] = n.String()
	}
	providers := make([]string, len(c.Providers))
	for i, p := range c.Providers {
		providers[i] = p.ID + " (" + p.Kind + ")"
		out = append(out, Shared{"providers." + p.ID, p.decides()})
	}
	slices.Sort(providers)
	return append(out, Shared{"audit.keep", keep},
		Shared{"apps.allow_networks", or(strings.Join(networks, ", "), "none")},
		Shared{"providers", or(strings.Join(providers, ", "), "none")})
}

const between = "; "

// decides is what of a provider decides who is let in, and who signs out: no secrets, nothing that is only shown or asked for, and nothing
// that its kind says by itself, which another release may say otherwise.
func (p *Provider) decides() string {
	var out []string
	say := func(key, value string) {
		if value != "" {
			out = append(out, key+" "+value)
		}
	}
	say("issuer", p.Provider.Issuer)
	say("client_id", p.Provider.ClientID)
	say("sign_up", strconv.FormatBool(p.SignUp))
	say("trust_mfa", strconv.FormatBool(p.TrustMFA))
	say("front_channel", strconv.FormatBool(p.FrontChannel))
	say("any_logout_type", strconv.FormatBool(p.Provider.AnyLogoutType))
	say("hosts", strings.Join(slices.Sorted(slices.Values(p.Provider.Hosts)), ", "))
	if p.Kind == "oauth" {
		say("subject", p.Provider.Profile.Subject)
	}
	if e := p.Provider.Endpoints; p.Kind == "oauth" || p.Kind == "oidc" {
		say("endpoints.authorize", e.Authorize)
		say("endpoints.token", e.Token)
		say("endpoints.profile", e.Profile)
		say("endpoints.end_session", e.EndSession)
		say("endpoints.revoke", e.Revoke)
	}
	return strings.Join(out, between)
}

// Apart is what differs of two values of one setting.
func Apart(a, b string) (string, string) {
	if !strings.Contains(a+b, between) {
		return a, b
	}
	of, other := strings.Split(a, between), strings.Split(b, between)
	return only(of, other), only(other, of)
}

// only are the parts that others have not, or not so.
func only(parts, others []string) string {
	var out []string
	for _, p := range parts {
		if !slices.Contains(others, p) {
			out = append(out, p)
		}
	}
	for _, o := range others {
		key, _, _ := strings.Cut(o, " ")
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, key+" ") }) {
			out = append(out, "no "+key)
		}
	}
	return strings.Join(out, between)
}

func written(d time.Duration) string {
	if d%time.Second != 0 {
		return d.String()
	}
	return short(d)
}
