// Package keys holds the signing keys: one active and one standby key for each use and algorithm, the standby published
// ahead so that a rotation or a kill can switch to it at once.
//
// It rests on idp.Store for the rows and on a [Vault] whose key is not in the database. It refuses to make a vault's key
// anew when there is one it cannot read, and to sign with a key that the ledger has ended. A kid is a name like any
// other: killing a key is an ending, made at the door.
package keys
