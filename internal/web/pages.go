package web

import (
	"bytes"
	"embed"
	"html/template"
	"maps"
	"net/http"
	"strings"
	"sync"
)

//go:embed templates/*.html static catalogue
var files embed.FS

// Page is a page's data. Its template has the name that template gives.
type Page interface{ template() string }

// Pages renders pages.
type Pages struct {
	Name   string // of the installation, as people see it
	https  bool
	spoken map[string]map[string]*template.Template // by language and name
	static map[string]asset                         // by path
	paths  map[string]string                        // by the file's name

	leaving, check string // the scripts that stand in their pages
}

// ours reads what every installation has alike, once in a process: to parse all templates in all languages takes longer than the rest of
// a server's start.
var ours = sync.OnceValues(read)

// New gives an installation templates, catalogues, stylesheet and scripts. secure says that people reach the pages by https.
func New(name string, secure bool) (*Pages, error) {
	p, err := ours()
	p.Name, p.https, p.static, p.paths = name, secure, maps.Clone(p.static), maps.Clone(p.paths)
	return &p, err
}

func read() (p Pages, err error) {
	p = Pages{spoken: map[string]map[string]*template.Template{}, static: map[string]asset{}, paths: map[string]string{}}
	for name, to := range map[string]*string{"leaving": &p.leaving, "check_session": &p.check} {
		text, err := files.ReadFile("static/" + name + ".js")
		if err != nil {
			return p, err
		}
		*to = string(text)
	}
	if err := p.readStatic(); err != nil {
		return p, err
	}
	all, err := catalogues()
	if err != nil {
		return p, err
	}
	for lang, v := range all {
		if p.spoken[lang], err = p.templates(v); err != nil {
			return p, err
		}
	}
	return p, nil
}

// templates are all pages in one language.
func (p *Pages) templates(v voice) (map[string]*template.Template, error) {
	names, err := files.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{"t": v.say, "device": v.device, "when": v.when, "strong": strong, "join": strings.Join,
		"script": func(name string) string { return p.paths[name] }}
	out := map[string]*template.Template{}
	for _, f := range names {
		name := strings.TrimSuffix(f.Name(), ".html")
		if name == "layout" {
			continue
		}
		if out[name], err = template.New("layout.html").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/"+f.Name()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// frame is what the layout sees.
type frame struct {
	Site, Lang string
	Style      string // the stylesheet's address
	Logo       string // the picture's; "": there is none
	Scripts    bool
	Script     string // a further one, of this page
	Page       Page
	Header     *Header
	Tongues    []Tongue
	At         string // the path, where it shows this page again
}

// Header is the strip that every signed-in page has: who, and the way out.
type Header struct {
	Who  string
	CSRF string
	Nav  []NavItem // the sections of the account, or of the console
}

// NavItem leads to a section.
type NavItem struct {
	Path string
	Name Words
	Here bool
}

// headed pages have the strip.
type headed interface{ header() *Header }

// scripted pages have a script of their own, and do their work without it.
type scripted interface{ script() string }

// leaving pages have a form that leads elsewhere (CSP form-action).
type leaving interface{ formTargets() string }

// extending pages need something more of the browser than others may have.
type extending interface{ policy() string }

// Render writes a page in the reader's language. It may not be kept or framed, and run scripts only that are files of ours; the page that
// asks apps by frames has a script and origins of its own.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, status int, page Page) {
	lang := p.Language(r)
	own, extends := page.(extending)
	f := frame{Site: p.Name, Lang: lang, Style: p.paths["style.css"], Logo: p.paths["logo"], Scripts: !extends, Page: page}
	if h, ok := page.(headed); ok {
		f.Header = h.header()
	}
	f.Tongues = p.tongues(r, lang, f.Header != nil)
	if r.Method == http.MethodGet {
		f.At = r.URL.Path
	}
	if s, ok := page.(scripted); ok {
		f.Script = s.script()
	}
	action := "'self'"
	if l, ok := page.(leaving); ok {
		action = l.formTargets()
	}
	var b bytes.Buffer
	if err := p.spoken[lang][page.template()].Execute(&b, f); err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	policy := "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action " + action
	if extends {
		policy += "; " + own.policy()
	} else {
		policy += "; script-src 'self'; connect-src 'self'"
	}
	h := w.Header()
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// Device says in a few words, for programs, which browser and system a User-Agent header claims to be.
func Device(agent string) string { return Plain(DeviceWords(agent)) }

func looks(agent string) (browser, system string) {
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
	return browser, system
}
