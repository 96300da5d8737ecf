// Package verbs is what a store's transactions say, in the SQL that SQLite and Postgres share: the verbs of idp.View and
// idp.Tx, the rows they read, and the endings that a transaction has collected so far. Each store brings an Engine that
// runs statements, its locks, its commit and its schema; where the two databases need different words, the store has its own.
//
// Placeholders are ? in order or ?1, ?2, ...; an engine turns them into its database's. Zero names and zero hashes are
// NULL, times and durations are milliseconds, lists are JSON texts.
//
// It refuses to know which database it is, to begin or end a transaction, and to number an ending: that is done in the
// flight that carries COMMIT.
//
// A limit is written LIMIT CAST(? AS BIGINT): SQLite plans for the value of a bare one, and so prepares the statement anew at each use.
package verbs
