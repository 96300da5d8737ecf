package broker

import (
	"errors"
	"net/http"
	"strings"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/internal/web"
	"exeunt.dev/ledger"
)

// newcomer is somebody who came from a provider and has no account yet.
type newcomer struct {
	Provider       string
	Proof          browser.Proof
	Begun          idp.Time
	Pending, Again string
	Suggested      string
}

// stranger answers somebody whom nobody here has linked: with a page to choose a username, or a sentence. That an account has the
// same mail address means nothing.
func (b *Broker) stranger(w http.ResponseWriter, r *http.Request, s *site, row *idp.Pending, t trip, in upstream.Arrival) {
	if !s.SignUp || t.Again != "" {
		b.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Nobody here has linked this sign-in", Text: web.Say("If you have an account, sign in to it another way first, and link %s on your account's pages. Nothing was made.", s.title()), Link: "/login", LinkText: "Sign in another way"})
		return
	}
	born := idp.Epochs{Realm: row.Born.Realm}
	n := newcomer{Provider: s.ID, Proof: b.proof(s, in, t, "", born, nil, row.CreatedAt), Begun: row.CreatedAt, Pending: t.Pending, Again: t.Again, Suggested: suggested(in)}
	id := idp.NewSecret(32)
	if err := b.put(r, idp.PendingSignUp, id, n, born, b.Browser.ID(w, r), idp.Name{}); err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/login/"+s.ID+"/signup?step="+id, http.StatusSeeOther)
}

// suggested makes a username of what the provider calls the person; "" if it cannot be one.
func suggested(in upstream.Arrival) string {
	name, _ := in.Claims["preferred_username"].(string)
	if name == "" {
		name = strings.ReplaceAll(strings.ToLower(in.Name), " ", ".")
	}
	if ownChoice(name) != nil {
		return ""
	}
	return name
}

// ownChoice refuses, beside what no username may be, what looks like a mail address: nobody has shown that it is theirs, and an app may
// take it for that, or its owner come later.
func ownChoice(username string) error {
	if strings.Contains(username, "@") {
		return idp.Invalid("username", "A username that you choose yourself has no @.")
	}
	return idp.ValidUsername(username)
}

func (b *Broker) askSignUp(w http.ResponseWriter, r *http.Request, s *site) {
	step := r.URL.Query().Get("step")
	n, err := b.readNewcomer(w, r, s, step)
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	b.showSignUp(w, r, s, http.StatusOK, step, n, n.Suggested, nil)
}

func (b *Broker) readNewcomer(w http.ResponseWriter, r *http.Request, s *site, step string) (n newcomer, err error) {
	of := b.Browser.ID(w, r)
	err = b.Store.View(r.Context(), func(v idp.View) error {
		_, err := b.read(v, idp.PendingSignUp, step, of, &n)
		return err
	})
	if err == nil && n.Provider != s.ID {
		err = web.ErrExpired
	}
	return n, err
}

func (b *Broker) showSignUp(w http.ResponseWriter, r *http.Request, s *site, status int, step string, n newcomer, username string, problem web.Words) {
	b.Pages.Render(w, r, status, web.SignUp{Action: "/login/" + s.ID + "/signup", Step: step, CSRF: b.Browser.CSRF(w, r), Provider: s.title(),
		Name: n.Proof.From.Name, Mail: n.Proof.From.Mail, Username: username, Error: problem})
}

// signUp makes the account, with the identity as its only way in, and signs in.
func (b *Broker) signUp(w http.ResponseWriter, r *http.Request, s *site) {
	form, err := edge.Form(w, r)
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	if b.Browser.Genuine(r, form.Get("csrf")) != nil {
		b.stale(w, r, "/login")
		return
	}
	if ok, wait := b.trips.AllowCaller(r); !ok { // else one trip could ask for every username whether it is taken
		b.Pages.Fail(w, r, &idp.LimitedError{Wait: wait})
		return
	}
	step, username := form.Get("step"), strings.TrimSpace(form.Get("username"))
	n, err := b.readNewcomer(w, r, s, step)
	if err == nil {
		err = ownChoice(username)
	}
	if err == nil {
		err = b.enrol(w, r, step, username, &n)
	}
	var invalid *idp.InvalidError
	switch {
	case errors.As(err, &invalid):
		b.showSignUp(w, r, s, http.StatusBadRequest, step, n, username, invalid.Sentence)
	case errors.Is(err, errTaken):
		b.Pages.Render(w, r, http.StatusConflict, web.Message{Title: "This sign-in is linked already", Text: web.Say("Please sign in with %s again.", s.title()), Link: "/login", LinkText: "Sign in"})
	case errors.Is(err, idp.ErrConflict):
		b.showSignUp(w, r, s, http.StatusConflict, step, n, username, web.Say("That username is taken. Choose another one."))
	case errors.Is(err, idp.ErrEnded):
		b.Pages.Fail(w, r, web.ErrExpired)
	case err != nil:
		b.Pages.Fail(w, r, err)
	default:
		b.Enter(w, r, n.Pending, n.Again, n.Proof)
	}
}

var errTaken = errors.New("the identity is linked to an account")

func (b *Broker) enrol(w http.ResponseWriter, r *http.Request, step, username string, n *newcomer) error {
	of, from := b.Browser.ID(w, r), n.Proof.From
	id, epoch := idp.AccountID(ledger.NewName().String()), ledger.NewName()
	err := b.Store.Update(r.Context(), func(tx idp.Tx) error {
		var again newcomer
		row, err := b.read(tx, idp.PendingSignUp, step, of, &again)
		if err != nil {
			return err
		}
		if err := tx.LockArrival(from.Provider, from.Issuer, from.SID, from.Subject); err != nil {
			return err
		}
		if _, err := tx.Identity(from.IdentityKey); !errors.Is(err, idp.ErrNotFound) {
			return errors.Join(err, errTaken)
		}
		if _, err := tx.AccountByUsername(username); !errors.Is(err, idp.ErrNotFound) {
			return errors.Join(err, idp.ErrConflict)
		}
		if over, err := tx.Overtaken(*from); err != nil || over {
			return errors.Join(err, idp.ErrEnded)
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		if _, err := tx.TakePending(row.ID); err != nil {
			return err
		}
		// The mail address is the provider's word: it is shown with the identity, and is none of the account's.
		a := idp.Account{ID: id, Username: username, Name: from.Name, State: idp.AccountActive, CreatedAt: now}
		did := idp.Event{Kind: idp.EventAccountCreated, Account: id, IP: edge.Client(r).IP.String(), Device: r.UserAgent(), Data: map[string]string{"provider": from.Provider}}
		return errors.Join(tx.InsertAccount(a, epoch), tx.InsertIdentity(identity(from, id, now)), tx.Record(did))
	})
	n.Proof.Account, n.Proof.Born.Account = id, epoch
	return err
}

func identity(o *idp.Origin, a idp.AccountID, now idp.Time) idp.Identity {
	return idp.Identity{IdentityKey: o.IdentityKey, Account: a, Name: o.Name, Mail: o.Mail, Tokens: o.Tokens, AddedAt: now, UsedAt: now}
}
