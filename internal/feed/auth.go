package feed

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

var (
	errWho  = errors.New("no or wrong credentials")
	errKind = errors.New("client is not of kind api")
)

// forAPIs admits clients of kind api, by HTTP Basic (RFC 6749 section 2.3.1). Everybody else learns nothing.
func (f *Feed) forAPIs(next func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch err := f.authenticate(r.Context(), r); {
		case err == nil:
			next(w, r)
		case errors.Is(err, errWho):
			w.Header().Set("WWW-Authenticate", `Basic realm="ledger"`)
			edge.OAuthError(w, http.StatusUnauthorized, "invalid_client", "The id and secret of a client of kind api are needed.")
		case errors.Is(err, errKind):
			edge.OAuthError(w, http.StatusForbidden, "unauthorized_client", "Only clients of kind api follow the ledger.")
		default:
			down(w, r, err)
		}
	}
}

// down answers everything that keeps a node from knowing: 503, whatever the reason was. A guard that is told anything
// else could take an outage for an answer.
func down(w http.ResponseWriter, r *http.Request, err error) {
	edge.Note(r.Context(), "error", err.Error())
	edge.Unavailable(w)
}

func (f *Feed) authenticate(ctx context.Context, r *http.Request) error {
	user, password, ok := r.BasicAuth()
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if !ok || err1 != nil || err2 != nil || len(r.Header.Values("Authorization")) != 1 {
		return errWho
	}
	var c idp.Client
	err := f.store.View(ctx, func(v idp.View) (err error) {
		c, err = v.Client(idp.ClientID(id))
		return err
	})
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	now, _ := f.store.Now()
	same := c.Knows(secret, now) // also of a stranger
	if err != nil || !same || c.Disabled {
		return errWho
	}
	edge.Note(ctx, "client", c.ID)
	if c.Kind != idp.KindAPI {
		return errKind
	}
	return nil
}
