// Package sqlite is the embedded store: idp.Store on one SQLite file (pure Go driver), WAL, synchronous=FULL.
//
// One goroutine owns the writing connection and joins the closures that wait for it into one commit. Endings are
// collected while a closure runs and written, numbered, with the counter row, right before COMMIT. Readers have
// connections of their own; each View opens its snapshot after it was called. Another process may write the same file:
// every write transaction begins with BEGIN IMMEDIATE and reads the counter row anew, and no cache is used without
// asking the row for its version first.
//
// It rests on the driver's own connections (database/sql/driver): database/sql would add a pool, a lock and several
// allocations to each of the eight small queries that a sign-out costs.
//
// It refuses a database that is newer than the program or whose migrations were changed, it refuses to write to a file
// that is no longer at its path, and it never puts the text of an SQL error into an error of its own, since that may
// hold data. Foreign keys are not declared: names outlive the rows they came from, and the sweep deletes rows in the
// order that it needs.
package sqlite
