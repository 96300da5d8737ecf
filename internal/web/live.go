package web

import (
	"bytes"
	"net/http"
)

// Live answers with the list of sessions of a page that is open, for the script that keeps it up to date (static/live.js); 304 while the
// browser has what it says.
func (p *Pages) Live(w http.ResponseWriter, r *http.Request, list SessionList) {
	tag := `"` + list.Tag + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var b bytes.Buffer
	if err := p.write(&b, p.Language(r), "sessions", "list", list); err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}
