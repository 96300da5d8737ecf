package verbs

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzList: the short way reads what encoding/json reads.
func FuzzList(f *testing.F) {
	for _, s := range []string{`[]`, `["a"]`, `["a","b"]`, `[""]`, `["",""]`, `["a", "b"]`, `["a\"b"]`, `["a"b"]`, `["]`, `["a",1,"b"]`, `["a",["b"]]`, `[null]`, `["é"]`, `["a","]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := List(s)
		var want []string
		if err := json.Unmarshal([]byte(s), &want); ok != (err == nil) || (ok && !slices.Equal(got, want)) {
			t.Errorf("%q: %q, %v; encoding/json: %q, %v", s, got, ok, want, err)
		}
	})
}
