package browser_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

const issuer = "https://id.example.com"

// later is the store with a clock that can be put forward, and a switch.
type later struct {
	idp.Store
	ahead atomic.Int64
	down  atomic.Bool
}

func (l *later) Now() (idp.Time, error) {
	now, err := l.Store.Now()
	return now + idp.Time(l.ahead.Load()), err
}

func (l *later) View(ctx context.Context, do func(idp.View) error) error {
	if l.down.Load() {
		return idp.ErrUnavailable
	}
	return l.Store.View(ctx, do)
}

func (l *later) Look(ctx context.Context, do func(idp.View) error) error {
	if l.down.Load() {
		return idp.ErrUnavailable
	}
	return l.Store.Look(ctx, do)
}

type world struct {
	*browser.Browser
	t     *testing.T
	store *later
	door  *door.Door
}

func policy() idp.Policy {
	return idp.Policy{SessionIdle: time.Hour, SessionAbsolute: 12 * time.Hour, StayIdle: 14 * 24 * time.Hour, StayAbsolute: 90 * 24 * time.Hour, RecentSignIn: 5 * time.Minute}
}

func newWorld(t *testing.T, at string) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, store: &later{Store: db}}
	w.door = door.New(w.store, nil)
	w.Browser = browser.New(w.store, w.door, policy(), at, browser.Names{}, []byte("a key of thirty-two bytes in all"))
	return w
}

