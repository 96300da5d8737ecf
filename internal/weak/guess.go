package weak

import (
	_ "embed" // the words
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed words.txt
var words string

// enough is of how many pieces a password is made at least.
const enough = 4

// lines of keys that lie beside each other, and of letters in their order.
const lines = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop qwertzuiop azertyuiop asdfghjkl qsdfghjklm zxcvbnm yxcvbnm wxcvbn " +
	"1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik 9ol 0p 1qay 2wsx 3edc !@#$%^&*() !\"§$%&/()= 147 258 369 159 753 741 852 963"

// Guesser knows the words.
type Guesser struct {
	known   map[string]bool
	longest int
	rows    string
}

// NewGuesser reads them. site are names of the installation.
func NewGuesser(site ...string) *Guesser {
	g := &Guesser{known: map[string]bool{}, rows: lines + " " + reverse(lines)}
	for _, w := range strings.Fields(words) {
		g.add(w)
	}
	for _, s := range site {
		for _, w := range parts(s) {
			g.add(w)
		}
	}
	return g
}

func (g *Guesser) add(w string) {
	g.known[w] = true
	g.longest = max(g.longest, utf8.RuneCountInString(w))
}

// Easy says that a password is made of too few pieces. about are names of its owner.
func (g *Guesser) Easy(password string, about ...string) bool {
	own := map[string]bool{}
	for _, a := range about {
		for _, w := range parts(a) {
			own[w] = true
		}
	}
	text := []rune(strings.ToLower(password))
	if len(text) > 64 {
		return false
	}
	return g.pieces(text, own) < enough
}

// parts are the words of a name that are long enough to be one, and the name without what separates them.
func parts(name string) (out []string) {
	low := strings.ToLower(name)
	all := append(strings.FieldsFunc(low, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), low)
	for _, w := range all {
		if utf8.RuneCountInString(w) >= 3 {
			out = append(out, w)
		}
	}
	return out
}

// pieces is of how few pieces a text can be made.
func (g *Guesser) pieces(text []rune, own map[string]bool) int {
	if n := period(text); n < len(text) {
		return min(g.pieces(text[:n], own)+1, g.apart(text, own))
	}
	return g.apart(text, own)
}

// apart takes a text apart, from left to right, each beginning as cheaply as can be.
func (g *Guesser) apart(text []rune, own map[string]bool) int {
	plain := unleet(text)
	least := make([]int, len(text)+1)
	for end := 1; end <= len(text); end++ {
		least[end] = least[end-1] + 1
		for from := max(0, end-64); from < end-1; from++ {
			if least[from]+1 < least[end] && g.piece(text[from:end], plain[from:end], own) {
				least[end] = least[from] + 1
			}
		}
	}
	return least[len(text)]
}

// piece says that a part of two characters or more is one that is tried as a whole.
func (g *Guesser) piece(text, plain []rune, own map[string]bool) bool {
	s := string(text)
	if len(text) <= 4 && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) {
		return true // years, days, any number that is short
	}
	same := true
	for _, r := range text {
		same = same && r == text[0]
	}
	if same || len(text) >= 3 && !strings.Contains(s, " ") && strings.Contains(g.rows, s) {
		return true
	}
	if len(text) < 3 {
		return false
	}
	p := string(plain)
	return g.known[s] || g.known[p] || own[s] || own[p]
}

// unleet writes digits and signs as the letters that they stand for.
func unleet(text []rune) []rune {
	out := make([]rune, len(text))
	for i, r := range text {
		if at := strings.IndexRune("0134578@$!€", r); at >= 0 {
			r = map[rune]rune{'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '@': 'a', '$': 's', '!': 'i', '€': 'e'}[r]
		}
		out[i] = r
	}
	return out
}

// period is the length of the part that a text repeats, or the text's own.
func period(text []rune) int {
	for n := 1; n <= len(text)/2; n++ {
		repeats := true
		for i := n; i < len(text) && repeats; i++ {
			repeats = text[i] == text[i-n]
		}
		if repeats {
			return n
		}
	}
	return len(text)
}

func reverse(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}
