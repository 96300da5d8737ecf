package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// errClient says that a client did not authenticate (RFC 6749 section 5.2).
var errClient = &edge.Error{Status: http.StatusUnauthorized, Code: "invalid_client", Description: "Client authentication failed."}

// credentials are what a request says about its client.
type credentials struct {
	id     idp.ClientID
	secret string
	method string
}

// present reads client credentials from the header or the form; both at once are refused (RFC 6749 section 2.3).
func present(r *http.Request, form url.Values) (credentials, error) {
	c := credentials{id: idp.ClientID(form.Get("client_id")), secret: form.Get("client_secret"), method: idp.AuthNone}
	if form.Has("client_secret") {
		c.method = idp.AuthPost
	}
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		if c.id == "" {
			return c, errClient
		}
		return c, nil
	}
	user, password, ok := r.BasicAuth()
	if len(header) > 1 || !ok {
		return c, errClient
	}
	id, err1 := url.QueryUnescape(user) // form-urlencoded first, RFC 6749 2.3.1
	secret, err2 := url.QueryUnescape(password)
	if err1 != nil || err2 != nil {
		return c, errClient
	}
	if c.method == idp.AuthPost || (c.id != "" && string(c.id) != id) {
		return c, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "The client authenticates in one way only."}
	}
	return credentials{idp.ClientID(id), secret, idp.AuthBasic}, nil
}

// check compares credentials with the client's row, in constant time.
func (c credentials) check(v idp.ClientReader, now idp.Time) (idp.Client, error) {
	row, err := v.Client(c.id)
	if errors.Is(err, idp.ErrNotFound) {
		return row, errClient
	}
	if err != nil {
		return row, err
	}
	right := row.Knows(c.secret, now)
	switch {
	case row.Disabled:
		return row, errClient
	case row.AuthMethod == idp.AuthNone && c.method == idp.AuthNone:
		return row, nil
	case row.AuthMethod != idp.AuthNone && c.method != idp.AuthNone && right:
		return row, nil // Basic and post are the same secret: RFC 6749 2.3.1 lets a server take both
	}
	return row, errClient
}

// client authenticates the client of a request, reading its epoch together with its secret.
func (o *OAuth) client(ctx context.Context, r *http.Request, form url.Values) (c idp.Client, born idp.Epochs, err error) {
	cred, err := present(r, form)
	if err != nil {
		return c, born, err
	}
	now, _ := o.Store.Now()
	err = o.Store.View(ctx, func(v idp.View) (err error) {
		if c, err = cred.check(v, now); err != nil {
			return err
		}
		born, err = v.Epochs("", c.ID)
		return err
	})
	return c, born, err
}

// known authenticates the client of a request under whose epoch nothing is born.
func (o *OAuth) known(ctx context.Context, r *http.Request, form url.Values) (c idp.Client, err error) {
	cred, err := present(r, form)
	if err != nil {
		return c, err
	}
	now, _ := o.Store.Now()
	err = o.Store.Look(ctx, func(v idp.View) error {
		c, err = cred.check(v, now)
		return err
	})
	return c, err
}

// fail answers a program; a client that did not authenticate by header is told how to.
func (o *OAuth) fail(w http.ResponseWriter, r *http.Request, err error) {
	var no *refusal
	var limited *idp.LimitedError
	switch {
	case errors.Is(err, errClient):
		w.Header().Set("WWW-Authenticate", `Basic realm="exeunt"`) // RFC 9110 section 15.5.2: a 401 has one
		edge.Fail(w, r, err)
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", limited.RetryAfter())
		edge.OAuthError(w, http.StatusTooManyRequests, "slow_down", "Too many attempts.")
	case errors.As(err, &no):
		edge.OAuthError(w, http.StatusBadRequest, no.code, no.description)
	default:
		edge.Fail(w, r, err)
	}
}
