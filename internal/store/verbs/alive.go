package verbs

import "exeunt.dev/internal/idp"

// Which sessions live is asked of the ledger, and to ask it of each takes a database minutes where there are millions. But hardly any that
// is over still has a row: expired ones end within a minute, and what a receipt ended is swept when its tokens are over, too. So all rows
// are counted, of which an index tells, and those that are over are found from the endings whose rows are not swept yet.
const (
	sqlUnswept = `SELECT (SELECT count(*) FROM (SELECT 1 FROM session LIMIT CAST(? AS BIGINT)) AS c), (SELECT number FROM counter),
		(SELECT min(number) FROM receipt WHERE told_at = 0), (SELECT min(number) FROM receipt WHERE told_at <> 0 AND cleared = 0)`

	// Each is taken off once: with its realm, else by its name, else with its account, else as one whose time is up. ?1 is the first
	// ending that counts, ?2 now.
	sqlSessionsAlive = `SELECT (SELECT count(*) FROM session)
		- CASE WHEN EXISTS (SELECT 1 FROM ending WHERE number >= ?1 AND what = 'realm') THEN (SELECT count(*) FROM session
			WHERE realm IN (SELECT name FROM ending WHERE number >= ?1 AND what = 'realm')) ELSE 0 END
		- (SELECT count(*) FROM ending e CROSS JOIN session s WHERE e.number >= ?1 AND s.name = e.name
			AND NOT EXISTS (SELECT 1 FROM ending x WHERE x.name = s.realm))
		- (SELECT count(*) FROM ending e CROSS JOIN receipt r CROSS JOIN session s WHERE e.number >= ?1 AND e.what = 'account' AND r.number = e.receipt
			AND s.account = r.account AND s.epoch = e.name AND NOT EXISTS (SELECT 1 FROM ending x WHERE x.name IN (s.name, s.realm)))
		- (SELECT count(*) FROM session_seen n CROSS JOIN session s WHERE n.deadline <= ?2 AND s.name = n.session
			AND NOT EXISTS (SELECT 1 FROM ending x WHERE x.name IN (s.name, s.epoch, s.realm)))`
)

// SessionsAlive counts those of everybody.
func (v *View) SessionsAlive(now idp.Time, most int64) (n int64, counted bool, err error) {
	var rows, last, untold, uncleared int64 // of receipts: the first one's number
	if _, err := v.E.One(sqlUnswept, func(r Row) { rows, last, untold, uncleared = r.Int(), r.Int(), r.IntOr0(), r.IntOr0() }, most+1); err != nil {
		return 0, false, err
	}
	first := last + 1
	for _, n := range []int64{untold, uncleared} {
		if n > 0 {
			first = min(first, n)
		}
	}
	if most > 0 && (rows > most || last-first >= most) {
		return 0, false, nil
	}
	_, err = v.E.One(sqlSessionsAlive, func(r Row) { n = r.Int() }, first, now)
	return n, err == nil, err
}
