// Package bearer reads the access token that a request bears, with all that it is bound to, and the proofs that clients show where
// tokens are made (RFC 6750, RFC 9449). Every room that takes access tokens takes them from here, so that none forgets a bond.
//
// It rests on package dpop for proofs, on the store for the memory of proofs that all nodes share, and on edge for where a request
// comes from. It refuses to say whether a token has ended, or what it may do: that is the room's to ask.
package bearer
