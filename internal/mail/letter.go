package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/mail"
	"strings"
	texttemplate "text/template"
	"unicode"

	"exeunt.dev/internal/idp"
)

// Letter is a letter to one person. Its sentences are English, keys of the catalogue; they hold nothing that a stranger has written.
type Letter struct {
	Kind    string        // for operators and limits: reset, new-device, ...
	Account idp.AccountID // whose
	To      string
	Name    string // of the person, as the account has it
	Lang    string // "": English
	Subject Line
	Lines   []Line // paragraphs above the link
	Link    string // an address of ours; "": there is none
	Press   Line   // what the link does
	Below   []Line
	// Stranger says that anybody can have this letter sent.
	Stranger bool
}

// Line is a sentence with what stands in its %s.
type Line struct {
	Text string
	With []string `json:",omitempty"`
}

// L makes a line.
func L(text string, with ...string) Line { return Line{text, with} }

// Say gives a sentence in a language.
type Say func(lang, sentence string, with ...any) string

// English says sentences as they stand.
func English(_, sentence string, with ...any) string {
	if len(with) == 0 {
		return sentence
	}
	return fmt.Sprintf(sentence, with...)
}

func (s Say) line(lang string, l Line) string {
	with := make([]any, len(l.With))
	for i, w := range l.With {
		with[i] = w
	}
	return s(lang, l.Text, with...)
}

// ValidAddress refuses what is no plain mail address: one that has a name, a comment or a quotation, or that could end its header.
func ValidAddress(s string) error {
	wrong := idp.Invalid("email", "That is no mail address.")
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`"<>(),;:\[]`, r)
	}) {
		return wrong
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return wrong
	}
	return nil
}

func oneLine(s string) error {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("a header has control characters: %q", s)
	}
	return nil
}

//go:embed templates
var templates embed.FS

// printer makes the two parts of a letter.
type printer struct {
	text *texttemplate.Template
	html *htmltemplate.Template
	say  Say
	site string
	home string // the issuer
}

func newPrinter(site, home string, say Say) (*printer, error) {
	text, err := texttemplate.ParseFS(templates, "templates/letter.txt")
	if err != nil {
		return nil, err
	}
	html, err := htmltemplate.ParseFS(templates, "templates/letter.html")
	return &printer{text, html, say, site, home}, err
}

type printed struct{ subject, text, html string }

func (p *printer) print(l *Letter) (out printed, err error) {
	all := func(lines []Line) (out []string) {
		for _, line := range lines {
			out = append(out, p.say.line(l.Lang, line))
		}
		return out
	}
	lang := l.Lang
	if lang == "" {
		lang = "en"
	}
	page := struct {
		Lang, Subject, Hello, Link, Press, Sent string
		Lines, Below                            []string
	}{
		lang, p.say.line(l.Lang, l.Subject), p.say(l.Lang, "Hello %s,", l.Name), l.Link, p.say.line(l.Lang, l.Press),
		p.say(l.Lang, "Sent by %s (%s). Nobody reads answers to this address.", p.site, p.home), all(l.Lines), all(l.Below),
	}
	var text, html bytes.Buffer
	if err := p.text.Execute(&text, page); err != nil {
		return out, err
	}
	if err := p.html.Execute(&html, page); err != nil {
		return out, err
	}
	return printed{page.Subject, text.String(), html.String()}, oneLine(page.Subject)
}
