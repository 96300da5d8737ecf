package verbs

import "exeunt.dev/internal/idp"

// codeKept is how long a code outlives its expiry, so that its reuse is still noticed.
const codeKept = idp.Time(24 * 3600 * 1000)

// What the sweep deletes first. Each takes a time and a limit.
const (
	sqlSweepPendings = `DELETE FROM pending WHERE id IN (SELECT id FROM pending WHERE expires_at <= ? ORDER BY expires_at LIMIT CAST(? AS BIGINT))`
	sqlSweepCodes    = `DELETE FROM code WHERE hash IN (SELECT hash FROM code WHERE expires_at <= ? ORDER BY expires_at LIMIT CAST(? AS BIGINT))`
	// What a code would have opened for while its person is away, had anybody redeemed it, and none of now can: no session takes it along. It
	// comes before the codes, which say which it is.
	sqlSweepUnredeemed = `DELETE FROM grant_ WHERE session IS NULL AND redeemed_at = 0
		AND name IN (SELECT offline FROM code WHERE expires_at <= ?1 AND offline IS NOT NULL ORDER BY expires_at LIMIT CAST(?2 AS BIGINT))
		AND name NOT IN (SELECT offline FROM code WHERE expires_at > CAST(?1 AS BIGINT) + 86400000 AND offline IS NOT NULL)`
	sqlSweepFamilies = `DELETE FROM family WHERE name IN (SELECT name FROM family WHERE expires_at <= ? ORDER BY expires_at LIMIT CAST(? AS BIGINT))`
	// A session that is over needs no watching; without this, the search for expired ones would meet it for ever.
	sqlSweepDeadlines = `UPDATE session_seen SET deadline = NULL WHERE session IN (
		SELECT n.session FROM session_seen n LEFT JOIN session s ON s.name = n.session
		WHERE n.deadline <= ? AND (s.name IS NULL
			OR EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.name, s.epoch, s.realm))
			OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.account))
		ORDER BY n.deadline LIMIT CAST(? AS BIGINT))`
)

// What providers said, for as long as it may overtake a sign-in, and what was owed to them. settledKept is how long an operator sees
// what became of it; originKept how long a receipt can still send its person to the provider's sign-out.
const (
	settledKept = idp.Time(30 * 24 * 3600 * 1000)
	originKept  = idp.Time(3600 * 1000)

	sqlSweepSeen    = `DELETE FROM logout_seen WHERE (provider, jti) IN (SELECT provider, jti FROM logout_seen WHERE until <= ? ORDER BY until LIMIT CAST(? AS BIGINT))`
	sqlSweepEnds    = `DELETE FROM upstream_end WHERE (provider, issuer, kind, value) IN (SELECT provider, issuer, kind, value FROM upstream_end WHERE until <= ? ORDER BY until LIMIT CAST(? AS BIGINT))`
	sqlSweepSettled = `DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE settled_at <> 0 AND settled_at <= ? ORDER BY settled_at LIMIT CAST(? AS BIGINT))`
	sqlSweepOrigins = `DELETE FROM session_origin WHERE session IN (SELECT session FROM session_origin o WHERE o.gone_at <= ?
		AND NOT EXISTS (SELECT 1 FROM grant_ g WHERE g.here = o.session) ORDER BY o.gone_at LIMIT CAST(? AS BIGINT))`
	// With offline access from there the row says where that came from. It is looked at again in a day, and loses its hint.
	sqlKeepOrigins = `UPDATE session_origin SET kept = NULL, gone_at = gone_at + 86400000 WHERE session IN (SELECT session FROM session_origin o WHERE o.gone_at <= ?
		AND EXISTS (SELECT 1 FROM grant_ g WHERE g.here = o.session) ORDER BY o.gone_at LIMIT CAST(? AS BIGINT))`
	sqlGoneOrigin = `UPDATE session_origin SET gone_at = (SELECT time FROM counter) WHERE session = ?`
)

