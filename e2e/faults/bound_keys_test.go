package faults

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
	"exeunt.dev/ledger"
)

// minted is a new access token of books, by a way that ends nothing.
func (s *plight) minted() string {
	s.t.Helper()
	a, err := s.p.sessions[0].enter("books")
	s.must(err)
	return a.access
}

// more is a token that must be good from now on.
func (s *plight) more(name, raw string) {
	s.t.Helper()
	s.good[name] = raw
	s.at.ask(s.t, "POST", "/"+s.id+"/try", map[string]string{name: raw}, nil)
}

// keys are rotations and kills (R4.7).
func (w *world) keys(t *testing.T) {
	// Caught: a rotation that ends something; a guard that takes a key that it could not ask about for a forged one.
	w.row(t, "key rotated while cut off", true, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "")
		s.follow()
		s.link.Aim()
		s.ends(1, 0)
		for i := range 3 { // the second new one was not published when the line was cut
			s.c.command(nil, "key", "rotate", "access", "--now")
			s.until("the server signs with another key", func() bool { return s.signs(s.c.kids("access", "active")) })
			s.more(fmt.Sprint("after rotation ", i+1), s.minted())
			s.ends(1, staleness/3)
		}
		s.ends(s.left(), staleness/2)
		time.Sleep(staleness / 2)
		s.heal(func() { s.link.Aim(s.c.nodes[0].address()) })
		s.settle()
	})
	// Two at a time, so that a key is used that was not published before, while somebody else sends made-up kids, for which the guard
	// asks as often as it may. Caught: a guard that says 401 for a key about which it has not asked since.
	w.row(t, "keys rotated two at a time, among made-up kids", false, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "")
		s.follow()
		_, rest, _ := strings.Cut(s.good["books"], ".")
		head := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"typ":"at+jwt","alg":"ES256","kid":%q}`, ledger.NewName()))
		s.at.ask(t, "POST", "/"+s.id+"/try", map[string]string{"made up": head + "." + rest}, nil)
		for i := range 4 {
			s.c.command(nil, "key", "rotate", "access", "--now")
			s.c.command(nil, "key", "rotate", "access", "--now")
			s.until("the server signs with another key", func() bool { return s.signs(s.c.kids("access", "active")) })
			s.more(fmt.Sprint("after rotation ", i+1), s.minted())
			s.ends(1, 0)
		}
		s.ends(s.left(), staleness/2)
		s.settle()
	})
	// Everything that it signed is over, for guards that were cut off, for those that start later, by a snapshot, and after the server
	// was started again. Caught: kills that only take the key out of the published set; an ending of a key that is ever forgotten.
	w.row(t, "key killed while cut off", true, func(t *testing.T, row *line) {
		s := w.alone(t, row, 3, "")
		s.follow()
		s.ends(1, 0)
		killed := s.c.kids("access", "active")
		s.link.Aim()
		sent := talk.Now()
		for _, kid := range killed {
			s.c.command(nil, "key", "kill", kid)
		}
		ended := talk.Now()
		for name, raw := range s.good {
			s.victims = append(s.victims, &victim{name: name, raw: raw})
		}
		for _, v := range s.victims {
			if v.ended == 0 {
				v.sent, v.ended = sent, ended
				row.ends++
			}
		}
		s.until("the server signs with another key", func() bool { return s.signs(s.c.kids("access", "active")) })
		s.good = map[string]string{}
		s.more("after the kill", s.minted())
		time.Sleep(staleness * 5 / 4)
		s.heal(func() { s.link.Aim(s.c.nodes[0].address()) })
		s.settle()
		for _, again := range []string{"a guard started later", "a guard started after the server was started again"} {
			s.id, s.healed = s.id+"-later", 0
			s.at.guard(t, s.c, s.id, s.link.URL())
			s.try("")
			s.settle()
			row.note = again + " refuses, too"
			s.c.nodes[0].kill()
			s.c.nodes[0].up()
		}
	})
}

func (s *plight) until(what string, f func() bool) { s.t.Helper(); until(s.t, what, f) }

// signs says whether what is minted now is signed by one of the keys.
func (s *plight) signs(kids []string) bool {
	s.t.Helper()
	kid := kidOf(s.t, s.minted())
	for _, k := range kids {
		if k == kid {
			return true
		}
	}
	return false
}

func kidOf(t *testing.T, raw string) string {
	t.Helper()
	head, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var h struct{ Kid string }
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h.Kid
}
