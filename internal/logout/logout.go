package logout

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/frontchannel"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// Logout is the room.
type Logout struct {
	Store   idp.Store
	Door    *door.Door
	Browser *browser.Browser
	Pages   *web.Pages
	Tokens  *token.Issuer
	Front   *frontchannel.FrontChannel
	Waits   *edge.Limiter // of rows that wait for an answer, for each neighbourhood of addresses
	// Layers says what a sign-out has left at providers; mine: who asks may act on it. nil: there are none.
	Layers func(v idp.View, row *idp.Receipt, mine bool) ([]web.ProviderLayer, error)
}

// Mount adds the room's paths.
func (l *Logout) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /logout", l.get)
	mux.HandleFunc("POST /logout", l.post)
	mux.HandleFunc("POST /logout/confirm", l.confirm)
	for _, path := range []string{"/customers/me/logout", "/v1/customers/me/logout"} {
		h := edge.CORS(http.HandlerFunc(l.everywhere), nil) // by bearer token alone: no cookie is read
		mux.Handle("POST "+path, h)
		mux.Handle("OPTIONS "+path, h)
	}
	mux.HandleFunc("GET /signout/{receipt}", l.receipt)
	mux.HandleFunc("GET /signout/{receipt}/receipt.jwt", l.signed)
	mux.HandleFunc("POST /signout/{receipt}/offline", l.endOffline)
	if l.Front.On {
		mux.HandleFunc("GET /oauth2/check_session", l.checkSession)
	}
}

// request is an end-of-session request as it came.
type request struct {
	Hint      string `json:"id_token_hint,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	PostURI   string `json:"post_logout_redirect_uri,omitempty"`
	LogoutURI string `json:"logout_uri,omitempty"`
	State     string `json:"state,omitempty"`
}

// longest request that is taken, in bytes of its parameters. A hint of ours and an address have room many times.
const longest = 8 << 10

// read takes the parameters that count; wrong is what an error page says of them.
func read(v url.Values) (q request, wrong web.Words) {
	q = request{v.Get("id_token_hint"), v.Get("client_id"), v.Get("post_logout_redirect_uri"), v.Get("logout_uri"), v.Get("state")}
	if len(q.Hint)+len(q.ClientID)+len(q.PostURI)+len(q.LogoutURI)+len(q.State) > longest {
		wrong = web.Say("It is too long.")
	}
	return q, wrong
}

func (l *Logout) get(w http.ResponseWriter, r *http.Request) {
	v, err := edge.Query(r)
	if err != nil {
		l.wrong(w, r, err.Error())
		return
	}
	if id := v.Get("pending"); id != "" {
		q, err := l.stored(r, id)
		if err != nil {
			l.Pages.Fail(w, r, err)
			return
		}
		l.answer(w, r, q, id, false)
		return
	}
	q, wrong := read(v)
	if wrong != nil {
		l.wrong(w, r, wrong)
		return
	}
	l.answer(w, r, q, "", l.proven(r))
}

// post takes the form-encoded request. From another site it comes without the Lax cookie, so it is stored and decided at
// a GET, where the cookie is.
func (l *Logout) post(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		l.wrong(w, r, err.Error())
		return
	}
	l.Pages.Ask(w, form.Get("ui_locales"))
	q, wrong := read(form)
	if wrong != nil {
		l.wrong(w, r, wrong)
		return
	}
	id, err := l.keep(r, q)
	if err != nil {
		l.Pages.Fail(w, r, err)
		return
	}
	if id == "" {
		http.Redirect(w, r, "/logout", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/logout?pending="+url.QueryEscape(id), http.StatusSeeOther)
}

// keep stores a request. It is bound to no browser: the one that posted it may have sent no cookie, and a request alone
// is no right. "" is a request that says nothing: so is one from where too many have come lately, for anybody can send them, and
// nobody may fill the disk. The person is asked all the same, and does not get back to the app.
func (l *Logout) keep(r *http.Request, q request) (string, error) {
	if q == (request{}) {
		return "", nil
	}
	if ok, _ := l.Waits.AllowCaller(r); !ok {
		return "", nil
	}
	data, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	id := idp.NewSecret(16)
	return id, l.Store.Update(r.Context(), func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		born, err := tx.Epochs("", "")
		if err != nil {
			return err
		}
		return tx.InsertPending(idp.Pending{ID: idp.HashOf(id), Kind: idp.PendingLogout, Client: idp.ClientID(q.ClientID), Born: born, Data: data, CreatedAt: now, ExpiresAt: now.Add(l.Browser.Policy().PendingLife)})
	})
}

// stored reads what keep stored.
func (l *Logout) stored(r *http.Request, id string) (q request, err error) {
	if id == "" {
		return q, nil
	}
	now, _ := l.Store.Now()
	err = l.Store.View(r.Context(), func(v idp.View) error {
		row, err := v.Pending(idp.HashOf(id))
		if errors.Is(err, idp.ErrNotFound) || (err == nil && (row.Kind != idp.PendingLogout || now >= row.ExpiresAt)) {
			return web.ErrExpired
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(row.Data, &q)
	})
	return q, err
}

// proven is the origin proof of an app's sign-out: a real navigation of a page of that app. Which app is asked later, by the
// Referer's origin.
func (l *Logout) proven(r *http.Request) bool {
	h := r.Header
	return h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document" && !prefetched(r)
}

// prefetched says that nobody has followed the link yet: such a request ends nothing, whatever it bears.
func prefetched(r *http.Request) bool {
	h := r.Header
	return h.Get("Sec-Purpose") != "" || h.Get("Purpose") != "" || h.Get("X-Moz") != ""
}

// wrong is the error page of /logout: nothing was done, and the way out is a button of ours.
func (l *Logout) wrong(w http.ResponseWriter, r *http.Request, text web.Words) {
	l.Pages.Render(w, r, http.StatusBadRequest, web.Message{Title: "This sign-out link is not right", Text: "The app that sent you here made a mistake. Nothing was changed, and you can still sign out.", Detail: text, SignOut: true})
}
