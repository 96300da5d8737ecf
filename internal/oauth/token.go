package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exeunt.dev/internal/bearer"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
)

// tokenAnswer is RFC 6749 section 5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

var (
	errGrant  = refuse("invalid_grant", "the code or refresh token is not valid")
	errMayNot = refuse("unauthorized_client", "this client did not register that grant type")
)

// token is the token endpoint.
func (o *OAuth) token(w http.ResponseWriter, r *http.Request) {
	form, err := edge.Form(w, r, "resource")
	if err != nil {
		edge.Fail(w, r, err)
		return
	}
	answer, err := o.granted(r, form, bearer.Proof(w, r, o.Tokens, o.Store))
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	edge.JSON(w, http.StatusOK, answer)
}

// granted authenticates the client and answers by grant type.
func (o *OAuth) granted(r *http.Request, form url.Values, shown bearer.Shown) (*tokenAnswer, error) {
	var client idp.Client
	var born idp.Epochs
	var err error
	grantType := form.Get("grant_type")
	switch grantType {
	case "refresh_token": // the one that is asked all day: its client is read in its own transaction
		return o.refresh(r, form, shown)
	case "client_credentials":
		client, born, err = o.client(r.Context(), r, form)
	default: // what is redeemed has its names already
		client, err = o.known(r.Context(), r, form)
	}
	if err != nil {
		return nil, err
	}
	edge.Note(r.Context(), "client", client.ID)
	switch {
	case grantType == "":
		return nil, refuse("invalid_request", "grant_type is missing")
	case grantType != "authorization_code" && grantType != "client_credentials":
		return nil, refuse("unsupported_grant_type", "")
	case !client.May(grantType):
		return nil, errMayNot
	case grantType == "client_credentials":
		return o.machine(r, form, &client, born, shown)
	}
	return o.redeem(r, form, &client, shown)
}

