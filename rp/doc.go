// Package rp is for websites: people sign in through providers, have a session here, and sign out layer by layer, with a
// true answer for each layer. It needs no Exeunt server.
//
//	site, err := rp.New(store, rp.Origin("https://www.example.com"), rp.Key(key), rp.Accounts(users),
//		rp.Provider("exeunt", provider.OIDC(issuer, id, secret)), rp.Provider("github", provider.GitHub(id2, secret2)))
//	mux.Handle("/auth/", site)                 // sign-in, callbacks, back-channel and front-channel logout, sign-out
//	mux.Handle("/private/", site.Require(h))   // in h: rp.FromContext(r.Context())
//	report := site.SignOut(w, r, rp.Revoke())  // in a handler of POST, with the form field of Visitor.CSRF
//	go site.Run(ctx)                           // retries what is owed to providers
//
// Three layers are kept apart: this website's session (always ended, or nothing is claimed), the consent at the provider
// ([Revoke]) and the session at the provider ([AtProvider]). [Everywhere] ends the person's other sessions here. The
// report says for each: done, queued and retried, the browser goes there now, or not offered, with the link where the
// person does it. A sign-out is answered within a second, whatever the provider does.
//
// # What is registered at a provider
//
// Below the prefix (/auth/ unless [Prefix] says otherwise), for a provider called p:
//
//	/auth/callback/p               redirect URI, one per provider (RFC 9700 section 4.4)
//	/auth/logout/p/backchannel     backchannel_logout_uri
//	/auth/logout/p/frontchannel    frontchannel_logout_uri, with session required
//	/auth/logout/p/return          post_logout_redirect_uri
//
// For people there are /auth/ (the choice of providers), /auth/login/p, /auth/link/p (POST), /auth/signout (POST) and
// /auth/state.
//
// # What it rests on
//
// State is in a [Store] that all replicas share; a replica keeps only discovered documents and keys. Everything that
// belongs together is one call of the store and one transaction: the end of sessions, the tombstones, the memory of a
// logout token and the duty to revoke. A session cookie is 256 random bits, stored as SHA-256. Provider tokens and ID
// tokens are sealed with AES-256-GCM under [Key] before the store sees them; the sealed token moves into the duty and is
// destroyed with its last attempt.
//
// A sign-in that a logout has overtaken makes no session: the store refuses it by tombstone, in the transaction that
// would have made it.
//
// Signatures are checked by Exeunt's own JWS code, which binds the algorithm to the key: ES256, EdDSA (Ed25519), RS256
// and PS256. ID token claims are checked by coreos/go-oidc, the flow is that of x/oauth2.
//
// # What it refuses
//
// It never links by mail address: an identity is (provider, subject) and nothing else, and linking needs a session, a
// recent sign-in and a POST from a page of this website. No GET ends a session, except the provider's own front-channel
// call that names the sid. It redirects to no address from outside: return-to is a path here. It follows no redirect of
// a provider, uses no proxy from the environment, reads at most 64 KiB, and connects to private addresses only at hosts
// that the website's owner wrote down. It takes no encrypted tokens. It writes no log; [OnError] is told kinds of failure
// without tokens, codes, cookies or mail addresses, and errors.Unwrap gives the cause.
package rp
