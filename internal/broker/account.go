package broker

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/internal/web"
)

const page = "/account/providers"

// page shows through whom a person may sign in.
func (b *Broker) page(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	b.show(w, r, s, http.StatusOK, said(q.Get("done")), nil)
}

func said(done string) web.Words {
	switch done {
	case "linked":
		return "Linked. All your other sessions were ended."
	case "already":
		return "That was linked to your account already."
	case "unlinked":
		return "Unlinked. All your other sessions were ended, and the provider is being told to forget what you allowed."
	}
	return nil
}

func (b *Broker) show(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, flash, problem web.Words) {
	var who idp.Account
	var all []idp.Identity
	err := b.Store.View(r.Context(), func(v idp.View) (err error) {
		if who, err = v.Account(s.Account); err == nil {
			all, err = v.Identities(s.Account)
		}
		return err
	})
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	p := web.Providers{Header: web.Header{Who: who.Username, CSRF: b.Browser.CSRF(w, r), Nav: b.Nav(page)}, Recent: b.Browser.Recent(s), Flash: flash, Error: problem, Confirm: "/login?again=" + url.QueryEscape(page)}
	for _, i := range all {
		p.Linked = append(p.Linked, web.ProviderLine{Ref: i.Ref(), Title: b.Title(i.Provider), Name: i.Name, Mail: i.Mail, Added: i.AddedAt.Time(), Used: i.UsedAt.Time(),
			Gone: b.ups[i.Provider] == nil})
	}
	for _, s := range b.order {
		p.Others = append(p.Others, web.ProviderButton{ID: s.ID, Title: s.title(), Proves: s.P.OIDC()})
	}
	b.Pages.Render(w, r, status, p)
}

// link begins to link an identity. It asks who it is: the provider's session in this browser may be somebody else's.
func (b *Broker) link(w http.ResponseWriter, r *http.Request, s *idp.Session, _ url.Values) {
	if b.Again(w, r, s, page) { // so that a browser left open adds no way in
		return
	}
	up := b.ups[r.PathValue("provider")]
	if up == nil {
		b.show(w, r, s, http.StatusNotFound, nil, web.Say("There is no such provider."))
		return
	}
	b.depart(w, r, up, trip{Ask: upstream.Who, Link: s.Name, Account: s.Account}, idp.Epochs{Realm: s.Realm, Account: s.Epoch})
}

// finishLink links what came back, if the session that asked for it is alive and is this browser's. Another way in is a credential
// changed: all other sessions end.
func (b *Broker) finishLink(w http.ResponseWriter, r *http.Request, up *site, row *idp.Pending, t trip, in upstream.Arrival) {
	s, err := b.Browser.Session(r)
	if errors.Is(err, idp.ErrNotFound) || err == nil && (s.Name != t.Link || s.Account != t.Account) {
		b.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Nothing was linked", Text: "You are not signed in any more as who began this. Please sign in and try again.", Link: "/login", LinkText: "Sign in"})
		return
	}
	if err != nil {
		b.Pages.Fail(w, r, err)
		return
	}
	key := keyOf(up, in)
	o := b.origin(up, in, key, nil)
	cookie := idp.NewSecret(32)
	already := false
	err = b.Store.Update(r.Context(), func(tx idp.Tx) error {
		already = false
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		if err := tx.LockArrival(key.Provider, key.Issuer, "", key.Subject); err != nil {
			return err
		}
		if err := idp.Live(tx, row.Born.Names()...); err != nil {
			return err
		}
		there, err := tx.Identity(key)
		switch {
		case err == nil && there.Account == s.Account:
			already = true
			return nil
		case err == nil:
			return errTaken
		case !errors.Is(err, idp.ErrNotFound):
			return err
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		selector := idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)})
		if _, err := door.EndIn(tx, selector, credential(s)); err != nil {
			return err
		}
		return errors.Join(tx.InsertIdentity(identity(o, s.Account, now)), b.record(tx, did(r, s, idp.EventIdentityLinked, key), now))
	})
	switch {
	case errors.Is(err, errTaken), errors.Is(err, idp.ErrConflict):
		b.show(w, r, s, http.StatusConflict, "", web.Say("This sign-in with %s belongs to another account here. Nothing was linked.", up.title()))
	case errors.Is(err, idp.ErrEnded):
		b.Pages.Render(w, r, http.StatusConflict, web.Message{Title: "Nothing was linked", Text: "You were signed out meanwhile. Please sign in and try again.", Link: "/login", LinkText: "Sign in"})
	case err != nil:
		b.Pages.Fail(w, r, err)
	case already:
		http.Redirect(w, r, page+"?done=already", http.StatusSeeOther)
	default:
		b.Door.Committed()
		b.Browser.SetSession(w, cookie, s)
		http.Redirect(w, r, page+"?done=linked", http.StatusSeeOther)
	}
}

