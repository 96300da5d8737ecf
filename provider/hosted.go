package provider

import "strings"

// Discord has OAuth 2.0 with a profile call. Revoking one token ends all of that authorization.
func Discord(id, secret string) Provider {
	p := OAuth("Discord", id, secret, Endpoints{
		Authorize: "https://discord.com/oauth2/authorize",
		Token:     "https://discord.com/api/oauth2/token",
		Profile:   "https://discord.com/api/users/@me",
		Revoke:    "https://discord.com/api/oauth2/token/revoke",
	}, "id")
	p.Source = "https://discord.com/developers/docs/topics/oauth2#authorization-code-grant"
	p.Scopes = []string{"identify"}
	p.Ask = map[string]string{"prompt": "consent"}
	p.Profile.Name = "username"
	p.Revocation.Whole = true
	p.Revocation.ByHand = "https://discord.com/channels/@me"
	p.Revocation.Source = "https://discord.com/developers/docs/topics/oauth2#authorization-code-grant-token-revocation-example"
	p.SignOut = SignOut{ByHand: "https://discord.com/channels/@me"}
	return p
}

// Twitch signs in by OpenID Connect. Its revocation wants the access token and the client's id; "Invalid token" says that the token
// is good for nothing any more.
func Twitch(id, secret string) Provider {
	p := OIDC("https://id.twitch.tv/oauth2", id, secret)
	p.Title, p.SecretInBody = "Twitch", true
	p.Source = "https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/"
	p.Scopes = []string{"openid"}
	p.Ask = map[string]string{"force_verify": "true"}
	p.Endpoints.Revoke = "https://id.twitch.tv/oauth2/revoke"
	p.Revocation = Revocation{
		Method: "POST", Auth: AuthID, Body: BodyToken, Access: true, Gone: []Gone{{Status: 400, Message: "Invalid token"}},
		ByHand: "https://www.twitch.tv/settings/connections",
		Source: "https://dev.twitch.tv/docs/authentication/revoke-tokens",
	}
	p.SignOut = SignOut{ByHand: "https://www.twitch.tv/"}
	return p
}

// Slack signs in by OpenID Connect ("Sign in with Slack"). Its revocation is a call of its web API with the token itself, which answers
// 200 whatever came of it.
func Slack(id, secret string) Provider {
	p := OIDC("https://slack.com", id, secret)
	p.Title, p.Ask, p.Source = "Slack", nil, "https://docs.slack.dev/authentication/sign-in-with-slack/"
	p.Endpoints.Revoke = "https://slack.com/api/auth.revoke"
	p.Revocation = Revocation{
		Method: "GET", Auth: AuthToken, Body: BodyNone, Access: true, Success: "revoked",
		Gone:   []Gone{{Status: 200, Error: "token_revoked"}, {Status: 200, Error: "account_inactive"}},
		ByHand: "https://slack.com/apps/manage",
		Source: "https://docs.slack.dev/reference/methods/auth.revoke",
	}
	p.SignOut = SignOut{ByHand: "https://slack.com/"}
	return p
}

// Auth0 signs in by OpenID Connect; domain is the tenant's, such as "example.eu.auth0.com". Its revocation takes refresh tokens; its
// sign-out is in the discovery document if the tenant's setting for that is on, as it is in tenants made since November 2023.
func Auth0(domain, id, secret string) Provider {
	p := OIDC("https://"+domain+"/", id, secret)
	p.Title, p.Source, p.SecretInBody = "Auth0", "https://auth0.com/docs/authenticate/protocols/openid-connect-protocol", true
	p.Revocation.Body = BodyToken
	p.Endpoints.Revoke = "https://" + domain + "/oauth/revoke"
	p.Revocation.Source = "https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens"
	p.SignOut.Source = "https://auth0.com/docs/authenticate/login/logout/log-users-out-of-auth0"
	return p
}

// Okta signs in by OpenID Connect; issuer is an authorization server's, such as "https://example.okta.com/oauth2/default".
func Okta(issuer, id, secret string) Provider {
	p := OIDC(issuer, id, secret)
	p.Title, p.Source = "Okta", "https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/orgas"
	p.SignOut.Source = "https://developer.okta.com/docs/guides/sign-users-out/"
	p.Revocation.Source = "https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/orgas/revoke"
	return p
}

// Keycloak signs in by OpenID Connect; base is the installation's address. Versions before 25 type their logout tokens "JWT": set
// AnyLogoutType for those.
func Keycloak(base, realm, id, secret string) Provider {
	p := OIDC(strings.TrimSuffix(base, "/")+"/realms/"+realm, id, secret)
	p.Title, p.Source = "Keycloak", "https://www.keycloak.org/securing-apps/oidc-layers"
	p.SignOut.Source = "https://www.keycloak.org/securing-apps/oidc-layers#_logout_endpoint"
	p.Revocation.ByHand = p.Issuer + "/account/applications"
	p.Revocation.Source = "https://www.keycloak.org/securing-apps/oidc-layers#_token_revocation_endpoint"
	return p
}

// Cognito signs in by OpenID Connect to a user pool; domain is the pool's own or hosted one, such as
// "example.auth.eu-central-1.amazoncognito.com". Its revocation takes refresh tokens, and its sign-out has a parameter of its own.
func Cognito(region, pool, domain, id, secret string) Provider {
	p := OIDC("https://cognito-idp."+region+".amazonaws.com/"+pool, id, secret)
	p.Title, p.Source = "Cognito", "https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html"
	p.Endpoints.Revoke = "https://" + domain + "/oauth2/revoke"
	p.Endpoints.EndSession = "https://" + domain + "/logout"
	p.Revocation.Body = BodyToken
	p.Revocation.Source = "https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html"
	p.SignOut = SignOut{Offered: true, Return: "logout_uri", Source: "https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html"}
	p.Hosts = []string{domain}
	return p
}
