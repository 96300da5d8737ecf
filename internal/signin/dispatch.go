package signin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// Steps of a sign-in. They never call each other: each writes down what it has found out, and the dispatcher looks again at what is due.
type step int

const (
	stepApp     step = iota // back to the app: all is decided
	stepFirst               // a password or a passkey
	stepSecond              // a code, or a passkey, behind a password
	stepChoose              // who goes on, and what they allow
	stepPath                // back to the page that asked for a recent sign-in
	stepAccount             // a plain sign-in is done
)

// waiting is what the dispatcher sees: an authorization request that waits, or a page of ours that does; who is here; and what they
// have shown so far.
type waiting struct {
	id      string
	row     idp.Pending
	request idp.AuthorizeRequest
	client  idp.Client
	session *idp.Session
	account idp.Account // of the session
	slot    idp.Slot    // of the app in it

	step  string       // names the sign-in that waits for its second factor
	half  *factor.Half // nil: there is none, or no longer
	again string       // the page that wants a recent sign-in of who is here
}

// address is where the dispatcher is asked again.
func address(pending, step, again string) string {
	v := url.Values{}
	for name, text := range map[string]string{"pending": pending, "step": step, "again": again} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if len(v) == 0 {
		return "/login"
	}
	return "/login?" + v.Encode()
}

// holder is whom a half-finished sign-in on these pages belongs to.
func (s *SignIn) holder(w http.ResponseWriter, r *http.Request) factor.Holder {
	return factor.Holder{Browser: s.Browser.ID(w, r)}
}

// load reads what the address or the form names. Without a pending it is a plain sign-in.
func (s *SignIn) load(w http.ResponseWriter, r *http.Request, q url.Values) (*waiting, error) {
	at := &waiting{id: q.Get("pending"), step: q.Get("step"), again: q.Get("again")}
	if at.again != "" && !ownPage(at.again) {
		return nil, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "The address to return to is not a page of the account."}
	}
	var err error
	if at.session, err = s.Browser.Session(r); err != nil && !errors.Is(err, idp.ErrNotFound) {
		return nil, err
	}
	now, _ := s.Store.Now()
	err = s.Store.View(r.Context(), func(v idp.View) (err error) {
		if at.session != nil {
			if at.account, err = v.Account(at.session.Account); err != nil {
				return err
			}
		}
		if at.step != "" {
			_, half, err := s.Factors.Read(v, at.step, s.holder(w, r), now)
			switch {
			case err == nil:
				at.half = &half
			case !errors.Is(err, idp.ErrEnded):
				return err
			default:
				at.step = "" // begins again with the first factor
			}
		}
		if at.id == "" {
			return nil
		}
		return s.loadRequest(v, at, s.Browser.ID(w, r), now)
	})
	return at, err
}

func (s *SignIn) loadRequest(v idp.View, at *waiting, browser idp.Hash, now idp.Time) (err error) {
	at.row, err = v.Pending(idp.HashOf(at.id))
	if errors.Is(err, idp.ErrNotFound) {
		return web.ErrExpired
	}
	if err != nil {
		return err
	}
	if at.row.Kind != idp.PendingAuthorize || at.row.Browser != browser || now >= at.row.ExpiresAt ||
		errors.Is(idp.Live(v, at.row.Born.Names()...), idp.ErrEnded) {
		return web.ErrExpired
	}
	if err := json.Unmarshal(at.row.Data, &at.request); err != nil {
		return err
	}
	if at.client, err = v.Client(at.request.ClientID); err != nil || at.session == nil {
		return err
	}
	if at.slot, err = v.Slot(at.session.Name, at.client.ID); errors.Is(err, idp.ErrNotFound) {
		err = nil
	}
	return err
}

// ownPage says whether a path is one that a step-up may go back to: a page of the account or of the console, here and nowhere else.
func ownPage(path string) bool {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Fragment != "" || len(path) > 1024 {
		return false
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }
	if strings.ContainsFunc(path, odd) || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return false
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == "." || part == ".." {
			return false
		}
	}
	for _, root := range []string{"/account", "/admin"} {
		if u.Path == root || strings.HasPrefix(u.Path, root+"/") {
			return true
		}
	}
	return false
}

// due is the one place that decides what comes next.
func (s *SignIn) due(at *waiting) step {
	switch {
	case at.request.Denied:
		return stepApp
	case at.half != nil:
		return stepSecond
	case s.needsProof(at):
		return stepFirst
	case at.again != "":
		return stepPath
	case at.id == "":
		return stepAccount
	case at.request.Consent || (at.request.Choose && !at.acted()):
		return stepChoose
	}
	return stepApp
}

func (at *waiting) acted() bool {
	return at.session != nil && at.request.Acted(&at.row, at.session.Name, &at.slot)
}

// needsProof says that the person must prove who they are: nobody is signed in, or not since the request began where it
// asked for that, or not recently enough for the page that asks, or somebody else than the request is about.
func (s *SignIn) needsProof(at *waiting) bool {
	if at.session == nil {
		return true
	}
	if at.again != "" && !s.Browser.Recent(at.session) {
		return true
	}
	if at.id == "" {
		return false
	}
	q := &at.request
	if !q.Other.IsZero() && q.Other == at.session.Cookie {
		return true // a new sign-in has a new cookie, even of the same person
	}
	silent := q.MaxAge != nil && at.session.Silent()
	if at.session.AuthTime >= at.row.CreatedAt && !silent {
		return q.HintSubject != "" && q.HintSubject != at.session.Account
	}
	for _, p := range q.Prompt {
		if p == "login" {
			return true
		}
	}
	if silent || q.MaxAge != nil && int64(at.row.CreatedAt-at.session.AuthTime) > *q.MaxAge*1000 {
		return true
	}
	return q.HintSubject != "" && q.HintSubject != at.session.Account
}

// settle takes what a step has proved: it makes the session, or finds that a second factor is missing and lets the proof wait for it.
// For a page that wants a recent sign-in, only who is signed in may prove it, and the session stays as persistent as it is.
func (s *SignIn) settle(w http.ResponseWriter, r *http.Request, at *waiting, p browser.Proof) error {
	if at.again != "" && at.session != nil {
		if p.Account != at.session.Account {
			return idp.ErrWrong
		}
		p.Stay = at.session.Persistent
	}
	session, err := s.Browser.SignIn(w, r, p)
	if errors.Is(err, idp.ErrSecond) {
		at.step, err = s.Factors.Begin(r.Context(), p, s.holder(w, r))
		return err
	}
	if err != nil {
		return err
	}
	at.step = ""
	_ = s.Store.Look(r.Context(), func(v idp.View) error { // words only: a sign-in does not fail by it
		lang, err := v.Language(session.Account)
		if err == nil {
			s.Pages.Follow(w, r, lang)
		}
		return err
	})
	if at.id == "" {
		return nil
	}
	return s.Store.Update(r.Context(), func(tx idp.Tx) error {
		return s.answerIn(tx, at, session, func(*idp.AuthorizeRequest) {})
	})
}
