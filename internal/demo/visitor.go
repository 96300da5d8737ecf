package demo

import (
	"context"
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

// signIn goes to a site, proves who it is wherever Exeunt asks, and comes back with the site's session.
func (v *visitor) signIn(ctx context.Context, s *site) (*visit, error) {
	a, err := v.get(ctx, s.url+"/login")
	for range 3 {
		if err != nil {
			return nil, err
		}
		if a.url.Host == strings.TrimPrefix(s.url, "http://") {
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
			return nil, fmt.Errorf("sign-in to %s ends at %s with %d", s.name, a.url.Path, a.status)
		}
		a, err = v.post(ctx, v.demo.Info.Issuer+"/login", form)
	}
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	r := &http.Request{Header: http.Header{}}
	for _, c := range v.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
	if got := s.visit(r); got != nil && a.status == http.StatusOK {
		return got, nil
	}
	return nil, fmt.Errorf("sign-in to %s ends at %s with %d", s.name, a.url.Path, a.status)
}

// silent asks a site's sign-in without a human (prompt=none) and says whether it worked.
func (v *visitor) silent(ctx context.Context, s *site) (bool, error) {
	a, err := v.get(ctx, s.url+"/login?prompt=none")
	return err == nil && a.status == http.StatusOK && a.url.Path == "/", err
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

// ask posts to an endpoint with the site's credentials.
func (s *site) ask(ctx context.Context, endpoint string, form url.Values) (int, tokens, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, tokens{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(s.oauth.ClientID), url.QueryEscape(s.oauth.ClientSecret))
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

func (s *site) refresh(ctx context.Context, refresh string) (int, tokens, error) {
	return s.ask(ctx, s.oauth.Endpoint.TokenURL, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
}
