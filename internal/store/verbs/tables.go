package verbs

import "strings"

// Table is a table that both databases have, with the same columns, so that the rows of one can be moved to the other.
type Table struct {
	Name    string
	Columns []string
}

// Read is the question for all rows. What marks a database as moved does not move.
func (t *Table) Read() string {
	return "SELECT " + strings.Replace(strings.Join(t.Columns, ", "), "lineage", "substr(lineage, 1, 16)", 1) + " FROM " + t.Name
}

// Born says that a new database has a row in this table already.
func (t *Table) Born() bool { return t.Name == "counter" || t.Name == "realm" || t.Name == "audit" }

// Booleans are columns that Postgres keeps as such and SQLite as 0 and 1.
func Booleans(column string) bool {
	return column == "email_verified" || column == "must_ask" || column == "again" || column == "persistent"
}

// Tables are all that a database holds, but for its migrations.
func Tables() []Table {
	return []Table{
		{"realm", []string{"id", "epoch"}},
		{"counter", []string{"id", "lineage", "number", "time", "life_cap", "old_cap", "old_cap_until", "max_cap"}},
		{"account", []string{"id", "folded", "username", "password", "name", "email", "email_verified", "state", "epoch", "created_at", "password_at"}},
		{"consent", []string{"account", "client", "scopes", "given_at", "epoch"}},
		{"client", []string{"id", "version", "epoch", "secret", "registration", "created_at", "data", "old_secret", "old_secret_until"}},
		{"session", []string{"name", "ref", "account", "realm", "epoch", "cookie", "persistent", "created_at", "auth_time", "expires_at", "idle", "methods", "user_agent", "ip"}},
		{"session_seen", []string{"session", "last_seen", "ip", "deadline"}},
		{"slot", []string{"session", "client", "grant_", "must_ask"}},
		{"grant_", []string{"name", "account", "client", "session", "here", "realm", "account_epoch", "client_epoch", "consent_epoch", "created_at", "redeemed_at"}},
		{"family", []string{"name", "grant_", "sid", "client", "handle", "generation", "cur", "prev", "prev2", "rotated_at", "succ", "scopes", "audience", "created_at", "expires_at", "idle", "jkt", "net"}},
		{"code", []string{"hash", "grant_", "offline", "family", "client", "redirect_uri", "challenge", "nonce", "scopes", "resources", "issued_at", "expires_at", "used_at", "jkt", "net"}},
		{"pending", []string{"id", "kind", "browser", "client", "realm", "account_epoch", "client_epoch", "consent_epoch", "session", "acted_at", "data", "created_at", "expires_at"}},
		{"proof", []string{"id", "expires_at"}},
		{"credential", []string{"id", "account", "kind", "name", "handle", "public", "secret", "counter", "added_at", "used_at", "session", "ip"}},
		{"key", []string{"kid", "use", "alg", "state", "private", "public", "created_at", "retired_at"}},
		{"ending", []string{"number", "name", "what", "receipt", "at", "until"}},
		{"receipt", []string{"number", "endings", "id", "request", "cause", "actor", "reason", "selector", "account", "client", "session", "at", "told_at", "cleared", "fan_ending", "fan_account", "fan_grant", "sessions", "families"}},
		{"identity", []string{"provider", "issuer", "subject", "account", "name", "mail", "tokens", "added_at", "used_at"}},
		{"session_origin", []string{"session", "provider", "issuer", "subject", "sid", "issued", "kept", "gone_at"}},
		{"logout_seen", []string{"provider", "jti", "until"}},
		{"upstream_end", []string{"provider", "issuer", "kind", "value", "issued", "until"}},
		{"revocation", []string{"id", "provider", "issuer", "subject", "account", "receipt", "state", "tokens", "created_at", "due", "attempts", "attempted_at", "settled_at", "error"}},
		{"delivery", []string{"receipt", "sid", "client", "account", "state", "created_at", "due", "attempts", "attempted_at", "confirmed_at", "again", "status", "error", "since"}},
		{"operator", []string{"account", "role", "given_by", "given_at", "why"}},
		{"mail", []string{"id", "account", "kind", "sealed", "created_at", "until", "due", "attempts", "error"}},
		{"tally", []string{"key", "hour", "count"}},
		{"account_lock", []string{"account", "id", "kind", "at", "opens_at"}},
		{"preference", []string{"account", "language"}},
		{"care", []string{"account", "since", "settled_at", "recovered_at", "reviewed_at", "lang"}},
		{"event", []string{"id", "number", "hash", "kind", "at", "account", "actor", "session", "client", "receipt", "ip", "device", "why", "data"}},
		{"audit", []string{"id", "number", "hash", "first", "before"}},
		{"setting", []string{"key", "value"}},
	}
}
