package provider

// Entry is a kind of provider as the table shows it.
type Entry struct {
	Kind     string // what configurations call it
	Provider Provider
	Takes    []string // what it is made of, besides client id and secret
}

// Known is the table of what each kind of provider can do, with stand-ins for what belongs to one website.
func Known() []Entry {
	const id, secret = "CLIENT_ID", "CLIENT_SECRET"
	return []Entry{
		{"google", Google(id, secret), nil},
		{"facebook", Facebook(id, secret), nil},
		{"github", GitHub(id, secret), nil},
		{"gitlab", GitLab("https://gitlab.com", id, secret), []string{"base"}},
		{"microsoft", Microsoft("common", id, secret), []string{"tenant"}},
		{"apple", apple(id), []string{"team", "key id", "key"}},
		{"discord", Discord(id, secret), nil},
		{"twitch", Twitch(id, secret), nil},
		{"slack", Slack(id, secret), nil},
		{"auth0", Auth0("DOMAIN", id, secret), []string{"domain"}},
		{"okta", Okta("https://DOMAIN/oauth2/default", id, secret), []string{"issuer"}},
		{"keycloak", Keycloak("https://HOST", "REALM", id, secret), []string{"base", "realm"}},
		{"cognito", Cognito("REGION", "POOL", "DOMAIN", id, secret), []string{"region", "pool", "domain"}},
		{"oidc", OIDC("https://ISSUER", id, secret), []string{"issuer"}},
		{"oauth", OAuth("OAUTH", id, secret, Endpoints{Authorize: "https://HOST/authorize", Token: "https://HOST/token", Profile: "https://HOST/me"}, "id"), []string{"title", "endpoints", "subject"}},
	}
}
