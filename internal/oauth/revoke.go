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
	cred, err := present(r, form)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	raw := form.Get("token")
	refresh, notRefresh := token.ParseRefresh(raw)
	now, _ := o.Store.Now()
	var client idp.Client
	var selector idp.Selector // zero: nothing to end
	err = o.Store.Look(r.Context(), func(v idp.View) (err error) {
		selector = idp.Selector{}
		if client, err = cred.check(v, now); err != nil {
			return err
		}
		if raw == "" {
			return refuse("invalid_request", "token is missing")
		}
		if notRefresh != nil {
			return nil
		}
		c, err := v.ChainByHandle(refresh.HandleHash())
		if err == nil && c.Family.Client == client.ID {
			selector = idp.EndFamily(c.Family.Name)
		}
		if errors.Is(err, idp.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err == nil && notRefresh != nil {
		if a, no := o.Tokens.ReadAccess(raw); no == nil && a.Client == client.ID && now < a.Expires {
			selector = idp.EndToken(a.JTI)
			err = o.turn("revoke " + string(client.ID)) // one ending a token: a loop could fill the ledger
		}
	}
	if err == nil && selector.Kind != "" {
		_, err = o.Door.End(r.Context(), selector, idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorClient(client.ID)})
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}
