// Package logout is the way out: /logout with its decision table (OpenID Connect RP-Initiated Logout 1.0 and the app-only
// form), sign out everywhere by bearer token, and the receipt of a sign-out.
//
// Promise 5 is kept here: a session ends only by a same-origin POST with its proof, by an ID token issued to an app for a grant of
// this very session, or by an authenticated call. Anything else leads at most to a question, and no redirect leaves for an address
// that is not registered for that client, in any branch.
package logout
