package native

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// ErrSignedOut says that nobody is signed in, or no more: the server has said so.
var ErrSignedOut = errors.New("nobody is signed in")

// App is one app of one person. It is for one goroutine; several processes may share what is kept.
type App struct {
	Issuer, ClientID, API string
	Keep                  Keep
	Browse                func(ctx context.Context, address string) error // shows an address to the person
	Tell                  func(text string)

	server  *oidc.Provider
	token   *oauth2.Token // in memory only
	proving *http.Client  // holds its key
}

// kept is what outlives the process.
type kept struct {
	Refresh string `json:"refresh_token"`
	Key     []byte `json:"key"`    // PKCS #8
	Ending  bool   `json:"ending"` // signed out here; the server has not confirmed it yet
}

// endpoints of the server beside those that the library knows.
type endpoints struct {
	Revoke     string `json:"revocation_endpoint"`
	EndSession string `json:"end_session_endpoint"`
}

// discover asks the server for its addresses, once.
func (a *App) discover(ctx context.Context) (e endpoints, err error) {
	if a.server == nil {
		if a.server, err = oidc.NewProvider(oidc.ClientContext(ctx, plain), a.Issuer); err != nil {
			return e, fmt.Errorf("the server cannot be asked: %w", err)
		}
	}
	return e, a.server.Claims(&e)
}

func (a *App) oauth(redirect string) *oauth2.Config {
	e := a.server.Endpoint()
	e.AuthStyle = oauth2.AuthStyleInParams // a public client has an id and no secret
	return &oauth2.Config{ClientID: a.ClientID, Endpoint: e, RedirectURL: redirect, Scopes: []string{oidc.ScopeOpenID, "profile"}}
}

// load reads what is kept, with the lock held. A sign-out that the server has not confirmed is tried again, and is a sign-out.
func (a *App) load(ctx context.Context) (*kept, error) {
	raw, err := a.Keep.Load()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", a.Keep, err)
	}
	if raw == nil {
		return nil, ErrSignedOut
	}
	k := &kept{}
	if err := json.Unmarshal(raw, k); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Keep, err)
	}
	if k.Ending {
		return nil, cmp.Or(a.revoke(ctx, k), ErrSignedOut)
	}
	return k, nil
}

func (a *App) save(k *kept) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return a.Keep.Save(raw)
}

// ahead is how long before its end an access token is renewed.
const ahead = 20 * time.Second

// Get asks the API. What its answers mean is in docs/guard.md: at 401 the token is renewed once, and only invalid_grant is the end of the
// sign-in; at 503 the API cannot know, so the token stays and the API is asked again, as long as ctx lives.
func (a *App) Get(ctx context.Context, path string) (*http.Response, error) {
	if a.token == nil || time.Until(a.token.Expiry) < ahead {
		if err := a.renew(ctx); err != nil {
			return nil, err
		}
	}
	for renewed := false; ; {
		res, err := a.ask(ctx, path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("you stay signed in; the API cannot be reached: %w", err)
		case res.StatusCode == http.StatusUnauthorized && !renewed:
			res.Body.Close()
			if err := a.renew(ctx); err != nil {
				return nil, err
			}
			renewed = true
		case res.StatusCode == http.StatusServiceUnavailable:
			res.Body.Close()
			if err := a.wait(ctx, res); err != nil {
				return nil, err
			}
		default:
			return res, nil
		}
	}
}

func (a *App) ask(ctx context.Context, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.API+path, nil)
	if err != nil {
		return nil, err
	}
	a.token.SetAuthHeader(r)
	return a.proving.Do(r)
}

func (a *App) wait(ctx context.Context, res *http.Response) error {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 60 {
		seconds = 2
	}
	a.Tell(fmt.Sprintf("The API cannot tell just now whether you are still signed in. You stay signed in; it is asked again in %d s.", seconds))
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("you stay signed in; the API gave no answer in time: %w", ctx.Err())
	}
}
