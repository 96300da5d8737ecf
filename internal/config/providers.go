package config

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/provider"
	"go.yaml.in/yaml/v4"
)

// Provider is a provider that people may sign in through.
type Provider struct {
	ID       string // in addresses and in the database; it must not change
	Kind     string // as the file has it
	Provider provider.Provider
	SignUp   bool // strangers may make an account here through it
	TrustMFA bool // no second factor is asked for here: the provider asks for its own
	// FrontChannel takes the provider's sign-out from a frame in a browser, which bears no signature.
	FrontChannel bool
}

var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// given is what the file says of one provider.
type given struct {
	id, kind, issuer, base, domain, tenant, realm, region, pool string
	clientID, secret, label, team, keyID, keyFile, subject      string
	scopes, hosts                                               []string
	anyType                                                     bool
	endpoints                                                   provider.Endpoints
	out                                                         Provider
}

// kind makes a provider of a kind. needs are the keys without which it cannot be made, may those that it takes besides.
type kind struct {
	name  string
	needs []string
	may   []string
	make  func(r *reader, key string, n *yaml.Node, g *given) provider.Provider
}

func kinds() []kind {
	plain := func(f func(id, secret string) provider.Provider) func(*reader, string, *yaml.Node, *given) provider.Provider {
		return func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider { return f(g.clientID, g.secret) }
	}
	return []kind{
		{"oidc", []string{"issuer", "client_id"}, []string{"secret", "endpoints"}, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.OIDC(g.issuer, g.clientID, g.secret)
		}},
		{"oauth", []string{"client_id", "endpoints", "subject"}, []string{"secret"}, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.OAuth(g.id, g.clientID, g.secret, g.endpoints, g.subject)
		}},
		{"google", []string{"client_id", "secret"}, nil, plain(provider.Google)},
		{"facebook", []string{"client_id", "secret"}, nil, plain(provider.Facebook)},
		{"github", []string{"client_id", "secret"}, nil, plain(provider.GitHub)},
		{"discord", []string{"client_id", "secret"}, nil, plain(provider.Discord)},
		{"twitch", []string{"client_id", "secret"}, nil, plain(provider.Twitch)},
		{"slack", []string{"client_id", "secret"}, nil, plain(provider.Slack)},
		{"gitlab", []string{"base", "client_id", "secret"}, nil, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.GitLab(g.base, g.clientID, g.secret)
		}},
		{"microsoft", []string{"tenant", "client_id", "secret"}, nil, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.Microsoft(g.tenant, g.clientID, g.secret)
		}},
		{"auth0", []string{"domain", "client_id", "secret"}, nil, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.Auth0(g.domain, g.clientID, g.secret)
		}},
		{"okta", []string{"issuer", "client_id", "secret"}, nil, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.Okta(g.issuer, g.clientID, g.secret)
		}},
		{"keycloak", []string{"base", "realm", "client_id"}, []string{"secret"}, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.Keycloak(g.base, g.realm, g.clientID, g.secret)
		}},
		{"cognito", []string{"region", "pool", "domain", "client_id"}, []string{"secret"}, func(_ *reader, _ string, _ *yaml.Node, g *given) provider.Provider {
			return provider.Cognito(g.region, g.pool, g.domain, g.clientID, g.secret)
		}},
		{"apple", []string{"team", "key_id", "key_file", "client_id"}, nil, (*reader).apple},
	}
}

func (r *reader) apple(key string, n *yaml.Node, g *given) provider.Provider {
	text, err := os.ReadFile(r.path(g.keyFile))
	block, _ := pem.Decode(text)
	var signer crypto.Signer
	if err == nil && block != nil {
		if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			signer, _ = parsed.(crypto.Signer)
		}
	}
	if signer != nil {
		if p, err := provider.Apple(g.team, g.keyID, g.clientID, signer); err == nil {
			return p
		}
	}
	r.wrong(n.Line, key+".key_file", g.keyFile+" holds no key of Apple's", "write where the file AuthKey_….p8 lies that Apple's developer pages gave you")
	return provider.Provider{}
}

// secretOf reads a secret from where one may be.
func (r *reader) secretOf(key string, n *yaml.Node, to *string) {
	var file, env string
	if n.Kind != yaml.MappingNode {
		r.wrong(n.Line, key, "a secret is not written here", "write file: PATH or env: NAME")
		return
	}
	r.mapping(key, n, []field{{"file", r.into(&file)}, {"env", r.into(&env)}})
	switch {
	case (file == "") == (env == ""):
		r.wrong(n.Line, key, "a secret has one source", "write one of file and env")
		return
	case file != "":
		text, err := os.ReadFile(r.path(file))
		if *to = strings.TrimSpace(string(text)); err != nil || *to == "" {
			r.wrong(n.Line, key, "the file "+file+" cannot be read, or is empty", "put the secret into it, readable by the server only")
		}
	default:
		*to = os.Getenv(env)
		if *to == "" && r.beside {
			*to = "not known to commands"
		}
		if *to == "" {
			r.wrong(n.Line, key, "the environment has no "+env, "set it to the secret before you start the server")
		}
	}
}

