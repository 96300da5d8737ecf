// Package server wires the rooms together; it is the only place that does. [Core] is what commands need beside a running server:
// store, keys, door. [Server] adds the rooms, the feed, the sweeps and the listeners.
package server
