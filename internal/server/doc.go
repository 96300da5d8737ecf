// Package server puts the rooms together: it is the only package that knows them all.
//
// [Open] gives what a command and a server share: store, keys, door. [New] adds the rooms and listens, [Server.Run] serves
// until it is told to stop. The program, the demo and the tests all go through these.
//
// It refuses to start with a database whose key file is missing, and it holds no rule of its own: what may happen is
// decided in the rooms.
package server
