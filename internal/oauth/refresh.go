package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// refresh rotates a refresh token (RFC 9700 section 4.14.2). A token of another client, an ended or an expired one is
// refused and nothing ends; one that was used up ends the family.
func (o *OAuth) refresh(r *http.Request, form url.Values, client *idp.Client) (*tokenAnswer, error) {
	presented, err := token.ParseRefresh(form.Get("refresh_token"))
	if err != nil {
		return nil, errGrant
	}
	policy := o.Browser.Policy()
	var chain idp.Chain
	var next token.Refresh
	var at idp.Time
	var sidLives, reused bool
	var verdict error
	err = o.Store.Update(r.Context(), func(tx idp.Tx) error {
		verdict, reused, sidLives = errGrant, false, false
		var err error
		if at, err = tx.Mint(); err != nil {
			return err
		}
		if chain, err = tx.ChainByHandle(presented.HandleHash()); errors.Is(err, idp.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		f := &chain.Family
		if f.Client != client.ID {
			return nil
		}
		if err := tx.LockFamily(f.Name, idp.Exclusive); err != nil {
			return err
		}
		names := chain.Names()
		if chain.Session == nil {
			names = append(names, f.Sid)
		}
		over, err := tx.Ended(names...)
		if err != nil {
			return err
		}
		sidLives = !contains(over, f.Sid)
		if len(over) > 1 || (len(over) == 1 && (sidLives || chain.Session != nil)) {
			return nil
		}
		if at >= f.ExpiresAt || (f.Idle > 0 && at >= f.RotatedAt+milliseconds(f.Idle)) || (chain.Session != nil && chain.Session.Expired(at)) {
			return nil
		}
		switch token.Judge(f, presented, at, policy.Grace) {
		case token.Late:
			return nil
		case token.Theft:
			reused = true
			_, err := door.EndIn(tx, idp.EndFamily(f.Name), idp.Cause{Kind: idp.CauseReuse, Actor: idp.ActorClient(client.ID)})
			return err
		case token.Replay:
			verdict = nil
			next, err = token.Successor(f, presented)
			return err
		}
		was := f.Cur
		if next, err = token.Rotate(f, presented, at); err != nil {
			return err
		}
		rotated, err := tx.RotateFamily(*f, was)
		if err != nil || !rotated {
			return err // another rotation was first: the client asks again and meets the grace
		}
		verdict = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	if reused {
		o.Door.Committed()
	}
	if verdict != nil {
		return nil, verdict
	}
	scopes := chain.Family.Scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 { // never wider, RFC 6749 section 6
		for _, s := range asked {
			if !has(scopes, s) {
				return nil, refuse("invalid_scope", "a refresh cannot add scopes")
			}
		}
		scopes = asked
	}
	audience := chain.Family.Audience
	if asked := form["resource"]; len(asked) > 0 {
		if audience, err = o.audience(client, asked); err != nil {
			return nil, err
		}
	}
	id := &token.ID{Subject: chain.Grant.Account, Client: client.ID, Alg: client.IDTokenAlg}
	if sidLives {
		id.Sid = chain.Family.Sid
	}
	if chain.Session != nil {
		id.AuthTime, id.Methods = chain.Session.AuthTime, chain.Session.Methods
	}
	answer, err := o.mint(client, &chain, id, scopes, audience, at)
	if err == nil {
		answer.RefreshToken = next.String()
	}
	return answer, err
}

func contains(names []idp.Name, n idp.Name) bool {
	for _, m := range names {
		if m == n {
			return true
		}
	}
	return false
}
