-- What is owed and what is dead, each by itself: however many there are of one, nobody searches through them for the other.
DROP INDEX delivery_open;
CREATE INDEX delivery_open ON delivery (state, receipt, sid, client) WHERE state NOT IN ('confirmed', 'cannot-be-told');
