package websites_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

// said is a log that is written by several.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *said) String() string              { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// secrets are what went over the wire and may be in no log: the value of every cookie, of every Authorization header, and of every
// parameter, but for those that say nothing.
type secrets struct {
	mu  sync.Mutex
	all map[string]string // to where it was seen
}

func (s *secrets) note(where, v string) {
	if len(v) < 16 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[v] = where
}

func (s *secrets) see(r *http.Request, body string) {
	harmless := map[string]bool{"client_id": true, "redirect_uri": true, "post_logout_redirect_uri": true, "scope": true, "response_type": true, "grant_type": true,
		"code_challenge_method": true, "return": true, "iss": true, "token_type_hint": true}
	form, _ := url.ParseQuery(body)
	for _, q := range []url.Values{r.URL.Query(), form} {
		for k, values := range q {
			for _, v := range values {
				if !harmless[k] {
					s.note(k+" at "+r.URL.Path, v)
				}
			}
		}
	}
	for _, c := range r.Cookies() {
		s.note("cookie "+c.Name, c.Value)
	}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.note("Authorization at "+r.URL.Path, credential)
}

// Whatever goes wrong, no token, code, state, cookie, password or mail address is in the log of Exeunt, at its most talkative, or in what
// a website's replicas say.
func TestNothingLeaksIntoLogs(t *testing.T) {
	var log said
	wire := &secrets{all: map[string]string{}}
	x := newExeuntAt(t, "127.0.0.1", slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	const mail = "alice@mail.example"
	err := x.base.Store.Update(t.Context(), func(tx idp.Tx) error {
		a, err := tx.AccountByUsername("alice")
		if err != nil {
			return err
		}
		a.Email, a.EmailVerified = mail, true
		return tx.UpdateAccount(a)
	})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	ill := map[string]func(http.ResponseWriter){}
	sick := func(path string, f func(http.ResponseWriter)) {
		mu.Lock()
		defer mu.Unlock()
		ill[path] = f
	}
	echo := "" // a provider that says again what it was told
	x.set(func(w http.ResponseWriter, r *http.Request, body string) bool {
		wire.see(r, body)
		mu.Lock()
		f := ill[r.URL.Path]
		echo = body
		mu.Unlock()
		if f != nil {
			f(w)
		}
		return f != nil
	})
	talk := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			mu.Lock()
			defer mu.Unlock()
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, `{"error":"`+mail+`","error_description":"`+url.QueryEscape(echo)+`"}`)
		}
	}
	books := newSite(t, "books")
	books.stderr = &log
	books.before = func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		wire.see(r, string(body))
	}
	x.register(books)
	books.start(x.at, books.secret, 1)

	p := newPerson(t)
	csrf := p.signIn(x, books)
	p.get(books.at + "/token")
	p.get(books.at + "/auth/callback/exeunt?code=made-up-by-somebody&state=made-up-by-somebody-too")
	// The token endpoint fails in every way.
	for _, status := range []int{400, 401, 500} {
		sick("/oauth2/token", talk(status))
		other := newPerson(t)
		if a := other.prove(x, other.get(books.at+"/auth/login/exeunt")); a.status != http.StatusBadGateway {
			t.Error(status, a)
		}
	}
	sick("/oauth2/token", nil)
	// The revocation is refused.
	sick("/oauth2/revoke", talk(400))
	p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}})
	sick("/oauth2/revoke", talk(500))
	csrf = p.signIn(x, books)
	p.send("POST", books.at+"/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}, "everywhere": {"1"}, "provider": {"1"}})
	// Logout tokens: a bad one, a good one, one of which the keys cannot be had.
	p.send("POST", books.at+"/auth/logout/exeunt/backchannel", url.Values{"logout_token": {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."}})
	p.signIn(x, books)
	p.leave(x)
	p.gone(books, 20*time.Second)
	p.send("POST", x.at+"/login", url.Values{"username": {mail}, "password": {"not the password"}})

	text := log.String()
	for _, want := range []string{"rp: exeunt: the sign-in failed", "rp: exeunt: a logout token was refused", "/oauth2/token"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	wire.note("mail", mail)
	wire.note("password", password)
	wire.note("client secret", books.secret)
	wire.mu.Lock()
	defer wire.mu.Unlock()
	if len(wire.all) < 40 {
		t.Error("too little was seen:", len(wire.all))
	}
	for v, where := range wire.all {
		if strings.Contains(text, v) || strings.Contains(text, url.QueryEscape(v)) {
			t.Errorf("%s is in the log", where)
		}
	}
	if strings.Contains(text, "eyJ") || strings.Contains(text, "exrt_") {
		t.Error("a token is in the log")
	}
}
