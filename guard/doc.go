// Package guard verifies access tokens in an API and knows at once when they have ended.
//
//	g, err := guard.New("https://id.example.com",
//		guard.Audience("https://api.example.com"),   // this API, as tokens name it
//		guard.Credentials(id, secret))               // a client of kind "api" at the issuer
//	go g.Run(ctx)                                    // follows the ledger until ctx ends
//	err = g.Ready(ctx)                               // the first snapshot is there
//	mux.Handle("/orders", g.Require("orders:read")(orders))
//
// A handler behind [Guard.Require] finds the token with [FromContext]. Its request's context ends when the token does,
// so that streams, sockets and downloads end with the sign-out too; [Guard.Watch] does the same elsewhere. Without
// net/http use [Guard.Check].
//
// # What it promises
//
// An ended token is not admitted later than [MaxStaleness] (default 5 s) after its end was committed, whatever is lost,
// delayed, repeated, buffered or restarted on the way, and whatever the clocks say. Normally it is milliseconds. Streams
// are cut within the same time. The precondition is a monotonic clock that is true within one percent.
//
// # How
//
// A token (RFC 9068) lists in ends_with the names that it hangs on: realm, account, session, grant and so on. The guard
// keeps a connection to the issuer's ledger, over which the names that have ended arrive, and five times in MaxStaleness
// it asks a question that only the issuer can answer now. If no answer comes it stops trusting itself and refuses what
// it would admit with [ErrStale]: 503 and Retry-After, not 401, so that an outage is not a mass sign-out. What it knows to be
// over goes on getting 401.
//
// Checking a token for the first time costs a signature verification. After that it is looked up, compared as a whole,
// and tested for a mark that the ledger puts there: well under a microsecond, without locks and without asking anybody.
//
// The guard does not ask this machine's clock whether a token has expired. It uses ledger time: the highest that it was
// told, advanced by the monotonic clock.
//
// # What a request gets
//
//	no token                           401  WWW-Authenticate: Bearer realm="..."
//	ended                              401  invalid_token, "Access Token has been revoked"
//	expired, forged, for somebody else 401  invalid_token
//	bound, and comes from elsewhere    401  invalid_token
//	bound to a key, proof not good     401  invalid_dpop_proof; use_dpop_nonce with a nonce to use
//	a scope is missing                 403  insufficient_scope
//	malformed or two headers           400  invalid_request
//	stale, or not started              503  Retry-After
//	a key that is newer than its keys  503  Retry-After, until it could ask (every two seconds)
//
// # Bound tokens
//
// A token can be bound to a key that the client holds (DPoP, RFC 9449) or to the network it was given to; the issuer's settings of
// the client say so. Whoever steals it then cannot use it. [Guard.Require] and [Guard.CheckRequest] check it at each request: the
// caller's address ([TrustedProxies] if any stand before the API), and the proof that comes in the header DPoP. A proof is good for
// this method, this address ([ExternalURL]) and this token, for a minute ([ProofWindow]), once. [Guard.Check] sees no caller, and
// refuses bound tokens with [ErrBound]. Browsers of other origins must be allowed to send the header DPoP, and to read DPoP-Nonce
// and WWW-Authenticate.
//
// # What it refuses
//
// Tokens without names to hang on; tokens for another audience; tokens in query or body; plain http except on this
// machine; redirects; a ledger it does not understand to the last byte. It never learns who or what an ended name was.
// It rests on the standard library and on packages of ours that rest on nothing else: ledger, jws, dpop and caller.
package guard
