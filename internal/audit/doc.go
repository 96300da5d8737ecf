// Package audit keeps the log of what happened: it seals events into a chain of hashes, deletes those that are old, and records sign-ins
// that failed, which strangers can cause as many of as they like, within a bound and off the way of the request.
//
// It rests on idp.Store; events of acts that succeed are recorded where the act is, in its transaction (idp.Tx.Record). It refuses to hold
// a request up, and to keep what somebody typed where nobody has that name: it may be a password.
package audit
