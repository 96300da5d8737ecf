package logout_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// session is that of a browser.
func (h *house) session(j jar) (s idp.Session) {
	h.t.Helper()
	h.must(h.store.View(h.t.Context(), func(v idp.View) (err error) { s, err = v.SessionByCookie(idp.HashOf(j["exeunt"])); return err }))
	return s
}

// away gives an app offline access from a session.
func (h *house) away(app idp.ClientID, j jar) (g idp.Grant) {
	h.t.Helper()
	s := h.session(j)
	h.must(h.store.Update(h.t.Context(), func(tx idp.Tx) error {
		_, err := tx.Client(app)
		if errors.Is(err, idp.ErrNotFound) {
			err = tx.InsertClient(idp.Client{ID: app, Name: string(app), Offline: true}, ledger.NewName())
		}
		if err != nil {
			return err
		}
		if err := tx.PutConsent(idp.Consent{Account: s.Account, Client: app}, ledger.NewName()); err != nil {
			return err
		}
		e, err := tx.Epochs(s.Account, app)
		if err != nil {
			return err
		}
		now, err := tx.Mint()
		g = idp.Grant{Name: ledger.NewName(), Account: s.Account, Client: app, Here: s.Name, Epochs: e, CreatedAt: now, RedeemedAt: now}
		return errors.Join(err, tx.InsertGrant(g))
	}))
	return g
}

func (h *house) lives(names ...idp.Name) bool {
	h.t.Helper()
	err := h.store.View(h.t.Context(), func(v idp.View) error { return idp.Live(v, names...) })
	if err != nil && !errors.Is(err, idp.ErrEnded) {
		h.t.Fatal(err)
	}
	return err == nil
}

// swept is three hours later, when everybody has been told, and what is over is swept.
func (h *house) swept() {
	h.t.Helper()
	h.ahead.Add(int64(3 * time.Hour))
	h.must(h.store.Update(h.t.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		all, err := tx.FanOuts(10)
		for _, f := range all {
			err = errors.Join(err, tx.MoveFanOut(f.Number, f.At, now))
		}
		_, err2 := tx.Sweep(now, 500)
		return errors.Join(err, err2)
	}))
}

