// Package jws is compact JWS (RFC 7515) and JWKS (RFC 7517) on the standard library alone, for ES256, EdDSA (Ed25519),
// RS256 and PS256.
//
// The algorithm is a property of the key, never of the message: a header's alg must equal the key's. `none` and the HMAC
// algorithms do not exist here, `crit`, `jwk`, `jku` and `x5c` headers are not acted on (crit is refused). It judges signatures
// only: what the claims mean is for its users guard, token, rp and exeunttest.
package jws
