package logout_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/logout"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

const at = "http://localhost"

// house is the room with what it rests on, and a clock that can be turned.
type house struct {
	t      *testing.T
	store  idp.Store
	tie    *browser.Browser
	door   *door.Door
	tokens *token.Issuer
	mux    *http.ServeMux
	ahead  atomic.Int64
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, mux: http.NewServeMux()}
	begin, dir := time.Now(), t.TempDir()
	store, err := sqlite.OpenWith(t.Context(), filepath.Join(dir, "db"), sqlite.Options{
		Wall:      func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) },
		Monotonic: func() time.Duration { return time.Since(begin) + time.Duration(h.ahead.Load()) },
	})
	h.must(err)
	t.Cleanup(func() { store.Close() })
	h.store = store
	vault, err := keys.CreateVault(filepath.Join(dir, "key"))
	h.must(err)
	ring, err := keys.Open(t.Context(), store, vault, []string{"ES256"})
	h.must(err)
	pages, err := web.New("Test", false)
	h.must(err)
	h.door = door.New(store, nil)
	policy := idp.Policy{SessionIdle: 2 * time.Hour, SessionAbsolute: 24 * time.Hour, PendingLife: 15 * time.Minute}
	h.tie = browser.New(store, h.door, policy, at, browser.Names{}, vault.Derive("csrf", 32))
	h.tokens = token.NewIssuer(at, ring)
	front := &frontchannel.FrontChannel{Store: store, Browser: h.tie, Pages: pages, Issuer: at}
	(&logout.Logout{Store: store, Door: h.door, Browser: h.tie, Pages: pages, Tokens: h.tokens, Front: front,
		Waits: edge.NewLimiter(time.Millisecond, 100, 100)}).Mount(h.mux)
	for _, name := range []string{"alice", "bob"} {
		h.must(store.Update(t.Context(), func(tx idp.Tx) error {
			return tx.InsertAccount(idp.Account{ID: idp.AccountID(name), Username: name, State: idp.AccountActive}, ledger.NewName())
		}))
	}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// jar is a browser's cookies. It keeps them longer than their Max-Age: nobody's browser is trusted to throw one away.
type jar map[string]string

// signedIn is a browser with a session.
func (h *house) signedIn(who string) jar {
	h.t.Helper()
	proof := browser.Proof{Account: idp.AccountID(who), Methods: []string{"pwd"}}
	h.must(h.store.View(h.t.Context(), func(v idp.View) (err error) { proof.Born, err = v.Epochs(proof.Account, ""); return err }))
	w, j := httptest.NewRecorder(), jar{}
	_, err := h.tie.SignIn(w, httptest.NewRequest("POST", at+"/login", nil), proof)
	h.must(err)
	j.keep(w)
	return j
}

func (j jar) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		j[c.Name] = c.Value
	}
}

