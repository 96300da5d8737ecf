package rp

import (
	"html/template"
	"net/http"
	"net/url"

	"exeunt.dev/internal/upstream"
)

// link is a way on from a page.
type link struct{ Text, To string }

type page struct {
	Title, Text string
	Layers      []Layer
	Links       []link
}

// The pages are plain, so that they fit beside any website; a website that wants its own handles Report itself and puts
// its own sign-in links.
var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}}</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}li{margin:.5rem 0}</style>
<main><h1>{{.Title}}</h1>{{with .Text}}<p>{{.}}</p>{{end}}
{{with .Layers}}<ul>{{range .}}<li data-layer="{{.Kind}}" data-state="{{.State}}">{{.Sentence}}{{if and .Link (or (ne .State "done") (not .Whole)) (ne .State "going") (ne .State "returned")}} <a href="{{.Link}}" rel="noreferrer">Go to {{.Title}}</a>.{{end}}</li>{{end}}</ul>{{end}}
{{range .Links}}<p><a href="{{.To}}">{{.Text}}</a></p>{{end}}</main></html>
`))

func render(w http.ResponseWriter, status int, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	pageTemplate.Execute(w, p)
}

func (s *Site) say(w http.ResponseWriter, status int, text string, links ...link) {
	render(w, status, page{Title: "That did not work", Text: text, Links: links})
}

// broken is for what is no fault of the person.
func (s *Site) broken(w http.ResponseWriter, status int) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	s.say(w, status, "Something went wrong here. Please try again in a moment.", s.homeLink())
}

func (s *Site) homeLink() link { return link{"Back to the website", s.origin + s.home} }

func (s *Site) again(u *upstream.Upstream, back string) link {
	return link{"Try again", s.prefix + "login/" + u.Name + "?" + url.Values{"return": {s.safe(back)}}.Encode()}
}

// choose is the page where people say by which provider they sign in.
func (s *Site) choose(w http.ResponseWriter, r *http.Request) {
	s.choice(w, r, s.safe(r.URL.Query().Get("return")), r.URL.Query().Get("again") != "")
}

// signAgain leads to a sign-in that is recent, whoever is signed in.
func (s *Site) signAgain(back string) link {
	return link{"Sign in again", s.prefix + "?" + url.Values{"again": {"1"}, "return": {s.safe(back)}}.Encode()}
}

func (s *Site) choice(w http.ResponseWriter, r *http.Request, back string, again bool) {
	p := page{Title: "Sign in"}
	act := s.vault.proof(s.browser(w, r)) // following a link of this page is a human act
	for _, name := range s.order {
		q := url.Values{"return": {back}, "act": {act}}
		if again {
			q.Set("again", "1")
		}
		p.Links = append(p.Links, link{"Continue with " + s.ups[name].P.Title, s.prefix + "login/" + name + "?" + q.Encode()})
	}
	render(w, http.StatusOK, p)
}
