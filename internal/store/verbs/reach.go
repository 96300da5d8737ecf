package verbs

import "exeunt.dev/internal/idp"

// A count that a page shows need not be exact beyond this.
const countedTo = 10_000

const (
	sqlCounted      = `SELECT sessions, families FROM receipt WHERE number = ? AND sessions IS NOT NULL`
	sqlKeepCounts   = `UPDATE receipt SET sessions = ?, families = ? WHERE number = ? AND sessions IS NULL`
	sqlSessionsOver = `SELECT count(*) FROM (SELECT 1 FROM ending o JOIN session s ON s.account = ?1 AND s.epoch = o.name
		WHERE o.number >= ?2 AND o.number < ?3 AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = s.name AND e.number < ?2) LIMIT CAST(?4 AS BIGINT)) AS c`
	sqlSessionsOfRealm = `SELECT count(*) FROM (SELECT 1 FROM ending o JOIN session s ON s.realm = o.name
		WHERE o.number >= ?1 AND o.number < ?2 AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.name, s.epoch) AND e.number < ?1) LIMIT CAST(?3 AS BIGINT)) AS c`
	sqlFamiliesOver = `SELECT count(*) FROM (SELECT f.name FROM family f WHERE f.grant_ IN (
		SELECT sid FROM delivery WHERE receipt = ?1 UNION SELECT name FROM ending WHERE number >= ?1 AND number < ?2
		UNION SELECT g.name FROM ending e JOIN grant_ g ON g.account_epoch = e.name WHERE e.number >= ?1 AND e.number < ?2)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (f.name, f.grant_) AND e.number < ?1) LIMIT CAST(?3 AS BIGINT)) AS c`
)

// Reached counts what a receipt's endings took with them, or says what was counted before the rows were swept.
func (v *View) Reached(r idp.Receipt) (sessions, families int64, err error) {
	counted, err := v.E.One(sqlCounted, func(r Row) { sessions, families = r.Int(), r.Int() }, r.Number)
	if err != nil || counted {
		return sessions, families, err
	}
	endings, err := v.EndingsOf(r.ID)
	if err != nil {
		return 0, 0, err
	}
	first, end := r.Number, r.Number+uint64(len(endings))
	count := func(sql string, args ...any) (n int64, err error) {
		_, err = v.E.One(sql, func(r Row) { n = r.Int() }, args...)
		return n, err
	}
	whole, realm := false, false
	for _, e := range endings {
		switch e.What {
		case idp.WhatSession:
			sessions++
		case idp.WhatFamily:
			families++
		case idp.WhatAccount:
			whole = true
		case idp.WhatRealm:
			realm = true
		}
	}
	switch {
	case whole:
		sessions, err = count(sqlSessionsOver, r.Account, first, end, countedTo)
	case realm:
		sessions, err = count(sqlSessionsOfRealm, first, end, countedTo)
	}
	if err != nil || families > 0 {
		return sessions, families, err
	}
	families, err = count(sqlFamiliesOver, first, end, countedTo)
	return sessions, families, err
}

// keepCounts counts what a receipt has reached, while it can be counted. Of one that nobody is told of the ledger says all.
func (t *Tx) keepCounts(number uint64) error {
	r, err := t.ReceiptByNumber(number)
	if err != nil || r.ToldAt == idp.NobodyToTell {
		return err
	}
	sessions, families, err := t.Reached(r)
	if err != nil {
		return err
	}
	_, err = t.write(sqlKeepCounts, sessions, families, number)
	return err
}
