-- What tokens are bound to: the thumbprint of a DPoP key, and a network; '' where it is nothing.
ALTER TABLE code ADD COLUMN jkt TEXT NOT NULL DEFAULT '';
ALTER TABLE code ADD COLUMN net TEXT NOT NULL DEFAULT '';
ALTER TABLE family ADD COLUMN jkt TEXT NOT NULL DEFAULT '';
ALTER TABLE family ADD COLUMN net TEXT NOT NULL DEFAULT '';

-- DPoP proofs that were used, while they would still be good: all nodes must know (RFC 9449 section 11.1).
CREATE TABLE proof (
  id         BLOB PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_expires ON proof (expires_at);
