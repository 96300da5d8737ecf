package rp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
	"golang.org/x/oauth2"
)

// website is a small website in front of package rp.
type website struct {
	t     *testing.T
	at    string
	site  *rp.Site
	store rp.Store

	mu    sync.Mutex
	said  []string // what OnError was told, errors.Unwrap and all
	ahead time.Duration
	users map[string]string // identity to user
	stop  map[string]error  // answers of Users by identity
}

func (h *website) now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return time.Now().Add(h.ahead) }

func (h *website) forward(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.ahead += d }

func (h *website) UserOf(_ context.Context, who rp.Identity) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := who.Provider + ":" + who.Subject
	if err := h.stop[k]; err != nil {
		return "", err
	}
	if h.users[k] == "" {
		h.users[k] = fmt.Sprint("user-", len(h.users)+1)
	}
	return h.users[k], nil
}

func (h *website) Link(_ context.Context, user string, who rp.Identity) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := who.Provider + ":" + who.Subject
	if h.users[k] != "" && h.users[k] != user {
		return rp.ErrTaken
	}
	h.users[k] = user
	return nil
}

func newWebsite(t *testing.T, options ...rp.Option) *website {
	return newWebsiteOn(t, rptest.NewMemory(), options...)
}

func newWebsiteOn(t *testing.T, store rp.Store, options ...rp.Option) *website {
	t.Helper()
	h := &website{t: t, store: store, users: map[string]string{}, stop: map[string]error{}}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.at = server.URL
	options = append([]rp.Option{
		rp.Origin(h.at), rp.Key([]byte(strings.Repeat("k", 32))), rp.Accounts(h), rp.Clock(h.now), rp.Timeout(3 * time.Second), rp.Every(10 * time.Millisecond),
		rp.OnError(func(_ context.Context, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.said = append(h.said, err.Error())
		}),
	}, options...)
	site, err := rp.New(store, options...)
	if err != nil {
		t.Fatal(err)
	}
	h.site = site
	mux.Handle("/auth/", site)
	mux.Handle("/private/", site.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := rp.FromContext(r.Context())
		fmt.Fprintf(w, "user=%s name=%s csrf=%s ok=%v", v.User, v.Name, v.CSRF, ok)
	})))
	mux.HandleFunc("GET /token/{provider}", func(w http.ResponseWriter, r *http.Request) {
		v, err := site.Visitor(r)
		if err == nil {
			tok, e := site.Token(r.Context(), v, r.PathValue("provider"))
			if refused := r.URL.Query().Get("refused"); refused != "" {
				tok, e = site.Renew(r.Context(), v, r.PathValue("provider"), &oauth2.Token{AccessToken: refused})
			}
			if err = e; e == nil {
				io.WriteString(w, tok.AccessToken)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
		}
	})
	return h
}

// browser follows redirects, and posts what a form_post page of a provider would.
type browser struct {
	*website
	c *http.Client
}

func (h *website) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

type answer struct {
	status int
	body   string
	at     *url.URL
	header http.Header
}

func (b *browser) send(method, to, body string, header map[string]string) answer {
	b.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = b.at + to
	}
	r, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, string(text), res.Request.URL, res.Header}
}

func (b *browser) get(to string) answer { b.t.Helper(); return b.send("GET", to, "", nil) }

// once does not follow.
func (b *browser) once(to string) answer {
	b.t.Helper()
	one := *b.c
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return (&browser{b.website, &one}).get(to)
}

var clicked = map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}

// click follows a link of a page of the website, and no further.
func (b *browser) click(to string) answer {
	b.t.Helper()
	one := *b.c
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return (&browser{b.website, &one}).send("GET", to, "", clicked)
}

// post posts from a page of the website.
func (b *browser) post(to string, v url.Values) answer {
	b.t.Helper()
	return b.send("POST", to, v.Encode(), map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": b.at})
}

var csrf = regexp.MustCompile(`csrf=([A-Za-z0-9_-]+)`)

// signIn goes to the private page by way of a provider and returns the CSRF token that it shows.
func (b *browser) signIn(name string) string {
	b.t.Helper()
	a := b.send("GET", "/auth/login/"+name+"?return=/private/x", "", clicked)
	m := csrf.FindStringSubmatch(a.body)
	if a.status != 200 || a.at.Path != "/private/x" || m == nil {
		b.t.Fatal(a)
	}
	return m[1]
}

func (b *browser) signedIn() bool {
	b.t.Helper()
	a := b.get("/auth/state")
	if a.status != 200 {
		b.t.Fatal(a)
	}
	return strings.Contains(a.body, "true")
}

func (b *browser) cookies() []*http.Cookie {
	u, _ := url.Parse(b.at)
	return b.c.Jar.Cookies(u)
}

func (b *browser) signOut(csrf string, fields ...string) answer {
	b.t.Helper()
	v := url.Values{"csrf": {csrf}}
	for _, f := range fields {
		v.Set(f, "1")
	}
	return b.send("POST", "/auth/signout", v.Encode(), map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": b.at, "Accept": "application/json"})
}

var errBroken = errors.New("the database is gone")

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// stopAfter follows n redirects.
func stopAfter(hops *int, n int) func(*http.Request, []*http.Request) error {
	return func(*http.Request, []*http.Request) error {
		if *hops++; *hops > n {
			return http.ErrUseLastResponse
		}
		return nil
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
