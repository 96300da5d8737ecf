package admin

import (
	"errors"
	"net/http"
	"net/url"

	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// fail answers an error: to a program with the parameter that is wrong, to a person with what to do now.
func (a *Admin) fail(w http.ResponseWriter, r *http.Request, c *call, err error) {
	if c.people {
		a.failPage(w, r, err)
		return
	}
	var invalid *idp.InvalidError
	var input *edge.Error
	refuse := func(status int, code, text, parameter string) {
		body := map[string]string{"error": code, "error_description": text}
		if parameter != "" {
			body["parameter"] = parameter
		}
		edge.JSON(w, status, body)
	}
	switch state := stateOf(err); {
	case errors.Is(err, errAnswered):
	case errors.Is(err, idp.ErrEnded):
		edge.TokenError(w, http.StatusUnauthorized, "invalid_token", edge.Revoked)
	case errors.Is(err, token.ErrPower):
		edge.TokenError(w, http.StatusForbidden, "insufficient_scope", "The access token needs the scope "+idp.ScopeAdmin)
	case errors.Is(err, errMachine):
		refuse(http.StatusForbidden, "access_denied", "People give roles and powers, in the console or by command.", "")
	case errors.As(err, &invalid):
		refuse(http.StatusBadRequest, "invalid_request", invalid.Sentence, invalid.Field)
	case errors.As(err, &input):
		refuse(input.Status, input.Code, input.Description, "")
	case state != nil:
		refuse(http.StatusConflict, "conflict", state.Sentence, "")
	case errors.Is(err, operate.ErrDeleted):
		refuse(http.StatusConflict, "conflict", "It was deleted.", "")
	case errors.Is(err, idp.ErrConflict):
		refuse(http.StatusConflict, "conflict", "There is one of that name already.", "client_id")
	default:
		edge.Fail(w, r, err)
	}
}

func (a *Admin) failPage(w http.ResponseWriter, r *http.Request, err error) {
	say := func(status int, m web.Message) {
		m.Link, m.LinkText = "/admin", web.Message{LinkText: "Console"}.LinkText
		a.Pages.Render(w, r, status, m)
	}
	var invalid *idp.InvalidError
	switch {
	case errors.Is(err, errNobody):
		to := "/admin"
		if r.Method == http.MethodGet {
			to = r.URL.Path // without the query: it is for us to make
		}
		http.Redirect(w, r, "/login?again="+url.QueryEscape(to), http.StatusSeeOther)
	case errors.Is(err, errStranger):
		a.Pages.Render(w, r, http.StatusForbidden, web.Message{Title: "This is for operators", Text: "Your account is no operator's. Whoever runs this site can make it one.", Link: "/account", LinkText: "Your account"})
	case errors.Is(err, errRole):
		say(http.StatusForbidden, web.Message{Title: "Your role is not enough", Text: "Nothing was changed. Ask an admin of this site."})
	case errors.Is(err, errForged):
		say(http.StatusForbidden, web.Message{Title: "Please try again", Text: "This page was open for too long, or did not come from here. Nothing was changed."})
	case errors.Is(err, idp.ErrNotFound):
		say(http.StatusNotFound, web.Message{Title: "There is nothing here", Text: "It may be gone, or the address is not complete."})
	case errors.Is(err, operate.ErrDeleted):
		say(http.StatusConflict, web.Message{Title: "This was not done", Text: "It was deleted."})
	case errors.Is(err, idp.ErrConflict):
		say(http.StatusConflict, web.Message{Title: "This was not done", Text: "There is one of that name already."})
	case errors.As(err, &invalid):
		say(http.StatusBadRequest, web.Message{Title: "This cannot be read", Text: wrongWords(invalid)})
	default:
		a.Pages.Fail(w, r, err)
	}
}

// nothing is at an address beneath /admin that is none.
func (a *Admin) nothing(w http.ResponseWriter, r *http.Request) {
	if isPage(r) {
		a.Pages.Render(w, r, http.StatusNotFound, web.Message{Title: "There is no such page", Text: "The address may be old, or not complete.", Link: "/admin", LinkText: "Console"})
		return
	}
	edge.OAuthError(w, http.StatusNotFound, "not_found", "There is nothing here.")
}
