// Package feed takes the ledger to guards: the tail, the snapshot and the beat of package ledger's wire format, for authenticated
// clients of kind api.
//
// A node vouches only for what it read: the head in a beat is a read of the counter row that began after the beat
// arrived. Arrival on the tail proves nothing, and nothing here pretends that it does.
package feed
