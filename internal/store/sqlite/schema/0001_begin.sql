-- No table has an "ended" column: what has ended is in table ending.

CREATE TABLE realm (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  epoch BLOB NOT NULL
) STRICT;

-- life_cap in seconds; old_cap holds until ledger time old_cap_until; max_cap is the largest there ever was.
CREATE TABLE counter (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  lineage       BLOB    NOT NULL,
  number        INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  life_cap      INTEGER NOT NULL,
  old_cap       INTEGER NOT NULL,
  old_cap_until INTEGER NOT NULL,
  max_cap       INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
  id             TEXT PRIMARY KEY,
  folded         TEXT    NOT NULL UNIQUE,
  username       TEXT    NOT NULL,
  password       TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  email          TEXT    NOT NULL,
  email_verified INTEGER NOT NULL,
  state          TEXT    NOT NULL,
  epoch          BLOB,
  created_at     INTEGER NOT NULL,
  password_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
  account  TEXT    NOT NULL,
  client   TEXT    NOT NULL,
  scopes   TEXT    NOT NULL,
  given_at INTEGER NOT NULL,
  epoch    BLOB,
  PRIMARY KEY (account, client)
) STRICT, WITHOUT ROWID;

-- version is a new random number at each write, so that a cached copy can be told from any other.
CREATE TABLE client (
  id           TEXT PRIMARY KEY,
  version      INTEGER NOT NULL,
  epoch        BLOB,
  secret       BLOB,
  registration BLOB,
  created_at   INTEGER NOT NULL,
  data         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  name       BLOB PRIMARY KEY,
  ref        TEXT    NOT NULL,
  account    TEXT    NOT NULL,
  realm      BLOB,
  epoch      BLOB,
  cookie     BLOB,
  persistent INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  auth_time  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  idle       INTEGER NOT NULL,
  methods    TEXT    NOT NULL,
  user_agent TEXT    NOT NULL,
  ip         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_cookie ON session (cookie) WHERE cookie IS NOT NULL;
CREATE UNIQUE INDEX session_ref ON session (account, ref);
CREATE INDEX session_list ON session (account, epoch, created_at, ref);

-- Often written, so apart. deadline is when the sweep has to look: the earlier of the idle and the absolute limit. NULL
-- once the session is over.
CREATE TABLE session_seen (
  session   BLOB PRIMARY KEY,
  last_seen INTEGER NOT NULL,
  ip        TEXT    NOT NULL,
  deadline  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX session_deadline ON session_seen (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE slot (
  session  BLOB    NOT NULL,
  client   TEXT    NOT NULL,
  grant_   BLOB,
  must_ask INTEGER NOT NULL,
  PRIMARY KEY (session, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE grant_ (
  name          BLOB PRIMARY KEY,
  account       TEXT    NOT NULL,
  client        TEXT    NOT NULL,
  session       BLOB,
  here          BLOB,
  realm         BLOB,
  account_epoch BLOB,
  client_epoch  BLOB,
  consent_epoch BLOB,
  created_at    INTEGER NOT NULL,
  redeemed_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_session ON grant_ (session) WHERE session IS NOT NULL;
CREATE INDEX grant_here ON grant_ (here, client) WHERE here IS NOT NULL;
CREATE INDEX grant_client ON grant_ (client, account);
CREATE INDEX grant_account_epoch ON grant_ (account_epoch) WHERE account_epoch IS NOT NULL;

CREATE TABLE family (
  name       BLOB PRIMARY KEY,
  grant_     BLOB    NOT NULL,
  sid        BLOB,
  client     TEXT    NOT NULL,
  handle     BLOB,
  generation INTEGER NOT NULL,
  cur        BLOB,
  prev       BLOB,
  prev2      BLOB,
  rotated_at INTEGER NOT NULL,
  succ       BLOB,
  scopes     TEXT    NOT NULL,
  audience   TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  idle       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX family_handle ON family (handle) WHERE handle IS NOT NULL;
CREATE INDEX family_grant ON family (grant_);
CREATE INDEX family_expires ON family (expires_at);

CREATE TABLE code (
  hash         BLOB PRIMARY KEY,
  grant_       BLOB    NOT NULL,
  offline      BLOB,
  family       BLOB    NOT NULL,
  client       TEXT    NOT NULL,
  redirect_uri TEXT    NOT NULL,
  challenge    TEXT    NOT NULL,
  nonce        TEXT    NOT NULL,
  scopes       TEXT    NOT NULL,
  resources    TEXT    NOT NULL,
  issued_at    INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX code_expires ON code (expires_at);

CREATE TABLE pending (
  id            BLOB PRIMARY KEY,
  kind          TEXT    NOT NULL,
  browser       BLOB,
  client        TEXT    NOT NULL,
  realm         BLOB,
  account_epoch BLOB,
  client_epoch  BLOB,
  consent_epoch BLOB,
  session       BLOB,
  acted_at      INTEGER NOT NULL,
  data          BLOB,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_expires ON pending (expires_at);

CREATE TABLE key (
  kid        BLOB PRIMARY KEY,
  use        TEXT    NOT NULL,
  alg        TEXT    NOT NULL,
  state      TEXT    NOT NULL,
  private    BLOB,
  public     BLOB,
  created_at INTEGER NOT NULL,
  retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger. receipt is the number of its receipt's row.
CREATE TABLE ending (
  number  INTEGER PRIMARY KEY,
  name    BLOB    NOT NULL UNIQUE,
  what    TEXT    NOT NULL,
  receipt INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  until   INTEGER NOT NULL
) STRICT;
CREATE INDEX ending_forever ON ending (number) WHERE until = 4294967295;

-- A receipt's endings lie together in the ledger: number is the first one's, endings says how many there are.
-- cleared says that the rows beneath what it ended are swept.
CREATE TABLE receipt (
  number   INTEGER PRIMARY KEY,
  endings  INTEGER NOT NULL,
  id       TEXT    NOT NULL,
  request  BLOB    UNIQUE,
  cause    TEXT    NOT NULL,
  actor    TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  selector TEXT    NOT NULL,
  account  TEXT    NOT NULL,
  client   TEXT    NOT NULL,
  session  BLOB,
  at       INTEGER NOT NULL,
  told_at  INTEGER NOT NULL,
  cleared  INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_account ON receipt (account, number) WHERE account <> '';
CREATE INDEX receipt_owed ON receipt (number) WHERE told_at = 0;
CREATE INDEX receipt_uncleared ON receipt (number) WHERE told_at <> 0 AND cleared = 0;
