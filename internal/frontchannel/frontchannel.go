package frontchannel

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// FrontChannel leads a browser on after its session ended.
type FrontChannel struct {
	Store   idp.Store
	Browser *browser.Browser
	Pages   *web.Pages
	Issuer  string
	On      bool // else it is a redirect and nothing more
	// Await returns when the apps among those to be awaited have confirmed, or cannot be told now, or ctx ends.
	Await func(ctx context.Context, id idp.ReceiptID, awaited func(idp.ClientID) bool)
}

// What one page asks at most: frames, and bytes of the origins in its policy, which proxies must let pass in a header.
const (
	mostApps    = 32
	mostOrigins = 2000
)

// Onward waits for the apps of the session that ended that are to be awaited, and leads the browser on by Ask.
func (f *FrontChannel) Onward(w http.ResponseWriter, r *http.Request, session idp.Name, receipt idp.ReceiptID, to string, afterForm bool) {
	f.Wait(r, receipt, f.Awaited(r, session))
	f.Ask(w, r, session, receipt, to, afterForm)
}

// Ask leads the browser on to an address that is registered or ours; if apps of the session that ended are to be asked in the
// browser, by a page that does that on the way. afterForm says what it says in [web.Pages.Onward].
func (f *FrontChannel) Ask(w http.ResponseWriter, r *http.Request, session idp.Name, receipt idp.ReceiptID, to string, afterForm bool) {
	var ask []app
	// A page in a frame of somebody's would not be shown, and nothing else is a page.
	if dest := r.Header.Get("Sec-Fetch-Dest"); f.On && receipt != "" && (dest == "" || dest == "document") {
		var err error
		if ask, err = f.apps(r.Context(), session); err != nil {
			edge.Note(r.Context(), "front_channel", err.Error()) // it has ended; these apps were never sure to hear of it
			ask = nil
		}
	}
	if len(ask) == 0 {
		f.Pages.Onward(w, r, to, afterForm)
		return
	}
	ids, frames := make([]idp.ClientID, len(ask)), make([]web.Frame, len(ask))
	for i, a := range ask {
		ids[i], frames[i] = a.id, a.frame
	}
	f.Browser.Ask(w, receipt, ids)
	f.Pages.Leaving(w, r, frames, to)
}

// awaitAtMost is how long a browser that signs out waits for the apps that an operator wants it to wait for.
const awaitAtMost = 800 * time.Millisecond

// Awaited are the apps of a session that a browser waits for that signs out of it; by default none is. Nobody knows: none, for what is owed
// is told without the browser.
func (f *FrontChannel) Awaited(r *http.Request, session idp.Name) (awaited []idp.ClientID) {
	if f.Store.Look(r.Context(), func(v idp.View) (err error) { awaited, err = v.Awaited(session); return err }) != nil {
		return nil
	}
	return awaited
}

// Wait waits for apps that are to be awaited, where there are any; else the browser waits for the commit only.
func (f *FrontChannel) Wait(r *http.Request, id idp.ReceiptID, awaited []idp.ClientID) {
	if id == "" || len(awaited) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(r.Context(), awaitAtMost)
	defer stop()
	f.Await(ctx, id, func(c idp.ClientID) bool { return slices.Contains(awaited, c) })
}

type app struct {
	id    idp.ClientID
	frame web.Frame
}

// apps are those to be asked: signed in to by a grant that lived until the session ended, reachable in no other way.
func (f *FrontChannel) apps(ctx context.Context, session idp.Name) (out []app, err error) {
	err = f.Store.View(ctx, func(v idp.View) error {
		out = nil
		grants, err := v.GrantsOfSession(session)
		if err != nil {
			return err
		}
		room := mostOrigins
		for _, g := range grants {
			if g.RedeemedAt == 0 {
				continue // the app has not heard of it
			}
			before, err := v.Ended(g.Name, g.Epochs.Client, g.Epochs.Consent)
			if err != nil {
				return err
			}
			c, err := v.Client(g.Client)
			if errors.Is(err, idp.ErrNotFound) || len(before) > 0 {
				continue
			}
			if err != nil {
				return err
			}
			a, ok := f.app(&c, g.Name)
			if !ok || len(out) == mostApps || len(a.frame.Origin) >= room {
				continue
			}
			room -= len(a.frame.Origin) + 1
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// app is the frame of one app. The address was checked when it was registered, and is checked again where it goes into a page and its
// policy. iss and sid are always both there (section 3), behind the query that was registered.
func (f *FrontChannel) app(c *idp.Client, sid idp.Name) (a app, ok bool) {
	uri := c.FrontchannelLogoutURI
	origin := idp.OriginOf(uri)
	if uri == "" || c.BackchannelLogoutURI != "" || c.Disabled || origin == idp.OriginOf(f.Issuer) || idp.ValidFrontchannelURI(uri, c.RedirectURIs) != nil {
		return a, false
	}
	mark := "?"
	if strings.Contains(uri, "?") {
		mark = "&"
	}
	src := uri + mark + url.Values{"iss": {f.Issuer}, "sid": {sid.String()}}.Encode()
	return app{c.ID, web.Frame{Src: src, Origin: origin}}, true
}
