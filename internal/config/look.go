package config

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Look is what an installation shows of itself on its pages, besides the name.
type Look struct {
	Logo     []byte // a picture; nil: none
	LogoKind string // its media type
	Color    string // #rrggbb, of links and buttons by day; "" for ours
	Dark     string // by night
}

// The grounds that links and texts of the accent stand on, by day and by night, and what stands on a button of that colour: those of
// internal/web/static/style.css, which a test compares.
const (
	DayPage, DayCard, DayInk       = "#f5f6f8", "#ffffff", "#ffffff"
	NightPage, NightCard, NightInk = "#10141a", "#191f28", "#0a1526"
)

const (
	legible  = 4.5 // to 1: WCAG 2.2 success criterion 1.4.3
	mostLogo = 256 << 10
)

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (r *reader) look(key string, n *yaml.Node, l *Look) {
	one := func(to *string, grounds ...string) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) {
			text, ok := r.text(key, n)
			if !ok {
				return
			}
			if !colour.MatchString(text) {
				r.wrong(n.Line, key, strconv.Quote(text)+" is no colour", `write six hexadecimal digits in quotes, for example "#1f5fbf"`)
				return
			}
			*to = strings.ToLower(text)
			for _, ground := range grounds {
				if c := contrast(*to, ground); c < legible {
					hint := "choose a darker one"
					if luminance(ground) < .2 {
						hint = "choose a lighter one"
					}
					r.wrong(n.Line, key, fmt.Sprintf("with %s its contrast is %.1f to 1, and who sees less well needs %.1f", ground, c, legible), hint)
					return
				}
			}
		}
	}
	r.mapping(key, n, []field{
		{"logo", func(key string, n *yaml.Node) { r.logo(key, n, l) }},
		{"color", one(&l.Color, DayPage, DayCard, DayInk)},
		{"dark_color", one(&l.Dark, NightPage, NightCard, NightInk)},
	})
	if l.Color != "" && l.Dark == "" {
		l.Dark = lighter(l.Color)
	}
}

func (r *reader) logo(key string, n *yaml.Node, l *Look) {
	path, ok := r.text(key, n)
	if !ok {
		return
	}
	kinds := map[string]string{".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
	if l.LogoKind = kinds[strings.ToLower(filepath.Ext(path))]; l.LogoKind == "" {
		r.wrong(n.Line, key, strconv.Quote(path)+" is no picture for pages", "use a file that ends in .svg, .png or .webp")
		return
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(r.base, full)
	}
	text, err := os.ReadFile(full)
	switch {
	case err != nil:
		r.wrong(n.Line, key, "the file "+path+" cannot be read", "correct the path")
	case len(text) == 0 || len(text) > mostLogo:
		r.wrong(n.Line, key, fmt.Sprintf("the file has %d bytes", len(text)), fmt.Sprintf("use a picture of at most %d: every page loads it", mostLogo))
	default:
		l.Logo = text
	}
}

// contrast of two colours (WCAG 2.2, contrast ratio).
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + .05) / (dark + .05)
}

func channels(c string) (out [3]float64) {
	for i := range out {
		v, _ := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
		out[i] = float64(v)
	}
	return out
}

// luminance of a colour (WCAG 2.2, relative luminance).
func luminance(c string) float64 {
	sum, weight := 0.0, [3]float64{.2126, .7152, .0722}
	for i, v := range channels(c) {
		if v /= 255; v <= .04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+.055)/1.055, 2.4)
		}
		sum += weight[i] * v
	}
	return sum
}

// lighter is the same colour with as much white in it as the night needs.
func lighter(c string) string {
	is := channels(c)
	for part := 0.0; ; part += .05 {
		out := "#"
		for _, v := range is {
			out += fmt.Sprintf("%02x", int(v+(255-v)*min(part, 1)))
		}
		if part >= 1 || contrast(out, NightPage) >= legible && contrast(out, NightCard) >= legible && contrast(out, NightInk) >= legible {
			return out
		}
	}
}
