package sqlstore

import "strings"

// Dialect is a database's own SQL.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota + 1
	Postgres
)

// schema makes the tables. Times are milliseconds since 1970. A session ends by being deleted; what says that it must not
// come back is a row of rp_ended.
const schema = `
CREATE TABLE IF NOT EXISTS rp_attempt (
	state BLOB PRIMARY KEY, browser BLOB NOT NULL, provider TEXT NOT NULL, sealed BLOB NOT NULL, posted BLOB, expires BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS rp_attempt_expires ON rp_attempt (expires);
CREATE TABLE IF NOT EXISTS rp_session (
	id BLOB PRIMARY KEY, person TEXT NOT NULL, signed BIGINT NOT NULL, begun BIGINT NOT NULL, created BIGINT NOT NULL, idle BIGINT NOT NULL,
	ends BIGINT NOT NULL, provider TEXT NOT NULL, subject TEXT NOT NULL, sid TEXT NOT NULL, issued BIGINT NOT NULL, sealed BLOB);
CREATE INDEX IF NOT EXISTS rp_session_person ON rp_session (person);
CREATE INDEX IF NOT EXISTS rp_session_sid ON rp_session (provider, sid);
CREATE INDEX IF NOT EXISTS rp_session_subject ON rp_session (provider, subject);
CREATE INDEX IF NOT EXISTS rp_session_ends ON rp_session (ends);
CREATE INDEX IF NOT EXISTS rp_session_idle ON rp_session (idle);
CREATE TABLE IF NOT EXISTS rp_token (
	provider TEXT NOT NULL, subject TEXT NOT NULL, session BLOB NOT NULL, person TEXT NOT NULL, sealed BLOB NOT NULL, revocable INTEGER NOT NULL,
	created BIGINT NOT NULL, PRIMARY KEY (provider, subject, session));
CREATE INDEX IF NOT EXISTS rp_token_person ON rp_token (person);
CREATE INDEX IF NOT EXISTS rp_token_session ON rp_token (session);
CREATE TABLE IF NOT EXISTS rp_ended (
	kind TEXT NOT NULL, provider TEXT NOT NULL, value TEXT NOT NULL, issued BIGINT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (kind, provider, value));
CREATE INDEX IF NOT EXISTS rp_ended_until ON rp_ended (until);
CREATE TABLE IF NOT EXISTS rp_seen (provider TEXT NOT NULL, jti TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (provider, jti));
CREATE INDEX IF NOT EXISTS rp_seen_until ON rp_seen (until);
CREATE TABLE IF NOT EXISTS rp_duty (
	id TEXT PRIMARY KEY, provider TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL, sealed BLOB, attempts INTEGER NOT NULL,
	created BIGINT NOT NULL, next BIGINT NOT NULL, give_up BIGINT NOT NULL, why TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rp_duty_due ON rp_duty (provider, state, next);
CREATE INDEX IF NOT EXISTS rp_duty_person ON rp_duty (person, created)`

func (d Dialect) schema() string {
	if d == Postgres {
		return strings.ReplaceAll(schema, " BLOB", " BYTEA")
	}
	return schema
}

// sql numbers the placeholders where the database wants that. No statement here has a question mark of its own.
func (d Dialect) sql(q string) string {
	if d != Postgres {
		return q
	}
	var b strings.Builder
	n := byte(0)
	for _, c := range []byte(q) {
		if c != '?' {
			b.WriteByte(c)
			continue
		}
		n++
		b.WriteByte('$')
		if n >= 10 {
			b.WriteByte('0' + n/10)
		}
		b.WriteByte('0' + n%10)
	}
	return b.String()
}
