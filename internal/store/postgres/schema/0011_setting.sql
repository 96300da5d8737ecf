-- What all nodes of this database have agreed on, as their configurations write it.
CREATE TABLE setting (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
