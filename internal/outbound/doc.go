// Package outbound is the only HTTP client of the server: logout tokens to apps, metadata and keys from providers, anything
// that goes to an address which somebody else wrote down. Whoever can register an address makes this machine call it, so the
// client is built to be of no use for reaching what only this machine can reach (server-side request forgery).
//
// The address that is connected to is checked at the moment of connecting, not the name before: a name server may answer
// differently the second time.
//
// It refuses: addresses that are not public unless the operator allows their network; plain http outside those networks; a
// proxy from the environment; redirects and changes of protocol (an answer with one is an error); cookies; answers of more than 64 KiB, compressed or
// not; calls of more than 5 seconds, answer included. It does not retry and knows no app, token or delivery: its callers do.
package outbound