func (h *house) do(j jar, method, to, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, at+strings.TrimPrefix(to, at), strings.NewReader(body))
	for name, value := range j {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	j.keep(w)
	return w
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// form is what the forms of a page bear.
func (h *house) form(j jar, page string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(h.do(j, "GET", page, "").Body.String(), -1) {
		form.Set(m[1], m[2])
	}
	return form
}

// post sends a form from one of our pages.
func (h *house) post(j jar, to string, form url.Values) *httptest.ResponseRecorder {
	return h.do(j, "POST", to, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", at)
}

// leaves signs out by the page, and gives the receipt's address. A nonce is put into the place of the page's.
func (h *house) leaves(j jar, nonce ...string) string {
	h.t.Helper()
	form := h.form(j, "/logout")
	form.Set("act", "all")
	if len(nonce) > 0 {
		form["nonce"] = nonce
	}
	w := h.post(j, "/logout/confirm", form)
	to := w.Header().Get("Location")
	if !strings.HasPrefix(to, "/signout/") {
		h.t.Fatalf("%d to %q: %s", w.Code, to, w.Body)
	}
	return to
}

// A receipt is read by the browser that signed out, or the program that was given its address, for 15 minutes by the server's clock;
// by its person at any time; and by nobody else, who is told the same as of one that there is not.
func TestReceipt_Readers(t *testing.T) {
	h := open(t)
	here := h.signedIn("alice")
	left := h.leaves(here)
	given := h.tie.ReceiptAddress(idp.ReceiptID(strings.TrimPrefix(left, "/signout/")))
	another := h.leaves(h.signedIn("alice"))
	readers := []struct {
		who         string
		jar         jar
		at          string
		soon, later bool
	}{
		{"the browser that signed out", here, left, true, false},
		{"another browser", jar{}, left, false, false},
		{"a program that was given the address", jar{}, given, true, false},
		{"a program, of another receipt", jar{}, another + "?" + given[strings.Index(given, "key="):], false, false},
		{"whoever makes a key up", jar{}, left + "?key=", false, false},
		{"the browser, of another receipt of that person's", here, another, false, false},
		{"the person, signed in", h.signedIn("alice"), left, true, true},
		{"somebody else, signed in", h.signedIn("bob"), left, false, false},
	}
	main := func(w *httptest.ResponseRecorder) string {
		_, said, _ := strings.Cut(w.Body.String(), "<main")
		return strings.SplitN(said, "</main>", 2)[0]
	}
	nobodys := main(h.do(jar{}, "GET", "/signout/"+idp.NewSecret(16), ""))
	asJSON := h.do(jar{}, "GET", "/signout/"+idp.NewSecret(16), "", "Accept", "application/json").Body.String()
	for _, age := range []time.Duration{0, 14 * time.Minute, 16 * time.Minute} {
		h.ahead.Store(int64(age))
		for _, c := range readers {
			want := http.StatusNotFound
			if age < 15*time.Minute && c.soon || age > 15*time.Minute && c.later {
				want = http.StatusOK
			}
			w := h.do(c.jar, "GET", c.at, "")
			if w.Code != want || want == http.StatusNotFound && main(w) != nobodys {
				t.Errorf("%s, after %s: %d", c.who, age, w.Code)
			}
			if w := h.do(c.jar, "GET", c.at, "", "Accept", "application/json"); w.Code != want || !json.Valid(w.Body.Bytes()) || (want == http.StatusNotFound) != (w.Body.String() == asJSON) {
				t.Errorf("%s, after %s, as JSON: %d", c.who, age, w.Code)
			}
			path, query, _ := strings.Cut(c.at, "?")
			if w := h.do(c.jar, "GET", path+"/receipt.jwt?"+query, ""); w.Code != want || (want == http.StatusOK) != (w.Header().Get("Content-Type") == "application/jwt") {
				t.Errorf("%s, after %s, signed: %d", c.who, age, w.Code)
			}
		}
	}
}

// An operator who opens somebody's receipt is led to it in the console; programs and addresses that nobody has are told nothing.
func TestReceipt_OperatorsReadInTheConsole(t *testing.T) {
	h := open(t)
	left := h.leaves(h.signedIn("alice"))
	bob := h.signedIn("bob")
	if w := h.do(bob, "GET", left, ""); w.Code != http.StatusNotFound {
		t.Errorf("no operator: %d", w.Code)
	}
	h.must(h.store.Update(t.Context(), func(tx idp.Tx) error { return tx.PutOperator(idp.Operator{Account: "bob", Role: idp.RoleViewer}) }))
	if w := h.do(bob, "GET", left, ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/admin/receipts/1" {
		t.Errorf("an operator: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := h.do(bob, "GET", left, "", "Accept", "application/json"); w.Code != http.StatusNotFound {
		t.Errorf("an operator's program: %d", w.Code)
	}
	if w := h.do(bob, "GET", "/signout/"+idp.NewSecret(16), ""); w.Code != http.StatusNotFound {
		t.Errorf("no receipt: %d", w.Code)
	}
}

// The page says "you" to the browser that signed out, and to nobody who was given the address.
func TestReceipt_SaysYouToWhoSignedOut(t *testing.T) {
	h := open(t)
	here := h.signedIn("alice")
	left := h.leaves(here)
	given := h.tie.ReceiptAddress(idp.ReceiptID(strings.TrimPrefix(left, "/signout/")))
	for who, c := range map[string]struct {
		jar jar
		at  string
		you bool
	}{"who signed out": {here, left, true}, "who was given the address": {jar{}, given, false}, "the person later": {h.signedIn("alice"), left, false}} {
		page := h.do(c.jar, "GET", c.at, "").Body.String()
		for _, words := range []string{"You are signed out", "close the browser now", "Sign in again"} {
			if strings.Contains(page, words) != c.you {
				t.Errorf("%s: %q: %t", who, words, !c.you)
			}
		}
	}
}
