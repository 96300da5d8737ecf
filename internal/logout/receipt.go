package logout

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/receipt"
	"exeunt.dev/internal/web"
)

// found is a receipt and who asks for it.
type found struct {
	row     idp.Receipt
	sheet   receipt.Sheet
	session *idp.Session // of the browser that asks
	layers  []web.ProviderLayer
	mine    bool   // this person's, or this browser's sign-out of a moment ago
	keyed   bool   // by the address that a program was given
	number  uint64 // of somebody else's, for an operator, who reads it in the console; 0: no operator asks
}

// find reads the receipt of the path: for a while for the browser or the program that signed out, and always for its person.
// idp.ErrNotFound for everybody else.
func (l *Logout) find(r *http.Request) (f found, err error) {
	f.session, err = l.Browser.Session(r)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return f, err
	}
	now, _ := l.Store.Now()
	err = l.Store.View(r.Context(), func(v idp.View) (err error) {
		if f.row, err = v.Receipt(idp.ReceiptID(r.PathValue("receipt"))); err != nil {
			return err
		}
		young := now <= f.row.At.Add(browser.ReceiptLife)
		owner := f.session != nil && f.row.Account != "" && f.session.Account == f.row.Account
		f.mine = owner || young && l.Browser.Left(r, f.row.ID)
		f.keyed = young && l.Browser.Keyed(r, f.row.ID)
		if !f.mine && !f.keyed {
			if f.session != nil {
				switch _, err := v.Operator(f.session.Account); {
				case err == nil:
					f.number = f.row.Number
				case !errors.Is(err, idp.ErrNotFound):
					return err
				}
			}
			return idp.ErrNotFound
		}
		if f.sheet, err = receipt.Read(v, &f.row, now, false); err == nil && l.Layers != nil {
			f.layers, err = l.Layers(v, &f.row, f.mine)
		}
		for i, a := range f.sheet.Apps {
			f.sheet.Apps[i].Asked = a.State == idp.Unreachable && l.Browser.Asked(r, f.row.ID, a.ClientID)
		}
		return err
	})
	return f, err
}

func (l *Logout) noReceipt(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case edge.WantsJSON(r):
		edge.Fail(w, r, err)
	case errors.Is(err, idp.ErrNotFound):
		l.Pages.Render(w, r, http.StatusNotFound, web.NoReceipt())
	default:
		l.Pages.Fail(w, r, err)
	}
}

func (l *Logout) receipt(w http.ResponseWriter, r *http.Request) {
	f, err := l.find(r)
	if errors.Is(err, idp.ErrNotFound) && f.number != 0 && !edge.WantsJSON(r) {
		http.Redirect(w, r, "/admin/receipts/"+strconv.FormatUint(f.number, 10), http.StatusSeeOther)
		return
	}
	if err != nil {
		l.noReceipt(w, r, err)
		return
	}
	if edge.WantsJSON(r) {
		edge.JSON(w, http.StatusOK, f.sheet)
		return
	}
	p := web.Receipt{What: web.EndedInFull(f.row.Cause), Ended: reached(f.sheet), At: f.sheet.EndedAt, Own: f.session == nil && !f.keyed, APIs: f.sheet.APIs, Signed: r.URL.Path + "/receipt.jwt"}
	if f.keyed {
		p.Signed += "?key=" + r.URL.Query().Get("key")
	}
	for _, y := range f.layers {
		y.Left = y.ID == r.URL.Query().Get("left")
		p.Providers = append(p.Providers, y)
	}
	if len(p.Providers) > 0 && f.mine {
		p.CSRF = l.Browser.CSRF(w, r)
	}
	if f.session != nil {
		p.Back = "/account"
	}
	for _, a := range f.sheet.Apps {
		p.Apps = append(p.Apps, web.ReceiptLine{Name: a.Name, State: string(a.State), Said: said(a, f.sheet)})
	}
	for _, o := range f.sheet.Offline {
		p.Offline = append(p.Offline, o.Name)
	}
	for _, o := range f.sheet.Since {
		p.Since = append(p.Since, o.Name)
	}
	if f.mine && len(p.Offline) > 0 {
		p.EndOffline, p.CSRF = r.URL.Path+"/offline", l.Browser.CSRF(w, r)
	}
	p.Working = f.sheet.Working
	if f.sheet.Owed > 0 {
		for _, a := range f.sheet.Apps {
			switch a.State {
			case idp.Unreachable:
				continue
			case idp.Confirmed:
				p.Told += a.SignIns
			}
			p.All += a.SignIns
		}
	}
	if again := refresh(f.sheet); again != "" {
		w.Header().Set("Refresh", again)
	}
	l.Pages.Render(w, r, http.StatusOK, p)
}

