package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// Live answers with a part of a page that is open, for the script that keeps it up to date; 304 while the browser has what it says.
func (p *Pages) Live(w http.ResponseWriter, r *http.Request, list SessionList) {
	tag := `"` + list.Tag + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var b bytes.Buffer
	if err := p.set["sessions"].ExecuteTemplate(&b, "list", list); err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// Script is a script of ours that pages may load, under an address that changes with it.
type Script struct {
	Path string
	text []byte
}

// LiveScript keeps the list of sessions up to date while its page is open.
func LiveScript() (Script, error) {
	text, err := files.ReadFile("static/live.js")
	sum := sha256.Sum256(text)
	return Script{"/static/live-" + hex.EncodeToString(sum[:6]) + ".js", text}, err
}

// ServeHTTP answers with the script.
func (s Script) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(s.text)
}
