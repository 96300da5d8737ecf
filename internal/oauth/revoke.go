package oauth

import (
	"context"
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
	refresh, no := token.ParseRefresh(raw)
	if no == nil {
		_, err = o.Door.Decide(r.Context(), func(v idp.View) (s idp.Selector, why idp.Cause, err error) {
			client, err := cred.check(v, now)
			if err != nil {
				return s, why, err
			}
			s, err = heldBy(v, client.ID, refresh)
			return s, idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorClient(client.ID)}, err
		})
	} else {
		err = o.revokeAccess(r.Context(), cred, raw, now)
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// heldBy is the family of a client's refresh token; zero if it is not the client's, or has ended: apps give back what they had when they
// hear of a sign-out, and the ledger has that already.
func heldBy(v idp.View, client idp.ClientID, raw token.Refresh) (s idp.Selector, err error) {
	f, err := v.HeldByHandle(raw.HandleHash())
	if errors.Is(err, idp.ErrNotFound) || err == nil && (f.Client != client || f.Over) {
		return s, nil
	}
	return idp.EndHeld(f), err
}

// revokeAccess ends a client's access token, if it is one that lives. Its signature is checked beside the writer.
func (o *OAuth) revokeAccess(ctx context.Context, cred credentials, raw string, now idp.Time) error {
	var client idp.Client
	var a *token.Access // nil: there is nothing to end
	err := o.Store.Look(ctx, func(v idp.View) (err error) {
		if client, err = cred.check(v, now); err != nil {
			return err
		}
		if raw == "" {
			return refuse("invalid_request", "token is missing")
		}
		var no error
		if a, no = o.Tokens.ReadAccess(raw); no != nil || a.Client != client.ID || now >= a.Expires {
			a = nil
			return nil
		}
		if err = idp.Live(v, a.Hangs()...); errors.Is(err, idp.ErrEnded) {
			a, err = nil, nil
		}
		return err
	})
	if err != nil || a == nil {
		return err
	}
	if err := o.turn("revoke " + string(client.ID)); err != nil { // one ending a token: a loop could fill the ledger
		return err
	}
	_, err = o.Door.End(ctx, idp.EndToken(a.JTI), idp.Cause{Kind: idp.CauseRevoked, Actor: idp.ActorClient(client.ID)})
	return err
}
