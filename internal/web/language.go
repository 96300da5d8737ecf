package web

import (
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// English is what sentences are written in; the others are catalogues of them: catalogue/<language>/<room>.json, English sentence to
// translated sentence. %s stands for what is put in.
const English = "en"

// Languages are those that pages can be read in, English first (OpenID Connect Discovery 1.0: ui_locales_supported).
func (p *Pages) Languages() []string {
	out := []string{English}
	for lang := range p.spoken {
		if lang != English {
			out = append(out, lang)
		}
	}
	slices.Sort(out[1:])
	return out
}

// The cookies that keep a language: the one that a request has asked for by ui_locales, until the browser is closed, and the one that a person
// has chosen. They are no secrets and decide nothing but words.
const (
	askedCookie  = "exeunt-lang-asked"
	chosenCookie = "exeunt-lang"
	chosenLife   = 400 * 24 * time.Hour // as long as browsers keep a cookie
)

// Language is the reader's: as the request asks by ui_locales (OpenID Connect Core 1.0 section 3.1.2.1), as a request before it asked, as the
// person has chosen, as the browser prefers, or English.
func (p *Pages) Language(r *http.Request) string {
	if lang := p.first(r.URL.Query().Get("ui_locales")); lang != "" {
		return lang
	}
	for _, name := range []string{askedCookie, chosenCookie} {
		if c, err := r.Cookie(name); err == nil {
			if lang := p.known(c.Value); lang != "" {
				return lang
			}
		}
	}
	return p.preferred(r.Header.Get("Accept-Language"))
}

// first is the first of several tags, separated by spaces, in which pages can be read.
func (p *Pages) first(tags string) string {
	for n, tag := range strings.Fields(tags) {
		if n == 16 {
			break
		}
		if lang := p.known(tag); lang != "" {
			return lang
		}
	}
	return ""
}

// known is the language of a tag (RFC 5646) without its region, if pages can be read in it.
func (p *Pages) known(tag string) string {
	lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	if _, ok := p.spoken[lang]; !ok {
		return ""
	}
	return lang
}

// preferred reads Accept-Language (RFC 9110 section 12.5.4).
func (p *Pages) preferred(header string) string {
	best, most := English, 0.0
	for n, part := range strings.Split(header, ",") {
		if n == 16 {
			break
		}
		tag, rest, _ := strings.Cut(part, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil {
				continue
			}
		}
		if lang := p.known(tag); lang != "" && q > most {
			best, most = lang, q
		}
	}
	return best
}

// Remember keeps the language that a request's address asks for by ui_locales for the pages that follow it.
func (p *Pages) Remember(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			p.Ask(w, r.URL.Query().Get("ui_locales"))
		}
		next.ServeHTTP(w, r)
	})
}

// Ask does so for a request that came another way: by a form, or pushed (RFC 9126).
func (p *Pages) Ask(w http.ResponseWriter, locales string) {
	if lang := p.first(locales); lang != "" {
		p.keep(w, askedCookie, lang, 0)
	}
}

// Choose keeps in the browser the language that a person has chosen; it says whether there is such a language.
func (p *Pages) Choose(w http.ResponseWriter, lang string) bool {
	if lang = p.known(lang); lang == "" {
		return false
	}
	p.keep(w, chosenCookie, lang, chosenLife)
	p.keep(w, askedCookie, "", -time.Second)
	return true
}

// Follow keeps in the browser the language that who signs in has chosen, wherever that was; "": none.
func (p *Pages) Follow(w http.ResponseWriter, r *http.Request, lang string) {
	c, err := r.Cookie(chosenCookie)
	if lang = p.known(lang); lang != "" && (err != nil || c.Value != lang) {
		p.keep(w, chosenCookie, lang, chosenLife)
	}
}

func (p *Pages) keep(w http.ResponseWriter, name, lang string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: lang, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, Secure: p.https, SameSite: http.SameSiteLaxMode})
}

// Tongue is a language by what it calls itself, and where this page is in it.
type Tongue struct{ Lang, Name, Path string }

// tongues are the languages that a page can be had in, for the foot of the page; none if there is nothing to choose. Where a form's answer is
// shown, its address shows something else: the page says where it can be had.
func (p *Pages) tongues(r *http.Request, lang string, page Page) []Tongue {
	if f, ok := page.(fleeting); len(p.spoken) < 2 || ok && f.once() {
		return nil
	}
	at := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		at = ""
		if a, ok := page.(addressed); ok {
			at = a.address()
		}
		if _, own := page.(headed); at == "" && !own {
			return nil
		}
	}
	u, err := url.ParseRequestURI(at)
	if err != nil {
		u = &url.URL{}
	}
	var out []Tongue
	for _, l := range p.Languages() {
		t := Tongue{Lang: l, Name: calledItself(l)}
		if u.Path != "" && l != lang {
			q := u.Query()
			q.Set("ui_locales", l)
			t.Path = u.Path + "?" + q.Encode()
		}
		out = append(out, t)
	}
	return out
}

// calledItself is a language's own name.
func calledItself(lang string) string {
	if lang == "de" {
		return "Deutsch"
	}
	return "English"
}

// Words are what a page says: a sentence (string), or one with values ([Say]), or several of them. A page translates them when it is rendered.
type Words any

// Verbatim is somebody's text, which no catalogue translates.
type Verbatim string

