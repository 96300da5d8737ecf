// Package acme gets the server's own certificate from a certificate authority and renews it (RFC 8555), proving the name on
// the listener that people use (TLS-ALPN-01, RFC 8737), so that no second port is needed. It rests on golang.org/x/crypto/acme
// for the protocol.
//
// It asks by the clock, never because somebody connected: a stranger can cost no order, whatever name he sends, and nobody waits
// for one. What is cached serves while the authority is away. The authority's own words about a refusal are logged, once.
//
// It refuses: names other than the issuer's host, connections without a name, a folder in which others can write, an account
// key that is there and cannot be read. It holds one certificate (ECDSA P-256, a new key each time), and takes no part in
// who may reach the server.
package acme
