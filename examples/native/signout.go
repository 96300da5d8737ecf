package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// How much a sign-out ends.
type How string

// The sign-outs: of this app; of the browser's session, too, and so of every app in it; of all of the person's sessions.
const (
	Here       How = ""
	Browser    How = "browser"
	Everywhere How = "everywhere"
)

// SignOut forgets the tokens whatever happens. What the server could not be told is an error; the revocation is tried again at the next run.
func (a *App) SignOut(ctx context.Context, how How) error {
	unlock, err := a.Keep.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	var more error
	var hint string
	switch how {
	case Browser:
		if _, more = a.renewLocked(ctx); more == nil {
			hint, _ = a.token.Extra("id_token").(string)
		}
	case Everywhere:
		more = a.everywhere(ctx)
	}
	k, err := a.load(ctx)
	if errors.Is(err, ErrSignedOut) {
		return nil // as it is to be: what has ended needs no sign-out
	}
	if err != nil {
		return errors.Join(more, err)
	}
	k.Ending, a.token = true, nil
	if err := a.save(k); err != nil {
		return errors.Join(more, err)
	}
	err = a.revoke(ctx, k)
	if how == Browser && hint != "" {
		e, err2 := a.discover(ctx)
		if err2 == nil {
			err2 = a.Browse(ctx, e.EndSession+"?"+url.Values{"id_token_hint": {hint}, "client_id": {a.ClientID}}.Encode())
		}
		more = errors.Join(more, err2)
	}
	return errors.Join(more, err)
}

// everywhere ends all of the person's sessions. It needs the scope account.signout, which apps of one's own have unasked.
func (a *App) everywhere(ctx context.Context) error {
	if _, err := a.renewLocked(ctx); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Issuer+"/v1/customers/me/logout", nil)
	if err != nil {
		return err
	}
	a.token.SetAuthHeader(r)
	res, err := a.proving.Do(r)
	if err != nil {
		return fmt.Errorf("signed out here only: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("signed out here only: the server answers %s", res.Status)
	}
	return nil
}

// revoke tells the server that the refresh token is over (RFC 7009), with what was made from it, and forgets it once that is known.
func (a *App) revoke(ctx context.Context, k *kept) error {
	if err := a.tell(ctx, k.Refresh); err != nil {
		return fmt.Errorf("signed out on this computer; the server will be told at the next run: %w", err)
	}
	return a.Keep.Drop()
}

func (a *App) tell(ctx context.Context, refresh string) error {
	e, err := a.discover(ctx)
	if err != nil {
		return err
	}
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}, "client_id": {a.ClientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := plain.Do(r)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests { // any other answer would be the same tomorrow
		return errors.New("it answers " + res.Status)
	}
	return nil
}
