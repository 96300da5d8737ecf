package broker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/upstream"
)

// backchannel receives a logout token (Back-Channel Logout 1.0 sections 2.5 to 2.8). 200: what came from there has ended, and apps
// are being told; or there was nothing left. 400: the token is refused for good. 503: come again.
func (b *Broker) backchannel(w http.ResponseWriter, r *http.Request, s *site) {
	w.Header().Set("Cache-Control", "no-store")
	form, err := edge.Form(w, r)
	if err != nil || len(form["logout_token"]) != 1 || !s.P.OIDC() {
		edge.JSON(w, http.StatusBadRequest, verdict("invalid_request", "one logout_token is expected in a form"))
		return
	}
	t, err := s.Patiently(r.Context(), form.Get("logout_token"))
	if errors.Is(err, upstream.ErrUnavailable) {
		b.note(r, s, "the keys for a logout token cannot be had", err)
		b.later(w, "the keys of the provider cannot be had at present")
		return
	}
	if err != nil {
		b.note(r, s, "a logout token was refused", err)
		edge.JSON(w, http.StatusBadRequest, verdict("invalid_request", "the logout token is refused"))
		return
	}
	now, err := b.Store.Now()
	if err == nil {
		e := idp.UpstreamEnd{Provider: s.ID, Issuer: t.Issuer, SID: t.SID, Subject: t.Subject, JTI: t.JTI, Issued: idp.Time(t.Issued.UnixMilli()), Until: now + endLife}
		err = b.end(r.Context(), e, t.Disabled)
	}
	switch {
	case errors.Is(err, errReplayed): // section 2.6, step 7
		edge.JSON(w, http.StatusBadRequest, verdict("invalid_request", "this logout token was used before"))
	case err != nil:
		b.note(r, s, "a sign-out by the provider could not be written", nil)
		edge.Note(r.Context(), "error", err.Error())
		b.later(w, "nothing can be written at present")
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func verdict(code, text string) map[string]string {
	return map[string]string{"error": code, "error_description": text}
}

func (b *Broker) later(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", "5")
	edge.JSON(w, http.StatusServiceUnavailable, verdict("temporarily_unavailable", text))
}

var errReplayed = errors.New("a logout token was used before")

// end writes a provider's word and ends what it is about, in one transaction.
func (b *Broker) end(ctx context.Context, e idp.UpstreamEnd, disabled bool) error {
	if disabled {
		e.SID = "" // the account is over there, with all its sessions
	}
	kind := idp.CauseUpstream
	if disabled {
		kind = idp.CauseUpstreamDisabled
	}
	unknown := false // a COMMIT whose answer was lost may have happened: then its own jti is found
	for {
		var replayed bool
		err := b.Store.Update(ctx, func(tx idp.Tx) error {
			replayed = false
			if err := tx.LockArrival(e.Provider, e.Issuer, e.SID, e.Subject); err != nil {
				return err
			}
			fresh, err := tx.Bury(e)
			if err != nil || !fresh {
				replayed = !fresh
				return err
			}
			_, err = door.EndIn(tx, idp.EndUpstream(e, disabled), idp.Cause{Kind: kind, Actor: idp.ActorRule("provider " + e.Provider)})
			return err
		})
		switch {
		case errors.Is(err, idp.ErrUnknown) && !unknown:
			unknown = true
			continue
		case err == nil && replayed && !unknown:
			err = errReplayed
		}
		if err == nil {
			b.Door.Committed()
		}
		return err
	}
}

// frontchannel is shown in a frame of the provider's page (Front-Channel Logout 1.0 section 2), if the operator takes such calls.
// Browsers send no cookies there, so it acts on iss and sid alone, and both must be given. A sid cannot be guessed (section 5); who
// knows one can end what came from that one session of the provider and do nothing else: it overtakes no sign-in, because nothing
// proves that the provider sent it.
func (b *Broker) frontchannel(w http.ResponseWriter, r *http.Request, s *site) {
	w.Header().Set("Cache-Control", "no-store")
	if !s.FrontChannel {
		http.NotFound(w, r)
		return
	}
	q := r.URL.Query()
	sid := q.Get("sid")
	if !s.P.OIDC() || !upstream.Single(q) || s.P.IssuerPattern != "" || q.Get("iss") != s.P.Issuer || !upstream.Clean(sid, 255) || prefetched(r) {
		http.Error(w, "iss and sid of the provider are expected", http.StatusBadRequest)
		return
	}
	if at, err := url.Parse(s.P.Issuer); err == nil {
		w.Header().Del("X-Frame-Options")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+at.Scheme+"://"+at.Host)
	}
	if err := b.end(r.Context(), idp.UpstreamEnd{Provider: s.ID, Issuer: s.P.Issuer, SID: sid}, false); err != nil {
		edge.Note(r.Context(), "error", err.Error())
		w.Header().Set("Retry-After", "5")
		http.Error(w, "nothing can be written at present", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("signed out\n"))
}

// prefetched says that nobody is leaving yet.
func prefetched(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose"), "prefetch")
}
