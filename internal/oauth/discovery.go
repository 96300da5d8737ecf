package oauth

import (
	"net/http"

	"exeunt.dev/internal/dpop"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// maxAge of the documents, in seconds as a header: short, so that a killed key goes soon from caches, too.
const maxAge = "public, max-age=300"

// discovery is OpenID Connect Discovery section 3 and RFC 8414. What is not built is not advertised.
func (o *OAuth) discovery(w http.ResponseWriter, r *http.Request) {
	at := func(path string) string { return o.Tokens.URL + path }
	methods := []string{idp.AuthBasic, idp.AuthPost, idp.AuthNone}
	secret := methods[:2]
	doc := map[string]any{
		"issuer":                                         o.Tokens.URL,
		"authorization_endpoint":                         at("/oauth2/authorize"),
		"token_endpoint":                                 at("/oauth2/token"),
		"userinfo_endpoint":                              at("/oauth2/userInfo"),
		"revocation_endpoint":                            at("/oauth2/revoke"),
		"introspection_endpoint":                         at("/oauth2/introspect"),
		"pushed_authorization_request_endpoint":          at("/oauth2/par"),
		"authorization_challenge_endpoint":               at("/oauth2/challenge"),
		"end_session_endpoint":                           at("/logout"),
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"jwks_uri":                                       at("/.well-known/jwks.json"),
		"scopes_supported":                               []string{scopeOpenID, "profile", "email", scopeOffline, idp.ScopeSignOut},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query", "form_post"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          o.Ring.Algs(),
		"token_endpoint_auth_methods_supported":          methods,
		"revocation_endpoint_auth_methods_supported":     methods,
		"introspection_endpoint_auth_methods_supported":  secret,
		"introspection_signing_alg_values_supported":     o.Ring.Algs(),
		"code_challenge_methods_supported":               []string{"S256"},
		"claims_supported":                               []string{"sub", "sid", "auth_time", "amr", "preferred_username", "name", "email", "email_verified"},
		"ui_locales_supported":                           o.Pages.Languages(),
		"prompt_values_supported":                        []string{"none", "login", "consent", "select_account"},
		"authorization_response_iss_parameter_supported": true,
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
	}
	doc["dpop_signing_alg_values_supported"] = dpop.Algs()
	doc["global_token_revocation_endpoint"] = at("/oauth2/global-token-revocation")
	doc["global_token_revocation_endpoint_auth_methods_supported"] = []string{"Bearer"}
	if len(o.InitialTokens) > 0 {
		doc["registration_endpoint"] = at("/oauth2/register")
	}
	if o.FrontChannel {
		doc["frontchannel_logout_supported"] = true
		doc["frontchannel_logout_session_supported"] = true
		doc["check_session_iframe"] = at("/oauth2/check_session")
	}
	w.Header().Set("Cache-Control", maxAge)
	edge.JSON(w, http.StatusOK, doc)
}

func (o *OAuth) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", maxAge)
	w.Write(o.Ring.JWKS())
}
