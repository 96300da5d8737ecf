// Package frontchannel asks apps to sign out by frames in the browser that leaves (OpenID Connect Front-Channel Logout 1.0): those of the
// session that just ended which have a frontchannel_logout_uri and no back channel. Rooms in which a browser signs out use it in place of
// a redirect.
//
// It rests on the store, the browser's cookies and web's page, and comes after the commit. It refuses to count anything: a frame that
// was shown, blocked or hung looks the same from here, so that such an app stays one that cannot be told. What goes wrong here does not hold
// the person up.
package frontchannel
