-- What a person signs in with besides the password. handle finds a passkey without a username, and a recovery code. counter only
-- grows. session is the ref of the one in which it was added.
CREATE TABLE credential (
  id       TEXT PRIMARY KEY,
  account  TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  handle   BLOB,
  public   BLOB,
  secret   BLOB,
  counter  INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  used_at  INTEGER NOT NULL,
  session  TEXT    NOT NULL,
  ip       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX credential_handle ON credential (handle) WHERE handle IS NOT NULL;
CREATE INDEX credential_account ON credential (account, added_at, id);
