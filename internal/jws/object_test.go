package jws

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestParseObject(t *testing.T) {
	for in, want := range map[string]int{
		`{}`: 0, ` { } `: 0, `{"a":1}`: 1, "{ \"a\" : 1 ,\n\"b\":[{\"}\":\"]\"}, 2] , \"c\" : \"\\\"}\" }": 3,
		`{"a":{"a":1},"b":null,"d":-1.5e3}`: 3, `{"\u0061":1}`: 1,
	} {
		if o, err := ParseObject([]byte(in)); err != nil || len(o) != want {
			t.Errorf("%s: %v, %v", in, o, err)
		}
	}
	for _, in := range []string{
		``, ` `, `1`, `"a"`, `[]`, `null`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{} {}`, `{}x`, `{"a":1 "b":2}`,
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{'a':1}`,
	} {
		if o, err := ParseObject([]byte(in)); err == nil {
			t.Errorf("%s: accepted as %v", in, o)
		}
	}
}

// FuzzObject: what is accepted is what encoding/json reads, member by member.
func FuzzObject(f *testing.F) {
	f.Add([]byte(`{ "iss" : "x" , "aud":["a","b"],"exp":1,"cnf":{"jkt":"}\""} , "e":[]}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		o, err := ParseObject(in)
		if err != nil {
			return
		}
		want := map[string]json.RawMessage{}
		if err := json.Unmarshal(in, &want); err != nil || len(want) != len(o) {
			t.Fatalf("%q: %d members, want %d, %v", in, len(o), len(want), err)
		}
		for _, m := range o {
			if m.value != string(want[m.name]) {
				t.Fatalf("%q: %q is %q, want %q", in, m.name, m.value, want[m.name])
			}
			var s string
			got, ok := Text(m.value)
			if wantOK := m.value[0] == '"' && json.Unmarshal([]byte(m.value), &s) == nil; ok != wantOK || got != s {
				t.Fatalf("%q: text %q, %v", m.value, got, ok)
			}
			var l []string
			if got := Texts(m.value); got != nil {
				if err := json.Unmarshal([]byte(m.value), &l); err != nil || !reflect.DeepEqual(got, l) {
					t.Fatalf("%q: list %q, want %q", m.value, got, l)
				}
			}
		}
	})
}
