// Package spa is a single-page app: files that are the same for everybody, and no server of its own beside the API. It shows what
// exeunt.js does: tokens in memory, one sign-in and one sign-out for all tabs, and what 401 and 503 of an API mean.
//
// Register it as a client of kind browser: redirect and post-logout URI are the address of the page, with the slash at its end; the
// API is its audience. The API must let the page's origin read its answers (CORS, see docs/clients.md).
package spa

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed page
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/index.html"))

// Handler serves the app at the root of its origin. issuer and api are addresses such as "https://id.example.com"; api is also what
// tokens for it name as their audience.
func Handler(issuer, clientID, api string) http.Handler {
	issuer = strings.TrimSuffix(issuer, "/")
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]string{"Issuer": issuer, "Client": clientID, "API": api}); err != nil {
		panic(err) // a template of our own, into memory
	}
	index, policy := b.Bytes(), contentPolicy(issuer, api)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(index))
	})
	for _, name := range []string{"app.js", "app.css"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page/"+name) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the code of a sign-in stands in the address for a moment
		h.Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	})
}

// contentPolicy is what keeps a stranger's script away from the tokens: scripts come from here and from the issuer, nothing is sent
// elsewhere than to issuer and API, and no text becomes script. Browsers follow a form's redirects under form-action: a sign-out comes back.
func contentPolicy(issuer, api string) string {
	return "default-src 'none'; script-src 'self' " + origin(issuer) + "; style-src 'self'; img-src data:; connect-src " + origin(issuer) + " " + origin(api) +
		"; form-action 'self' " + origin(issuer) + "; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}
