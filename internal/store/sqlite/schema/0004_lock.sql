-- Mail that is to be sent. sealed is the whole letter with its address, encrypted: it may hold links. The row goes when it is sent,
-- or when until has come. due is when the next attempt is made, and while one is made, when its lease ends.
CREATE TABLE mail (
  id         BLOB PRIMARY KEY,
  account    TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  sealed     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  until      INTEGER NOT NULL,
  due        INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  error      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_due ON mail (due);

-- How often something was done in an hour, so that all nodes together keep a limit. key is a hash.
CREATE TABLE tally (
  key   BLOB    NOT NULL,
  hour  INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (key, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX tally_hour ON tally (hour);

-- Why an account is locked, and when it opens by itself (0: never). A locked account without a row is opened by operators only.
CREATE TABLE account_lock (
  account  TEXT PRIMARY KEY,
  id       BLOB    NOT NULL,
  kind     TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  opens_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_lock_opens ON account_lock (opens_at) WHERE opens_at <> 0;

-- Since when somebody has signed in to an account, and when it was last recovered or opened: links to lock it that are older are void.
CREATE TABLE care (
  account    TEXT PRIMARY KEY,
  since      INTEGER NOT NULL,
  settled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_email ON account (lower(email)) WHERE email <> '';
