package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
	"golang.org/x/oauth2"
)

// visitor is a person's browser, as far as a program can be one: cookies, forms, redirects.
type visitor struct {
	demo               *Demo
	username, password string
	client             *http.Client
}

func (d *Demo) visitor(username, password string) *visitor {
	jar, _ := cookiejar.New(nil) // fails only for options that are not given
	return &visitor{d, username, password, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// answer is a whole answer, with where the redirects led.
type answer struct {
	status int
	url    *url.URL
	body   string
}

func (v *visitor) do(r *http.Request) (answer, error) {
	res, err := v.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return answer{res.StatusCode, res.Request.URL, string(b)}, err
}

func (v *visitor) get(ctx context.Context, address string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return v.do(r)
}

func (v *visitor) post(ctx context.Context, address string, form url.Values, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if u, err := url.Parse(address); err == nil {
		r.Header.Set("Origin", u.Scheme+"://"+u.Host)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return v.do(r)
}

var inputs = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// hidden are the hidden fields of a page.
func hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range inputs.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

// visit is one app in one browser: tokens as the app has them.
type visit struct{ access, refresh string }

// prove goes to an address and says who it is wherever Exeunt asks, until the browser is somewhere else.
func (v *visitor) prove(ctx context.Context, address string) (answer, error) {
	a, err := v.get(ctx, address)
	for range 3 {
		if err != nil || a.url.Scheme+"://"+a.url.Host != v.demo.Info.Issuer {
			break
		}
		form := hidden(a.body)
		switch {
		case strings.Contains(a.body, `name="password"`):
			form.Set("username", v.username)
			form.Set("password", v.password)
			form.Set("act", "signin")
		case strings.Contains(a.body, `value="continue"`):
			form.Set("act", "continue")
		default:
			return a, fmt.Errorf("the sign-in ends at %s with %d", a.url.Path, a.status)
		}
		a, err = v.post(ctx, v.demo.Info.Issuer+"/login", form)
	}
	return a, err
}

// signIn goes to a website and comes back with its session.
func (v *visitor) signIn(ctx context.Context, s *website) (*visit, error) {
	a, err := v.prove(ctx, s.url+"/auth/login/exeunt")
	if err != nil {
		return nil, err
	}
	in, err := v.inside(ctx, s)
	if err == nil && (!in || a.status != http.StatusOK) {
		err = fmt.Errorf("sign-in to %s ends at %s with %d", s.name, a.url.Path, a.status)
	}
	if err != nil {
		return nil, err
	}
	t, err := v.tokens(ctx, s)
	if err == nil && t == nil {
		err = fmt.Errorf("%s gets no tokens after a sign-in", s.name)
	}
	return t, err
}

// inside says whether a website takes this browser for signed in.
func (v *visitor) inside(ctx context.Context, s *website) (bool, error) {
	a, err := v.get(ctx, s.url+"/auth/state")
	if err := want(a, err, http.StatusOK, s.name); err != nil {
		return false, err
	}
	var state struct {
		In bool `json:"signed_in"`
	}
	err = decode(strings.NewReader(a.body), &state)
	return state.In, err
}

// tokens has the website's app ask for tokens in this browser once more, without a human. Those that the website itself
// holds are sealed in its database; these hang on the same. nil: Exeunt says that a human must be asked.
func (v *visitor) tokens(ctx context.Context, s *website) (*visit, error) {
	verifier := oauth2.GenerateVerifier()
	app := oauth2.Config{ClientID: s.id, RedirectURL: s.url + "/auth/callback/exeunt", Scopes: []string{"openid"}, Endpoint: oauth2.Endpoint{AuthURL: s.issuer + "/oauth2/authorize"}}
	r, err := http.NewRequestWithContext(ctx, "GET", app.AuthCodeURL(idp.NewSecret(16), oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("resource", s.api)), nil)
	if err != nil {
		return nil, err
	}
	still := *v.client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := still.Do(r)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	to, err := res.Location()
	if err != nil || !strings.HasPrefix(to.String(), app.RedirectURL+"?") {
		return nil, fmt.Errorf("/oauth2/authorize answers %s and leads nowhere", res.Status)
	}
	code := to.Query().Get("code")
	if code == "" {
		return nil, nil
	}
	status, t, err := s.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {app.RedirectURL}, "code_verifier": {verifier}})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the token endpoint answers %d %s", status, t.Error)
	}
	return &visit{t.Access, t.Refresh}, err
}

// here says whether Exeunt takes this browser for signed in.
func (v *visitor) here(ctx context.Context) (bool, error) {
	a, err := v.get(ctx, v.demo.Info.Issuer+"/session/")
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("/session/ answers %d", a.status)
	}
	return strings.Contains(a.body, `"username"`), err
}

// admits says whether Orders admits a token; any answer but yes and 401 is an error.
func (v *visitor) admits(ctx context.Context, token string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", v.demo.Info.API+"/", nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := v.client.Do(r)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	switch res.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusUnauthorized:
		if !strings.Contains(res.Header.Get("WWW-Authenticate"), "revoked") {
			return false, errors.New("the API Orders refuses, but not as revoked: " + res.Header.Get("WWW-Authenticate"))
		}
		return false, nil
	}
	return false, fmt.Errorf("the API Orders answers %d", res.StatusCode)
}

// tokens is an answer of the token endpoint.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
}

// post posts to an endpoint of Exeunt with the website's credentials.
func (s *website) post(ctx context.Context, path string, form url.Values) (int, tokens, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", s.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, tokens{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(s.id), url.QueryEscape(s.secret))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, tokens{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	var t tokens
	if len(b) > 0 && err == nil {
		err = decode(strings.NewReader(string(b)), &t)
	}
	return res.StatusCode, t, err
}

func (s *website) token(ctx context.Context, form url.Values) (int, tokens, error) {
	return s.post(ctx, "/oauth2/token", form)
}

func (s *website) refresh(ctx context.Context, refresh string) (int, tokens, error) {
	return s.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
}

func decode(r io.Reader, into any) error {
	return json.NewDecoder(io.LimitReader(r, 1<<16)).Decode(into)
}
