package weak

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

func TestEasy(t *testing.T) {
	g := NewGuesser("Exeunt", "id.example.com")
	for _, p := range []string{
		"password", "Password1", "P@ssw0rd!", "passwort2024", "Summer2025!", "Sommer2025!!", "qwertyuiop", "qwertz123456", "1qaz2wsx", "1qaz2wsx3edc", "asdfghjkl", "poiuytrewq",
		"12345678", "87654321", "11111111", "aaaaaaaaaaaaaaaa", "abcabcabcabc", "xyxyxyxy", "19871224", "24121987", "482133771234", "iloveyou1990", "iloveyou!!", "letmein123",
		"dragon1987!", "dr4g0n1987", "abcdefgh", "zyxwvuts", "alice2024", "Alice1234", "wonderby99", "alicewonderby", "exeunt2024!", "example1234", "passwordpassword", "hello world", "LiebeSonne1",
		"trustno1!!", "monkeymonkeymonkey", "!@#$%^&*()",
	} {
		if !g.Easy(p, "alice.wonderby@mail.example", "Alice") {
			t.Errorf("%q passes", p)
		}
	}
	for _, p := range []string{
		"kd83jf9x", "a long password", "correct horse battery staple", "vier Worte ohne Sinn", "gT7#qLp2", "Zug nach Kiruna um acht", "4821-9375-1187-2046", "tr0ub4dor&3", "ünïcödé śecret",
		idp.NewSecret(9), strings.Repeat("password", 20),
	} {
		if g.Easy(p, "alice.wonderby@mail.example", "Alice") {
			t.Errorf("%q is refused", p)
		}
	}
	if g.Easy("margareteholtby") || !g.Easy("margareteholtby", "margarete", "Margarete Holtby") {
		t.Error("a name counts for its owner, and for nobody else")
	}
}

// Every line is found, and nothing between them, however long they are and wherever the search begins.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	var plain []string
	for i := range 1100 {
		plain = append(plain, fmt.Sprintf("word %04x%s", i*7919%65536, strings.Repeat("x", i%17)))
	}
	plain = append(plain, "a", "zz", "ünicode")
	slices.Sort(plain)
	var upper, lower []string
	for _, p := range plain {
		sum := sha1.Sum([]byte(p))
		upper, lower = append(upper, fmt.Sprintf("%X:%d", sum, len(p))), append(lower, fmt.Sprintf("%x", sum))
	}
	slices.Sort(upper)
	slices.Sort(lower)
	for name, text := range map[string]string{
		"plain": strings.Join(plain, "\n") + "\n", "no newline at the end": strings.Join(plain, "\n"), "of Windows": strings.Join(plain, "\r\n") + "\r\n",
		"hashes with counts": strings.Join(upper, "\r\n"), "hashes": strings.Join(lower, "\n") + "\n",
	} {
		path := filepath.Join(dir, "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(path)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, p := range plain {
			if i%7 > 0 && i < 1000 {
				continue
			}
			if ok, err := f.Has(p); !ok || err != nil {
				t.Fatalf("%s: %q is not found: %v", name, p, err)
			}
			for _, other := range []string{p + "!", p[:len(p)-1] + "\x01", "", p + "\n" + p} {
				if ok, err := f.Has(other); ok && !slices.Contains(plain, other) || err != nil {
					t.Fatalf("%s: %q is found: %v", name, other, err)
				}
			}
		}
	}
}

func TestFile_Refused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"not in order": "b\na\n", "mixed": strings.Repeat("ab", 20) + "\nno hash\n", "a line without end": strings.Repeat("x", longestLine+1),
	} {
		path := filepath.Join(dir, "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err == nil {
			t.Error(name, "is taken")
		}
	}
	if _, err := OpenFile(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a file that is not there is taken")
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(empty)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Has("anything"); ok || err != nil {
		t.Error("an empty file:", ok, err)
	}
}

func TestRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte("a stolen pass phrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := NewRules(path, "Exeunt")
	if err != nil {
		t.Fatal(err)
	}
	for password, says := range map[string]string{"short": "at least 8", "password1": "easy to guess", "a stolen pass phrase": "stolen", "a free pass phrase": ""} {
		err := r.Refuse(password)
		var invalid *idp.InvalidError
		if (says == "") != (err == nil) || says != "" && (!errors.As(err, &invalid) || !strings.Contains(invalid.Sentence, says)) {
			t.Errorf("%q: %v", password, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r.Refuse("a free pass phrase") == nil {
		t.Error("a file that is gone refuses nothing")
	}
}
