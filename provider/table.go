package provider

import "net/url"

// OIDC is any OpenID Provider: Exeunt, Keycloak, Auth0, Okta, and so on. What it offers is discovered.
// Its title is the issuer's host, until you write a better one.
func OIDC(issuer, id, secret string) Provider {
	title := issuer
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		title = u.Host
	}
	return Provider{
		Title: title, Source: "https://openid.net/specs/openid-connect-core-1_0.html", Issuer: issuer, ClientID: id, Secret: Constant(secret),
		Scopes: []string{"openid", "profile", "email"},
		Ask:    map[string]string{"prompt": "login"},
		Revocation: Revocation{
			Method: "POST", Auth: AuthClient, Body: BodyForm, Source: "https://www.rfc-editor.org/rfc/rfc7009",
		},
		SignOut: SignOut{Offered: true, Source: "https://openid.net/specs/openid-connect-rpinitiated-1_0.html"},
	}
}

// OAuth is any OAuth 2.0 provider, with a profile call that names the person by the member subject.
func OAuth(title, id, secret string, e Endpoints, subject string) Provider {
	p := Provider{
		Title: title, Source: "https://www.rfc-editor.org/rfc/rfc6749", ClientID: id, Secret: Constant(secret), Endpoints: e,
		Profile: Profile{Subject: subject, Name: "name"},
	}
	if e.Revoke != "" {
		p.Revocation = Revocation{Method: "POST", Auth: AuthClient, Body: BodyForm, Source: "https://www.rfc-editor.org/rfc/rfc7009"}
	}
	p.SignOut.Offered = e.EndSession != ""
	return p
}

// Google signs in by OpenID Connect. Its revocation takes the token alone and takes back the whole consent; it has no
// sign-out for websites.
func Google(id, secret string) Provider {
	p := OIDC("https://accounts.google.com", id, secret)
	p.Title, p.Source = "Google", "https://developers.google.com/identity/openid-connect/openid-connect"
	p.Ask = map[string]string{"prompt": "select_account"}
	p.Endpoints.Revoke = "https://oauth2.googleapis.com/revoke"
	p.Revocation = Revocation{
		Method: "POST", Auth: AuthNone, Body: BodyToken, Whole: true, Gone: []Gone{{Status: 400, Error: "invalid_token"}},
		ByHand: "https://myaccount.google.com/connections",
		Source: "https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke",
	}
	p.SignOut = SignOut{ByHand: "https://accounts.google.com/Logout"}
	return p
}

// Facebook has OAuth 2.0 with a profile call. Its revocation names the person and needs the app's own token, so that it
// works after the person's token has run out.
func Facebook(id, secret string) Provider {
	return Provider{
		Title: "Facebook", Source: "https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow", ClientID: id, Secret: Constant(secret), SecretInBody: true,
		Scopes: []string{"public_profile", "email"},
		Ask:    map[string]string{"auth_type": "reauthenticate"},
		Endpoints: Endpoints{
			Authorize: "https://www.facebook.com/v21.0/dialog/oauth",
			Token:     "https://graph.facebook.com/v21.0/oauth/access_token",
			Profile:   "https://graph.facebook.com/v21.0/me?fields=id,name,email",
			Revoke:    "https://graph.facebook.com/v21.0/{user}/permissions",
		},
		Profile: Profile{Subject: "id", Name: "name"},
		Revocation: Revocation{
			// Error 190 subcode 458: the person has removed the app already.
			Method: "DELETE", Auth: AuthApp, Body: BodyNone, Whole: true, Success: "success", Gone: []Gone{{Status: 400, Code: 190, Subcode: 458}},
			ByHand: "https://www.facebook.com/settings?tab=applications",
			Source: "https://developers.facebook.com/docs/graph-api/reference/user/permissions",
		},
		SignOut: SignOut{ByHand: "https://www.facebook.com/"},
	}
}

// GitHub has OAuth 2.0 with a profile call. Deleting the grant ends all tokens of the app for that person.
func GitHub(id, secret string) Provider {
	return Provider{
		Title: "GitHub", Source: "https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps", ClientID: id, Secret: Constant(secret), SecretInBody: true,
		Scopes: []string{"read:user"},
		Ask:    map[string]string{"prompt": "select_account"},
		Endpoints: Endpoints{
			Authorize: "https://github.com/login/oauth/authorize",
			Token:     "https://github.com/login/oauth/access_token",
			Profile:   "https://api.github.com/user",
			Revoke:    "https://api.github.com/applications/{client_id}/grant",
		},
		Profile: Profile{Subject: "id", Name: "login"},
		Revocation: Revocation{
			Method: "DELETE", Auth: AuthBasic, Body: BodyJSON, Access: true, Whole: true, Accept: "application/vnd.github+json",
			Gone:   []Gone{{Status: 404}},
			ByHand: "https://github.com/settings/applications",
			Source: "https://docs.github.com/rest/apps/oauth-applications#delete-an-app-authorization",
		},
		SignOut: SignOut{ByHand: "https://github.com/logout"},
	}
}

// GitLab signs in by OpenID Connect; base is "https://gitlab.com" or an installation of one's own.
func GitLab(base, id, secret string) Provider {
	p := OIDC(base, id, secret)
	p.Title, p.Ask, p.Source, p.SecretInBody = "GitLab", nil, "https://docs.gitlab.com/integration/openid_connect_provider/", true
	p.Revocation.Body = BodyToken
	p.Revocation.Source = "https://docs.gitlab.com/api/oauth2/#revoke-a-token"
	p.Revocation.ByHand = base + "/-/user_settings/applications"
	p.SignOut = SignOut{ByHand: base + "/"}
	return p
}

// Microsoft signs in by OpenID Connect; tenant is a tenant's id, or "common", "organizations" or "consumers". There is no
// revocation for websites.
func Microsoft(tenant, id, secret string) Provider {
	p := OIDC("https://login.microsoftonline.com/"+tenant+"/v2.0", id, secret)
	p.Title, p.Source = "Microsoft", "https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc"
	if tenant == "common" || tenant == "organizations" || tenant == "consumers" {
		p.IssuerPattern = "https://login.microsoftonline.com/{tenantid}/v2.0"
	}
	p.Ask = map[string]string{"prompt": "select_account"}
	p.Revocation = Revocation{
		ByHand: "https://account.live.com/consent/Manage",
		Source: "https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc",
	}
	p.SignOut.Source = p.Source // "Send a sign-out request"
	return p
}
