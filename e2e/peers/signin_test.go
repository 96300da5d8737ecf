package peers

import "testing"

// Each library signs people in and, by RP-Initiated Logout, out again; other websites of the same browser must ask afterwards, and
// another browser of the same person is left alone.
func TestSignInAndOut(t *testing.T) {
	s := newScene(t, nil, libraries(t)...)
	chromium := newChromium(t)
	for _, from := range s.apps {
		t.Run(from.Kind, func(t *testing.T) {
			person := s.person()
			here, elsewhere := open(t, chromium, person), open(t, chromium, person)
			for _, b := range []*browser{here, elsewhere} {
				sids := map[string]bool{}
				for i, a := range s.apps {
					was := b.signIn(a)
					if i == 0 && was != forSecret || i > 0 && was != nothing {
						t.Errorf("sign-in %d, to %s, asked %s", i+1, a.Name, was)
					}
					sids[b.holds(a).sid] = true
				}
				if len(sids) != len(s.apps) {
					t.Errorf("%d websites were told %d sids", len(s.apps), len(sids))
				}
			}
			here.leave(from, "out")
			if who := here.at(from); who != "" {
				t.Errorf("%s still knows %s", from.Name, who)
			}
			for _, a := range s.apps {
				if who := elsewhere.at(a); who != person {
					t.Errorf("in the other browser %s knows %q", a.Name, who)
				}
			}
			if was := here.signIn(from); was != forSecret {
				t.Errorf("signing in again asks %s", was)
			}
			if was := elsewhere.signIn(from); was != nothing {
				t.Errorf("signing in again in the other browser asks %s", was)
			}
		})
	}
}

// Leaving one website by its own link ends nothing else, and coming back takes a human.
func TestLeaveOneSite(t *testing.T) {
	s := newScene(t, nil, libraries(t)...)
	chromium := newChromium(t)
	for i, from := range s.apps {
		other := s.apps[(i+1)%len(s.apps)]
		t.Run(from.Kind, func(t *testing.T) {
			b := open(t, chromium, s.person())
			b.signIn(from)
			b.signIn(other)
			first, others := b.holds(from), b.holds(other)
			b.leave(from, "leave")
			if who := b.at(from); who != "" {
				t.Errorf("%s still knows %s", from.Name, who)
			}
			if who := other.knows(t, others.cookie); who != b.username {
				t.Errorf("%s knows %q", other.Name, who)
			}
			if was := b.signIn(from); was != toGoOn {
				t.Errorf("coming back asks %s", was)
			}
			if again := b.holds(from); again.sid == first.sid || again.cookie == first.cookie {
				t.Errorf("the new sign-in has what the old one had: %v", again)
			}
			if who := other.knows(t, others.cookie); who != b.username {
				t.Errorf("%s knows %q", other.Name, who)
			}
		})
	}
}
