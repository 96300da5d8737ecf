package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed templates/*.html static
var files embed.FS

// Page is a page's data. Its template has the name that template gives.
type Page interface{ template() string }

// Pages renders pages.
type Pages struct {
	Name string // of the installation, as people see it
	set  map[string]*template.Template
	css  []byte
	path string

	leaving, check string // the scripts
}

// New reads the templates.
func New(name string) (*Pages, error) {
	css, err := files.ReadFile("static/style.css")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(css)
	p := &Pages{Name: name, css: css, path: "/static/" + hex.EncodeToString(sum[:6]) + ".css", set: map[string]*template.Template{}}
	for name, to := range map[string]*string{"leaving": &p.leaving, "check_session": &p.check} {
		text, err := files.ReadFile("static/" + name + ".js")
		if err != nil {
			return nil, err
		}
		*to = string(text)
	}
	names, err := files.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{"t": func(s string, with ...any) string {
		if len(with) == 0 {
			return s
		}
		return fmt.Sprintf(s, with...)
	}, "device": Device, "when": when, "join": strings.Join}
	for _, f := range names {
		name := strings.TrimSuffix(f.Name(), ".html")
		if name == "layout" {
			continue
		}
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/"+f.Name())
		if err != nil {
			return nil, err
		}
		p.set[name] = t
	}
	return p, nil
}

// Mount serves the stylesheet.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+p.path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Write(p.css)
	})
}

// frame is what the layout sees.
type frame struct {
	Site, CSS string
	Page      Page
	Header    *Header
}

// Header is the strip that every signed-in page has: who, and the way out.
type Header struct {
	Who  string
	CSRF string
}

// headed pages have the strip.
type headed interface{ header() *Header }

// leaving pages have a form that leads elsewhere (CSP form-action).
type leaving interface{ formTargets() string }

// extending pages need something more of the browser than others may have.
type extending interface{ policy() string }

// Render writes a page. It may not be kept, framed, or run a script; one page has a script of ours and frames of named origins.
func (p *Pages) Render(w http.ResponseWriter, status int, page Page) {
	f := frame{Site: p.Name, CSS: p.path, Page: page}
	if h, ok := page.(headed); ok {
		f.Header = h.header()
	}
	action := "'self'"
	if l, ok := page.(leaving); ok {
		action = l.formTargets()
	}
	var b bytes.Buffer
	if err := p.set[page.template()].Execute(&b, f); err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	policy := "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action " + action
	if e, ok := page.(extending); ok {
		policy += "; " + e.policy()
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func when(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// Device says in a few words which browser and system a User-Agent header claims to be.
func Device(agent string) string {
	browser, system := "", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client", "a Go program"}} {
		if strings.Contains(agent, b[0]) {
			browser = b[1]
			break
		}
	}
	for _, s := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			system = s[1]
			break
		}
	}
	switch {
	case browser == "" && system == "":
		return "Unknown device"
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return browser + " on " + system
}
