-- Somebody at a provider, linked to an account. tokens is sealed with the key that is not in the database.
CREATE TABLE identity (
  provider TEXT    NOT NULL,
  issuer   TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  account  TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  mail     TEXT    NOT NULL,
  tokens   BLOB,
  added_at INTEGER NOT NULL,
  used_at  INTEGER NOT NULL,
  PRIMARY KEY (provider, issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_account ON identity (account, added_at);

-- Through whom a session was signed in. kept (ID token and where to sign out) is sealed. gone_at is when the session's row was swept:
-- a while later this one is, unless offline access was given in that session.
CREATE TABLE session_origin (
  session  BLOB    NOT NULL,
  provider TEXT    NOT NULL,
  issuer   TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  sid      TEXT    NOT NULL,
  issued   INTEGER NOT NULL,
  kept     BLOB,
  gone_at  INTEGER,
  PRIMARY KEY (session, provider, issuer)
) STRICT, WITHOUT ROWID;
CREATE INDEX origin_sid ON session_origin (provider, issuer, sid) WHERE sid <> '';
CREATE INDEX origin_subject ON session_origin (provider, issuer, subject);
CREATE INDEX origin_gone ON session_origin (gone_at) WHERE gone_at IS NOT NULL;

-- Logout tokens that were acted on.
CREATE TABLE logout_seen (
  provider TEXT    NOT NULL,
  jti      TEXT    NOT NULL,
  until    INTEGER NOT NULL,
  PRIMARY KEY (provider, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_seen_until ON logout_seen (until);

-- What providers have ended of late, so that a sign-in which was under way meanwhile makes no session. kind: sid, sub, or nosid (a
-- subject's sign-ins of which no sid is known).
CREATE TABLE upstream_end (
  provider TEXT    NOT NULL,
  issuer   TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  value    TEXT    NOT NULL,
  issued   INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  PRIMARY KEY (provider, issuer, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX upstream_end_until ON upstream_end (until);

-- Consents to be taken back at providers. tokens is sealed, and destroyed with the last attempt.
CREATE TABLE revocation (
  id           BLOB    NOT NULL,
  provider     TEXT    NOT NULL,
  issuer       TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  account      TEXT    NOT NULL,
  receipt      TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  tokens       BLOB,
  created_at   INTEGER NOT NULL,
  due          INTEGER,
  attempts     INTEGER NOT NULL,
  attempted_at INTEGER NOT NULL,
  settled_at   INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_due ON revocation (provider, due) WHERE due IS NOT NULL;
CREATE INDEX revocation_receipt ON revocation (receipt);
CREATE INDEX revocation_settled ON revocation (settled_at) WHERE settled_at <> 0;
CREATE INDEX revocation_open ON revocation (id) WHERE state <> 'confirmed';
