-- The language that a person has chosen for pages and letters. No row: none.
CREATE TABLE preference (
  account  TEXT PRIMARY KEY,
  language TEXT NOT NULL
);
