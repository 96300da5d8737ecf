// Package idp holds what Exeunt knows: the nouns (account, session, grant, family, ...), the names that
// end, the causes and selectors of an ending, the table of what ends what, and the contract of a store.
//
// It rests on package ledger for names and ledger time, and on nothing else of ours. It does no I/O:
// no HTTP, no SQL, no clock of its own. What a store must prove is written at [Store]; the proof is
// internal/store/storetest.
//
// The one rule: everything that can end has a name used once, and ending it puts the name in the ledger.
// No noun has an "ended" field, and none may get one.
package idp
