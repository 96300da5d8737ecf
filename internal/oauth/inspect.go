package oauth

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// userInfo is OpenID Connect Core section 5.3. It reads the primary, so that an ended token is refused at once.
func (o *OAuth) userInfo(w http.ResponseWriter, r *http.Request) {
	a, ok := bearer.Token(w, r, o.Tokens, o.Store)
	if !ok {
		return
	}
	scheme := tokenType(a.Bond)
	var who idp.Account
	err := o.Store.Look(r.Context(), func(v idp.View) (err error) {
		if err = idp.Live(v, a.Hangs()...); err != nil {
			return err
		}
		if !a.HasScope(scopeOpenID) {
			return nil
		}
		who, err = v.Account(idp.AccountID(a.Subject))
		return err
	})
	switch {
	case errors.Is(err, idp.ErrEnded):
		edge.Refuse(w, scheme, http.StatusUnauthorized, "invalid_token", edge.Revoked)
	case errors.Is(err, idp.ErrNotFound):
		edge.Refuse(w, scheme, http.StatusUnauthorized, "invalid_token", "The access token is not valid")
	case err != nil:
		edge.Fail(w, r, err)
	case !a.HasScope(scopeOpenID):
		edge.Refuse(w, scheme, http.StatusForbidden, "insufficient_scope", "The access token needs the scope openid")
	default:
		edge.JSON(w, http.StatusOK, claims(a, &who))
	}
}

// claims are what the scopes ask for, and nothing else (requirements R4.8).
func claims(a *token.Access, who *idp.Account) map[string]any {
	out := map[string]any{"sub": a.Subject}
	if a.HasScope("profile") {
		out["preferred_username"] = who.Username
		if who.Name != "" {
			out["name"] = who.Name
		}
	}
	if a.HasScope("email") && who.Email != "" {
		out["email"], out["email_verified"] = who.Email, who.EmailVerified
	}
	return out
}

// introspection is RFC 7662 section 2.2.
type introspection struct {
	Active   bool     `json:"active"`
	Scope    string   `json:"scope,omitempty"`
	ClientID string   `json:"client_id,omitempty"`
	Type     string   `json:"token_type,omitempty"`
	Subject  string   `json:"sub,omitempty"`
	Audience []string `json:"aud,omitempty"`
	Issuer   string   `json:"iss,omitempty"`
	Expires  int64    `json:"exp,omitempty"`
	IssuedAt int64    `json:"iat,omitempty"`
	JTI      string   `json:"jti,omitempty"`
	Sid      string   `json:"sid,omitempty"`
	Bond     idp.Bond `json:"cnf,omitzero"` // RFC 9449 section 6.2; whoever asks checks the proof
}

// introspect answers an API about a token that is meant for it, and any other client about its own tokens. Whatever is not
// so is {"active":false}, and it never says why.
func (o *OAuth) introspect(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r)
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	cred, err := present(r, form)
	if err != nil {
		o.failSigned(w, r, err)
		return
	}
	raw := form.Get("token")
	if raw == "" {
		o.fail(w, r, refuse("invalid_request", "token is missing"))
		return
	}
	access, _ := o.Tokens.ReadAccess(raw)
	refresh, notRefresh := token.ParseRefresh(raw)
	now, _ := o.Store.Now()
	var answer introspection
	var client idp.Client
	read := o.Store.Look
	if notRefresh == nil { // its names are read, and then asked for: on one snapshot, lest it seem over while its session gets another root
		read = o.Store.View
	}
	err = read(r.Context(), func(v idp.View) (err error) {
		if client, err = cred.check(v, now); err != nil {
			return err
		}
		if !client.Confidential() {
			return errClient // RFC 7662 section 2.1: who may ask must prove who they are
		}
		switch {
		case access != nil:
			answer, err = o.aboutAccess(v, &client, access, now)
		case notRefresh == nil:
			answer, err = o.aboutRefresh(v, &client, refresh, now)
		}
		return err
	})
	if err != nil {
		o.failSigned(w, r, err)
		return
	}
	if wantsSigned(r) {
		o.signed(w, r, &client, now, answer)
		return
	}
	edge.JSON(w, http.StatusOK, answer)
}

func (o *OAuth) aboutAccess(v idp.View, client *idp.Client, a *token.Access, now idp.Time) (introspection, error) {
	var no introspection
	mine := a.Client == client.ID
	if client.Kind == idp.KindAPI {
		mine = slices.ContainsFunc(client.Audiences, func(s string) bool { return slices.Contains(a.Audience, s) })
	}
	if !mine || now >= a.Expires {
		return no, nil
	}
	if err := idp.Live(v, a.Hangs()...); err != nil {
		if errors.Is(err, idp.ErrEnded) {
			err = nil
		}
		return no, err
	}
	out := introspection{
		Active: true, Scope: strings.Join(a.Scopes, " "), ClientID: string(a.Client), Type: tokenType(a.Bond), Subject: a.Subject, Audience: a.Audience,
		Issuer: o.Tokens.URL, Expires: int64(a.Expires) / 1000, IssuedAt: int64(a.IssuedAt) / 1000, JTI: a.JTI.String(), Bond: a.Bond,
	}
	if !a.Sid.IsZero() {
		out.Sid = a.Sid.String()
	}
	return out, nil
}

func (o *OAuth) aboutRefresh(v idp.View, client *idp.Client, t token.Refresh, now idp.Time) (introspection, error) {
	var no introspection
	c, err := v.ChainByHandle(t.HandleHash())
	if errors.Is(err, idp.ErrNotFound) {
		return no, nil
	}
	if err != nil {
		return no, err
	}
	f := &c.Family
	idle := f.Idle > 0 && now >= f.RotatedAt.Add(f.Idle)
	if f.Client != client.ID || now >= f.ExpiresAt || idle || (c.Session != nil && c.Session.Expired(now)) || token.Judge(f, t, now, 0) != token.Current {
		return no, nil
	}
	if err := idp.Live(v, c.Names()...); err != nil {
		if errors.Is(err, idp.ErrEnded) {
			err = nil
		}
		return no, err
	}
	return introspection{Active: true, Scope: strings.Join(f.Scopes, " "), ClientID: string(f.Client), Type: "refresh_token", Subject: string(c.Grant.Account),
		Issuer: o.Tokens.URL, Expires: int64(f.ExpiresAt) / 1000, IssuedAt: int64(f.RotatedAt) / 1000, Bond: f.Bond}, nil
}
