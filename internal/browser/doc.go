// Package browser is the tie between a browser and its session: the only code that sets, renews or expires a cookie, and
// the one that says how fresh a sign-in is.
//
// It rests on idp.Store and the door. A cookie's value is made here, never taken from a request. It knows nothing of
// pages, and it never takes a session from anything but the cookie.
package browser
