// Package dpop reads proofs of possession (RFC 9449): what a client signs for one request, to show that it holds the key to which
// its token is bound. Server and guard check by it alike.
//
// It rests on the standard library and package jws, because guard carries it into other people's programs. The algorithm is
// the key's, as everywhere here: ES256, EdDSA (also by its newer name Ed25519, RFC 9864), RS256 and PS256.
//
// It refuses what RFC 9449 section 4.3 refuses, and to know whose key it is: whoever calls compares [Proof.Key] with what the
// token says. That a proof is used once is for [Memory], in one process, or for the store's rows.
package dpop