// Receipts that are told and whose tokens are all over. An earlier one that is not told yet may have to find the same grants: the first
// ending of a name tells of it.
const (
	sqlUncleared = `SELECT number, endings, at FROM receipt WHERE told_at <> 0 AND cleared = 0
		AND number < coalesce((SELECT min(o.number) FROM receipt o WHERE o.told_at = 0), 9223372036854775807) ORDER BY number LIMIT CAST(? AS BIGINT)`
	sqlCleared = `UPDATE receipt SET cleared = 1 WHERE number = ?`
	sqlNamesOf = `SELECT name, what FROM ending WHERE number >= ? AND number < ?`
)

// What hangs beneath a name, by what it is the name of. Each takes a name and a limit.
var sqlBeneath = map[idp.What]struct{ sessions, grants string }{
	idp.WhatSession: {`SELECT name FROM session WHERE name = ? LIMIT CAST(? AS BIGINT)`, ""},
	idp.WhatAccount: {`SELECT s.name FROM session s WHERE s.account IN (SELECT r.account FROM ending e JOIN receipt r ON r.number = e.receipt WHERE e.name = ?1)
		AND s.epoch = ?1 LIMIT CAST(?2 AS BIGINT)`, `SELECT name FROM grant_ WHERE account_epoch = ? LIMIT CAST(? AS BIGINT)`},
	idp.WhatRealm: {`SELECT name FROM session WHERE realm = ? LIMIT CAST(? AS BIGINT)`, `SELECT name FROM grant_ WHERE realm = ? LIMIT CAST(? AS BIGINT)`},
	idp.WhatGrant: {"", `SELECT name FROM grant_ WHERE name = ? LIMIT CAST(? AS BIGINT)`},
	idp.WhatClient: {"", `SELECT g.name FROM grant_ g WHERE g.client IN (SELECT r.client FROM ending e JOIN receipt r ON r.number = e.receipt WHERE e.name = ?1)
		AND g.client_epoch = ?1 LIMIT CAST(?2 AS BIGINT)`},
	idp.WhatConsent: {"", `SELECT g.name FROM grant_ g JOIN ending e ON e.name = ?1 JOIN receipt r ON r.number = e.receipt
		WHERE g.client = r.client AND g.account = r.account AND g.consent_epoch = ?1 LIMIT CAST(?2 AS BIGINT)`},
}

const (
	sqlDropSession   = `DELETE FROM session WHERE name = ?`
	sqlDropSeen      = `DELETE FROM session_seen WHERE session = ?`
	sqlDropSlots     = `DELETE FROM slot WHERE session = ?`
	sqlDropGrant     = `DELETE FROM grant_ WHERE name = ?`
	sqlDropFamilies  = `DELETE FROM family WHERE grant_ = ?`
	sqlBoundGrants   = `SELECT name FROM grant_ WHERE session = ?`
	sqlFreeSlotGrant = `UPDATE slot SET grant_ = NULL WHERE session = (SELECT session FROM grant_ WHERE name = ?1) AND grant_ = ?1`
)

// Sweep deletes what nobody asks for any more: at most about limit rows, so that it never holds the writer for long.
func (t *Tx) Sweep(now idp.Time, limit int) (int, error) {
	n, err := t.E.Counter()
	if err != nil {
		return 0, err
	}
	longest := idp.Time(n.Max * 1000)
	left := int64(max(limit, 1))
	all := left
	for _, s := range []struct {
		sql  string
		past idp.Time
	}{
		{sqlSweepDeadlines, now},
		{sqlSweepPendings, now},
		{sqlSweepProofs, now},
		{sqlSweepTally, now/hour - 1},
		{sqlSweepUnredeemed, now - codeKept},
		{sqlSweepCodes, now - codeKept},
		{sqlSweepFamilies, now - codeKept - longest},
		{sqlSweepSeen, now},
		{sqlSweepEnds, now},
		{sqlSweepSettled, now - settledKept},
		{sqlSweepOrigins, now - originKept},
		{sqlKeepOrigins, now - originKept},
	} {
		if left <= 0 {
			return int(all - left), nil
		}
		swept, err := t.write(s.sql, s.past, left)
		if err != nil {
			return 0, err
		}
		left -= swept
	}
	cleared, err := t.clear(now-longest-1000, left)
	return int(all - left + cleared), err
}