var (
	errLast = errors.New("the last way in")
	errNone = errors.New("no such identity")
)

// unlink takes an identity away, with the consent at the provider, but never the last way in.
func (b *Broker) unlink(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if b.Again(w, r, s, page) {
		return
	}
	cookie := idp.NewSecret(32)
	err := b.Store.Update(r.Context(), func(tx idp.Tx) error {
		if err := tx.LockAccount(s.Account, idp.Exclusive); err != nil {
			return err
		}
		all, err := tx.Identities(s.Account)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(i idp.Identity) bool { return i.Ref() == form.Get("identity") })
		if i < 0 {
			return errNone
		}
		if ways, err := b.ways(tx, s.Account, all, i); err != nil || ways == 0 {
			return errors.Join(err, errLast)
		}
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		receipt, err := door.EndIn(tx, idp.EndOthers(s.Account, s.Name, idp.ReRoot{Cookie: idp.HashOf(cookie)}), credential(s))
		if err != nil {
			return err
		}
		return errors.Join(door.Unlink(tx, &all[i], receipt.ID, now), b.record(tx, did(r, s, idp.EventIdentityRemoved, all[i].IdentityKey), now))
	})
	switch {
	case errors.Is(err, errNone):
		b.show(w, r, s, http.StatusNotFound, nil, web.Say("That is not linked to your account any more."))
	case errors.Is(err, errLast):
		b.show(w, r, s, http.StatusConflict, nil, web.Say("This is the only way into your account. Set a password, add a passkey or link another one first."))
	case errors.Is(err, idp.ErrEnded):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	case err != nil:
		b.Pages.Fail(w, r, err)
	default:
		b.Door.Committed()
		b.Wake()
		b.Browser.SetSession(w, cookie, s)
		http.Redirect(w, r, page+"?done=unlinked", http.StatusSeeOther)
	}
}

// ways counts how a person can begin a sign-in without one of the identities.
func (b *Broker) ways(tx idp.Tx, a idp.AccountID, all []idp.Identity, without int) (int, error) {
	who, err := tx.Account(a)
	if err != nil {
		return 0, err
	}
	credentials, err := tx.Credentials(a)
	return idp.WaysIn(&who, credentials) + b.count(slices.Delete(slices.Clone(all), without, without+1)), err
}

// Ways counts the providers through which a person can begin a sign-in.
func (b *Broker) Ways(v idp.View, a idp.AccountID) (int, error) {
	all, err := v.Identities(a)
	return b.count(all), err
}

// count leaves out identities of providers that are not configured.
func (b *Broker) count(all []idp.Identity) (n int) {
	for _, i := range all {
		if b.ups[i.Provider] != nil {
			n++
		}
	}
	return n
}

func credential(s *idp.Session) idp.Cause {
	return idp.Cause{Kind: idp.CauseCredential, Actor: idp.ActorAccount(s.Account)}
}

// record writes down what was changed, and to its person.
func (b *Broker) record(tx idp.Tx, e idp.Event, now idp.Time) error {
	if b.Tell != nil {
		if err := b.Tell(tx, e, now); err != nil {
			return err
		}
	}
	return tx.Record(e)
}

func did(r *http.Request, s *idp.Session, kind idp.EventKind, k idp.IdentityKey) idp.Event {
	return idp.Event{Kind: kind, Account: s.Account, Session: s.Ref, IP: edge.Client(r).IP.String(), Device: r.UserAgent(), Data: map[string]string{"provider": k.Provider}}
}
