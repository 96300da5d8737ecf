// Package oauth is the protocol: authorize, token, par, challenge, userinfo, introspect, revoke, global revocation, register
// and the two discovery documents, a file each (OpenID Connect Core 1.0, RFC 6749, 7009, 7662, 7591, 7592, 8414, 8707, 9068,
// 9126, 9207, 9701, and the draft of Global Token Revocation).
//
// It issues only what it can end. It does not find out who somebody is (signin) and ends nothing but through the door.
// Absent on purpose: implicit and hybrid flows, the password grant, PKCE plain, request objects.
package oauth
