// Package jws signs and verifies compact JSON Web Signatures (RFC 7515) and reads and writes JWK Sets (RFC 7517).
//
// It rests on the standard library alone, because guard and rp carry it into other people's programs. The algorithm is
// a property of the [Key]: a header is only ever compared with it and never chooses (RFC 8725 section 3.1).
//
// It refuses, rather than supports: algorithms other than ES256, EdDSA with Ed25519, RS256 and PS256 ("none" and HS* do
// not exist here); RSA below 2048 bits; critical header parameters; repeated header parameters; padded, wrapped or
// non-canonical base64url; an empty payload; the JSON serializations; encryption; keys that come inside a token (jku,
// x5c, x5u are ignored, and jwk is no key to verify by: it can be asked for with OwnKey, for proofs of possession). It knows nothing of claims: issuer, audience and times are for the caller.
package jws
