package peers

import "testing"

// Each library signs people in and, by RP-Initiated Logout, out again. The other websites of the same browser hear of it: their old
// cookies are dead, and all must ask again. Another browser of the same person is left alone.
func TestPromise_OtherSitesHear(t *testing.T) {
	s := newScene(t, nil, libraries(t)...)
	chromium := newChromium(t)
	for _, from := range s.apps {
		t.Run(from.Kind, func(t *testing.T) {
			person := s.person()
			here, elsewhere := open(t, chromium, person), open(t, chromium, person)
			over, lives := here.tour(s), elsewhere.tour(s)
			here.leave(from, "out")
			for i, a := range s.apps {
				took := s.eventually(soon, a.Name+" is not told", func() bool { return a.knows(t, over[i].cookie) == "" })
				t.Logf("%s: the old cookie is dead after at most %v", a.Name, took)
				if who := here.at(a); who != "" {
					t.Errorf("%s still knows %q", a.Name, who)
				}
			}
			if was := here.signIn(from); was != forSecret {
				t.Errorf("signing in again asks %s", was)
			}
			for i, a := range s.apps {
				if who := a.knows(t, lives[i].cookie); who != person {
					t.Errorf("of the other browser %s knows %q", a.Name, who)
				}
			}
			if was := elsewhere.signIn(from); was != nothing {
				t.Errorf("signing in again in the other browser asks %s", was)
			}
		})
	}
}

// tour signs in to all websites: the first asks for the password, no other one asks anything, each is told a sid of its own.
func (b *browser) tour(s *scene) (all []held) {
	b.t.Helper()
	sids := map[string]bool{}
	for i, a := range s.apps {
		was := b.signIn(a)
		if i == 0 && was != forSecret || i > 0 && was != nothing {
			b.t.Errorf("sign-in %d, to %s, asked %s", i+1, a.Name, was)
		}
		h := b.holds(a)
		sids[h.sid], all = true, append(all, h)
	}
	if len(sids) != len(s.apps) {
		b.t.Errorf("%d websites were told %d sids", len(s.apps), len(sids))
	}
	return all
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
