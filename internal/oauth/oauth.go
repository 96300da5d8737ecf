package oauth

import (
	"context"
	"net/http"
	"slices"
	"time"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/factor"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// Passwords finds out whose username and password these are.
type Passwords interface {
	Check(ctx context.Context, r *http.Request, username, password string) (browser.Proof, error)
}

// OAuth is the room.
type OAuth struct {
	Store     idp.Store
	Door      *door.Door
	Browser   *browser.Browser
	Passwords Passwords
	Factors   *factor.Factors
	Pages     *web.Pages
	Tokens    *token.Issuer
	Ring      *keys.Ring

	InitialTokens []idp.Hash // initial access tokens of registration; none: registration is closed
	Resources     []string   // APIs that self-registered clients may name
	Scopes        []string   // scopes that self-registered clients may have besides those of OpenID Connect
	FrontChannel  bool       // Front-Channel Logout and Session Management are on
	Limit         *edge.Limiter
	Waits         *edge.Limiter // of rows that wait for a human, for each neighbourhood of addresses
	Codes         *edge.Limiter // of codes, for each account

	// OnTheft locks the account one of whose refresh tokens was used twice; nil: the family ends, and nothing else.
	OnTheft func(tx idp.Tx, id idp.AccountID, now idp.Time, r *http.Request) error
}

// Mount adds the room's paths.
func (o *OAuth) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /oauth2/authorize", o.authorize)
	mux.HandleFunc("POST /oauth2/authorize", o.authorize)
	open := func(path string, h http.HandlerFunc, methods ...string) {
		c := edge.CORS(h, nil) // no cookies are read here, so any page may ask
		for _, m := range append(methods, "OPTIONS") {
			mux.Handle(m+" "+path, c)
		}
	}
	open("/oauth2/token", o.token, "POST")
	open("/oauth2/revoke", o.revoke, "POST")
	open("/oauth2/userInfo", o.userInfo, "GET", "POST")
	open("/.well-known/openid-configuration", o.discovery, "GET")
	open("/.well-known/oauth-authorization-server", o.discovery, "GET")
	open("/.well-known/jwks.json", o.jwks, "GET")
	mux.HandleFunc("POST /oauth2/introspect", o.introspect)
	mux.HandleFunc("POST /oauth2/global-token-revocation", o.globalRevoke)
	mux.HandleFunc("POST /oauth2/par", o.par)
	mux.HandleFunc("POST /oauth2/challenge", o.challenge)
	mux.HandleFunc("POST /oauth2/register", o.register)
	mux.HandleFunc("GET /oauth2/register/{client}", o.registered)
	mux.HandleFunc("PUT /oauth2/register/{client}", o.reregister)
	mux.HandleFunc("DELETE /oauth2/register/{client}", o.unregister)
}

// Scopes that mean something here.
const (
	scopeOpenID  = "openid"
	scopeOffline = "offline_access"
)

// turn takes one turn of who may make things that can end, or calls that write an ending for each token. A person's way out
// is never limited.
func (o *OAuth) turn(key string) error { return limited(o.Limit.Allow(key)) }

// mayWait takes a turn of the caller's neighbourhood: anybody can make rows that wait for a human, and none may fill the disk.
func (o *OAuth) mayWait(r *http.Request) error { return limited(o.Waits.AllowCaller(r)) }

// mayEnter takes a turn of an account: what it opens stays for weeks, and is all reached when it signs out.
func (o *OAuth) mayEnter(id idp.AccountID) error { return limited(o.Codes.Allow(string(id))) }

func limited(ok bool, wait time.Duration) error {
	if ok {
		return nil
	}
	return &idp.LimitedError{Wait: wait}
}

// has says whether any of the words is in the list.
func has(list []string, any ...string) bool {
	return slices.ContainsFunc(any, func(a string) bool { return slices.Contains(list, a) })
}
