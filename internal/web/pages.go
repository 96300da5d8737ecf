package web

import (
	"bytes"
	"embed"
	"html/template"
	"io"
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
	spoken map[string]*language
	static map[string]asset  // by path
	paths  map[string]string // by the file's name

	leaving, check string // the scripts that stand in their pages

	// Strip is the strip of a page that is nobody's own, in a browser in which somebody is signed in; nil: nobody is. Without it such pages
	// have none.
	Strip func(http.ResponseWriter, *http.Request) *Header
}

// New reads stylesheet and scripts. secure says that people reach the pages by https.
func New(name string, secure bool) (*Pages, error) {
	p := &Pages{Name: name, https: secure, spoken: map[string]*language{}, static: map[string]asset{}, paths: map[string]string{}}
	for name, to := range map[string]*string{"leaving": &p.leaving, "check_session": &p.check} {
		text, err := files.ReadFile("static/" + name + ".js")
		if err != nil {
			return nil, err
		}
		*to = string(text)
	}
	if err := p.readStatic(); err != nil {
		return nil, err
	}
	langs, err := languages(files)
	if err != nil {
		return nil, err
	}
	for _, lang := range langs {
		p.spoken[lang] = &language{voice: sync.OnceValues(func() (voice, error) { return voiceOf(files, lang) }), pages: map[string]*template.Template{}}
	}
	return p, nil
}

// language is one that pages can be read in. Its catalogue and each page are read when somebody first needs them: most servers never
// show most pages, and all of them together would take as long to read as the rest of the start.
type language struct {
	voice func() (voice, error)
	mu    sync.Mutex
	pages map[string]*template.Template
}

// page is a page in a language.
func (p *Pages) page(lang, name string) (*template.Template, error) {
	l := p.spoken[lang]
	l.mu.Lock()
	defer l.mu.Unlock()
	if page := l.pages[name]; page != nil {
		return page, nil
	}
	v, err := l.voice()
	if err != nil {
		return nil, err
	}
	var page *template.Template
	act := func(w io.Writer, f *Form) error { return page.ExecuteTemplate(w, "act", f) }
	funcs := template.FuncMap{"t": v.say, "device": v.device, "when": v.when, "strong": strong, "join": strings.Join, "bars": bars, "options": v.options,
		"rows":   func(t Table) (template.HTML, error) { return v.rows(t, act) },
		"static": func(name string) string { return p.paths[name] }}
	page, err = template.New("layout.html").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
	if err != nil {
		return nil, err
	}
	l.pages[name] = page
	return page, nil
}

// write writes a page, or a part of it: layout.html is the whole.
func (p *Pages) write(w io.Writer, lang, name, part string, data any) error {
	page, err := p.page(lang, name)
	if err != nil {
		return err
	}
	return page.ExecuteTemplate(w, part, data)
}

// frame is what the layout sees.
type frame struct {
	Site, Lang string
	Scripts    bool
	Script     string // a further one, of this page
	Page       Page
	Header     *Header
	Tongues    []Tongue
	At         string // of a section: where it can be had again
}

// Header is the strip that every signed-in page has: who, and the way out.
type Header struct {
	Who  string
	CSRF string
	Nav  []NavItem // the sections of the account, or of the console
}

// Here is the section that is shown, or the first.
func (h *Header) Here() NavItem {
	for _, n := range h.Nav {
		if n.Here {
			return n
		}
	}
	return append(h.Nav, NavItem{})[0]
}

// NavItem leads to a section.
type NavItem struct {
	Path string
	Name Words
	Here bool
}

// headed pages are somebody's own, with the sections.
type headed interface{ header() *Header }

// bare pages are on the way elsewhere, or are the way out themselves: without the strip.
type bare interface{ bare() }

// fleeting pages may show what nobody can have again, not even in another language.
type fleeting interface{ once() bool }

// addressed pages are shown as the answer to a form, too, and can be had again there.
type addressed interface{ address() string }

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
	f := frame{Site: p.Name, Lang: lang, Scripts: !extends, Page: page}
	if h, ok := page.(headed); ok {
		f.Header = h.header()
		if f.At = f.Header.Here().Path; r.Method == http.MethodGet {
			f.At = r.URL.Path
		}
	} else if _, is := page.(bare); !is && !extends && p.Strip != nil && status < http.StatusInternalServerError {
		f.Header = p.Strip(w, r)
	}
	f.Tongues = p.tongues(r, lang, page)
	if s, ok := page.(scripted); ok {
		f.Script = s.script()
	}
	action := "'self'"
	if l, ok := page.(leaving); ok {
		action = l.formTargets()
	}
	var b bytes.Buffer
	if err := p.write(&b, lang, page.template(), "layout.html", f); err != nil {
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
