// Package operate is what operators do, once: people, sessions, apps, deliveries, receipts, keys and roles, as verbs on one transaction
// and as the views that are shown of them. The console's pages, its JSON and the commands call the same verb, so what one of them may
// not do none of them can.
//
// It rests on idp, on the door, and on package receipt. It refuses to know who asks: whether an operator may is asked by the room, in
// the same transaction. Only ResendAll takes several, and has the room asked in each.
package operate
