-- How far a receipt's fan-out has come: index of the ending, and behind which account's grant.
ALTER TABLE receipt ADD COLUMN fan_ending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receipt ADD COLUMN fan_account TEXT NOT NULL DEFAULT '';
ALTER TABLE receipt ADD COLUMN fan_grant BLOB;
-- What a receipt's endings took with them, counted before the rows are swept; NULL while they are there to be counted.
ALTER TABLE receipt ADD COLUMN sessions INTEGER;
ALTER TABLE receipt ADD COLUMN families INTEGER;

-- Of the end of a token, a family or a key nobody is told.
UPDATE receipt SET told_at = 1 WHERE told_at = 0 AND selector IN ('token', 'family', 'key');

-- One message to one app: that the grant it knows as sid is over. due is when an attempt is to be made, and while one is made,
-- when its lease ends; NULL when none is to be made.
CREATE TABLE delivery (
  receipt      INTEGER NOT NULL,
  sid          BLOB    NOT NULL,
  client       TEXT    NOT NULL,
  account      TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  due          INTEGER,
  attempts     INTEGER NOT NULL,
  attempted_at INTEGER NOT NULL,
  confirmed_at INTEGER NOT NULL,
  again        INTEGER NOT NULL,
  status       INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  PRIMARY KEY (receipt, sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (client, due) WHERE due IS NOT NULL;
-- What an operator may have to look at: what is owed, and what is dead.
CREATE INDEX delivery_open ON delivery (receipt, sid, client, state) WHERE state NOT IN ('confirmed', 'cannot-be-told');
