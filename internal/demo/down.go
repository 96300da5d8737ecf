package demo

import (
	"crypto/subtle"
	"html/template"
	"net/http"
	"sync"

	"exeunt.dev/internal/edge"
)

// unlessDown answers for a website that was taken down on the start page: 503 to everybody, its back channel included.
func (s *website) unlessDown(next http.Handler, start string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.down.Load() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+start+"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.WriteHeader(http.StatusServiceUnavailable)
		downTemplate().Execute(w, struct{ Site, Start string }{s.name, start})
	})
}

var downTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(files, "page/down.html")) })

// turn takes a website down or starts it again, for a form of the start page. The host is compared because another site may give its
// name the address of this machine, and would then be the same origin.
func (d *Demo) turn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	given := []byte(r.PostFormValue("csrf"))
	if "http://"+r.Host != d.Info.Start || edge.SameOrigin(r, d.Info.Start) != nil || subtle.ConstantTimeCompare(given, []byte(d.csrf)) != 1 {
		http.Error(w, "This form is from another page, or of an earlier run. Load the start page again.", http.StatusForbidden)
		return
	}
	for _, s := range d.sites {
		if s.id == r.PathValue("site") {
			s.down.Store(r.PostFormValue("down") == "yes")
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
	}
	http.NotFound(w, r)
}
