-- What happened around people's accounts, for them and for operators (docs/operations.md, "The audit log"). id is the time and chance, so
-- that its order is that of time. number and hash are given later, by the sealer: NULL until then. Rows never change otherwise.
CREATE TABLE event (
  id      BYTEA PRIMARY KEY,
  number  BIGINT,
  hash    BYTEA,
  kind    TEXT COLLATE "C" NOT NULL,
  at      BIGINT  NOT NULL,
  account TEXT COLLATE "C" NOT NULL,
  actor   TEXT COLLATE "C" NOT NULL,
  session TEXT    NOT NULL,
  client  TEXT    NOT NULL,
  receipt BIGINT  NOT NULL,
  ip      TEXT    NOT NULL,
  device  TEXT    NOT NULL,
  why     TEXT    NOT NULL,
  data    TEXT    NOT NULL
);
CREATE UNIQUE INDEX event_number ON event (number) WHERE number IS NOT NULL;
CREATE INDEX event_open ON event (id) WHERE number IS NULL;
CREATE INDEX event_account ON event (account, id) WHERE account <> '';
CREATE INDEX event_kind ON event (kind, id);
CREATE INDEX event_operator ON event (actor, id) WHERE actor >= 'operator:' AND actor < 'operator;';

-- The chain: its last number and hash, and the first number that is kept, with the hash of the one before it.
CREATE TABLE audit (
  id     BIGINT PRIMARY KEY CHECK (id = 1),
  number BIGINT NOT NULL,
  hash   BYTEA  NOT NULL,
  first  BIGINT NOT NULL,
  before BYTEA  NOT NULL
);
INSERT INTO audit (id, number, hash, first, before) VALUES (1, 0, decode(repeat('00', 32), 'hex'), 1, decode(repeat('00', 32), 'hex'));
