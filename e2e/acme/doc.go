// Package acme proves that a server gets its certificate, keeps it and renews it, with an authority that we did not write:
// pebble, the one that Let's Encrypt tests with, on loopback, which really asks our listener for the proof.
package acme
