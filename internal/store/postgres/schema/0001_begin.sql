-- What stands in the same place in SQLite has the same name; the rows are the same, so that one can be moved to the other.
-- No table has an "ended" column: what has ended is in table ending.

CREATE TABLE realm (
  id             BIGINT PRIMARY KEY CHECK (id = 1),
  epoch          BYTEA NOT NULL
);

-- life_cap in seconds; old_cap holds until ledger time old_cap_until; max_cap is the largest there ever was.
CREATE TABLE counter (
  id             BIGINT PRIMARY KEY CHECK (id = 1),
  lineage        BYTEA NOT NULL,
  number         BIGINT NOT NULL,
  time           BIGINT NOT NULL,
  life_cap       BIGINT NOT NULL,
  old_cap        BIGINT NOT NULL,
  old_cap_until  BIGINT NOT NULL,
  max_cap        BIGINT NOT NULL
) WITH (fillfactor = 10); -- one row, written by every commit that ends something: room for new versions on its page

CREATE TABLE account (
  id             TEXT COLLATE "C" PRIMARY KEY,
  folded         TEXT COLLATE "C" NOT NULL UNIQUE,
  username       TEXT NOT NULL,
  password       TEXT NOT NULL,
  name           TEXT NOT NULL,
  email          TEXT NOT NULL,
  email_verified BOOLEAN NOT NULL,
  state          TEXT NOT NULL,
  epoch          BYTEA,
  created_at     BIGINT NOT NULL,
  password_at    BIGINT NOT NULL
);

CREATE TABLE consent (
  account        TEXT NOT NULL,
  client         TEXT COLLATE "C" NOT NULL,
  scopes         TEXT NOT NULL,
  given_at       BIGINT NOT NULL,
  epoch          BYTEA,
  PRIMARY KEY (account, client)
);

-- version is a new random number at each write, so that a cached copy can be told from any other.
CREATE TABLE client (
  id             TEXT COLLATE "C" PRIMARY KEY,
  version        BIGINT NOT NULL,
  epoch          BYTEA,
  secret         BYTEA,
  registration   BYTEA,
  created_at     BIGINT NOT NULL,
  data           TEXT NOT NULL
);

CREATE TABLE session (
  name           BYTEA PRIMARY KEY,
  ref            TEXT COLLATE "C" NOT NULL,
  account        TEXT NOT NULL,
  realm          BYTEA,
  epoch          BYTEA,
  cookie         BYTEA,
  persistent     BOOLEAN NOT NULL,
  created_at     BIGINT NOT NULL,
  auth_time      BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  idle           BIGINT NOT NULL,
  methods        TEXT NOT NULL,
  user_agent     TEXT NOT NULL,
  ip             TEXT NOT NULL
);
CREATE UNIQUE INDEX session_cookie ON session (cookie) WHERE cookie IS NOT NULL;
CREATE UNIQUE INDEX session_ref ON session (account, ref);
CREATE INDEX session_list ON session (account, epoch, created_at, ref);

