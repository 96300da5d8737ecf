-- What a person signs in with besides the password. handle finds a passkey without a username, and a recovery code. counter only
-- grows. session is the ref of the one in which it was added.
CREATE TABLE credential (
  id       TEXT COLLATE "C" PRIMARY KEY,
  account  TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  handle   BYTEA,
  public   BYTEA,
  secret   BYTEA,
  counter  BIGINT  NOT NULL,
  added_at BIGINT  NOT NULL,
  used_at  BIGINT  NOT NULL,
  session  TEXT    NOT NULL,
  ip       TEXT    NOT NULL
);
CREATE UNIQUE INDEX credential_handle ON credential (handle) WHERE handle IS NOT NULL;
CREATE INDEX credential_account ON credential (account, added_at, id);
