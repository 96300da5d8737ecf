package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The grounds are those of the stylesheet.
func TestGrounds(t *testing.T) {
	css, err := os.ReadFile("../web/static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	day, night, ok := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("the stylesheet has no night")
	}
	night, _, _ = strings.Cut(night, "* {")
	for what, c := range map[string][2]string{
		"--bg: " + DayPage: {day, night}, "--card: #fff;": {day, night}, "--on-accent: #fff;": {day, night},
		"--bg: " + NightPage: {night, day}, "--card: " + NightCard: {night, day}, "--on-accent: " + NightInk: {night, day},
	} {
		if !strings.Contains(c[0], what) || strings.Contains(c[1], what) {
			t.Errorf("the stylesheet says something else than %s", what)
		}
	}
}

func TestLook(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>", "empty.png": "", "logo.gif": "GIF89a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		`color: "#1F5FBF"`:        "",
		`color: "#000000"`:        "",
		`color: "#ffee00"`:        "look.color: with #f5f6f8 its contrast is 1.1 to 1, and who sees less well needs 4.5; choose a darker one",
		`dark_color: "#1f5fbf"`:   "look.dark_color: with #10141a its contrast is 3.0 to 1, and who sees less well needs 4.5; choose a lighter one",
		`color: blue`:             `look.color: "blue" is no colour; write six hexadecimal digits in quotes, for example "#1f5fbf"`,
		`logo: logo.svg`:          "",
		`logo: logo.gif`:          `look.logo: "logo.gif" is no picture for pages; use a file that ends in .svg, .png or .webp`,
		`logo: nowhere.png`:       "look.logo: the file nowhere.png cannot be read; correct the path",
		`logo: empty.png`:         "look.logo: the file has 0 bytes; use a picture of at most 262144: every page loads it",
		`colour: "#1f5fbf"`:       "look.colour: there is no such key; did you mean color?",
		`{color: "#1f5fbf}; *{}"`: "there is no such",
	} {
		c, err := Parse(filepath.Join(dir, "exeunt.yaml"), []byte("issuer: http://localhost:8080\nlook:\n  "+text+"\n"))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if (want == "") != (err == nil) || !strings.Contains(got, want) && want != "there is no such" {
			t.Errorf("%s: %s", text, got)
		}
		if err == nil && c.Look.Color != "" && (contrast(c.Look.Dark, NightCard) < legible || contrast(c.Look.Dark, NightInk) < legible) {
			t.Errorf("%s: by night %s", text, c.Look.Dark)
		}
	}
}
