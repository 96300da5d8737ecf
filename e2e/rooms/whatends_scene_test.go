package rooms_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail/mailtest"
	"exeunt.dev/internal/upstream/optest"
)

const sceneAPI = "https://orders.test"

// thing is something that may be over.
type thing struct {
	what   string
	who    string  // whose; "": nobody's
	app    string  // of which app; "": of none
	in     *person // the browser whose session it hangs on
	from   *person // the browser in whose session it was given, to be kept offline
	family *holding
	token  string // as text; of a sign-in at an app: its sid
	lives  func() bool
}

// holding is what an app holds by one code: a family.
type holding struct {
	app, code string
	tokens    tokens
	renewed   bool // what it holds has been good for new tokens after the act
}

// scene is a person with two browsers and two apps in each, one of which has offline access, too; somebody else; a machine; an API
// with a guard; and sign-ins that wait. Each thing in it is asked for after an act.
type scene struct {
	*node
	t                *testing.T
	program          string
	here, there, bob *person
	copy             *person  // has copies of the cookies of here
	shop             *holding // alice's, in the session of here
	away             *holding // offline, given in the session of here
	machine          string
	api              string
	op               *optest.OP // alice's here and there, and bob's, came from it
	waiting          string     // address of the sign-in that waits in the browser of here

	sessions, bound, offline, codes, access, pendings, sids []thing // sessions without the one of here

	office *mailtest.Server

	mu    sync.Mutex
	heard map[string]bool // sids that apps were told of, with the app
}

func newScene(t *testing.T, program string) *scene {
	t.Helper()
	s := &scene{t: t, program: program, heard: map[string]bool{}}
	s.op = optest.New(t)
	s.office = mailtest.Start(t, mailtest.Options{})
	s.node = start(t, func(c *config.Config) {
		p := s.op.Provider()
		p.Title = "Hub"
		c.Providers = []config.Provider{{ID: "hub", Provider: p, FrontChannel: true}}
		c.Mail = mailServer(s.office)
		c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Policy.CodeLife = 10 * time.Minute // codes and pushed requests are looked at in the end
	})
	s.hasMail("alice", aliceMail)
	s.clients()
	s.protect()
	s.here, s.there, s.bob = s.alice(), s.person(), s.person()
	s.bob.signIn("/login", "bob", bobPW)
	// There she signs in on a request that began before anybody was signed in, and has not gone on yet.
	s.there.signIn(s.waits(thing{what: "alice's there, desk, acted on", who: "alice", app: "desk", in: s.there}), "alice", alicePW)
	for _, at := range []struct {
		what, who string
		p         *person
	}{{"alice's here", "alice", s.here}, {"alice's there", "alice", s.there}, {"bob's", "bob", s.bob}} {
		shop := s.enters(thing{what: at.what + ", shop", who: at.who, app: "shop", in: at.p}, "openid profile")
		s.enters(thing{what: at.what + ", desk", who: at.who, app: "desk", in: at.p}, "openid profile")
		away := s.enters(thing{what: at.what + ", shop offline", who: at.who, app: "shop", from: at.p}, "openid profile offline_access")
		waiting := s.waits(thing{what: at.what + ", shop", who: at.who, app: "shop", in: at.p})
		if at.p == s.here {
			s.shop, s.away = shop, away
			s.waiting = waiting
		} else {
			s.sessions = append(s.sessions, thing{what: at.what, who: at.who, in: at.p, lives: func() bool { return at.p.user() == at.who }})
		}
	}
	first := s.shop.tokens
	s.shop.tokens = s.refreshed(s.shop)
	s.accesses(thing{what: "alice's here, shop, refreshed", who: "alice", app: "shop", in: s.here, family: s.shop}, s.shop.tokens.Access)
	s.shop.tokens.Access, s.shop.tokens.ID = first.Access, first.ID
	s.machine = s.machineToken("crawler")
	s.accesses(thing{what: "the machine's", app: "crawler"}, s.machine)
	s.waits(thing{what: "a stranger's, desk", app: "desk", in: s.person()})
	s.pushes("shop")
	s.pushes("desk")
	s.came("alice", s.here, s.there)
	s.came("bob", s.bob)
	s.copy = s.here.thief()
	for _, x := range slices.Concat(s.sessions, s.access, s.pendings[:5]) { // the others are used up by looking
		if !x.lives() {
			t.Fatal("dead from the start:", x.what)
		}
	}
	return s
}

