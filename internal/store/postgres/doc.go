// Package postgres is the store of several nodes: idp.Store on one Postgres primary (pgx, pipelined flights). Nodes keep no
// state that matters.
//
// A transaction's locks and writes wait until something has to be read, and go with it in one flight. Endings are
// collected while a closure runs; the flight that carries COMMIT takes the counter row, numbers them, writes them and
// commits, so that no node holds the counter across a round trip and numbers follow commit order. Isolation is READ
// COMMITTED: what a decision rests on is locked first, and Ended, asked after the lock, reads a newer snapshot. A name or a
// request that two transactions append at once is a unique violation in the second, whose closure runs again and finds it.
// Ends that name what is used once are joined: one transaction for all that wait, with one statement for all their locks.
//
// A refresh is two flights. The first locks the family, reads it with all it hangs on and asks for endings in one statement,
// so on one snapshot, taken after the lock was granted; the second rotates and commits, and need not ask whether it was in time. The
// client that asks is a copy of this node's, and the first flight asks the row whether it is so: if not, the closure runs again.
//
// A notification says what a commit has appended, under a MAC that only nodes can make, so that others need not read it. An end that flies alone takes
// for granted that it is new: names are unique, and COMMIT fails if it is not.
//
// Ledger time comes from the database's clock. A node checks each reading against its own monotonic clock.
//
// It refuses a server that may forget what it has acknowledged (synchronous_commit or fsync off), one that is in recovery,
// and one whose ledger is shorter than what this node has already read: a primary that was deposed. It sets limits to
// statements, locks and idle transactions, so that a node that freezes holds nobody up for longer than two seconds. It
// never puts the text of a database error into an error of its own, since that may hold data.
package postgres
