package logout

import (
	"errors"
	"net/http"
	"time"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// openFor is how long a receipt may be read by whoever holds its address; later it needs the session of the person.
const openFor = 15 * time.Minute

type receiptAnswer struct {
	Cause   idp.CauseKind `json:"cause"`
	EndedAt time.Time     `json:"ended_at"`
	Ended   int           `json:"ended"` // names that are over
	Apps    []appLine     `json:"apps"`
}

type appLine struct {
	ClientID idp.ClientID `json:"client_id"`
	Name     string       `json:"name"`
	State    string       `json:"state"` // "not told yet"
}

func (l *Logout) receipt(w http.ResponseWriter, r *http.Request) {
	session, err := l.Browser.Session(r)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		l.Pages.Fail(w, r, err)
		return
	}
	now, _ := l.Store.Now()
	var row idp.Receipt
	out := receiptAnswer{Apps: []appLine{}}
	err = l.Store.View(r.Context(), func(v idp.View) (err error) {
		if row, err = v.Receipt(idp.ReceiptID(r.PathValue("receipt"))); err != nil {
			return err
		}
		mine := session != nil && row.Account != "" && session.Account == row.Account
		if !mine && now > row.At+idp.Time(openFor.Milliseconds()) {
			return idp.ErrNotFound
		}
		endings, err := v.EndingsOf(row.ID)
		if err != nil {
			return err
		}
		out.Cause, out.EndedAt, out.Ended = row.Cause, row.At.Time(), len(endings)
		out.Apps, err = apps(v, &row)
		return err
	})
	switch {
	case errors.Is(err, idp.ErrNotFound):
		l.Pages.Render(w, http.StatusNotFound, web.Message{Title: "No such receipt", Text: "It may be older than 15 minutes. Sign in and look at your account.", Link: "/login", LinkText: "Sign in"})
	case err != nil:
		l.Pages.Fail(w, r, err)
	case edge.WantsJSON(r):
		edge.JSON(w, http.StatusOK, out)
	default:
		p := web.Receipt{What: what(row.Cause), At: out.EndedAt, Own: session == nil}
		if session != nil {
			p.Back = "/account"
		}
		for _, a := range out.Apps {
			p.Apps = append(p.Apps, a.Name)
		}
		l.Pages.Render(w, http.StatusOK, p)
	}
}

// apps are those with a grant in what ended. Telling them is the next issue's; until then they are owed.
func apps(v idp.View, row *idp.Receipt) ([]appLine, error) {
	out := []appLine{}
	ofSession := row.Selector == idp.SelectSession
	if row.ToldAt != 0 || !(ofSession || row.Selector == idp.SelectApp) {
		return out, nil // the session of "others" is the one that lives on
	}
	slots, err := v.Slots(row.Session)
	if err != nil {
		return nil, err
	}
	for _, s := range slots {
		if s.Grant.IsZero() || (row.Client != "" && row.Client != s.Client) {
			continue
		}
		if ofSession {
			if err := idp.Live(v, s.Grant); errors.Is(err, idp.ErrEnded) {
				continue // left before: owed by the receipt of that
			} else if err != nil {
				return nil, err
			}
		}
		c, err := v.Client(s.Client)
		if err != nil {
			return nil, err
		}
		out = append(out, appLine{c.ID, c.Name, "not told yet"})
	}
	return out, nil
}

// what says in a sentence what a cause ended.
func what(c idp.CauseKind) string {
	switch c {
	case idp.CauseAppSignOut:
		return "One app was signed out in this browser."
	case idp.CauseEverywhere:
		return "All sessions of the account were ended."
	case idp.CauseOthers, idp.CauseCredential:
		return "All other sessions of the account were ended."
	case idp.CauseSignOut, idp.CauseSessionEnded, idp.CauseExpiry, idp.CauseSomeoneElse:
		return "The session of one browser was ended, with everything in it."
	}
	return "Access was ended."
}
