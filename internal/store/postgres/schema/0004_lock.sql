-- As in SQLite.

-- Mail that is to be sent. sealed is the whole letter with its address, encrypted: it may hold links. The row goes when it is sent,
-- or when until has come. due is when the next attempt is made, and while one is made, when its lease ends.
CREATE TABLE mail (
  id         BYTEA PRIMARY KEY,
  account    TEXT NOT NULL,
  kind       TEXT NOT NULL,
  sealed     BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  until      BIGINT NOT NULL,
  due        BIGINT NOT NULL,
  attempts   BIGINT NOT NULL,
  error      TEXT NOT NULL
);
CREATE INDEX mail_due ON mail (due);

-- How often something was done in an hour, so that all nodes together keep a limit. key is a hash.
CREATE TABLE tally (
  key   BYTEA NOT NULL,
  hour  BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (key, hour)
);
CREATE INDEX tally_hour ON tally (hour);

-- Why an account is locked, and when it opens by itself (0: never). A locked account without a row is opened by operators only.
CREATE TABLE account_lock (
  account  TEXT PRIMARY KEY,
  id       BYTEA NOT NULL,
  kind     TEXT NOT NULL,
  at       BIGINT NOT NULL,
  opens_at BIGINT NOT NULL
);
CREATE INDEX account_lock_opens ON account_lock (opens_at) WHERE opens_at <> 0;

-- Since when somebody has signed in to an account, and when it was last recovered or opened: links to lock it that are older are void.
CREATE TABLE care (
  account    TEXT PRIMARY KEY,
  since      BIGINT NOT NULL,
  settled_at BIGINT NOT NULL
);

CREATE INDEX account_email ON account (lower(email)) WHERE email <> '';
