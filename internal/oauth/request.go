package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// refusal is an error that goes back to the client's redirect URI (RFC 6749 section 4.1.2.1).
type refusal struct{ code, description string }

func (e *refusal) Error() string { return e.code + ": " + e.description }

func refuse(code, description string) error { return &refusal{code, description} }

// target finds client and redirect URI, with the client's epoch read together with it. Until both are right nothing may be
// redirected: errors are for a page.
func (o *OAuth) target(ctx context.Context, v url.Values) (c idp.Client, born idp.Epochs, uri string, err error) {
	id := idp.ClientID(v.Get("client_id"))
	if id == "" {
		return c, born, "", page(web.Say("The link that brought you here has no client_id."))
	}
	err = o.Store.View(ctx, func(tx idp.View) (err error) {
		if c, err = tx.Client(id); err != nil {
			return err
		}
		born, err = tx.Epochs("", id)
		return err
	})
	if errors.Is(err, idp.ErrNotFound) || (err == nil && c.Disabled) {
		return c, born, "", page(web.Say("The app that sent you here is not known."))
	}
	if err != nil {
		return c, born, "", err
	}
	uri = v.Get("redirect_uri") // always required: the token endpoint compares it
	if !c.RedirectAllowed(uri) || !c.May("authorization_code") {
		return c, born, "", page(web.Say("The address to return to is not registered for this app. Nothing was sent to it."))
	}
	return c, born, uri, nil
}

func page(text web.Words) error {
	return &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: web.Plain(text), Said: text}
}

// parse reads the rest of an authorization request. The request that it returns is good enough to send an error back
// to, whatever err says.
func (o *OAuth) parse(v url.Values, c *idp.Client, uri string, shown bearer.Shown) (idp.AuthorizeRequest, error) {
	q := idp.AuthorizeRequest{
		ClientID: c.ID, RedirectURI: uri, State: v.Get("state"), Nonce: v.Get("nonce"), LoginHint: v.Get("login_hint"),
		UILocales: v.Get("ui_locales"), Challenge: v.Get("code_challenge"), Prompt: strings.Fields(v.Get("prompt")),
	}
	switch mode := v.Get("response_mode"); mode {
	case "", "query":
	case "form_post":
		q.ResponseMode = mode
	default:
		return q, refuse("invalid_request", "response_mode must be query or form_post")
	}
	if v.Has("request") {
		return q, refuse("request_not_supported", "request objects are not supported")
	}
	if v.Has("request_uri") {
		return q, refuse("request_uri_not_supported", "only request_uri values from the par endpoint are supported")
	}
	if v.Get("response_type") != "code" {
		return q, refuse("unsupported_response_type", "response_type must be code")
	}
	for _, text := range []string{q.State, q.Nonce, q.LoginHint, q.UILocales, v.Get("prompt")} {
		if len(text) > 2048 {
			return q, refuse("invalid_request", "a parameter is too long")
		}
	}
	if err := checkChallenge(v, c); err != nil {
		return q, err
	}
	if len(q.Prompt) > 1 && has(q.Prompt, "none") {
		return q, refuse("invalid_request", "prompt=none goes with no other prompt")
	}
	for _, p := range q.Prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, p) {
			return q, refuse("invalid_request", "prompt has a value that is not known")
		}
	}
	if text := v.Get("max_age"); text != "" {
		age, err := strconv.ParseInt(text, 10, 32)
		if err != nil || age < 0 {
			return q, refuse("invalid_request", "max_age must be a number of seconds")
		}
		q.MaxAge = &age
	}
	if text := v.Get("id_token_hint"); text != "" {
		hint, err := o.Tokens.ReadHint(text)
		if err != nil {
			return q, refuse("invalid_request", "id_token_hint is not an ID token of this issuer")
		}
		q.HintSubject = hint.Subject
	}
	var err error
	if q.Key, err = ties(v, c, shown); err != nil {
		return q, err
	}
	asked := strings.Fields(v.Get("scope"))
	q.Scopes = slices.DeleteFunc(o.scopes(c, asked), idp.Power) // never in a person's token
	if len(asked) > 0 && !has(q.Scopes, asked...) {
		return q, refuse("invalid_scope", "the client registered none of these scopes")
	}
	q.Resources, err = o.audience(c, v["resource"])
	return q, err
}

func checkChallenge(v url.Values, c *idp.Client) error {
	challenge, method := v.Get("code_challenge"), v.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "" && c.Confidential() && c.Kind != idp.KindNative: // RFC 8252 section 8.1
		return nil
	case challenge == "":
		return refuse("invalid_request", "code_challenge is required (PKCE, RFC 7636)")
	case method != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256")
	}
	if b, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(b) != 32 {
		return refuse("invalid_request", "code_challenge is not the S256 of a code_verifier")
	}
	return nil
}

// scopes are those asked for that the client registered, each once. First-party clients get the way out unasked.
func (o *OAuth) scopes(c *idp.Client, asked []string) []string {
	var out []string
	for _, s := range asked {
		if s == scopeOffline && (!c.Offline || c.Kind == idp.KindBrowser || !c.May("refresh_token")) {
			continue
		}
		if slices.Contains(c.Scopes, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if c.FirstParty && c.Kind != idp.KindMachine && !slices.Contains(out, idp.ScopeSignOut) {
		out = append(out, idp.ScopeSignOut)
	}
	return out
}

// audience is what an access token is for (RFC 8707): resources asked for, else the client's default, else this issuer.
func (o *OAuth) audience(c *idp.Client, asked []string) ([]string, error) {
	if len(asked) == 0 {
		if len(c.Audiences) > 0 {
			return c.Audiences[:1], nil
		}
		return []string{o.Tokens.URL}, nil
	}
	var out []string
	for _, a := range asked {
		if a != o.Tokens.URL && !slices.Contains(c.Audiences, a) {
			return nil, refuse("invalid_target", "this client may not ask for that resource")
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, nil
}
