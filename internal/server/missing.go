package server

import (
	"net/http"
	"strings"

	"exeunt.dev/internal/web"
)

// missing gives people a page where there is none; programs, and whoever used a wrong method, get what the mux says.
func missing(mux *http.ServeMux, pages *web.Pages) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			mux.ServeHTTP(w, r)
			return
		}
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &verdict{header: http.Header{}}
		h.ServeHTTP(said, r)
		if said.status == http.StatusNotFound {
			pages.Render(w, r, http.StatusNotFound, web.Message{Title: "There is no such page", Text: "The address may be old, or not complete.", Link: "/account", LinkText: "Your account"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// verdict keeps the status of an answer that nobody gets.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