// redeem turns a code into tokens.
//
// R: order at the token endpoint: the client is authenticated, the code belongs to it and to the redirect URI, PKCE is
// right, key and address are those that the code is bound to, and only then "already used" ends the family. Anything that fails
// earlier touches nothing.
func (o *OAuth) redeem(r *http.Request, form url.Values, client *idp.Client, shown bearer.Shown) (*tokenAnswer, error) {
	bond, err := shown.Bond(r, client)
	if err != nil {
		return nil, err
	}
	hash := idp.HashOf(form.Get("code"))
	first := token.NewRefresh()
	var chain idp.Chain
	var code idp.Code
	var at idp.Time
	var life time.Duration
	var sid idp.Grant
	var session idp.Session
	var audience []string
	var verdict error
	var reused bool
	var strayed string
	err = o.Store.Update(r.Context(), func(tx idp.Tx) error {
		verdict, reused, strayed = errGrant, false, ""
		var err error
		if code, err = tx.Code(hash); errors.Is(err, idp.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if code.Client != client.ID || code.RedirectURI != form.Get("redirect_uri") || !verifies(code.Challenge, form) {
			return nil
		}
		if at, life, err = o.moment(tx, client); err != nil {
			return err
		}
		if sid, err = tx.Grant(code.Grant); err != nil {
			return err
		}
		if strayed = strays(r, client, code.Bond, bond); strayed != "" {
			return nil
		}
		if err := lock(tx, &idp.Session{Account: sid.Account, Name: sid.Session}, client.ID); err != nil {
			return err
		}
		fresh, err := tx.UseCode(hash, at)
		if err != nil {
			return err
		}
		if !fresh {
			reused = true
			_, err := door.EndIn(tx, idp.EndFamily(code.Family), idp.Cause{Kind: idp.CauseReuse, Actor: idp.ActorClient(client.ID)})
			return err
		}
		if at >= code.ExpiresAt {
			return nil
		}
		if session, err = tx.Session(sid.Session); err != nil {
			return err
		}
		chain = idp.Chain{Grant: sid, Session: &session}
		if !code.Offline.IsZero() {
			if chain.Grant, err = tx.Grant(code.Offline); err != nil {
				return err
			}
			chain.Session = nil
		}
		chain.Family = o.family(&code, chain.Grant.Name, client, first, at)
		chain.Family.Bond = bond
		if client.Confidential() {
			chain.Family.Bond.Key = "" // RFC 9449 section 5: it authenticates, and may change its key
		}
		names := append(chain.Names(), sid.Names(&session)...)
		if errors.Is(idp.Live(tx, names...), idp.ErrEnded) || session.Expired(at) {
			return nil
		}
		if audience, err = narrow(code.Resources, form["resource"], "invalid_target"); err != nil {
			return err // rolls back: the code is still good
		}
		if err := shown.Use.Note(tx); err != nil {
			return err
		}
		verdict = nil
		if err := errors.Join(tx.RedeemGrant(sid.Name, at), tx.RedeemGrant(chain.Grant.Name, at)); err != nil {
			return err
		}
		return tx.InsertFamily(chain.Family)
	})
	if errors.Is(err, idp.ErrNotFound) {
		return nil, errGrant // what the code hangs on has been swept
	}
	if err != nil {
		return nil, err
	}
	if reused {
		o.Door.Committed()
	}
	if strayed != "" {
		bearer.Strayed(r, o.Tokens, sid.Account, client.ID, "code", strayed)
	}
	if verdict != nil {
		return nil, verdict
	}
	id := &token.ID{
		Subject: sid.Account, Client: client.ID, Sid: sid.Name, Nonce: code.Nonce, AuthTime: session.AuthTime, Methods: session.Methods,
		Alg: client.IDTokenAlg,
	}
	answer, err := o.mint(client, &chain, id, code.Scopes, audience, at, life, bond)
	if err == nil && !chain.Family.Handle.IsZero() {
		answer.RefreshToken = first.String()
	}
	return answer, err
}

// family is the row of a redeemed code. A client that did not register refreshing gets one without a handle, so that its
// access tokens have a family to end, too.
func (o *OAuth) family(code *idp.Code, grant idp.Name, client *idp.Client, first token.Refresh, at idp.Time) idp.Family {
	p := o.Browser.Policy()
	f := idp.Family{
		Name: code.Family, Grant: grant, Sid: code.Grant, Client: client.ID, Scopes: code.Scopes, Audience: code.Resources,
		CreatedAt: at, RotatedAt: at, ExpiresAt: at.Add(p.RefreshAbsolute), Idle: p.RefreshIdle,
	}
	if client.May("refresh_token") {
		f.Handle, f.Cur = first.HandleHash(), first.SecretHash()
	}
	return f
}

// verifies checks PKCE (RFC 7636 section 4.6): with a challenge the verifier must fit, without one there must be none
// (RFC 9700 section 4.8.2, downgrade).
func verifies(challenge string, form url.Values) bool {
	verifier := form.Get("code_verifier")
	if challenge == "" {
		return verifier == ""
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// mint signs what a chain gives, after commit. at and life are the moment, read before the names.
func (o *OAuth) mint(client *idp.Client, chain *idp.Chain, id *token.ID, scopes, audience []string, at idp.Time, life time.Duration, bond idp.Bond) (*tokenAnswer, error) {
	p := o.Browser.Policy()
	access := token.Access{
		Subject: string(chain.Grant.Account), Client: client.ID, Audience: audience, Scopes: scopes, IssuedAt: at,
		Expires: token.Lifetime(at, life, chain.Family.ExpiresAt), EndsWith: chain.Names(), Bond: bond,
	}
	if chain.Session != nil {
		access.Sid, access.AuthTime = chain.Grant.Name, chain.Session.AuthTime
		access.Expires = token.Lifetime(at, life, chain.Session.ExpiresAt)
	}
	raw, err := o.Tokens.Access(&access)
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{AccessToken: raw, TokenType: tokenType(bond), ExpiresIn: int64(access.Expires/1000 - at/1000), Scope: strings.Join(scopes, " ")}
	if has(scopes, scopeOpenID) {
		id.IssuedAt, id.Expires = at, token.Lifetime(at, p.IDTokenLife, 0)
		answer.IDToken, err = o.Tokens.ID(*id)
	}
	return answer, err
}

// moment is the ledger time that tokens are minted at, and how long an access token of this client may live from then.
//
// R: never longer than the life cap that stands beside that time, whatever this node's configuration says: endings are held
// for no longer.
func (o *OAuth) moment(tx idp.Tx, c *idp.Client) (at idp.Time, life time.Duration, err error) {
	if at, err = tx.Mint(); err != nil {
		return 0, 0, err
	}
	most, err := tx.LifeCap()
	if err != nil {
		return 0, 0, err
	}
	life = min(o.Browser.Policy().AccessLife, time.Duration(most)*time.Second)
	if c.AccessLife > 0 {
		life = min(life, time.Duration(c.AccessLife))
	}
	return at, life, nil
}

// machine is the client credentials grant: the token hangs on realm and client only, under the epochs that were read
// together with the secret.
func (o *OAuth) machine(r *http.Request, form url.Values, client *idp.Client, born idp.Epochs, shown bearer.Shown) (*tokenAnswer, error) {
	if !client.Confidential() {
		return nil, refuse("unauthorized_client", "a public client has no credentials")
	}
	scopes := o.scopes(client, strings.Fields(form.Get("scope")))
	scopes = without(scopes, scopeOpenID, scopeOffline, idp.ScopeSignOut, "profile", "email")
	audience, err := o.audience(client, form["resource"])
	if slices.ContainsFunc(scopes, idp.Power) {
		audience, err = o.alone(client, scopes, form["resource"])
	}
	if err != nil {
		return nil, err
	}
	bond, err := shown.Bond(r, client)
	if err != nil {
		return nil, err
	}
	if err := o.turn("machine " + string(client.ID)); err != nil {
		return nil, err
	}
	var at idp.Time
	var life time.Duration
	err = o.Store.Update(r.Context(), func(tx idp.Tx) error {
		if at, life, err = o.moment(tx, client); err != nil {
			return err
		}
		if err := idp.Live(tx, born.Names()...); err != nil {
			return err
		}
		return shown.Use.Note(tx)
	})
	if errors.Is(err, idp.ErrEnded) {
		return nil, errClient
	}
	if err != nil {
		return nil, err
	}
	access := token.Access{
		Subject: string(client.ID), Client: client.ID, Audience: audience, Scopes: scopes, IssuedAt: at,
		Expires: token.Lifetime(at, life, 0), EndsWith: born.Names(), Bond: bond,
	}
	raw, err := o.Tokens.Access(&access)
	return &tokenAnswer{AccessToken: raw, TokenType: tokenType(bond), ExpiresIn: int64(access.Expires/1000 - at/1000), Scope: strings.Join(scopes, " ")}, err
}

// alone gives the audience of a token that carries a power. It has no other scope and no other audience,
// so that no API is ever handed one: whoever is could use it (draft-parecki-oauth-global-token-revocation section 7.1).
func (o *OAuth) alone(client *idp.Client, scopes, resources []string) ([]string, error) {
	if len(scopes) > 1 || !client.MayWield(scopes[0]) {
		return nil, refuse("invalid_scope", idp.ScopeGlobalRevocation+" and "+idp.ScopeAdmin+" are for machines, each in a token of its own")
	}
	if len(without(resources, o.Tokens.URL)) > 0 {
		return nil, refuse("invalid_target", scopes[0]+" is for this server only")
	}
	return []string{o.Tokens.URL}, nil
}

func without(list []string, words ...string) []string {
	var out []string
	for _, s := range list {
		if !has(words, s) {
			out = append(out, s)
		}
	}
	return out
}