func (w *world) account(name string) idp.AccountID {
	w.t.Helper()
	id := idp.AccountID(ledger.NewName().String())
	err := w.store.Update(w.t.Context(), func(tx idp.Tx) error {
		return tx.InsertAccount(idp.Account{ID: id, Username: name, State: idp.AccountActive}, ledger.NewName())
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) proof(id idp.AccountID) browser.Proof {
	w.t.Helper()
	p := browser.Proof{Account: id, Methods: []string{"pwd"}}
	if err := w.store.View(w.t.Context(), func(v idp.View) (err error) { p.Born, err = v.Epochs(id, ""); return err }); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// jar is a browser's cookies.
type jar map[string]*http.Cookie

func (j jar) request() *http.Request {
	r := httptest.NewRequest("POST", issuer+"/login", nil)
	for _, c := range j {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func (j jar) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if j[c.Name] = c; c.MaxAge < 0 {
			delete(j, c.Name)
		}
	}
}

func (w *world) signIn(j jar, p browser.Proof) *idp.Session {
	w.t.Helper()
	out := httptest.NewRecorder()
	s, err := w.SignIn(out, j.request(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	j.keep(out)
	return s
}

func (w *world) here(j jar) (idp.Name, error) {
	s, err := w.Session(j.request())
	if err != nil {
		return idp.Name{}, err
	}
	return s.Name, nil
}

func (w *world) gone(j jar, what string) {
	w.t.Helper()
	if n, err := w.here(j); !errors.Is(err, idp.ErrNotFound) {
		w.t.Errorf("%s: %v, %v", what, n, err)
	}
}

// A session's cookie belongs to this host, is out of reach of scripts and of other sites' posts, and is kept beyond the
// browser's closing only if the person asked for it.
func TestCookieShape(t *testing.T) {
	for at, prefix := range map[string]string{issuer: "__Host-", "http://127.0.0.1:8080": ""} {
		w := newWorld(t, at)
		p := w.proof(w.account("alice"))
		for _, stay := range []bool{false, true} {
			j := jar{}
			p.Stay = stay
			w.signIn(j, p)
			out := httptest.NewRecorder()
			w.SetCSRF(out, j.request())
			j.keep(out)
			life := map[bool]int{true: int(policy().StayAbsolute.Seconds())}[stay]
			for name, maxAge := range map[string]int{prefix + "exeunt": life, prefix + "exeunt-browser": 0, "csrftoken": 0, prefix + "exeunt-known": 400 * 24 * 3600} {
				c := j[name]
				if c == nil {
					t.Errorf("%s: no cookie %s", at, name)
					continue
				}
				if c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.Secure != (prefix != "") || c.HttpOnly != (name != "csrftoken") || c.MaxAge != maxAge {
					t.Errorf("%s, stay %v: %+v", at, stay, c)
				}
			}
			if len(j) != 4 || len(j[prefix+"exeunt"].Value) != 43 { // 256 bits
				t.Errorf("%s: %d cookies", at, len(j))
			}
		}
	}
}

// Nothing but a sign-in makes a session's cookie, and never out of what a request brings (session fixation).
func TestCookieIsNeverTaken(t *testing.T) {
	w := newWorld(t, issuer)
	alice, bob := w.proof(w.account("alice")), w.proof(w.account("bob"))
	planted := jar{"__Host-exeunt": {Name: "__Host-exeunt", Value: idp.NewSecret(32)}, "exeunt": {Name: "exeunt", Value: idp.NewSecret(32)}}
	j := jar{"__Host-exeunt": planted["__Host-exeunt"], "exeunt": planted["exeunt"]}
	w.gone(j, "a planted cookie")
	out := httptest.NewRecorder()
	w.ID(out, j.request())
	w.SetCSRF(out, j.request())
	if j.keep(out); j["__Host-exeunt"].Value != planted["__Host-exeunt"].Value {
		t.Error("a page without a sign-in set a session's cookie")
	}
	first := w.signIn(j, alice)
	w.gone(planted, "the planted cookie after the sign-in")
	before := jar{"__Host-exeunt": j["__Host-exeunt"]}
	if w.gone(jar{"exeunt": {Name: "exeunt", Value: before["__Host-exeunt"].Value}}, "the cookie without its prefix"); before["__Host-exeunt"] == nil {
		t.Fatal("no cookie")
	}
	// Again, the same person: the same session under a new cookie.
	again := w.signIn(j, alice)
	if again.Name != first.Name || again.Ref != first.Ref || again.AuthTime < first.AuthTime {
		t.Errorf("a step-up made another session: %v, %v", first, again)
	}
	w.gone(before, "the cookie from before the step-up")
	if n, err := w.here(j); n != first.Name || err != nil {
		t.Error(n, err)
	}
	// Somebody else: the old session ends.
	before = jar{"__Host-exeunt": j["__Host-exeunt"]}
	other := w.signIn(j, bob)
	w.gone(before, "alice's session after bob signed in")
	err := w.store.View(t.Context(), func(v idp.View) error { return idp.Live(v, first.Name) })
	if other.Name == first.Name || !errors.Is(err, idp.ErrEnded) {
		t.Error("somebody else's session went on:", err)
	}
	// A re-root brings its cookie; the one before is nobody's.
	before, cookie := jar{"__Host-exeunt": j["__Host-exeunt"]}, idp.NewSecret(32)
	if _, err := w.door.End(t.Context(), idp.EndOthers(bob.Account, other.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), idp.Cause{Kind: idp.CauseOthers, Actor: idp.ActorAccount(bob.Account)}); err != nil {
		t.Fatal(err)
	}
	out = httptest.NewRecorder()
	w.SetSession(out, cookie, other)
	j.keep(out)
	w.gone(before, "the cookie from before the re-root")
	if n, err := w.here(j); n != other.Name || err != nil {
		t.Error("after the re-root:", n, err)
	}
}

// Limits are true when they are read, whatever a sweep has done.
func TestLimits(t *testing.T) {
	w := newWorld(t, issuer)
	p := w.proof(w.account("alice"))
	p2 := p
	p2.Stay = true
	short, stay := jar{}, jar{}
	w.signIn(short, p)
	w.signIn(stay, p2)
	at := func(d time.Duration, j jar, lives bool, what string) {
		t.Helper()
		w.store.ahead.Store(d.Milliseconds())
		if _, err := w.here(j); (err == nil) != lives || (err != nil && !errors.Is(err, idp.ErrNotFound)) {
			t.Errorf("%s, %v later: %v", what, d, err)
		}
	}
	at(59*time.Minute, short, true, "used within the idle limit") // and seen now
	at(118*time.Minute, short, true, "the limit counts from the last use")
	at(179*time.Minute, short, false, "idle")
	at(13*24*time.Hour, stay, true, "stay")
	for d := 13; d < 90; d += 13 {
		at(time.Duration(d)*24*time.Hour, stay, true, "stay, used all the time")
	}
	at(90*24*time.Hour-time.Minute, stay, true, "stay, used all the time")
	at(90*24*time.Hour+time.Minute, stay, false, "the absolute end")

	w.store.ahead.Store(0)
	j := jar{}
	s := w.signIn(j, p)
	for d := 50 * time.Minute; d < 12*time.Hour; d += 50 * time.Minute {
		at(d, j, true, "used all the time")
	}
	at(12*time.Hour+time.Minute, j, false, "the absolute end")
	w.store.ahead.Store((4 * time.Minute).Milliseconds())
	recent := w.Recent(s)
	w.store.ahead.Store((6 * time.Minute).Milliseconds())
	if !recent || w.Recent(s) {
		t.Error("how fresh a sign-in is")
	}
}

// When nobody can know whether there is a session, nobody says that there is none.
func TestStoreDown(t *testing.T) {
	w := newWorld(t, issuer)
	j := jar{}
	p := w.proof(w.account("alice"))
	w.signIn(j, p)
	w.store.down.Store(true)
	if _, err := w.here(j); !errors.Is(err, idp.ErrUnavailable) {
		t.Error(err)
	}
	out := httptest.NewRecorder()
	if _, err := w.SignIn(out, j.request(), p); !errors.Is(err, idp.ErrUnavailable) || len(out.Result().Cookies()) > 0 {
		t.Error("a sign-in beside a session that nobody can read:", err)
	}
}

// R: born under what was checked. What ended while the password was being checked makes nothing, and sets no cookie.
func TestBornUnderWhatWasChecked(t *testing.T) {
	w := newWorld(t, issuer)
	id := w.account("alice")
	p := w.proof(id)
	why := idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorAccount(id)}
	if _, err := w.door.End(t.Context(), idp.EndAccount(id, idp.AccountActive), why); err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRecorder()
	if _, err := w.SignIn(out, jar{}.request(), p); !errors.Is(err, idp.ErrEnded) {
		t.Error("under an epoch that is over:", err)
	}
	if _, err := w.door.End(t.Context(), idp.EndAccount(id, idp.AccountLocked), why); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SignIn(out, jar{}.request(), w.proof(id)); !errors.Is(err, idp.ErrLocked) {
		t.Error("locked:", err)
	}
	if got := out.Header().Values("Set-Cookie"); len(got) > 0 || out.Header().Get("Set-Login") != "" {
		t.Error("a cookie for a sign-in that failed:", strings.Join(got, "; "))
	}
}

// What a page asks by itself is no use of the session: one that is only open expires as if it were closed.
func TestPeekIsNoUse(t *testing.T) {
	w := newWorld(t, issuer)
	j := jar{}
	s := w.signIn(j, w.proof(w.account("alice")))
	seen := func() (at idp.Time) {
		if err := w.store.View(t.Context(), func(v idp.View) error {
			row, err := v.Session(s.Name)
			at = row.LastSeen
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return at
	}
	w.store.ahead.Store(10 * 60_000)
	if _, err := w.Peek(j.request()); err != nil || seen() != s.LastSeen {
		t.Errorf("a look counts as a use: %v", err)
	}
	if _, err := w.Session(j.request()); err != nil || seen() <= s.LastSeen {
		t.Errorf("a use does not count: %v", err)
	}
	w.store.ahead.Store(65 * 60_000)
	if _, err := w.Peek(j.request()); err != nil {
		t.Errorf("used 55 minutes ago: %v", err)
	}
	w.store.ahead.Store(140 * 60_000)
	if _, err := w.Peek(j.request()); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("not used for hours: %v", err)
	}
}
