package account

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// allowed is an app and what it may do.
type allowed struct {
	consent idp.Consent
	client  idp.Client
	offline bool
}

func (a *Account) apps(ctx context.Context, id idp.AccountID) (who idp.Account, out []allowed, err error) {
	err = a.Store.Look(ctx, func(v idp.View) error {
		out = nil
		if who, err = v.Account(id); err != nil {
			return err
		}
		e, err := v.Epochs(id, "")
		if err != nil {
			return err
		}
		consents, err := v.Consents(id)
		if err != nil {
			return err
		}
		offline, err := v.OfflineApps(e.Account)
		if err != nil {
			return err
		}
		ids := make([]idp.ClientID, len(consents))
		for i, c := range consents {
			ids[i] = c.Client
		}
		clients, err := named(v, ids)
		for _, c := range consents {
			out = append(out, allowed{c, clients[c.Client], slices.Contains(offline, c.Client)})
		}
		slices.SortFunc(out, func(x, y allowed) int { return int(y.consent.GivenAt - x.consent.GivenAt) })
		return err
	})
	return who, out, err
}

func (a *Account) appsPage(w http.ResponseWriter, r *http.Request, s *idp.Session, q url.Values) {
	p := web.Apps{}
	if q.Get("done") == "withdrawn" {
		receipt, err := a.own(r.Context(), s.Account, idp.ReceiptID(q.Get("receipt")))
		if err != nil {
			a.Pages.Fail(w, r, err)
			return
		}
		if p.Flash = web.Say("That app had no access any more."); receipt != "" {
			p.Flash, p.Receipt = web.Say("That app has no access any more. It is being told."), receipt
		}
	}
	a.showApps(w, r, s, http.StatusOK, p)
}

func (a *Account) showApps(w http.ResponseWriter, r *http.Request, s *idp.Session, status int, p web.Apps) {
	who, apps, err := a.apps(r.Context(), s.Account)
	if err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	p.Header, p.Again, p.Nonce = a.Header(w, r, who.Username), !a.Browser.Recent(s), idp.NewSecret(16)
	for _, x := range apps {
		p.Rows = append(p.Rows, web.AppLine{ID: string(x.client.ID), Name: x.client.Name, Allows: web.List(web.Allows(x.consent.Scopes)...), Since: x.consent.GivenAt.Time(),
			Offline: x.offline, Ours: x.client.FirstParty})
	}
	a.Pages.Render(w, r, status, p)
}

// withdraw ends what an app may do, everywhere.
func (a *Account) withdraw(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	if a.Again(w, r, s, "/account/apps") {
		return
	}
	client := idp.ClientID(r.PathValue("client"))
	receipt, err := a.Door.End(r.Context(), idp.EndConsent(s.Account, client), cause(idp.CauseConsentWithdrawn, s, string(client)+" "+form.Get("nonce")))
	if err != nil {
		if status, sentence := a.problem(w, r, err); status != 0 {
			a.showApps(w, r, s, status, web.Apps{Error: sentence})
		}
		return
	}
	http.Redirect(w, r, "/account/apps?done=withdrawn&receipt="+string(receipt.ID), http.StatusSeeOther)
}

type allowedJSON struct {
	ClientID idp.ClientID `json:"client_id"`
	Name     string       `json:"name"`
	Scopes   []string     `json:"scopes"`
	Since    string       `json:"since"`
	Offline  bool         `json:"offline"`
	Ours     bool         `json:"first_party"`
}

func (a *Account) appsJSON(w http.ResponseWriter, r *http.Request, c caller) {
	_, apps, err := a.apps(r.Context(), c.account)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	out := struct {
		Apps []allowedJSON `json:"apps"`
	}{[]allowedJSON{}}
	for _, x := range apps {
		out.Apps = append(out.Apps, allowedJSON{x.client.ID, x.client.Name, append([]string{}, x.consent.Scopes...), stamp(x.consent.GivenAt), x.offline, x.client.FirstParty})
	}
	edge.JSON(w, http.StatusOK, out)
}

func (a *Account) deleteApp(w http.ResponseWriter, r *http.Request) {
	c, ok := a.caller(w, r, true)
	if !ok {
		return
	}
	key, err := edge.IdempotencyKey(r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	why := idp.Cause{Kind: idp.CauseConsentWithdrawn, Actor: idp.ActorAccount(c.account)}
	client := idp.ClientID(r.PathValue("client"))
	if key != "" {
		why.Request = "app " + string(client) + " " + key
	}
	receipt, err := a.Door.End(r.Context(), idp.EndConsent(c.account, client), why)
	if err == nil && receipt.ID == "" {
		err = idp.ErrNotFound
	}
	a.ended(w, r, receipt, err, "app")
}