// ends presses the button of a receipt that ends the access that stays.
func (h *house) ends(j jar, receipt string) {
	h.t.Helper()
	button := receipt + "/offline"
	if !strings.Contains(h.do(j, "GET", receipt, "").Body.String(), button) {
		h.t.Error("there is no button")
	}
	form := h.form(j, receipt)
	for range 2 { // the second press finds it done
		if w := h.post(j, button, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != receipt {
			h.t.Errorf("the button answers %d to %q", w.Code, w.Header().Get("Location"))
		}
	}
	if page := h.do(j, "GET", receipt, "").Body.String(); strings.Contains(page, button) || !strings.Contains(page, "has ended since") {
		h.t.Error("the button is still there, or nothing is said of what it did:", page)
	}
}

// Whoever reads of offline access that stays can end it there, and nothing else: also when the session is long swept, and for each sign-out
// anew.
func TestReceipt_EndsWhatStays(t *testing.T) {
	h := open(t)
	for _, swept := range []bool{false, true, false} {
		here, there := h.signedIn("alice"), h.signedIn("alice")
		kept, also, elsewhere := h.away("reader", here), h.away("player", here), h.away("reader", there)
		h.away("earlier", here)
		_, err := h.door.End(t.Context(), idp.EndApp(kept.Here, "earlier"), idp.Cause{Kind: idp.CauseAppSignOut})
		h.must(err)
		receipt := h.leaves(here)
		if swept {
			h.swept()
			h.must(h.store.View(t.Context(), func(v idp.View) error { _, err = v.Session(kept.Here); return nil }))
			if !errors.Is(err, idp.ErrNotFound) {
				t.Fatal("the session is still there:", err)
			}
		}
		if !h.lives(kept.Name, also.Name) {
			t.Fatal("the sign-out ends offline access")
		}
		h.ends(h.signedIn("alice"), receipt)
		if h.lives(kept.Name) || h.lives(also.Name) {
			t.Errorf("swept %t: it goes on", swept)
		}
		if !h.lives(elsewhere.Name) {
			t.Errorf("swept %t: access from another session has ended", swept)
		}
		if strings.Contains(h.do(h.signedIn("alice"), "GET", receipt, "").Body.String(), "earlier") {
			t.Errorf("swept %t: what had ended before is said to have ended since", swept)
		}
	}
}

// A provider may end several sessions at once, by one receipt: its button ends what stays of all of them, as far as they are its person's.
func TestReceipt_EndsWhatStaysOfSeveral(t *testing.T) {
	h := open(t)
	subject := idp.IdentityKey{Provider: "hub", Issuer: "https://hub.test", Subject: "1"}
	kept := map[idp.AccountID][]idp.Grant{}
	for _, who := range []string{"alice", "alice", "bob", "bob"} { // the link has moved from one to the other
		g := h.away(idp.ClientID("reader of "+who), h.signedIn(who))
		kept[g.Account] = append(kept[g.Account], g)
		h.must(h.store.Update(t.Context(), func(tx idp.Tx) error {
			o := idp.Origin{Session: g.Here}
			o.Provider, o.Issuer, o.Subject = subject.Provider, subject.Issuer, subject.Subject
			return tx.PutOrigin(o)
		}))
	}
	what := idp.EndUpstream(idp.UpstreamEnd{}, false)
	what.From.Provider, what.From.Issuer, what.From.Subject = subject.Provider, subject.Issuer, subject.Subject
	r, err := h.door.End(t.Context(), what, idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"})
	h.must(err)
	for _, gs := range kept {
		for _, g := range gs {
			if h.lives(g.Here) || !h.lives(g.Name) {
				t.Fatal("not what a provider's word ends")
			}
		}
	}
	h.ends(h.signedIn(string(r.Account)), "/signout/"+string(r.ID))
	for who, gs := range kept {
		for _, g := range gs {
			if h.lives(g.Name) != (who != r.Account) {
				t.Errorf("the receipt is %s's; access that %s gave lives: %t", r.Account, who, h.lives(g.Name))
			}
		}
	}
}

// The address that a program was given is for reading: it shows no button, and ends nothing.
func TestReceipt_KeyIsForReading(t *testing.T) {
	h := open(t)
	here := h.signedIn("alice")
	kept := h.away("reader", here)
	receipt, key, _ := strings.Cut(h.tie.ReceiptAddress(idp.ReceiptID(strings.TrimPrefix(h.leaves(here), "/signout/"))), "?")
	w, program := httptest.NewRecorder(), jar{}
	csrf := h.tie.CSRF(w, httptest.NewRequest("GET", at+"/login", nil))
	program.keep(w)
	if w := h.do(program, "GET", receipt+"?"+key, ""); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "/offline") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	form := h.form(program, receipt)
	form.Set("csrf", csrf)
	if w := h.post(program, receipt+"/offline?"+key, form); w.Code != http.StatusNotFound || !h.lives(kept.Name) {
		t.Errorf("it acts: %d", w.Code)
	}
	if w := h.post(here, strings.TrimPrefix(receipt, at)+"/offline", h.form(here, receipt)); w.Code != http.StatusSeeOther || h.lives(kept.Name) {
		t.Errorf("the browser that signed out does not: %d", w.Code)
	}
}

// A page that was kept from an earlier sign-in signs out of the session that there is now: its nonce is not that of the first sign-out.
func TestConfirm_NonceIsOfOneSession(t *testing.T) {
	h := open(t)
	var receipts [2]string
	for i := range receipts {
		here := h.signedIn("alice")
		s := h.session(here)
		receipts[i] = h.leaves(here, "once")
		if h.lives(s.Name) {
			t.Errorf("sign-out %d ends nothing", i+1)
		}
	}
	if receipts[0] == receipts[1] {
		t.Error("two sign-outs have one receipt")
	}
}

// An Idempotency-Key is at most 256 bytes long; with a longer one nothing ends.
func TestEverywhere_KeyIsBounded(t *testing.T) {
	h := open(t)
	s := h.session(h.signedIn("alice"))
	now, _ := h.store.Now()
	bearer, err := h.tokens.Access(&token.Access{Subject: "alice", Client: "reader", Audience: []string{at}, Scopes: []string{idp.ScopeSignOut},
		IssuedAt: now, Expires: now.Add(time.Minute), EndsWith: s.Names()})
	h.must(err)
	for _, c := range []struct{ length, status int }{{257, http.StatusBadRequest}, {256, http.StatusOK}} {
		w := h.do(jar{}, "POST", "/customers/me/logout", "", "Authorization", "Bearer "+bearer, "Idempotency-Key", strings.Repeat("x", c.length))
		if w.Code != c.status || h.lives(s.Names()...) != (c.status != http.StatusOK) || c.status != http.StatusOK && !strings.Contains(w.Body.String(), `"invalid_request"`) {
			t.Errorf("a key of %d bytes: %d %s", c.length, w.Code, w.Body)
		}
	}
}
