// Package rescue is for when something has gone wrong: a forgotten password, a lost device, a password that somebody else knows, a
// sign-in that was not one's own. It writes the letters, and serves the pages that their links lead to.
//
// A link is a secret of 32 bytes, stored as its hash. To open its page changes nothing, since mail scanners open links; the button on it
// does, once. Links begin with the issuer's address, never with what a request says. Whoever asks for a link gets the same answer at the
// same time whether there is such an account or not: it is looked up afterwards.
//
// It rests on the door, which ends, locks and opens. It never signs anybody in: a new password is followed by a sign-in, with the second
// factor where there is one.
package rescue
