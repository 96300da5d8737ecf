// Package sqlite is the embedded store: idp.Store on SQLite (pure Go driver), in WAL mode with synchronous=FULL.
//
// One goroutine owns the writing connection and joins waiting closures into one commit; readers stand beside it, each View
// in a transaction of its own that opens after View was called. Nothing read in one transaction is trusted in the next:
// another process (a command beside the server) may write the same file.
//
// It refuses to open a database that is newer than the program or whose migrations are not the program's.
package sqlite
