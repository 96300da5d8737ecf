package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

// Frame is an app's page that is loaded, unseen, in a page of ours.
type Frame struct{ Src, Origin string }

// First is what the frame holds at first where script is switched off: a document that leads on to its src, half a second later. Browsers
// count the second of a page's Refresh header from when it has loaded, and frames belong to that; so our page has loaded before any app is
// asked, and one that hangs does not hold it up. (With script, lazy frames have the same effect, which browsers do not have without. One that
// counts whole seconds only, and without script, may stay until the person goes on: there is a button.)
func (f Frame) First() template.HTMLAttr {
	inner := `<meta http-equiv="refresh" content="0.5;url=` + template.HTMLEscapeString(f.Src) + `">`
	return template.HTMLAttr(`srcdoc="` + template.HTMLEscapeString(inner) + `"`)
}

// leavingPage is shown while apps are asked by frames.
type leavingPage struct {
	Frames []Frame
	To     template.URL
	Script template.JS
}

func (leavingPage) template() string { return "leaving" }

// policy allows the frames' origins, exactly, and the one script.
func (p leavingPage) policy() string {
	origins := make([]string, len(p.Frames))
	for i, f := range p.Frames {
		origins[i] = f.Origin
	}
	return "frame-src " + strings.Join(origins, " ") + "; script-src " + hashed(string(p.Script))
}

// Leaving shows the frames and goes on when all have loaded, or after a second. Where script is switched off it is always that second.
func (p *Pages) Leaving(w http.ResponseWriter, r *http.Request, frames []Frame, to string) {
	w.Header().Set("Refresh", "1; url="+to)
	p.Render(w, r, http.StatusOK, leavingPage{frames, template.URL(to), template.JS(p.leaving)})
}

// CheckSession is the page that apps frame to hear whether somebody has signed in or out (OpenID Connect Session Management 1.0 section
// 3.2). It is the only page that may be framed, it shows nothing, and it answers the page that frames it only. cookie is the name of the
// one with the browser's state.
func (p *Pages) CheckSession(w http.ResponseWriter, cookie string) {
	h := w.Header()
	h.Del("X-Frame-Options")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; script-src "+hashed(p.check))
	w.Write([]byte(`<!doctype html><html lang="en" data-cookie="` + template.HTMLEscapeString(cookie) + `"><meta charset="utf-8"><title>Session</title><script>` + p.check + "</script>\n"))
}

// hashed is the source expression that allows a script with just this text (Content Security Policy Level 3 section 2.3.1).
func hashed(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
