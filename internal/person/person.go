package person

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// Host serves them.
type Host struct {
	Browser *browser.Browser
	Pages   *web.Pages
	Nav     func(path string) []web.NavItem // the sections of the account
}

// Act is what a person does, signed in: a page that is shown, or a form that was sent.
type Act func(w http.ResponseWriter, r *http.Request, s *idp.Session, values url.Values)

// Page wraps a page of the signed-in person. Who is not signed in comes back to it afterwards.
func (h *Host) Page(show Act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := edge.Query(r)
		if err != nil {
			h.Pages.Fail(w, r, err)
			return
		}
		s, err := h.Browser.Session(r)
		switch {
		case errors.Is(err, idp.ErrNotFound):
			to := "/login"
			if r.URL.Path != "/account" {
				to += "?again=" + url.QueryEscape(r.URL.RequestURI())
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
		case err != nil:
			h.Pages.Fail(w, r, err)
		default:
			show(w, r, s, q)
		}
	}
}

// Sent wraps an act of anybody's: a form that was sent from a page of ours in this browser.
func (h *Host) Sent(do func(w http.ResponseWriter, r *http.Request, form url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form, err := edge.Form(w, r)
		if err != nil {
			h.Pages.Fail(w, r, err)
			return
		}
		if h.Browser.Genuine(r, form.Get("csrf")) != nil {
			h.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed.", Link: "/account", LinkText: "Your account"})
			return
		}
		do(w, r, form)
	}
}

// Form is Sent for an act of the signed-in person.
func (h *Host) Form(do Act) http.HandlerFunc {
	return h.Sent(func(w http.ResponseWriter, r *http.Request, form url.Values) {
		s, err := h.Browser.Session(r)
		switch {
		case errors.Is(err, idp.ErrNotFound):
			to := "/login"
			if id, ok := h.Browser.Receipt(r); ok {
				to = "/signout/" + string(id) // "sign out" was pressed twice
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
		case err != nil:
			h.Pages.Fail(w, r, err)
		default:
			do(w, r, s, form)
		}
	})
}

// Header is the strip of every page, with the way to the others.
func (h *Host) Header(w http.ResponseWriter, r *http.Request, who string) web.Header {
	return web.Header{Who: who, CSRF: h.Browser.CSRF(w, r), Nav: h.Nav(r.URL.Path)}
}

// Strip is that of a page that is nobody's own, for who is signed in all the same; nil: nobody is.
func (h *Host) Strip(w http.ResponseWriter, r *http.Request) *web.Header {
	who := h.Browser.Who(r)
	if who == "" {
		return nil
	}
	return &web.Header{Who: who, CSRF: h.Browser.CSRF(w, r)}
}

// Again sends whoever has not signed in recently to prove who they are, and back to the page (requirements R1.6).
func (h *Host) Again(w http.ResponseWriter, r *http.Request, s *idp.Session, page string) bool {
	if h.Browser.Recent(s) {
		return false
	}
	http.Redirect(w, r, "/login?again="+url.QueryEscape(page), http.StatusSeeOther)
	return true
}
