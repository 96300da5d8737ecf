package rp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"exeunt.dev/internal/upstream"
)

// The bound: a sign-out is answered within a second, whatever a provider or the store does.
const (
	storeTime   = 600 * time.Millisecond // until when the store must have answered
	attemptTime = 700 * time.Millisecond // until when the first attempts at providers are waited for
	answerTime  = 80 * time.Millisecond  // and then for writing down what is answered
	giveUpAfter = 7 * 24 * time.Hour     // how long a provider is asked
)

// SignOutOption adds a layer to a sign-out.
type SignOutOption func(*leaving)

type leaving struct {
	everywhere, atProvider bool
	revoke                 []string
	all                    bool
}

// Everywhere ends all sessions of the person at this website, and sign-ins that are under way.
func Everywhere() SignOutOption { return func(l *leaving) { l.everywhere = true } }

// Revoke takes back what the person allowed this website at the named providers; without a name, at all of them. Where a provider's
// call does no more than RFC 7009 asks, that is the access and not the consent: see [Layer].Whole.
func Revoke(providers ...string) SignOutOption {
	return func(l *leaving) { l.revoke, l.all = append(l.revoke, providers...), l.all || len(providers) == 0 }
}

// AtProvider signs the person out at the provider that this session came from, too, where the provider lets a website do
// that: the report says where the browser must go.
func AtProvider() SignOutOption { return func(l *leaving) { l.atProvider = true } }

// SignOut ends this browser's session and what the options add, and sets the cookies. It must be called in a handler of
// POST; the form carries Visitor.CSRF. It takes less than a second. Pressed twice within a minute it answers the same
// twice; later it finds nothing left to end, and claims nothing.
func (s *Site) SignOut(w http.ResponseWriter, r *http.Request, options ...SignOutOption) Report {
	start := time.Now()
	id := s.sessionHash(r)
	if r.Method != http.MethodPost || s.crossOrigin.Check(r) != nil || id != (Hash{}) && s.forged(r, id) {
		return Report{Err: ErrForged, home: s.homeLink()}
	}
	if id == (Hash{}) {
		s.farewell(w)
		return s.over(options)
	}
	// The person has asked. That they close the window now changes nothing.
	ctx := context.WithoutCancel(r.Context())
	rep := s.end(ctx, start, id, "", s.browser(w, r), options)
	if rep.Err == nil {
		s.farewell(w)
	}
	return rep
}

// EndUser ends all sessions of a local user without a browser: for an operator, a password change, a deleted account.
// [Revoke] can be added; there is nobody to send to a provider.
func (s *Site) EndUser(ctx context.Context, user string, options ...SignOutOption) Report {
	if user == "" {
		return Report{Layers: []Layer{{Kind: LayerWebsite, State: Gone}}, home: s.homeLink()}
	}
	return s.end(context.WithoutCancel(ctx), time.Now(), Hash{}, user, Hash{}, append(options, Everywhere()))
}

func (s *Site) end(ctx context.Context, start time.Time, id Hash, user string, browser Hash, options []SignOutOption) Report {
	var l leaving
	for _, o := range options {
		o(&l)
	}
	asked := l // as the person did; what follows fills in names
	var n Session
	var k kept
	var ended Ended
	err := within(ctx, start.Add(storeTime), func(ctx context.Context) (err error) {
		if id != (Hash{}) {
			n, err = s.store.FindSession(ctx, id, s.now())
			if errors.Is(err, ErrNone) {
				return nil // ended already: by another tab, by the provider, by time
			} else if err != nil {
				return err
			}
			if k, err = s.keptOf(n); err != nil {
				s.fail(ctx, "what a session kept cannot be opened", err)
			}
			user = n.User
		}
		ended, err = s.store.End(ctx, s.ending(&l, n, user))
		return err
	})
	if err != nil {
		s.fail(ctx, "a sign-out could not be written", err)
		return Report{Err: ErrStore, home: s.homeLink()}
	}
	if id != (Hash{}) && ended.Sessions == 0 && len(ended.Duties) == 0 {
		// Pressed twice, perhaps at the same moment; or ended by somebody else.
		if len(options) > 0 {
			if rep, ok := s.earlier(ctx, start.Add(attemptTime+2*answerTime), id, asked); ok {
				return rep
			}
		}
		return s.over(options)
	}
	rep := Report{Layers: []Layer{{Kind: LayerWebsite, State: Done, Sessions: ended.Sessions, Everywhere: l.everywhere}}, home: s.homeLink()}
	settled := s.first(ctx, start.Add(attemptTime), ended.Duties)
	rep.Layers = append(rep.Layers, s.consents(&l, n, ended, settled)...)
	if u := s.ups[n.Provider]; u != nil {
		rep.Layers = append(rep.Layers, s.providerLayer(u, &l, k))
		if rep.Layers[len(rep.Layers)-1].State == Going {
			rep.Continue = s.wayOut(ctx, start, u, k, browser, rep.Layers)
		}
	}
	if id != (Hash{}) && len(options) > 0 {
		s.remember(ctx, start.Add(attemptTime+answerTime), id, asked, rep)
	}
	return rep
}

