// Package door is the door: the one way by which anything ends.
//
// [Door.End] reaches what a selector names, appends the endings and writes one receipt, which is also the duty to tell
// everybody: constant work whatever hangs beneath, in one transaction. [EndIn] does the same inside a transaction of the
// caller, for writes that must commit together with their end (a password change, a refresh token used twice).
//
// It rests on idp.Store, which joins concurrent calls into one commit. It refuses to know about HTTP, cookies and
// tokens, and it tells nobody: telling is package delivery's, from the rows written here. No other package may append
// to the ledger; tree_test.go proves it.
package door
