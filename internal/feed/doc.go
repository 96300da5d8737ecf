// Package feed carries the ledger to guards: the tail, the snapshot and the beat, as package ledger describes them.
//
// It rests on idp.Store and on package ledger for the wire. One goroutine ([Feed.Run]) reads the counter row and turns
// new entries into frames that all readers share.
//
// It refuses to vouch for anything it has not read: the head in a beat is a read of the counter row that began after the
// beat arrived, and a read that fails is a beat that fails. It keeps no reader that is too slow, and it never sends a
// part of what was asked for as if it were the whole.
package feed
