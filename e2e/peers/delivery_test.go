package peers

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// soon is how long a message to a website that answers may take here, beside everything else that these machines do.
const soon = 20 * time.Second

// A website that is down while its person signs out elsewhere is told when it is back, and another browser's session there lives.
// Its sessions outlive its absence, so nothing but the message can end the one that is over.
func TestPromise_DownDuringSignOut(t *testing.T) {
	for name, meanwhile := range map[string]func(s *scene){
		"Exeunt stays":     func(*scene) {},
		"Exeunt is killed": func(s *scene) { s.kill(); s.up() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil, libraries(t)...)
			chromium := newChromium(t)
			for i, away := range s.apps {
				from := s.apps[(i+1)%len(s.apps)]
				t.Run(away.Kind, func(t *testing.T) {
					person := s.person()
					here, elsewhere := open(t, chromium, person), open(t, chromium, person)
					for _, b := range []*browser{here, elsewhere} {
						b.signIn(away)
						b.signIn(from)
					}
					over, lives := here.holds(away), elsewhere.holds(away)
					away.down()
					here.leave(from, "out")
					meanwhile(s)
					away.up(t)
					if who := away.knows(t, lives.cookie); who != person {
						t.Fatalf("the sessions of %s do not outlive its absence: it knows %q", away.Name, who)
					}
					took := s.eventually(time.Minute, away.Name+" is not told", func() bool { return away.knows(t, over.cookie) == "" })
					t.Logf("told %v after it was back", took.Round(time.Millisecond))
					if who := here.at(away); who != "" {
						t.Errorf("in the browser that signed out it knows %q", who)
					}
					if was := here.signIn(away); was != forSecret {
						t.Errorf("signing in again asks %s", was)
					}
					if who := elsewhere.at(away); who != person {
						t.Errorf("in the other browser it knows %q", who)
					}
				})
			}
		})
	}
}

// Whoever has signed in again keeps the new session when the message about the old one arrives late: as the token that was on its
// way all the time, and as a new one that Exeunt sends because nobody had confirmed the first.
func TestPromise_LateLogoutToken(t *testing.T) {
	g := newGate(t)
	s := newScene(t, g.before, libraries(t)...)
	chromium := newChromium(t)
	for _, a := range s.apps {
		for button, asks := range map[string]asked{"out": forSecret, "leave": toGoOn} {
			t.Run(a.Kind+" "+button, func(t *testing.T) {
				b := open(t, chromium, s.person())
				b.signIn(a)
				old := b.holds(a)
				g.turn(true)
				before := len(g.letters(a))
				b.leave(a, button)
				s.eventually(soon, "no logout token is sent", func() bool { return len(g.letters(a)) > before })
				first := g.letters(a)[before]
				if first.status != http.StatusServiceUnavailable {
					t.Fatalf("the gate is open: %d", first.status)
				}
				if was := b.signIn(a); was != asks {
					t.Errorf("signing in again asks %s", was)
				}
				fresh := b.holds(a)
				if fresh.sid == old.sid {
					t.Error("the new sign-in has the old one's sid")
				}
				if status := a.hand(first.token); status != http.StatusOK && status != http.StatusNoContent {
					t.Errorf("the late token is answered with %d", status)
				}
				if who := a.knows(t, fresh.cookie); who != b.username {
					t.Errorf("after the late token the website knows %q", who)
				}
				g.turn(false)
				var second letter
				s.eventually(time.Minute, "the message is not sent again", func() bool {
					for _, l := range g.letters(a)[before:] {
						if l.status == http.StatusOK || l.status == http.StatusNoContent {
							second = l
							return true
						}
					}
					return false
				})
				if who := a.knows(t, fresh.cookie); who != b.username {
					t.Errorf("after the second message the website knows %q", who)
				}
				wellFormed(t, a, first, old.sid)
				wellFormed(t, a, second, old.sid)
				_, one := first.read(t)
				_, two := second.read(t)
				if one["jti"] == two["jti"] {
					t.Error("both attempts have the same jti")
				}
			})
		}
	}
}

// wellFormed holds a logout token to the specification, beyond what the libraries look at (Back-Channel Logout 1.0 section 2.4).
func wellFormed(t *testing.T, a *app, l letter, sid string) {
	t.Helper()
	header, claims := l.read(t)
	if header["typ"] != "logout+jwt" || header["alg"] != a.Alg {
		t.Errorf("header: %v", header)
	}
	events, _ := claims["events"].(map[string]any)
	event, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if len(events) != 1 || event == nil || len(event) != 0 {
		t.Errorf("events: %v", claims["events"])
	}
	audience, one := claims["aud"].(string)
	if list, many := claims["aud"].([]any); many && len(list) == 1 {
		audience, one = list[0].(string)
	}
	if !one || audience != a.ClientID || claims["iss"] != a.Issuer || claims["sid"] != sid {
		t.Errorf("claims: %v", claims)
	}
	iat, _ := claims["iat"].(float64)
	exp, _ := claims["exp"].(float64)
	if _, nonce := claims["nonce"]; nonce || claims["jti"] == nil || exp <= iat || exp > iat+120 {
		t.Errorf("claims: %v", claims)
	}
}

// What express-openid-connect does when nobody tells it otherwise: a logout token with `sid` and `sub` ends that person's sessions in
// all browsers at that website, and one that comes late ends what was begun since. Exeunt's other sessions live, and so do other
// websites; a sign-in there asks nothing. When this test fails, the library has learned the difference, and
// sites/express-openid-connect.mjs and docs/clients.md need not tell it.
func TestExpressByItself(t *testing.T) {
	kinds := slices.DeleteFunc(libraries(t), func(kind string) bool { return kind == goOIDC || kind == openidClient })
	g := newGate(t)
	s := newScene(t, func(a *app, c *idp.Client) {
		byItself(a)
		g.before(a, c)
	}, append(kinds, goOIDC)...)
	chromium := newChromium(t)
	other := s.apps[len(kinds)]
	for _, a := range s.apps[:len(kinds)] {
		t.Run(a.Kind, func(t *testing.T) {
			person := s.person()
			here, elsewhere := open(t, chromium, person), open(t, chromium, person)
			var cookies, others []string
			for _, b := range []*browser{here, elsewhere} {
				b.signIn(a)
				b.signIn(other)
				cookies, others = append(cookies, b.holds(a).cookie), append(others, b.holds(other).cookie)
			}
			here.leave(other, "out")
			for i, cookie := range cookies {
				s.eventually(soon, "session "+string(rune('0'+i))+" lives", func() bool { return a.knows(t, cookie) == "" })
			}
			if who := other.knows(t, others[1]); who != person {
				t.Errorf("%s knows %q in the other browser", other.Name, who)
			}
			if was := elsewhere.signIn(a); was != nothing {
				t.Errorf("signing in again in the other browser asks %s", was)
			}
			fresh := elsewhere.holds(a)
			s.eventually(soon, "no token came by", func() bool { return len(g.letters(a)) > 0 })
			late := g.letters(a)[0]
			if status := a.hand(late.token); status != http.StatusNoContent {
				t.Errorf("the late token is answered with %d", status)
			}
			if who := a.knows(t, fresh.cookie); who != "" {
				t.Errorf("after the late token it still knows %s", who)
			}
		})
	}
}