func (s *scene) clients() {
	s.t.Helper()
	at := s.receivers()
	app := idp.Client{Kind: idp.KindWeb, FirstParty: true, AuthMethod: idp.AuthBasic, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile", "offline_access"}, Audiences: []string{sceneAPI}, BackchannelLogoutSessionRequired: true}
	machine := idp.Client{Kind: idp.KindMachine, AuthMethod: idp.AuthBasic, GrantTypes: []string{"client_credentials"}, Audiences: []string{sceneAPI}}
	for id, c := range map[idp.ClientID]idp.Client{"shop": app, "desk": app, "crawler": machine, "marker": machine, "watcher": machine,
		"orders": {Kind: idp.KindAPI, AuthMethod: idp.AuthBasic, Audiences: []string{sceneAPI}}} {
		c.ID, c.Name = id, string(id)
		if c.Kind == idp.KindWeb {
			c.RedirectURIs, c.LogoutURIs = []string{"https://" + string(id) + ".test/cb"}, []string{"https://" + string(id) + ".test/left"}
			c.BackchannelLogoutURI, c.Offline = at+"/"+string(id), id == "shop"
		}
		if id == "watcher" {
			c.Scopes, c.Audiences = []string{idp.ScopeGlobalRevocation}, nil
		}
		var err error
		if s.secrets[string(id)], err = s.server.AddClient(s.t.Context(), &c); err != nil {
			s.t.Fatal(err)
		}
	}
}

// enters signs a person in to an app twice, once without redeeming the code, and files what the app has then.
func (s *scene) enters(x thing, scope string) *holding {
	s.t.Helper()
	p := x.in
	if x.from != nil {
		p = x.from
	}
	code := func() string {
		a := p.get(s.authorizeURL(x.app, "scope", scope))
		u, err := url.Parse(a.location)
		if err != nil || u.Query().Get("code") == "" {
			s.t.Fatalf("%s: no code: %d %s", x.what, a.status, a.location)
		}
		return u.Query().Get("code")
	}
	h := &holding{app: x.app, code: code()}
	var status int
	if h.tokens, status = s.redeems(h); status != http.StatusOK {
		s.t.Fatalf("%s: token endpoint says %d", x.what, status)
	}
	x.family = h
	s.accesses(x, h.tokens.Access)
	x.lives = func() bool { h.renewed = s.gives(s.exchanges(h)); return h.renewed }
	unused := x
	unused.what, unused.in, unused.family = x.what+", a code", p, &holding{app: x.app, code: code()}
	unused.lives = func() bool { return s.gives(s.redeems(unused.family)) }
	s.codes = append(s.codes, unused)
	if x.from != nil {
		s.offline = append(s.offline, x)
		for i := range s.sids {
			if s.sids[i].app == x.app && s.sids[i].in == x.from {
				s.sids[i].from = x.from
			}
		}
		return h
	}
	s.bound = append(s.bound, x)
	sid, _ := part(s.t, h.tokens.ID, 1)["sid"].(string)
	s.sids = append(s.sids, thing{what: x.what, who: x.who, app: x.app, in: x.in, token: sid})
	return h
}

func (s *scene) redeems(h *holding) (tokens, int) {
	return s.token(h.app, url.Values{"grant_type": {"authorization_code"}, "code": {h.code}, "redirect_uri": {"https://" + h.app + ".test/cb"}, "code_verifier": {verifier}})
}

func (s *scene) exchanges(h *holding) (tokens, int) {
	return s.token(h.app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.tokens.Refresh}})
}

func (s *scene) refreshed(h *holding) tokens {
	s.t.Helper()
	out, status := s.exchanges(h)
	if status != http.StatusOK {
		s.t.Fatalf("refresh: %d", status)
	}
	return out
}

// gives says that the token endpoint has given something that is worth something at the API.
func (s *scene) gives(got tokens, status int) bool {
	s.t.Helper()
	if status == http.StatusOK && !s.admitted(got.Access) {
		s.t.Error("what the token endpoint gives is refused by the API")
	}
	return status == http.StatusOK
}

// waits begins a sign-in that waits for a human, at the address.
func (s *scene) waits(x thing) string {
	s.t.Helper()
	a := x.in.get(s.authorizeURL(x.app, "prompt", "login"))
	if !strings.HasPrefix(a.location, "/login?pending=") {
		s.t.Fatalf("%s waits for nobody: %d %s", x.what, a.status, a.location)
	}
	x.lives = func() bool { return s.goesOn(x.in.get(a.location)) }
	s.pendings = append(s.pendings, x)
	return a.location
}

// pushes pushes a request of an app (RFC 9126). Nobody has come with it yet.
func (s *scene) pushes(app string) {
	s.t.Helper()
	v, err := url.ParseQuery(strings.TrimPrefix(s.authorizeURL(app), "/oauth2/authorize?"))
	if err != nil {
		s.t.Fatal(err)
	}
	basic, _ := http.NewRequest("POST", s.at, nil)
	basic.SetBasicAuth(app, s.secrets[app])
	a := s.person().do("POST", "/oauth2/par", v.Encode(), map[string]string{"Content-Type": formType, "Authorization": basic.Header.Get("Authorization")})
	uri, _ := object(s.t, a)["request_uri"].(string)
	if a.status != http.StatusCreated || uri == "" {
		s.t.Fatalf("par: %d %s", a.status, a.body)
	}
	q := url.Values{"client_id": {app}, "request_uri": {uri}}.Encode()
	s.pendings = append(s.pendings, thing{what: "pushed, " + app, app: app, lives: func() bool { return s.goesOn(s.person().get("/oauth2/authorize?" + q)) }})
}

func (s *scene) goesOn(a answer) bool {
	s.t.Helper()
	if a.status != http.StatusOK && a.status != http.StatusSeeOther && a.status != http.StatusBadRequest {
		s.t.Errorf("a sign-in that waits: %d %s", a.status, a.body)
	}
	return a.status != http.StatusBadRequest
}
