package broker

import (
	"log/slog"
	"net/http"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/person"
	"exeunt.dev/internal/upstream"
	"exeunt.dev/internal/web"
)

const (
	callTime = 5 * time.Second // of one call to a provider
	tripLife = idp.Time(10 * 60 * 1000)
	endLife  = idp.Time(60 * 60 * 1000) // how long a provider's word overtakes sign-ins: longer than any trip and any logout token
)

// Broker is the room.
type Broker struct {
	*person.Host
	Store  idp.Store
	Door   *door.Door
	Vault  *keys.Vault
	Issuer string
	Log    *slog.Logger
	// Enter goes on with what a provider has proved, as the sign-in pages do with a password: a second factor, the session, the app
	// or page that waits.
	Enter func(w http.ResponseWriter, r *http.Request, pending, again string, p browser.Proof)

	// Tell writes to a person, in the transaction of a change, what was changed; nil: nobody does.
	Tell func(tx idp.Tx, e idp.Event, now idp.Time) error

	trips *edge.Limiter
	ups   map[string]*site
	order []*site
	wake  chan struct{}
}

// site is a provider as it is configured here.
type site struct {
	*upstream.Upstream
	config.Provider
}

// title is what people read.
func (s *site) title() string { return s.P.Title }

// Title is what people read for a provider's id.
func (b *Broker) Title(id string) string {
	if s := b.ups[id]; s != nil {
		return s.title()
	}
	return id
}

// Use makes the providers known. It dials none.
func (b *Broker) Use(all []config.Provider) {
	b.ups, b.wake = map[string]*site{}, make(chan struct{}, 1)
	b.trips = edge.NewLimiter(2*time.Second, 30, 100_000)
	now := func() time.Time {
		t, _ := b.Store.Now()
		return t.Time()
	}
	for _, p := range all {
		s := &site{upstream.New(p.ID, p.Provider, upstream.Options{Timeout: callTime, Now: now}), p}
		b.ups[p.ID] = s
		b.order = append(b.order, s)
	}
}

// Mount adds the room's paths.
func (b *Broker) Mount(mux *http.ServeMux) {
	if len(b.ups) == 0 {
		return
	}
	mux.HandleFunc("GET /login/{provider}", b.turn)
	mux.HandleFunc("POST /login/{provider}", b.up(b.start))
	mux.HandleFunc("GET /login/{provider}/callback", b.up(b.callback))
	mux.HandleFunc("POST /login/{provider}/callback", b.up(b.posted))
	mux.HandleFunc("GET /login/{provider}/signup", b.up(b.askSignUp))
	mux.HandleFunc("POST /login/{provider}/signup", b.up(b.signUp))
	mux.HandleFunc("POST /login/{provider}/logout", b.up(b.backchannel))
	mux.HandleFunc("GET /login/{provider}/logout", b.up(b.frontchannel))
	mux.HandleFunc("GET /login/{provider}/left", b.up(b.returned))
	mux.HandleFunc("GET "+page, b.Page(b.page))
	mux.HandleFunc("POST "+page+"/unlink", b.Form(b.unlink))
	mux.HandleFunc("POST "+page+"/{provider}/link", b.Form(b.link))
	mux.HandleFunc("POST /signout/{receipt}/providers/{provider}/leave", b.mine(b.leave))
	mux.HandleFunc("POST /signout/{receipt}/providers/{provider}/revoke", b.mine(b.revoke))
}

// Callback is the redirect URI of a provider, one for each (RFC 9700 section 4.4).
func Callback(issuer, id string) string { return issuer + "/login/" + id + "/callback" }

// Logout is the backchannel_logout_uri and the frontchannel_logout_uri.
func Logout(issuer, id string) string { return issuer + "/login/" + id + "/logout" }

// Left is the post_logout_redirect_uri.
func Left(issuer, id string) string { return issuer + "/login/" + id + "/left" }

// up finds the provider that an address names.
func (b *Broker) up(next func(http.ResponseWriter, *http.Request, *site)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := b.ups[r.PathValue("provider")]
		if s == nil {
			b.Pages.Render(w, r, http.StatusNotFound, web.Message{Title: "No such provider", Text: "Nobody signs in here through that.", Link: "/login", LinkText: "Sign in"})
			return
		}
		next(w, r, s)
	}
}

// turn sends who follows a link to the page with the buttons: a trip begins by a human act on a page of ours.
func (b *Broker) turn(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// stale answers a form that was open for too long or came from elsewhere.
func (b *Broker) stale(w http.ResponseWriter, r *http.Request, link string) {
	b.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: link, LinkText: "Go back"})
}

// note is the log's word of what went wrong with a provider: a kind, never a token, a code or a person.
func (b *Broker) note(r *http.Request, s *site, what string, err error) {
	edge.Note(r.Context(), "provider", s.ID)
	edge.Note(r.Context(), "provider_error", what)
	b.Log.DebugContext(r.Context(), "provider", "provider", s.ID, "what", what, "kind", kindOf(err))
}

// Wake says that something may be owed to a provider.
func (b *Broker) Wake() {
	if len(b.ups) == 0 {
		return // there is none
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// about binds what is sealed to its place, so that a row copied elsewhere does not open.
func about(what string, k idp.IdentityKey) string {
	return what + " " + k.Provider + " " + k.Issuer + " " + k.Subject
}
