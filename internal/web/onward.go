package web

import (
	"html/template"
	"net/http"
)

// Onward is shown for a moment while the browser goes on to an app.
type Onward struct {
	To template.URL // a registered address: the template must not refuse an app's own scheme
}

func (Onward) template() string { return "onward" }
func (Onward) bare()            {}

// Onward sends the browser on to a registered address. After one of our forms a browser holds the form's page's policy (CSP
// form-action) against this redirect and against every one that the app answers with: an app that leads on to another host,
// or one at an IPv6 loopback address, could not be reached. So the form's answer ends here, with a page of ours that leads
// on by itself. Whoever is no browser (Fetch Metadata says so) gets the plain redirect.
func (p *Pages) Onward(w http.ResponseWriter, r *http.Request, to string, afterForm bool) {
	w.Header().Set("Cache-Control", "no-store")
	if afterForm && r.Header.Get("Sec-Fetch-Dest") == "document" {
		w.Header().Set("Refresh", "0; url="+to)
		p.Render(w, r, http.StatusOK, Onward{template.URL(to)})
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther) // 303, RFC 9700 section 4.12
}