// refresh makes the page live, without script: often at first, seldom while an app is down. It stops: a forgotten page must not keep the
// session of its browser in use for as long as an app is down.
func refresh(s receipt.Sheet) string {
	switch age := s.As.Sub(s.EndedAt); {
	case !s.Working && s.Owed == 0 && !s.Asking(), age > browser.ReceiptLife-time.Minute: // or the next look would find nothing
		return ""
	case age > time.Minute:
		return "30"
	}
	return "2"
}

// signed gives the receipt as it is known now, signed.
func (l *Logout) signed(w http.ResponseWriter, r *http.Request) {
	f, err := l.find(r)
	if err != nil {
		l.noReceipt(w, r, err)
		return
	}
	now, _ := l.Store.Now()
	out, err := l.Tokens.Receipt(f.row.Account, now, f.sheet)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt.jwt"`)
	w.Write([]byte(out))
}

// endOffline ends the offline access that a sign-out has left, for the browser that signed out or its person.
func (l *Logout) endOffline(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		l.Pages.Fail(w, r, err)
		return
	}
	if l.Browser.Genuine(r, form.Get("csrf")) != nil {
		l.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: "/signout/" + r.PathValue("receipt"), LinkText: "Back to the receipt"})
		return
	}
	f, err := l.find(r)
	if err == nil && !f.mine {
		err = idp.ErrNotFound
	}
	if err != nil {
		l.noReceipt(w, r, err)
		return
	}
	var kept []idp.Grant
	if err := l.Store.View(r.Context(), func(v idp.View) (err error) { kept, err = receipt.Kept(v, &f.row); return err }); err != nil {
		l.Pages.Fail(w, r, err)
		return
	}
	for _, g := range kept {
		// No Request: nothing is made anew in a session that is over, so a second press finds the same grants, ended.
		if _, err := l.Door.End(r.Context(), idp.EndApp(g.Here, g.Client), idp.Cause{Kind: idp.CauseAppSignOut, Actor: idp.ActorAccount(f.row.Account)}); err != nil {
			l.Pages.Fail(w, r, err)
			return
		}
	}
	http.Redirect(w, r, "/signout/"+string(f.row.ID), http.StatusSeeOther)
}

// reached says how much that was.
func reached(s receipt.Sheet) web.Words {
	signIns := int64(0)
	for _, a := range s.Apps {
		signIns += a.SignIns
	}
	var out []web.Words
	for _, n := range []struct {
		count int64
		words web.Words
	}{
		{s.Sessions, web.Counted(s.Sessions, web.Say("1 session"), web.Say("%s sessions", s.Sessions))},
		{signIns, web.Counted(signIns, web.Say("1 sign-in at an app"), web.Say("%s sign-ins at apps", signIns))},
		{s.Families, web.Counted(s.Families, web.Say("1 refresh token"), web.Say("%s refresh tokens", s.Families))},
	} {
		if n.count > 0 {
			out = append(out, n.words)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return web.List(out...)
}

// sameDay is how long after a sign-out a time needs no date.
const sameDay = 12 * time.Hour

// said puts a state into words. An app that confirmed says so of itself: nobody else can know.
func said(a receipt.App, s receipt.Sheet) web.Words {
	if a.SignIns > 1 {
		return web.Sentences(state(a, s), web.Say("(%s sign-ins)", a.SignIns))
	}
	return state(a, s)
}

func state(a receipt.App, s receipt.Sheet) web.Words {
	switch a.State {
	case idp.Confirmed:
		if a.Confirmed.Sub(s.EndedAt) > sameDay {
			return web.Say("told, confirmed by the app: %s", web.Moment(*a.Confirmed))
		}
		return web.Say("told, confirmed by the app at %s", web.Clock(*a.Confirmed))
	case idp.Owed:
		switch {
		case a.Attempts == 0: // of an app that did not answer lately only some are attempted
			return "owed: it has not been told yet"
		case !a.Failed || a.Next == nil:
			return "owed: it is being told"
		case !a.Next.After(s.As):
			return "owed: it has not confirmed yet, and is tried again"
		}
		return web.Say("owed: it has not confirmed yet; next attempt at %s", web.Clock(*a.Next))
	case idp.Unreachable:
		switch {
		case a.Asked:
			return "cannot be told: it was asked in this browser, which may have kept it from hearing; it may keep a cookie of its own"
		case a.InBrowser:
			return "cannot be told: it listens in browsers only, where nobody learns whether it heard; it may keep a cookie of its own"
		case a.Public:
			return "cannot be told: it takes no such messages; it may keep the tokens that ended, which are refused"
		}
		return "cannot be told: it takes no such messages, and may keep a cookie of its own"
	case idp.Refused:
		return "refused: the app does not take the message, or cannot be called; it may keep a cookie of its own"
	}
	return "owed, and given up: it may keep a cookie of its own"
}
