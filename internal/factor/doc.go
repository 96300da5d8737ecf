// Package factor checks what people have besides a password: authenticator apps (RFC 6238), recovery codes and passkeys (WebAuthn), and
// keeps sign-ins that wait for their second factor.
//
// It rests on the store, the vault (an authenticator app's secret must be read again) and the door: who adds or takes away a factor
// while signed in ends what hangs on the person's other sign-ins, in the same transaction. It makes no session: that is package
// browser's, which refuses a proof with one factor where the account has two.
package factor