// over is the report of a sign-out that came when there was no session any more. It knew nobody whose other sessions and
// consents it could have ended, and does not claim to have done that.
func (s *Site) over(options []SignOutOption) Report {
	y := Layer{Kind: LayerWebsite, State: Done}
	if len(options) > 0 {
		y.State = Gone
	}
	return Report{Layers: []Layer{y}, home: s.homeLink()}
}

// ending is the one call that ends, or does nothing.
func (s *Site) ending(l *leaving, n Session, user string) Ending {
	now := s.now()
	e := Ending{Now: now, Lease: now.Add(s.lease()), GiveUp: now.Add(giveUpAfter)}
	if l.everywhere {
		e.User, e.Tombstone = user, now.Add(tombstoneLife)
	} else {
		e.Session = n.ID
	}
	if l.all {
		l.revoke = s.order
	}
	if len(l.revoke) > 0 {
		e.RevokeUser, e.Revoke = user, l.revoke
	}
	for _, name := range l.revoke {
		if u := s.ups[name]; u != nil && u.P.Revocation.Whole {
			e.Whole = append(e.Whole, name)
		}
	}
	return e
}

// consents says what became of each consent: those that were to be taken back, and this session's provider's.
func (s *Site) consents(l *leaving, n Session, ended Ended, settled map[string]DutyState) []Layer {
	var out []Layer
	for _, name := range s.order {
		u := s.ups[name]
		y := Layer{Kind: LayerConsent, Provider: name, Title: u.P.Title, Link: u.P.Revocation.ByHand, State: Open, Whole: u.P.Revocation.Whole}
		if slices.Contains(l.revoke, name) {
			y.State = NotOffered
		}
		for _, d := range ended.Duties {
			if d.Provider != name {
				continue
			}
			y.Duties = append(y.Duties, d.ID)
			y.State = worse(y.State, settled[d.ID])
		}
		// Of all providers only those are named that the person has something at.
		if len(y.Duties) > 0 || name == n.Provider || slices.Contains(ended.Dropped, name) {
			out = append(out, y)
		}
	}
	return out
}

// worse adds a duty to what is known of a consent: it is done when all of it is.
func worse(so LayerState, d DutyState) LayerState {
	is := map[DutyState]LayerState{Revoked: Done, GivenUp: Refused}[d]
	switch {
	case is == "", so == Queued:
		return Queued
	case so == Refused:
		return Refused
	}
	return is
}

func (s *Site) providerLayer(u *upstream.Upstream, l *leaving, k kept) Layer {
	y := Layer{Kind: LayerProvider, Provider: u.Name, Title: u.P.Title, Link: u.P.SignOut.ByHand, State: Open}
	switch {
	case l.atProvider && k.EndSession != "":
		y.State = Going
	case l.atProvider:
		y.State = NotOffered
	}
	return y
}

// wayOut is where the browser goes to sign out there. The report waits in the store for the person's return; without it the return is only less talkative.
func (s *Site) wayOut(ctx context.Context, start time.Time, u *upstream.Upstream, k kept, browser Hash, layers []Layer) string {
	state := secret()
	a := Attempt{State: hashOf(state), Browser: browser, Provider: u.Name, Expires: s.now().Add(attemptLife)}
	var err error
	if a.Sealed, err = s.vault.seal(place("left", a.State[:]), layers); err == nil && browser != (Hash{}) {
		err = within(ctx, start.Add(attemptTime+answerTime), func(ctx context.Context) error { return s.store.PutAttempt(ctx, a) })
	}
	if err != nil {
		s.fail(ctx, "a sign-out's return could not be stored", err)
	}
	if err != nil || browser == (Hash{}) {
		state = ""
	}
	to, err := u.WayOut(k.EndSession, k.IDToken, s.url("logout", u.Name+"/return"), state)
	if err != nil {
		return ""
	}
	return to
}

// within calls f and returns by the deadline, also if f does not heed its context, as some drivers do not while they wait
// for a lock. What f sets is read only if it returned.
func within(ctx context.Context, by time.Time, f func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// postSignOut is the sign-out form: fields csrf, and everywhere, revoke, provider if ticked.
func (s *Site) postSignOut(w http.ResponseWriter, r *http.Request) {
	var options []SignOutOption
	for field, o := range map[string]SignOutOption{"everywhere": Everywhere(), "revoke": Revoke(), "provider": AtProvider()} {
		if r.PostFormValue(field) != "" {
			options = append(options, o)
		}
	}
	s.SignOut(w, r, options...).ServeHTTP(w, r)
}
