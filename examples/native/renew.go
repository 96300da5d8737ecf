package native

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"
)

// renew gets another access token. The refresh token changes with each use, so processes take turns, and the new one is kept before it
// is used. If this process dies in between, the server gives the same answer again for a while (refresh_grace).
func (a *App) renew(ctx context.Context) error {
	unlock, err := a.Keep.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	_, err = a.renewLocked(ctx)
	return err
}

func (a *App) renewLocked(ctx context.Context) (*kept, error) {
	k, err := a.load(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := a.discover(ctx); err != nil {
		return nil, err
	}
	client, err := proving(k.Key)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	t, err := a.oauth("").TokenSource(ctx, &oauth2.Token{RefreshToken: k.Refresh}).Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		a.token = nil
		return nil, errors.Join(ErrSignedOut, a.Keep.Drop())
	}
	if err != nil {
		return nil, fmt.Errorf("you stay signed in; the server gave no token: %w", err)
	}
	k.Refresh = t.RefreshToken
	if err := a.save(k); err != nil {
		return nil, fmt.Errorf("%s cannot be written: %w", a.Keep, err)
	}
	a.token, a.proving = t, client
	return k, nil
}
