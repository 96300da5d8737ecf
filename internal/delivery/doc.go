// Package delivery tells apps that their users have been signed out: owed is owed.
//
// The duty to tell is a receipt's row, committed with the endings. A fan-out turns it into one delivery for each app that has a
// grant in what ended, in batches, with its place kept in the row; whoever commits a batch leases what it can send at once, and
// sends it. What fails and may recover is due again later; what a dead process had leased falls due by itself, or, where no other
// process can hold a lease, when the next one starts. So a message is attempted at least once, with a new token each time, and a
// crash at any instant loses none.
//
// It rests on idp.Store for all that matters and on package outbound for calls. In memory are only the calls under way and, for
// each app, how it has answered lately. It refuses to decide what has ended or who may know: the rows say that.
package delivery