// provider reads one of the list.
func (r *reader) provider(key string, n *yaml.Node, to *[]Provider) {
	var g given
	before := len(r.problems)
	texts := func(to *[]string) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) {
			r.list(key, n, func(n *yaml.Node) {
				if text, ok := r.text(key, n); ok {
					*to = append(*to, text)
				}
			})
		}
	}
	e := &g.endpoints
	r.mapping(key, n, []field{
		{"id", r.into(&g.id)}, {"kind", r.into(&g.kind)}, {"label", r.into(&g.label)}, {"issuer", r.into(&g.issuer)}, {"tenant", r.into(&g.tenant)},
		{"base", r.into(&g.base)}, {"domain", r.into(&g.domain)}, {"realm", r.into(&g.realm)}, {"region", r.into(&g.region)}, {"pool", r.into(&g.pool)},
		{"client_id", r.into(&g.clientID)}, {"secret", func(key string, n *yaml.Node) { r.secretOf(key, n, &g.secret) }},
		{"team", r.into(&g.team)}, {"key_id", r.into(&g.keyID)}, {"key_file", r.into(&g.keyFile)},
		{"any_logout_type", func(key string, n *yaml.Node) { r.truth(key, n, &g.anyType) }},
		{"scopes", texts(&g.scopes)}, {"hosts", texts(&g.hosts)}, {"subject", r.into(&g.subject)},
		{"endpoints", func(key string, n *yaml.Node) {
			r.mapping(key, n, []field{{"authorize", r.into(&e.Authorize)}, {"token", r.into(&e.Token)}, {"profile", r.into(&e.Profile)}, {"end_session", r.into(&e.EndSession)}, {"revoke", r.into(&e.Revoke)}})
		}},
		{"sign_up", func(key string, n *yaml.Node) { r.truth(key, n, &g.out.SignUp) }},
		{"trust_mfa", func(key string, n *yaml.Node) { r.truth(key, n, &g.out.TrustMFA) }},
		{"front_channel", func(key string, n *yaml.Node) { r.truth(key, n, &g.out.FrontChannel) }},
	})
	if len(r.problems) > before {
		return
	}
	if !providerID.MatchString(g.id) {
		r.wrong(n.Line, key+".id", strconv.Quote(g.id)+" cannot be a provider's id", "write up to 40 lower-case letters, digits and dashes, for example google; it must not change later")
		return
	}
	if slices.Contains([]string{"forgot", "lock", "locked", "passkey", "reset"}, g.id) {
		r.wrong(n.Line, key+".id", "a page of ours has the address /login/"+g.id, "choose another id")
		return
	}
	if slices.ContainsFunc(*to, func(p Provider) bool { return p.ID == g.id }) {
		r.wrong(n.Line, key+".id", "two providers have the id "+g.id, "give each its own")
		return
	}
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == g.kind })
	if i < 0 {
		names := make([]string, len(all))
		for i, k := range all {
			names[i] = k.name
		}
		r.wrong(n.Line, key+".kind", strconv.Quote(g.kind)+" is no kind of provider", "known are "+strings.Join(names, ", ")+"; any OpenID Provider is oidc, and what speaks OAuth 2.0 only is oauth")
		return
	}
	has := map[string]bool{"issuer": g.issuer != "", "tenant": g.tenant != "", "base": g.base != "", "domain": g.domain != "", "realm": g.realm != "", "region": g.region != "", "pool": g.pool != "",
		"client_id": g.clientID != "", "secret": g.secret != "", "endpoints": *e != provider.Endpoints{},
		"subject": g.subject != "", "team": g.team != "", "key_id": g.keyID != "", "key_file": g.keyFile != ""}
	for _, need := range all[i].needs {
		if !has[need] {
			r.wrong(n.Line, key+"."+need, "it is missing for "+g.id, "write it; docs/providers.md says what "+g.kind+" means by it")
		}
	}
	for _, k := range slices.Sorted(maps.Keys(has)) {
		if has[k] && !slices.Contains(all[i].needs, k) && !slices.Contains(all[i].may, k) {
			r.wrong(n.Line, key+"."+k, g.kind+" knows no "+k+", so that it would say nothing for "+g.id, "leave it out; a provider of your own is oidc or oauth")
		}
	}
	if len(r.problems) > before {
		return
	}
	p := all[i].make(r, key, n, &g)
	if len(r.problems) > before {
		return
	}
	if g.scopes != nil {
		p.Scopes = g.scopes
	}
	if g.label != "" {
		p.Title = g.label
	} else if g.kind == "oidc" {
		p.Title = g.id
	}
	p.AnyLogoutType = p.AnyLogoutType || g.anyType
	p.Hosts = append(p.Hosts, g.hosts...)
	if g.kind == "oidc" && *e != (provider.Endpoints{}) {
		p.Endpoints = *e
	}
	switch err := p.Check(); {
	case err != nil:
		r.wrong(n.Line, key, g.id+": "+strings.TrimPrefix(err.Error(), "provider: "), "write absolute addresses with https (http on this machine only)")
		return
	case p.OIDC() && !slices.Contains(p.Scopes, "openid"):
		r.wrong(n.Line, key+".scopes", "without openid "+g.id+" gives no ID token", "add openid")
		return
	}
	g.out.ID, g.out.Kind, g.out.Provider = g.id, g.kind, p
	r.lines[key+"."+g.id] = n.Line
	*to = append(*to, g.out)
}
