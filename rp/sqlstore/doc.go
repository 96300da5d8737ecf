// Package sqlstore is an rp.Store in the website's own SQL database, so that its replicas share sessions, sign-outs and
// what is owed to providers.
//
//	store, err := sqlstore.Open(ctx, db, sqlstore.Postgres)
//
// It rests on database/sql and works with any driver: SQLite since 3.35 with modernc.org/sqlite or mattn/go-sqlite3,
// Postgres since 12 with pgx or lib/pq. It makes its own tables, whose names begin with rp_, and touches no others. It
// stores hashes of secrets and sealed values only: a copy of the database opens no session and no provider.
//
// What belongs together is one transaction: serializable on Postgres, with the write lock from the beginning on SQLite.
// What the database refuses because of others is tried again until the context ends, or for ten seconds.
//
// It refuses a read replica: point it at the primary. With SQLite, WAL mode spares readers from waiting; it works without.
package sqlstore