type phrase struct {
	sentence string
	values   []any
}

// Say puts values into a sentence: %s stands for each. They may be words, too.
func Say(sentence string, values ...any) Words { return phrase{sentence, values} }

// Plain is what words say in English, for programs.
func Plain(w Words) string {
	return html.UnescapeString(string(voice{lang: English, plain: true}.say(w)))
}

// Speak says a sentence in the language of a catalogue as plain text, for letters; in English if there is none.
func (p *Pages) Speak(lang, sentence string, values ...any) string {
	if l := p.spoken[lang]; l != nil {
		if v, err := l.voice(); err == nil {
			if text, ok := v.words[sentence]; ok {
				sentence = text
			}
		}
	}
	if len(values) == 0 {
		return sentence
	}
	return fmt.Sprintf(sentence, values...)
}

type several struct {
	parts []Words
	by    string
}

// Sentences stand one behind the other.
func Sentences(w ...Words) Words { return several{w, " "} }

// List parts words by commas.
func List(w ...Words) Words { return several{w, ", "} }

// Counted says how many: one has words of its own.
func Counted[N ~int | ~int64 | ~uint64](n N, one, many Words) Words {
	if n == 1 {
		return one
	}
	return many
}

// Wait asks somebody to come back after a number of seconds.
func Wait(seconds string) Words {
	if seconds == "1" {
		return "Too many attempts. Please wait a second and try again."
	}
	return Say("Too many attempts. Please wait %s seconds and try again.", seconds)
}

// DeviceWords say in a few words which browser and system a User-Agent header claims to be.
func DeviceWords(agent string) Words {
	browser, system := looks(agent)
	switch {
	case browser == "" && system == "":
		return "Unknown device"
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return Say("%s on %s", browser, system)
}

// clock is a time of day; the page's script shows it in the reader's own zone.
type clock time.Time

// Clock is the time of day of something that has just been.
func Clock(t time.Time) Words { return clock(t) }

// moment is a date and a time; the page's script shows it in the reader's own zone.
type moment time.Time

// Moment is when something will be, or has been.
func Moment(t time.Time) Words { return moment(t) }

// voice says things in one language.
type voice struct {
	lang  string
	words map[string]string
	plain bool // for programs: times are text
}

// say translates words and puts values in, each escaped unless it is HTML of ours. Text that is in no catalogue is said as it is.
func (v voice) say(w Words, values ...any) template.HTML {
	switch w := w.(type) {
	case nil:
		return ""
	case template.HTML:
		return w
	case clock:
		return v.time(time.Time(w), time.Time(w).UTC().Format("15:04:05 UTC"), "clock")
	case moment:
		return v.when(time.Time(w))
	case several:
		parts := make([]string, len(w.parts))
		for i, part := range w.parts {
			parts[i] = string(v.say(part))
		}
		return template.HTML(strings.Join(parts, w.by))
	case phrase:
		return v.say(w.sentence, w.values...)
	case string:
		text, ok := v.words[w]
		if !ok {
			text = w
		}
		text = template.HTMLEscapeString(text)
		if len(values) == 0 {
			return template.HTML(text)
		}
		said := make([]any, len(values))
		for i, value := range values {
			said[i] = v.say(value)
		}
		return template.HTML(fmt.Sprintf(text, said...))
	}
	return template.HTML(template.HTMLEscapeString(fmt.Sprint(w)))
}

// when is a time; the page's script shows it in the reader's own zone.
func (v voice) when(t time.Time) template.HTML {
	t = t.UTC()
	text := t.Format("2 January 2006, 15:04 UTC")
	if v.lang == "de" {
		months := [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
		text = fmt.Sprintf("%d. %s %d, %s", t.Day(), months[t.Month()-1], t.Year(), t.Format("15:04 UTC"))
	}
	return v.time(t, text, "")
}

func (v voice) time(t time.Time, text, class string) template.HTML {
	if v.plain {
		return template.HTML(text)
	}
	if class != "" {
		class = ` class="` + class + `"`
	}
	return template.HTML(`<time` + class + ` datetime="` + t.UTC().Format(time.RFC3339) + `">` + text + `</time>`)
}

func (v voice) device(agent string) template.HTML { return v.say(DeviceWords(agent)) }

func strong(s string) template.HTML {
	return template.HTML("<strong>" + template.HTMLEscapeString(s) + "</strong>")
}

// languages are English and those that there are catalogues of.
func languages(files fs.FS) ([]string, error) {
	dirs, err := fs.ReadDir(files, "catalogue")
	out := []string{English}
	for _, d := range dirs {
		out = append(out, d.Name())
	}
	return out, err
}

// voiceOf reads a language's catalogue; English has none.
func voiceOf(files fs.FS, lang string) (voice, error) {
	v := voice{lang: lang, words: map[string]string{}}
	names, err := fs.Glob(files, "catalogue/"+lang+"/*.json")
	if err != nil {
		return v, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return v, err
		}
		var words map[string]string
		if err := json.Unmarshal(text, &words); err != nil {
			return v, fmt.Errorf("%s: %w", name, err)
		}
		for sentence, translated := range words {
			if was, twice := v.words[sentence]; twice && was != translated {
				return v, fmt.Errorf("%s: %q is translated twice, and differently", name, sentence)
			}
			v.words[sentence] = translated
		}
	}
	return v, nil
}
