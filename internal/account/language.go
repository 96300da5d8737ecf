package account

import (
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
)

// language keeps the language that a person has chosen: for letters and other browsers with the account, for this browser in a cookie.
func (a *Account) language(w http.ResponseWriter, r *http.Request, s *idp.Session, form url.Values) {
	lang := form.Get("language")
	if !a.Pages.Choose(w, lang) {
		a.Pages.Fail(w, r, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "language must be one of " + strings.Join(a.Pages.Languages(), ", ") + "."})
		return
	}
	if err := a.Store.Update(r.Context(), func(tx idp.Tx) error { return tx.PutLanguage(s.Account, lang) }); err != nil {
		a.Pages.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, ours(form.Get("at")), http.StatusSeeOther)
}

// ours is a path of the account's or of the console's; anything else is the account.
func ours(path string) string {
	u, err := url.Parse(path)
	if err == nil && u.Scheme == "" && u.Host == "" && path == u.EscapedPath() && (strings.HasPrefix(path, "/account/") || path == "/admin" || strings.HasPrefix(path, "/admin/")) {
		return path
	}
	return "/account"
}
