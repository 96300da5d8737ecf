package idp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// FoldUsername gives the form in which usernames are unique and looked up.
func FoldUsername(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// ValidUsername refuses what could not be typed, shown or told apart: 1 to 64 characters, letters, digits and any of . _ - @ +, of one script,
// in their plain form. It takes less than PRECIS does (RFC 8265 section 3), for people read usernames to know who somebody is.
func ValidUsername(s string) error {
	if n := utf8.RuneCountInString(s); n == 0 || n > 64 {
		return Invalid("username", "A username has 1 to 64 characters.")
	}
	if strings.ContainsFunc(s, unseen) {
		return Invalid("username", "A username has no characters that cannot be seen.")
	}
	for _, r := range s {
		if !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-@+", r)) {
			return Invalid("username", "A username has letters, digits and . _ - @ + only.")
		}
	}
	if !norm.NFKC.IsNormalString(s) { // RFC 8264 section 9.17, HasCompat: not ａ, ℌ, ª or ﬁ
		return Invalid("username", "A username has plain letters and digits, not their wide, raised, joined or ornamental forms.")
	}
	if !oneScript(s) {
		return Invalid("username", "A username has letters of one script, for example Latin or Cyrillic, not of two: they look alike.")
	}
	return nil
}

// unseen says that a character leaves no trace on a page (Unicode, Default_Ignorable_Code_Point, and other formats); some are letters.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// oneScript is the restriction level "single script" of UTS 39 section 5.2: what is written together in Japanese, Korean and Chinese
// counts as one. ASCII digits go with every script.
func oneScript(s string) bool {
	var left []string // in which all that was read so far may be written; nil: any
	for _, r := range s {
		if r < unicode.MaxASCII && !unicode.IsLetter(r) {
			continue
		}
		in := writings(r)
		if left == nil {
			left = in
		}
		var both []string
		for _, w := range left {
			if strings.Contains(" "+strings.Join(in, " ")+" ", " "+w+" ") {
				both = append(both, w)
			}
		}
		if left = both; left == nil {
			return false
		}
	}
	return true
}

// writings are those that a letter or digit is used in; none: it is a sign that looks like something else.
func writings(r rune) []string {
	script := ""
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			script = name
			break
		}
	}
	switch {
	case script == "Han":
		return []string{"Han", "Japanese", "Korean", "Chinese"}
	case script == "Hiragana", script == "Katakana", r == 'ー':
		return []string{"Japanese"}
	case script == "Hangul":
		return []string{"Korean"}
	case script == "Bopomofo":
		return []string{"Chinese"}
	case script == "Common" && '٠' <= r && r <= '٩':
		return []string{"Arabic"}
	case script == "Common", script == "Inherited":
		return nil
	}
	return []string{script}
}