// clear deletes the rows beneath what told receipts ended before over.
func (t *Tx) clear(over idp.Time, left int64) (int64, error) {
	type old struct{ number, endings uint64 }
	var receipts []old
	err := t.E.Each(sqlUncleared, func(r Row) {
		o := old{uint64(r.Int()), uint64(r.Int())}
		if r.Time() <= over {
			receipts = append(receipts, o)
		}
	}, left)
	if err != nil {
		return 0, err
	}
	gone := int64(0)
	for _, o := range receipts {
		if err := t.keepCounts(o.number); err != nil {
			return 0, err
		}
		n, done, err := t.clearOne(o.number, o.number+o.endings, left-gone)
		if err != nil {
			return 0, err
		}
		gone += n
		if !done {
			return gone, nil
		}
		if err := t.must(sqlCleared, o.number); err != nil {
			return 0, err
		}
		gone++
		if gone >= left {
			return gone, nil
		}
	}
	return gone, nil
}

// clearOne deletes what hangs beneath the endings first to end-1; done says that nothing is left. A family that an app gave back stays
// until its own time is over, or its grant's: by it a person's list of apps knows that the app has nothing any more.
func (t *Tx) clearOne(first, end uint64, left int64) (gone int64, done bool, err error) {
	type over struct {
		name idp.Name
		what idp.What
	}
	var names []over
	if err := t.E.Each(sqlNamesOf, func(r Row) { names = append(names, over{r.Name(), idp.What(r.Text())}) }, first, end); err != nil {
		return 0, false, err
	}
	for _, o := range names {
		for _, k := range []struct {
			find string
			drop func(idp.Name) (int64, error)
		}{{sqlBeneath[o.what].sessions, t.dropSession}, {sqlBeneath[o.what].grants, t.dropGrant}} {
			if k.find == "" {
				continue
			}
			found, err := t.names(k.find, o.name, max(left-gone, 0)+1)
			if err != nil {
				return 0, false, err
			}
			for _, n := range found {
				if gone >= left {
					return gone, false, nil
				}
				dropped, err := k.drop(n)
				if err != nil {
					return 0, false, err
				}
				gone += dropped
			}
		}
	}
	return gone, true, nil
}

func (t *Tx) names(sql string, args ...any) (out []idp.Name, err error) {
	err = t.E.Each(sql, func(r Row) { out = append(out, r.Name()) }, args...)
	return out, err
}

func (t *Tx) dropSession(n idp.Name) (int64, error) {
	grants, err := t.names(sqlBoundGrants, n)
	if err != nil {
		return 0, err
	}
	gone := int64(0)
	for _, g := range grants {
		dropped, err := t.dropGrant(g)
		if err != nil {
			return 0, err
		}
		gone += dropped
	}
	if _, err := t.write(sqlGoneOrigin, n); err != nil {
		return 0, err
	}
	for _, sql := range []string{sqlDropSlots, sqlDropSeen, sqlDropSession} {
		dropped, err := t.write(sql, n)
		if err != nil {
			return 0, err
		}
		gone += dropped
	}
	return gone, nil
}

// dropGrant keeps the slot: its mark "must ask a human" outlives the grant.
func (t *Tx) dropGrant(n idp.Name) (int64, error) {
	if _, err := t.write(sqlFreeSlotGrant, n); err != nil {
		return 0, err
	}
	gone := int64(0)
	for _, sql := range []string{sqlDropFamilies, sqlDropGrant} {
		dropped, err := t.write(sql, n)
		if err != nil {
			return 0, err
		}
		gone += dropped
	}
	return gone, nil
}
