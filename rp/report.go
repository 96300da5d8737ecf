package rp

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// LayerKind is one of the three things that signing out can mean.
type LayerKind string

// The layers.
const (
	LayerWebsite  LayerKind = "website"  // the session here
	LayerConsent  LayerKind = "consent"  // what the person allowed this website at a provider: the consent, or the access that came of it
	LayerProvider LayerKind = "provider" // the session at the provider
)

// LayerState is what became of a layer.
type LayerState string

// States of a layer.
const (
	Done       LayerState = "done"
	Queued     LayerState = "queued"      // owed to the provider, and retried
	Refused    LayerState = "refused"     // by the provider, for good; Link is where the person does it
	Going      LayerState = "going"       // the browser goes there now
	Returned   LayerState = "returned"    // the provider sent the browser back from its sign-out
	NotOffered LayerState = "not offered" // there is no call for it, or no token left to call with; Link is where the person does it
	Open       LayerState = "left open"   // nobody asked for its end
	Gone       LayerState = "gone"        // the session had ended before, and nothing else was ended now
)

// Layer is one line of a report.
type Layer struct {
	Kind       LayerKind  `json:"layer"`
	State      LayerState `json:"state"`
	Provider   string     `json:"provider,omitempty"`
	Title      string     `json:"title,omitempty"`      // of the provider, for people
	Sessions   int        `json:"sessions,omitempty"`   // that ended here
	Everywhere bool       `json:"everywhere,omitempty"` // all of the person's here, and not only this browser's
	Whole      bool       `json:"whole,omitempty"`      // the provider's call takes back the consent itself; else it ends the tokens that this website holds
	Link       string     `json:"link,omitempty"`       // where the person does it by hand
	Duties     []string   `json:"duties,omitempty"`     // ids of what is owed; see Site.Owed
}

// Errors of a sign-out. Nothing has ended then.
var (
	// ErrForged: not a POST from a page of this website that was made for this session.
	ErrForged = errors.New("rp: the form is from another page or another session")
	// ErrStore: the website's store did not answer in time. Whether the sign-out was written is not known.
	ErrStore = errors.New("rp: the website's store does not answer")
)

// Report says of each layer what a sign-out did. It is an http.Handler that answers with itself: JSON for a program that
// accepts it, else the way to the provider or a plain page.
type Report struct {
	Layers []Layer `json:"layers"`
	// Continue is where the browser must be sent next, if not empty: the provider's sign-out.
	Continue string `json:"continue,omitempty"`
	// Err is ErrForged, ErrStore or nil. If it is not nil there are no layers.
	Err error `json:"-"`

	home link
}

// Status is the HTTP status of the report: 200, 403 for ErrForged, 503 for ErrStore.
func (r Report) Status() int {
	switch {
	case r.Err == nil:
		return http.StatusOK
	case errors.Is(r.Err, ErrForged):
		return http.StatusForbidden
	}
	return http.StatusServiceUnavailable
}

// ServeHTTP answers with the report.
func (r Report) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	status := r.Status()
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	switch {
	case strings.Contains(q.Header.Get("Accept"), "application/json"):
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if r.Err != nil {
			json.NewEncoder(w).Encode(map[string]string{"error": strings.TrimPrefix(r.Err.Error(), "rp: ")})
			return
		}
		json.NewEncoder(w).Encode(r)
	case r.Continue != "":
		http.Redirect(w, q, r.Continue, http.StatusSeeOther)
	case errors.Is(r.Err, ErrForged):
		render(w, status, page{Title: "Not signed out", Text: "This form is from another page or another session. You are still signed in. Please go back, reload the page and try again.", Links: []link{r.home}})
	case r.Err != nil:
		render(w, status, page{Title: "Not signed out", Text: "The sign-out could not be done just now. You may still be signed in. Please try again in a moment.", Links: []link{r.home}})
	default:
		render(w, status, page{Title: "Signed out", Layers: r.Layers, Links: []link{r.home}})
	}
}

// Sentence says a layer to a person.
func (l Layer) Sentence() string {
	switch l.Kind {
	case LayerWebsite:
		if l.State == Gone {
			return "You were signed out of this website already, so nothing else was ended just now. To end more, sign in again first."
		}
		if l.Everywhere {
			return "You are signed out of this website, on all your devices."
		}
		return "You are signed out of this website."
	case LayerConsent:
		return l.consent()
	}
	return map[LayerState]string{
		Going:      "You are on your way to " + l.Title + " to sign out there.",
		Returned:   l.Title + " sent you back from its sign-out.",
		NotOffered: "You may still be signed in at " + l.Title + ": it lets no website sign you out. You can do it there.",
		Open:       "You may still be signed in at " + l.Title + ".",
	}[l.State]
}

// consent does not say of a plain revocation (RFC 7009) that the provider has forgotten anything: it ends tokens, and the next sign-in
// may not be asked.
func (l Layer) consent() string {
	switch {
	case l.State == NotOffered:
		return "This website cannot take back what you allowed it at " + l.Title + ". You can do it there."
	case l.State == Open:
		return l.Title + " still remembers that you allowed this website."
	case l.Whole:
		return map[LayerState]string{
			Done:    l.Title + " has forgotten that you allowed this website.",
			Queued:  l.Title + " has not yet confirmed that it forgot what you allowed this website. We keep asking.",
			Refused: l.Title + " refused to forget what you allowed this website. You can do it there.",
		}[l.State]
	}
	return map[LayerState]string{
		Done:    l.Title + " has ended the access that this website had. It may remember that you allowed it.",
		Queued:  l.Title + " has not yet confirmed that it ended the access that this website had. We keep asking.",
		Refused: l.Title + " refused to end the access that this website had. You can do it there.",
	}[l.State]
}
