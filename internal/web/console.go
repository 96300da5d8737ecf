package web

import "time"

// Console is a page for operators: what is known of something, in facts and tables, and what can be done to it, in forms. What is of type
// Words is ours and translated; what is a string is somebody's, or a word that programs use, too.
type Console struct {
	Header
	Back    string // where a page without a place of its own leads
	Title   Words
	Lead    Words
	Flash   Words
	Error   Words
	Warning Words
	StepUp  string // where a sign-in that is too old to act is made new; "": it is not
	Secret  string // shown once
	Again   bool   // something will soon be other than it is: it is asked for again
	Facts   []Fact
	Charts  []Chart
	Filter  *Form
	Tables  []Table
	Forms   []Form
}

func (Console) template() string  { return "console" }
func (p Console) header() *Header { return &p.Header }
func (p Console) once() bool      { return p.Secret != "" }

// Open are the forms that are seen at once, Folds those that are opened by their titles.
func (p Console) Open() []Form  { return p.forms(false) }
func (p Console) Folds() []Form { return p.forms(true) }

func (p Console) forms(folded bool) (out []Form) {
	for _, f := range p.Forms {
		if f.Folded == folded {
			out = append(out, f)
		}
	}
	return out
}

// Fact is one thing that is known.
type Fact struct {
	Label    Words
	Text, To string
	Said     Words // in place of Text
	At       time.Time
	Bad      bool
}

// Table is a list.
type Table struct {
	Title, Empty Words
	More         string // the address of the next page
	All          string // where the rest is, if these are the newest only
	Export       string
	Head         []Words
	Rows         [][]Cell
}

// Cell is one of a row.
type Cell struct {
	Text, To string
	Said     Words // in place of Text
	At       time.Time
	Tag      string // good, bad or plain: the word stands out
	Form     *Form
}

// Empty says that there is nothing in it.
func (c Cell) Empty() bool { return c.Text == "" && c.Said == nil && c.At.IsZero() && c.Form == nil }

// Form is an act, or a filter. A form with a reason asks for one.
type Form struct {
	ID          string
	Title, Text Words
	Action      string
	Button      Words
	Fields      []Field
	Reason      bool
	Why         string // what was written there before
	Danger      bool
	Folded      bool // it is opened by its title
	CSRF, Nonce string
}

// Field is one field of a form.
type Field struct {
	Key, Value        string // Key: its name
	Label, Hint       Words
	Kind              string // text, area, check, select, hidden
	Options           []Option
	Checked, Required bool
}

// Option is one of a field's.
type Option struct {
	Value string
	Label Words
}

// Chart is a row of bars, made here: no script draws it.
type Chart struct {
	Title  Words
	Said   Words // the same in words, for who cannot see it
	Width  int
	Height int
	Bars   []Bar
}

// Bar is one hour of a chart: what went well stands on the ground, what failed on top of it.
type Bar struct {
	X, W        int
	Y, H        int // of what went well
	BadY, BadH  int // of what failed
	Label       string
	Good, Wrong int64
}

// Heights of a chart, in its own units.
const (
	chartHigh = 60
	barWide   = 10
	barEvery  = 13
)

// NewChart draws bars. Everything is scaled to the highest.
func NewChart(title, said Words, bars []Bar) Chart {
	c := Chart{Title: title, Said: said, Width: barEvery * max(len(bars), 1), Height: chartHigh}
	most := int64(1)
	for _, b := range bars {
		most = max(most, b.Good+b.Wrong)
	}
	tall := func(n int64) int {
		if n == 0 {
			return 0
		}
		return max(1, int(n*chartHigh/most)) // one is seen beside ten thousand
	}
	for i, b := range bars {
		b.X, b.W = i*barEvery, barWide
		b.H, b.BadH = tall(b.Good), tall(b.Wrong)
		b.Y = chartHigh - b.H
		b.BadY = max(0, b.Y-b.BadH)
		c.Bars = append(c.Bars, b)
	}
	return c
}
