-- Who may use the console. The first admin comes by the command line; nobody is one by default.
CREATE TABLE operator (
  account  TEXT COLLATE "C" PRIMARY KEY,
  role     TEXT NOT NULL,
  given_by TEXT NOT NULL,
  given_at BIGINT NOT NULL,
  why      TEXT NOT NULL
);

-- The secret before the last, good until a time.
ALTER TABLE client ADD COLUMN old_secret BYTEA;
ALTER TABLE client ADD COLUMN old_secret_until BIGINT NOT NULL DEFAULT 0;

-- When an operator sent it again: created_at stays what it was.
ALTER TABLE delivery ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

-- The few who are not active are found without reading the many who are.
CREATE INDEX account_state ON account (state, folded) WHERE state <> 'active';

-- What machines did is found as what operators did is.
CREATE INDEX event_machine ON event (actor, id) WHERE actor >= 'client:' AND actor < 'client;';
