// Package token mints and reads the tokens of this server: access tokens (RFC 9068), ID tokens (OpenID Connect Core
// section 2), and refresh tokens whose predecessor decrypts its successor.
//
// It rests on package keys for signing and verifying. It does not decide who gets a token and does not ask whether one
// has ended: it tells by which names to ask ([Access.Hangs]), and the caller asks the store.
package token
