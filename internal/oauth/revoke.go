package oauth

import (
	"errors"
	"net/http"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// revoke is RFC 7009. An unknown token and one of another client are both 200, so that nobody learns which tokens there
// are; 200 is answered only after commit.
func (o *OAuth) revoke(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	client, err := o.known(r.Context(), r, form)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	raw := form.Get("token")
	if raw == "" {
		o.fail(w, r, refuse("invalid_request", "token is missing"))
		return
	}
	selector, found, err := o.revocable(r, &client, raw)
	if err == nil && found && selector.Kind == idp.SelectToken { // one ending a token: a loop could fill the ledger
		err = o.turn("revoke " + string(client.ID))
	}
	if err == nil && found {
		cause := idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorClient(client.ID)}
		_, err = o.Door.End(r.Context(), selector, cause)
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (o *OAuth) revocable(r *http.Request, client *idp.Client, raw string) (s idp.Selector, found bool, err error) {
	if t, err := token.ParseRefresh(raw); err == nil {
		err := o.Store.Look(r.Context(), func(v idp.View) error {
			c, err := v.ChainByHandle(t.HandleHash())
			if errors.Is(err, idp.ErrNotFound) {
				return nil
			}
			found = err == nil && c.Family.Client == client.ID
			s = idp.EndFamily(c.Family.Name)
			return err
		})
		return s, found, err
	}
	a, err := o.Tokens.ReadAccess(raw)
	now, _ := o.Store.Now()
	if err != nil || a.Client != client.ID || now >= a.Expires {
		return s, false, nil
	}
	return idp.EndToken(a.JTI), true, nil
}
