package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// globalRevoke is draft-parecki-oauth-global-token-revocation-06: another system (an incident tool, a directory) says that
// everything of a person is to end, as if the person had signed out everywhere. 204 is answered after commit, so it means
// done, not begun. The draft asks for 404 where nobody is meant; only who may sign anybody out gets to see the difference.
//
// Absent on purpose: the format email, because addresses are not unique here and an end must reach nobody else; and
// private_key_jwt (section 3.5), since no client here has a key yet.
func (o *OAuth) globalRevoke(w http.ResponseWriter, r *http.Request) {
	caller, ok := bearer.Token(w, r, o.Tokens, o.Store)
	if !ok {
		return
	}
	edge.Note(r.Context(), "client", caller.Client)
	var body struct {
		Subject subject `json:"sub_id"`
	}
	if err := edge.DecodeJSON(w, r, &body); err != nil {
		edge.Fail(w, r, err)
		return
	}
	key, err := edge.IdempotencyKey(r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	var who idp.Account
	err = o.Store.View(r.Context(), func(v idp.View) (err error) {
		if err = o.Tokens.Wields(v, caller, idp.ScopeGlobalRevocation); err != nil { // before anything is said about anybody
			return err
		}
		who, err = o.find(v, body.Subject)
		return err
	})
	if err == nil {
		cause := idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorClient(caller.Client), Reason: "global token revocation"}
		if key != "" {
			cause.Request = "global revocation of " + string(who.ID) + " " + key
		}
		_, err = o.Door.End(r.Context(), idp.EndAccount(who.ID, idp.AccountActive), cause)
	}
	if err != nil {
		o.failGlobal(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func (o *OAuth) failGlobal(w http.ResponseWriter, r *http.Request, err error) {
	scheme, _ := edge.Authorization(r)
	switch {
	case errors.Is(err, idp.ErrEnded):
		edge.Refuse(w, scheme, http.StatusUnauthorized, "invalid_token", edge.Revoked)
	case errors.Is(err, token.ErrPower):
		edge.Refuse(w, scheme, http.StatusForbidden, "insufficient_scope", "The access token needs the scope "+idp.ScopeGlobalRevocation)
	default:
		edge.Fail(w, r, err) // idp.ErrNotFound is 404
	}
}

// subject is a Subject Identifier (RFC 9493 section 3): a format and the members of that format.
type subject map[string]string

// is says whether this is an identifier of a format with just these members: one that names two people in two ways is refused.
func (s subject) is(format string, members ...string) bool {
	ok := s["format"] == format && len(s) == 1+len(members)
	for _, m := range members {
		ok = ok && s[m] != ""
	}
	return ok
}

// find says whose identifier this is. idp.ErrNotFound: nobody's.
func (o *OAuth) find(v idp.View, s subject) (a idp.Account, err error) {
	switch {
	case s.is("iss_sub", "iss", "sub"):
		if s["iss"] != o.Tokens.URL {
			return a, idp.ErrNotFound
		}
		a, err = v.Account(idp.AccountID(s["sub"]))
	case s.is("opaque", "id"):
		a, err = v.Account(idp.AccountID(s["id"]))
	case s.is("account", "uri"):
		var username string
		if username, err = o.acct(s["uri"]); err == nil {
			a, err = v.AccountByUsername(username)
		}
	default:
		return a, &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "sub_id must be an identifier of format iss_sub, opaque or account."}
	}
	if err == nil && a.State == idp.AccountDeleted {
		err = idp.ErrNotFound
	}
	return a, err
}

// acct reads the username out of acct:USERNAME@HOST (RFC 7565); the host must be that of the issuer.
func (o *OAuth) acct(uri string) (string, error) {
	rest, ok := strings.CutPrefix(uri, "acct:")
	at := strings.LastIndexByte(rest, '@')
	issuer, err := url.Parse(o.Tokens.URL)
	if !ok || at < 1 || err != nil {
		return "", &edge.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "The uri of an account is acct:username@host."}
	}
	if !strings.EqualFold(rest[at+1:], issuer.Hostname()) {
		return "", idp.ErrNotFound
	}
	username, err := url.PathUnescape(rest[:at])
	if err != nil || idp.ValidUsername(username) != nil {
		return "", idp.ErrNotFound
	}
	return username, nil
}
