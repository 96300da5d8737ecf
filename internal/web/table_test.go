package web

import (
	"bytes"
	"html"
	"strings"
	"testing"
	"time"
)

// What is somebody's stays text wherever a cell, an option or a bar shows it, and leads nowhere but here.
func TestRowsEscape(t *testing.T) {
	const evil = `"><script>alert('1')</script>&amp;`
	p, err := New("Test", false)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cells := []Cell{{Text: evil}, {Text: evil, To: "/admin/" + evil}, {Said: Say("%s endings", evil)}, {Text: evil, Tag: evil}, {Text: "x", To: "javascript:alert(1)"},
		{Text: "y", To: "//evil.example"}, {Text: "z", To: `/\evil.example`}, {At: at}, {}, {Form: &Form{ID: "f", Button: "End", Action: "/admin/end", CSRF: evil, Reason: true, Why: evil}}}
	page := Console{Tables: []Table{{Title: "Sessions", Head: make([]Words, len(cells)), Rows: [][]Cell{cells}}},
		Filter: &Form{Fields: []Field{{Kind: "select", Key: "k", Value: "b", Options: []Option{{Value: evil, Label: evil}, {Value: "b", Label: "active"}}}}},
		Charts: []Chart{NewChart("Endings of the last 24 hours", evil, []Bar{{Label: evil, Good: 3, Wrong: 1}})}}
	for i := range page.Tables[0].Head {
		page.Tables[0].Head[i] = "Device"
	}
	var b bytes.Buffer
	if err := p.write(&b, "de", "console", "main", page); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, bad := range []string{"<script>", "javascript:", "evil.example", evil} {
		if strings.Contains(got, bad) {
			t.Errorf("the page has %s:\n%s", bad, got)
		}
	}
	escaped := html.EscapeString(evil)
	for _, want := range []string{`data-label="Gerät">` + escaped + `</td>`, `<a href="/admin/` + escaped + `">` + escaped + `</a>`, escaped + " Enden</td>",
		`<span class="tag ` + escaped + `">`, `">x</td>`, `">y</td>`, `">z</td>`, `<time datetime="2026-11-21T12:00:00Z">21. November 2026`, ` class="none"></td>`,
		`<summary>Beenden</summary>`, `action="/admin/end"`, `<option value="` + escaped + `">` + escaped + `</option><option value="b" selected>aktiv</option>`,
		`<title>` + escaped + `: 3 + 1</title><rect class="good" x="0" y="15" width="10" height="45"></rect><rect class="wrong" x="0" y="0" width="10" height="15"></rect>`} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s:\n%s", want, got)
		}
	}
}