-- Often written, so apart. deadline is when the sweep has to look: the earlier of the idle and the absolute limit. NULL
-- once the session is over.
CREATE TABLE session_seen (
  session        BYTEA PRIMARY KEY,
  last_seen      BIGINT NOT NULL,
  ip             TEXT NOT NULL,
  deadline       BIGINT
);
CREATE INDEX session_deadline ON session_seen (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE slot (
  session        BYTEA NOT NULL,
  client         TEXT COLLATE "C" NOT NULL,
  grant_         BYTEA,
  must_ask       BOOLEAN NOT NULL,
  PRIMARY KEY (session, client)
);

CREATE TABLE grant_ (
  name           BYTEA PRIMARY KEY,
  account        TEXT NOT NULL,
  client         TEXT NOT NULL,
  session        BYTEA,
  here           BYTEA,
  realm          BYTEA,
  account_epoch  BYTEA,
  client_epoch   BYTEA,
  consent_epoch  BYTEA,
  created_at     BIGINT NOT NULL,
  redeemed_at    BIGINT NOT NULL
);
CREATE INDEX grant_session ON grant_ (session) WHERE session IS NOT NULL;
CREATE INDEX grant_here ON grant_ (here, client) WHERE here IS NOT NULL;
CREATE INDEX grant_client ON grant_ (client, account);
CREATE INDEX grant_account_epoch ON grant_ (account_epoch) WHERE account_epoch IS NOT NULL;

CREATE TABLE family (
  name           BYTEA PRIMARY KEY,
  grant_         BYTEA NOT NULL,
  sid            BYTEA,
  client         TEXT NOT NULL,
  handle         BYTEA,
  generation     BIGINT NOT NULL,
  cur            BYTEA,
  prev           BYTEA,
  prev2          BYTEA,
  rotated_at     BIGINT NOT NULL,
  succ           BYTEA,
  scopes         TEXT NOT NULL,
  audience       TEXT NOT NULL,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  idle           BIGINT NOT NULL
);
CREATE UNIQUE INDEX family_handle ON family (handle) WHERE handle IS NOT NULL;
CREATE INDEX family_grant ON family (grant_);
CREATE INDEX family_expires ON family (expires_at);

CREATE TABLE code (
  hash           BYTEA PRIMARY KEY,
  grant_         BYTEA NOT NULL,
  offline        BYTEA,
  family         BYTEA NOT NULL,
  client         TEXT NOT NULL,
  redirect_uri   TEXT NOT NULL,
  challenge      TEXT NOT NULL,
  nonce          TEXT NOT NULL,
  scopes         TEXT NOT NULL,
  resources      TEXT NOT NULL,
  issued_at      BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  used_at        BIGINT NOT NULL
);
CREATE INDEX code_expires ON code (expires_at);

CREATE TABLE pending (
  id             BYTEA PRIMARY KEY,
  kind           TEXT NOT NULL,
  browser        BYTEA,
  client         TEXT NOT NULL,
  realm          BYTEA,
  account_epoch  BYTEA,
  client_epoch   BYTEA,
  consent_epoch  BYTEA,
  session        BYTEA,
  acted_at       BIGINT NOT NULL,
  data           BYTEA,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL
);
CREATE INDEX pending_expires ON pending (expires_at);

CREATE TABLE key (
  kid            BYTEA PRIMARY KEY,
  use            TEXT NOT NULL,
  alg            TEXT NOT NULL,
  state          TEXT NOT NULL,
  private        BYTEA,
  public         BYTEA,
  created_at     BIGINT NOT NULL,
  retired_at     BIGINT NOT NULL
);

-- The ledger. receipt is the number of its receipt's row.
CREATE TABLE ending (
  number         BIGINT PRIMARY KEY,
  name           BYTEA NOT NULL CONSTRAINT ending_name UNIQUE,
  what           TEXT NOT NULL,
  receipt        BIGINT NOT NULL,
  at             BIGINT NOT NULL,
  until          BIGINT NOT NULL
);
CREATE INDEX ending_forever ON ending (number) WHERE until = 4294967295;

-- A receipt's endings lie together in the ledger: number is the first one's, endings says how many there are.
-- cleared says that the rows beneath what it ended are swept.
CREATE TABLE receipt (
  number         BIGINT PRIMARY KEY,
  endings        BIGINT NOT NULL,
  id             TEXT NOT NULL,
  request        BYTEA,
  cause          TEXT NOT NULL,
  actor          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  selector       TEXT NOT NULL,
  account        TEXT NOT NULL,
  client         TEXT NOT NULL,
  session        BYTEA,
  at             BIGINT NOT NULL,
  told_at        BIGINT NOT NULL,
  cleared        BIGINT NOT NULL
);
CREATE UNIQUE INDEX receipt_request ON receipt (request) WHERE request IS NOT NULL;
CREATE INDEX receipt_account ON receipt (account, number) WHERE account <> '';
CREATE INDEX receipt_owed ON receipt (number) WHERE told_at = 0;
CREATE INDEX receipt_uncleared ON receipt (number) WHERE told_at <> 0 AND cleared = 0;
