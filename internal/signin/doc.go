// Package signin finds out who somebody is: the sign-in pages with their one dispatcher, the check of a password, and the
// accounts API (requirements R1).
//
// What it hands to other rooms is a row: the Pending in which a human has acted. It sets no cookie itself and ends nothing
// but through the door.
package signin
