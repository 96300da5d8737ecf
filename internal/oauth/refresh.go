package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// refresh rotates a refresh token (RFC 9700 section 4.14.2). A token of another client, an ended or an expired one is
// refused and nothing ends; one that was used up ends the family. Nothing is locked before the client has authenticated.
func (o *OAuth) refresh(r *http.Request, form url.Values, shown bearer.Shown) (*tokenAnswer, error) {
	cred, err := present(r, form)
	if err != nil {
		return nil, err
	}
	presented, malformed := token.ParseRefresh(form.Get("refresh_token"))
	policy := o.Browser.Policy()
	var client idp.Client
	var chain idp.Chain
	var next token.Refresh
	var at idp.Time
	var life time.Duration
	var scopes, audience []string
	var sidLives, reused bool
	var verdict error
	now, _ := o.Store.Now()
	var bond idp.Bond
	var strayed string
	err = o.Store.Update(r.Context(), func(tx idp.Tx) error {
		client, verdict, reused, sidLives, strayed = idp.Client{}, errGrant, false, false, ""
		row, err := cred.check(tx, now)
		if err != nil {
			return err
		}
		client = row
		if !client.May("refresh_token") {
			return errMayNot
		}
		if bond, err = shown.Bond(r, &client); err != nil {
			return err
		}
		if malformed != nil {
			return nil
		}
		if at, life, err = o.moment(tx, &client); err != nil {
			return err
		}
		if chain, err = held(tx, presented.HandleHash(), client.ID); errors.Is(err, idp.ErrNotFound) || errors.Is(err, idp.ErrEnded) {
			return nil
		} else if err != nil {
			return err
		}
		f := &chain.Family
		if at >= f.ExpiresAt || (f.Idle > 0 && at >= f.RotatedAt.Add(f.Idle)) || (chain.Session != nil && chain.Session.Expired(at)) {
			return nil
		}
		// Before the judgement: whoever stole a bound token cannot end its family by showing that.
		if strayed = strays(r, &client, f.Bond, bond); strayed != "" {
			return nil
		}
		if f.Bond.Key == "" && !client.Confidential() {
			if client.DPoP == idp.DPoPRequired {
				return nil // a family from before
			}
			bond.Key = "" // it is bound at birth or never: else a thief could bind it to a key of his own, and be safe from its owner
		}
		judged := token.Judge(f, presented, at, policy.Grace)
		switch judged {
		case token.Late:
			return nil
		case token.Theft:
			if now < f.RotatedAt {
				return nil // it came before the last rotation: this node stood still, and the client has asked another one meanwhile
			}
			reused = true
			if o.OnTheft != nil {
				return nil // the account's row is locked before the family's: in a transaction of its own
			}
			_, err := door.EndIn(tx, idp.EndFamily(f.Name), idp.Cause{Kind: idp.CauseReuse, Actor: idp.ActorClient(client.ID)})
			return err
		}
		// Before the rotation: a request that asks for too much must not cost the client its token.
		if scopes, err = narrow(f.Scopes, strings.Fields(form.Get("scope")), "invalid_scope"); err != nil {
			return err
		}
		if audience, err = narrow(f.Audience, form["resource"], "invalid_target"); err != nil {
			return err
		}
		if sidLives, err = sidAlive(tx, &chain, at); err != nil {
			return err
		}
		if err := shown.Use.Note(tx); err != nil {
			return err
		}
		if judged == token.Replay {
			verdict = nil
			next, err = token.Successor(f, presented)
			return err
		}
		was := f.Cur
		if next, err = token.Rotate(f, presented, at); err != nil {
			return err
		}
		rotated, err := tx.RotateFamily(*f, was)
		if rotated {
			verdict = nil
		}
		return err
	})
	if client.ID != "" {
		edge.Note(r.Context(), "client", client.ID)
	}
	if err != nil {
		return nil, err
	}
	if reused && o.OnTheft != nil {
		if err := o.Store.Update(r.Context(), func(tx idp.Tx) error { return o.OnTheft(tx, chain.Grant.Account, at, r) }); err != nil {
			return nil, err // nothing has ended yet, and the next one who shows this token is found out again
		}
	}
	if reused {
		o.Door.Committed()
	}
	if strayed != "" {
		bearer.Strayed(r, o.Tokens, chain.Grant.Account, client.ID, "refresh token", strayed)
	}
	if verdict != nil {
		return nil, verdict
	}
	id := &token.ID{Subject: chain.Grant.Account, Client: client.ID, Alg: client.IDTokenAlg}
	if sidLives {
		id.Sid = chain.Family.Sid
	}
	if chain.Session != nil {
		id.AuthTime, id.Methods = chain.Session.AuthTime, chain.Session.Methods
	}
	answer, err := o.mint(&client, &chain, id, scopes, audience, at, life, bond)
	if err == nil {
		answer.RefreshToken = next.String()
	}
	return answer, err
}

// held reads the chain of a handle with the family's lock held, and asks whether it lives. A session that was given another
// root between the two is read again. idp.ErrNotFound: there is none of this client.
func held(tx idp.Tx, handle idp.Hash, client idp.ClientID) (chain idp.Chain, err error) {
	if err := tx.LockHandle(handle, idp.Exclusive); err != nil {
		return idp.Chain{}, err
	}
	for again := false; ; again = true {
		if chain, err = tx.ChainByHandle(handle); err != nil {
			return idp.Chain{}, err
		}
		if chain.Family.Client != client {
			return idp.Chain{}, idp.ErrNotFound
		}
		if err = idp.Live(tx, chain.Names()...); again || !errors.Is(err, idp.ErrEnded) {
			return chain, err
		}
	}
}

// narrow gives what is asked for of what was granted: never more than that (RFC 6749 section 6, RFC 8707 section 2.2). Nothing
// asked is all.
func narrow(granted, asked []string, code string) ([]string, error) {
	if len(asked) == 0 {
		return granted, nil
	}
	var out []string
	for _, a := range asked {
		if !has(granted, a) {
			return nil, refuse(code, "this asks for more than was granted")
		}
		if !has(out, a) {
			out = append(out, a)
		}
	}
	return out, nil
}

// sidAlive says whether the app's sign-in in its session still stands: the grant and all that it hangs on, for an offline
// family outlives them, and an ID token must not name a sign-in that is over.
func sidAlive(v idp.View, chain *idp.Chain, at idp.Time) (bool, error) {
	if chain.Session != nil {
		return true, nil // it has just been asked for
	}
	grant, session, err := v.ChainOfGrant(chain.Family.Sid)
	if errors.Is(err, idp.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = idp.Live(v, grant.Names(session)...)
	if errors.Is(err, idp.ErrEnded) {
		return false, nil
	}
	return err == nil && session != nil && !session.Expired(at), err
}
