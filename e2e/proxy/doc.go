// Package proxy stands between programs under test and does what networks do: [Link] passes bytes on and can be cut, stalled,
// delayed and throttled; [Exchanges] passes HTTP answers on, one a connection, and can cut them at a byte, keep them, and give
// old ones again. It rests on the standard library.
//
// It refuses to understand what it carries, and to fail on its own: what it cannot reach is a connection that ends.
package proxy
