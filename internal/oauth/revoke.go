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
	now, _ := o.Store.Now()
	var client idp.Client
	var selector idp.Selector // zero: nothing to end
	err = o.Store.Look(r.Context(), func(v idp.View) (err error) {
		if client, err = cred.check(v, now); err != nil {
			return err
		}
		if raw == "" {
			return refuse("invalid_request", "token is missing")
		}
		selector, err = o.revocable(v, client.ID, raw, now)
		return err
	})
	if err == nil && selector.Kind == idp.SelectToken { // one ending a token: a loop could fill the ledger
		err = o.turn("revoke " + string(client.ID))
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

// revocable is what a client's token stands for; zero if it is not the client's, or has ended: apps give back what they had when they
// hear of a sign-out, and the ledger has that already.
func (o *OAuth) revocable(v idp.View, client idp.ClientID, raw string, now idp.Time) (s idp.Selector, err error) {
	if refresh, no := token.ParseRefresh(raw); no == nil {
		f, err := v.HeldByHandle(refresh.HandleHash())
		if errors.Is(err, idp.ErrNotFound) || err == nil && (f.Client != client || f.Over) {
			return s, nil
		}
		return idp.EndHeld(f), err
	}
	a, no := o.Tokens.ReadAccess(raw)
	if no != nil || a.Client != client || now >= a.Expires {
		return s, nil
	}
	if err = idp.Live(v, a.Hangs()...); errors.Is(err, idp.ErrEnded) {
		return s, nil
	}
	return idp.EndToken(a.JTI), err
}
