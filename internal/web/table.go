package web

import (
	"html/template"
	"io"
	"strconv"
	"strings"
)

// What a page has hundreds of (cells, options, bars) is written here: a template takes ten times as long for each. What is somebody's is
// escaped as say escapes it, and stands between tags or quotation marks only.

// writer gathers HTML.
type writer struct {
	voice
	strings.Builder
}

// raw is HTML of ours, text is somebody's.
func (w *writer) raw(parts ...string) {
	for _, s := range parts {
		w.WriteString(s)
	}
}
func (w *writer) text(s string)    { w.WriteString(template.HTMLEscapeString(s)) }
func (w *writer) words(said Words) { w.raw(string(w.say(said))) }

// number writes attributes.
func (w *writer) number(name string, n int) { w.raw(` `, name, `="`, strconv.Itoa(n), `"`) }

// rows are a table's; act writes a cell's form.
func (v voice) rows(t Table, act func(io.Writer, *Form) error) (template.HTML, error) {
	w := writer{voice: v}
	for _, row := range t.Rows {
		w.raw(`<tr role="row">`)
		for i := range row {
			w.raw(`<td role="cell" data-label="`)
			w.words(t.Head[i])
			if w.raw(`"`); row[i].Empty() {
				w.raw(` class="none"`)
			}
			w.raw(`>`)
			if err := w.cell(&row[i], act); err != nil {
				return "", err
			}
			w.raw(`</td>`)
		}
		w.raw("</tr>\n")
	}
	return template.HTML(w.String()), nil
}

func (w *writer) cell(c *Cell, act func(io.Writer, *Form) error) error {
	switch {
	case c.Form != nil:
		w.raw(`<details class="act"><summary>`)
		w.words(c.Form.Button)
		w.raw(`</summary>`)
		if err := act(w, c.Form); err != nil {
			return err
		}
		w.raw(`</details>`)
	case local(c.To):
		w.raw(`<a href="`)
		w.text(c.To)
		w.raw(`">`)
		w.said(c)
		w.raw(`</a>`)
	case c.Tag != "":
		w.raw(`<span class="tag `)
		w.text(c.Tag)
		w.raw(`">`)
		w.said(c)
		w.raw(`</span>`)
	case c.Text == "" && c.Said == nil && !c.At.IsZero():
		w.raw(string(w.when(c.At)))
	default:
		w.said(c)
	}
	return nil
}

func (w *writer) said(c *Cell) {
	w.text(c.Text)
	w.words(c.Said)
}

// local says that an address is a path here: nothing else is linked to from a cell.
func local(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`)
}

// options are a field's; one may be chosen.
func (v voice) options(all []Option, chosen string) template.HTML {
	w := writer{voice: v}
	for _, o := range all {
		w.raw(`<option value="`)
		w.text(o.Value)
		if w.raw(`"`); o.Value == chosen {
			w.raw(` selected`)
		}
		w.raw(`>`)
		w.words(o.Label)
		w.raw(`</option>`)
	}
	return template.HTML(w.String())
}

// bars are a chart's.
func bars(all []Bar) template.HTML {
	var w writer
	for _, b := range all {
		w.raw(`<g><title>`)
		w.text(b.Label)
		w.raw(`: `, strconv.FormatInt(b.Good, 10))
		if b.Wrong > 0 {
			w.raw(` + `, strconv.FormatInt(b.Wrong, 10))
		}
		w.raw(`</title>`)
		w.bar("good", b.X, b.Y, b.W, b.H)
		w.bar("wrong", b.X, b.BadY, b.W, b.BadH)
		w.raw(`</g>`)
	}
	return template.HTML(w.String())
}

func (w *writer) bar(class string, x, y, wide, high int) {
	w.raw(`<rect class="`, class, `"`)
	w.number("x", x)
	w.number("y", y)
	w.number("width", wide)
	w.number("height", high)
	w.raw(`></rect>`)
}
