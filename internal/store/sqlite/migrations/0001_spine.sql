-- Names are 12 bytes, hashes 32, times Unix milliseconds of ledger time. No table has an "ended" column: the ledger says.
CREATE TABLE realm (id INTEGER PRIMARY KEY CHECK (id = 1), epoch BLOB NOT NULL) STRICT;

-- The counter row: how far the ledger is, when that was, and how long guards must hold an ending.
CREATE TABLE counter (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL, time INTEGER NOT NULL, lineage BLOB NOT NULL,
  life_cap INTEGER NOT NULL, old_cap INTEGER NOT NULL, old_cap_until INTEGER NOT NULL
) STRICT;

CREATE TABLE ending (
  number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, what TEXT NOT NULL, receipt TEXT NOT NULL,
  at INTEGER NOT NULL, until INTEGER NOT NULL
) STRICT;
CREATE INDEX ending_receipt ON ending (receipt);
CREATE INDEX ending_until ON ending (until);

-- A receipt is also the fan-out: the duty to tell, owed while told_at is 0.
CREATE TABLE receipt (
  id TEXT PRIMARY KEY, request BLOB NOT NULL UNIQUE, cause TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
  selector TEXT NOT NULL, account TEXT NOT NULL, client TEXT NOT NULL, session BLOB, at INTEGER NOT NULL, told_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_account ON receipt (account, at);
CREATE INDEX receipt_owed ON receipt (at) WHERE told_at = 0;

CREATE TABLE account (
  id TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE, username TEXT NOT NULL, password TEXT NOT NULL, name TEXT NOT NULL,
  email TEXT NOT NULL, email_verified INTEGER NOT NULL, state TEXT NOT NULL, epoch BLOB,
  created_at INTEGER NOT NULL, password_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, data TEXT NOT NULL, secret BLOB, registration BLOB, epoch BLOB,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
  account TEXT NOT NULL, client TEXT NOT NULL, scopes TEXT NOT NULL, given_at INTEGER NOT NULL, epoch BLOB,
  PRIMARY KEY (account, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  name BLOB PRIMARY KEY, ref TEXT NOT NULL UNIQUE, account TEXT NOT NULL, realm BLOB NOT NULL, epoch BLOB NOT NULL,
  cookie BLOB UNIQUE, persistent INTEGER NOT NULL, created_at INTEGER NOT NULL, auth_time INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, idle INTEGER NOT NULL, methods TEXT NOT NULL, user_agent TEXT NOT NULL, ip TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account, created_at, name);
CREATE INDEX session_expires ON session (expires_at);

-- Apart, because it is written often.
CREATE TABLE session_seen (
  name BLOB PRIMARY KEY, last_seen INTEGER NOT NULL, ip TEXT NOT NULL, idle_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_seen_idle ON session_seen (idle_at);

CREATE TABLE slot (
  session BLOB NOT NULL, client TEXT NOT NULL, newest BLOB, must_ask INTEGER NOT NULL, PRIMARY KEY (session, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE grant_ (
  name BLOB PRIMARY KEY, account TEXT NOT NULL, client TEXT NOT NULL, session BLOB, here BLOB,
  realm BLOB, account_epoch BLOB, client_epoch BLOB, consent_epoch BLOB, created_at INTEGER NOT NULL, redeemed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_session ON grant_ (session) WHERE session IS NOT NULL;
CREATE INDEX grant_here ON grant_ (here, client) WHERE here IS NOT NULL;

CREATE TABLE code (
  hash BLOB PRIMARY KEY, grant_ BLOB NOT NULL, offline BLOB, family BLOB NOT NULL, client TEXT NOT NULL,
  redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL, nonce TEXT NOT NULL, scopes TEXT NOT NULL, resources TEXT NOT NULL,
  issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX code_expires ON code (expires_at);

CREATE TABLE family (
  name BLOB PRIMARY KEY, grant_ BLOB NOT NULL, sid BLOB NOT NULL, client TEXT NOT NULL, handle BLOB UNIQUE,
  generation INTEGER NOT NULL, cur BLOB, prev BLOB, prev2 BLOB, rotated_at INTEGER NOT NULL, succ BLOB,
  scopes TEXT NOT NULL, audience TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, idle INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pending (
  id BLOB PRIMARY KEY, kind TEXT NOT NULL, browser BLOB, client TEXT NOT NULL, born TEXT NOT NULL, session BLOB,
  acted_at INTEGER NOT NULL, data BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_expires ON pending (expires_at);

CREATE TABLE signing_key (
  kid BLOB PRIMARY KEY, use TEXT NOT NULL, alg TEXT NOT NULL, state TEXT NOT NULL, private BLOB NOT NULL, public BLOB NOT NULL,
  created_at INTEGER NOT NULL, retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
