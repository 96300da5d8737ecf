package rp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/upstream"
)

const writePatience = time.Second // how long a logout token waits for the store: then the provider is asked to come again

// backchannel receives a logout token (Back-Channel Logout 1.0 sections 2.5 to 2.8). 200: done, or there was nothing left
// to do. 400: the token is refused for good. 503: this website could not tell or could not write; the provider should try
// again. It never says done before the end is in the store.
func (s *Site) backchannel(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	ctx := r.Context()
	if !u.P.OIDC() {
		http.NotFound(w, r)
		return
	}
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		verdict(w, http.StatusBadRequest, "one logout_token is expected in a form")
		return
	}
	t, err := u.Patiently(ctx, r.PostForm.Get("logout_token"))
	switch {
	case errors.Is(err, upstream.ErrUnavailable):
		s.fail(ctx, u.Name+": the keys for a logout token cannot be had", err)
		verdict(w, http.StatusServiceUnavailable, "the keys of the provider cannot be had at present")
		return
	case err != nil:
		s.fail(ctx, u.Name+": a logout token was refused", err)
		verdict(w, http.StatusBadRequest, "the logout token is refused")
		return
	}
	now := s.now()
	var ended Ended
	err = within(ctx, time.Now().Add(writePatience), func(ctx context.Context) (err error) {
		ended, err = s.store.End(ctx, Ending{
			Provider: u.Name, SID: t.SID, Subject: t.Subject, JTI: t.JTI, Issued: t.Issued, Tombstone: now.Add(tombstoneLife), Now: now,
			// Section 2.7: refresh tokens are revoked, too, unless they are for when the person is away. Run does it.
			RevokeEnded: !slices.Contains(u.P.Scopes, "offline_access"), Lease: now, GiveUp: now.Add(giveUpAfter),
		})
		return err
	})
	switch {
	case err != nil:
		s.fail(ctx, u.Name+": a sign-out by the provider could not be written", err)
		verdict(w, http.StatusServiceUnavailable, "this website cannot write at present")
	case ended.Replayed: // step 7 of section 2.6
		verdict(w, http.StatusBadRequest, "this logout token was used before")
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func verdict(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": map[int]string{400: "invalid_request", 503: "temporarily_unavailable"}[status], "error_description": text})
}

// frontchannel is shown in a frame of the provider's page (Front-Channel Logout 1.0 section 2). Browsers send no cookies
// there, so it acts on iss and sid alone, and both must be given. A sid cannot be guessed (section 5); who knows one can
// end that one session and do nothing else: no tombstone, because nothing proves that the provider sent it.
func (s *Site) frontchannel(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	q := r.URL.Query()
	if !u.P.OIDC() || prefetched(r) || !upstream.Single(q) || u.P.IssuerPattern != "" || q.Get("iss") != u.P.Issuer || !upstream.Clean(q.Get("sid"), 255) {
		http.Error(w, "iss and sid of the provider are expected", http.StatusBadRequest)
		return
	}
	if at, err := url.Parse(u.P.Issuer); err == nil {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+at.Scheme+"://"+at.Host)
	}
	if _, err := s.store.End(r.Context(), Ending{Provider: u.Name, SID: q.Get("sid"), Now: s.now()}); err != nil {
		s.fail(r.Context(), u.Name+": a sign-out by the provider could not be written", err)
		s.broken(w, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("signed out\n"))
}

// prefetched says that nobody is leaving yet.
func prefetched(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose"), "prefetch")
}

// returned is where the provider sends the browser after its own sign-out. It ends nothing; it shows the report of the
// sign-out that began here, if this browser began one.
func (s *Site) returned(w http.ResponseWriter, r *http.Request, u *upstream.Upstream) {
	q := r.URL.Query()
	browser, ok := s.cookie(r, cookieBrowser)
	plain := page{Title: "Back from " + u.P.Title, Text: u.P.Title + " sent you back here.", Links: []link{s.homeLink()}}
	if !ok || !upstream.Single(q) || q.Get("state") == "" {
		render(w, http.StatusOK, plain)
		return
	}
	state := hashOf(q.Get("state"))
	a, err := s.store.TakeAttempt(r.Context(), state, hashOf(browser), s.now())
	var layers []Layer
	if err != nil || a.Provider != u.Name || s.vault.open(place("left", state[:]), a.Sealed, &layers) != nil {
		render(w, http.StatusOK, plain)
		return
	}
	for i, y := range layers {
		if y.Kind == LayerProvider && y.State == Going {
			layers[i].State = Returned
		}
	}
	render(w, http.StatusOK, page{Title: "Signed out", Layers: layers, Links: []link{s.homeLink()}})
}
