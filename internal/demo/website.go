package demo

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/provider"
	"exeunt.dev/rp"
	"exeunt.dev/rp/sqlstore"
	"golang.org/x/oauth2"
	_ "modernc.org/sqlite" // the websites' own databases
)

// website is Books or News: the website of examples/website, which calls an API, too, and can leave Exeunt for itself alone.
type website struct {
	http.Handler
	name, url, api, issuer string
	id, secret             string
	db                     *sql.DB
	site                   *rp.Site
	down                   atomic.Bool // was taken down on the start page
}

func (d *Demo) newWebsite(ctx context.Context, name, dir string, l net.Listener, log *slog.Logger) (_ *website, err error) {
	s := &website{name: name, id: strings.ToLower(name), url: address(l), api: d.Info.API, issuer: d.Info.Issuer}
	d.sites = append(d.sites, s) // Close finds it, however far it comes
	s.secret, err = d.client(ctx, idp.Client{
		ID: idp.ClientID(s.id), Kind: idp.KindWeb, Name: name, AuthMethod: idp.AuthBasic, FirstParty: true, RedirectURIs: []string{s.url + "/auth/callback/exeunt"},
		PostLogoutURIs: []string{s.url + "/auth/logout/exeunt/return"}, LogoutURIs: []string{s.url + "/"},
		BackchannelLogoutURI: s.url + "/auth/logout/exeunt/backchannel", BackchannelLogoutSessionRequired: true,
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"openid", "profile"}, Audiences: []string{s.api},
	})
	if err != nil {
		return nil, err
	}
	key, err := keptKey(filepath.Join(dir, s.id+".key"))
	if err != nil {
		return nil, err
	}
	file := url.URL{Path: filepath.ToSlash(filepath.Join(dir, s.id+".db"))}
	if s.db, err = sql.Open("sqlite", "file:"+file.EscapedPath()+"?_pragma=journal_mode(wal)"); err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(ctx, s.db, sqlstore.SQLite)
	if err != nil {
		return nil, err
	}
	exeunt := provider.OIDC(s.issuer, s.id, s.secret)
	exeunt.Title, exeunt.Scopes = "Exeunt", []string{"openid", "profile"}
	exeunt.Ask = map[string]string{"prompt": "select_account"} // whoever has left is asked whether to go on as the same person
	cookie := s.id
	if !d.apart {
		cookie += portOf(l)
	}
	s.site, err = rp.New(store, rp.Origin(s.url), rp.Key(key), rp.CookieName(cookie), rp.Provider("exeunt", exeunt),
		rp.OnError(func(ctx context.Context, err error) {
			log.WarnContext(ctx, err.Error(), "website", name, "cause", errors.Unwrap(err))
		}))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", s.site)
	mux.HandleFunc("POST /leave", s.leave)
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /website.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page/website.css") })
	s.Handler = s.unlessDown(mux, d.Info.Start)
	return s, nil
}

// keptKey is 32 bytes that seal what a website's database must not read. They are made once in a folder.
func keptKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, 32)
		rand.Read(key)
		err = os.WriteFile(path, key, 0o600)
	}
	return key, err
}

// leave ends the session here and what Exeunt gave this app in this browser. The browser carries the proof that it was asked for here.
func (s *website) leave(w http.ResponseWriter, r *http.Request) {
	report := s.site.SignOut(w, r)
	if report.Err == nil {
		report.Continue = s.issuer + "/logout?" + url.Values{"client_id": {s.id}, "logout_uri": {s.url + "/"}}.Encode()
	}
	report.ServeHTTP(w, r)
}

func (s *website) home(w http.ResponseWriter, r *http.Request) {
	p := struct {
		rp.Visitor
		Site, Orders string
	}{Site: s.name}
	v, err := s.site.Visitor(r)
	switch {
	case err == nil:
		p.Visitor = v
		p.Orders = s.orders(r.Context(), v)
	case !errors.Is(err, rp.ErrNone):
		http.Error(w, "the website's database does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// The default of browsers, said aloud: the site's origin is what proves to Exeunt that leaving was asked for here.
	w.Header().Set("Referrer-Policy", "strict-origin-when-cross-origin")
	siteTemplate().Execute(w, p)
}

// orders asks the API with the visitor's token, and once more with a new one if that was refused.
func (s *website) orders(ctx context.Context, v rp.Visitor) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	t, err := s.site.Token(ctx, v, "exeunt")
	status, says := 0, ""
	if err == nil {
		status, says, err = s.ask(ctx, t)
	}
	if err == nil && status == http.StatusUnauthorized {
		if t, err = s.site.Renew(ctx, v, "exeunt", t); err == nil {
			_, says, err = s.ask(ctx, t)
		}
	}
	switch {
	case errors.Is(err, rp.ErrNone):
		return "Nothing: this sign-in has no token any more."
	case err != nil:
		return "Nothing: " + err.Error()
	}
	return says
}

func (s *website) ask(ctx context.Context, t *oauth2.Token) (status int, says string, err error) {
	r, err := http.NewRequestWithContext(ctx, "GET", s.api+"/", nil)
	if err != nil {
		return 0, "", err
	}
	t.SetAuthHeader(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<12))
	if res.StatusCode == http.StatusUnauthorized {
		b = []byte(res.Header.Get("WWW-Authenticate"))
	}
	return res.StatusCode, res.Status + ": " + strings.TrimSpace(string(b)), err
}

// stay is a session of the website.
type stay struct {
	subject, sid string
	created      time.Time
}

// stays lists who is signed in at the website. Package rp offers no such list; the database is the demo's own.
func (s *website) stays(ctx context.Context) (out []stay, err error) {
	now := time.Now().UnixMilli()
	rows, err := s.db.QueryContext(ctx, "SELECT subject, sid, created FROM rp_session WHERE idle > ? AND ends > ? ORDER BY created", now, now)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x stay
		var created int64
		if err := rows.Scan(&x.subject, &x.sid, &created); err != nil {
			return nil, err
		}
		x.created = time.UnixMilli(created)
		out = append(out, x)
	}
	return out, rows.Err()
}

// siteTemplate is parsed by a demo that runs, and not at every start of the program.
var siteTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(files, "page/website.html")) })
