package verbs

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"exeunt.dev/internal/idp"
)

const (
	deliveryColumns = `receipt, sid, client, account, state, created_at, due, attempts, attempted_at, confirmed_at, again, status, error, since`

	sqlDelivery       = `SELECT ` + deliveryColumns + ` FROM delivery WHERE receipt = ? AND sid = ?`
	sqlInsertDelivery = `INSERT INTO delivery (` + deliveryColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receipt, sid) DO NOTHING`
	sqlToldOf         = `SELECT client, state, count(*), max(confirmed_at), min(due), max(attempts), max(error), CAST(NULL AS BIGINT) FROM delivery WHERE receipt = ?
		GROUP BY client, state ORDER BY client, state`

	// The condition of the index delivery_open.
	open             = ` state NOT IN ('confirmed', 'cannot-be-told') `
	sqlDeliveryCount = `SELECT g.client, g.state, g.n, CAST(0 AS BIGINT), CAST(NULL AS BIGINT), CAST(0 AS BIGINT), '',
		(SELECT d.created_at FROM delivery d WHERE` + open + `AND d.state = g.state AND d.receipt = g.oldest AND d.client = g.client LIMIT 1)
		FROM (SELECT client, state, count(*) AS n, min(receipt) AS oldest FROM delivery WHERE` + open + `GROUP BY client, state) AS g ORDER BY g.client, g.state`
	sqlOldestOwed = `SELECT created_at FROM delivery WHERE` + open + `AND state = 'owed' ORDER BY receipt, sid LIMIT 1`

	// It steps from app to app, however many rows each has.
	apps = `WITH RECURSIVE c (client) AS (SELECT min(client) FROM delivery WHERE due IS NOT NULL
			UNION ALL SELECT (SELECT min(d.client) FROM delivery d WHERE d.due IS NOT NULL AND d.client > c.client) FROM c WHERE c.client IS NOT NULL)`
	sqlBacklogs = apps + `
		SELECT client, due FROM (SELECT c.client, (SELECT min(d.due) FROM delivery d WHERE d.client = c.client AND d.due IS NOT NULL) AS due FROM c WHERE c.client IS NOT NULL) AS b
		WHERE due <= ?`

	sqlDue   = `SELECT ` + deliveryColumns + ` FROM delivery WHERE client = ? AND due <= ? ORDER BY due LIMIT CAST(? AS BIGINT)`
	sqlLease = `UPDATE delivery SET due = ?, attempts = attempts + 1, attempted_at = ? WHERE receipt = ? AND sid = ?`
	sqlFree  = `UPDATE delivery SET due = ?1 WHERE (receipt, sid) IN (` + apps + `
		SELECT d.receipt, d.sid FROM c JOIN delivery d ON d.client = c.client AND d.due > ?1 AND d.due = d.attempted_at + ?2)`
	sqlSettle = `UPDATE delivery SET state = ?, due = ?, confirmed_at = (CASE WHEN confirmed_at = 0 THEN CAST(? AS BIGINT) ELSE confirmed_at END), again = ?, status = ?, error = ?
		WHERE receipt = ? AND sid = ? AND attempts = ? AND since = ? AND due IS NOT NULL`
	sqlConfirmLate = `UPDATE delivery SET confirmed_at = ?, state = (CASE WHEN state = 'owed' THEN state ELSE 'confirmed' END) WHERE receipt = ? AND sid = ? AND confirmed_at = 0`
	sqlSendAgain   = `UPDATE delivery SET state = 'owed', due = ?1, attempts = 0,
		since = (CASE WHEN since >= ?1 THEN since + 1 WHEN created_at > ?1 THEN created_at ELSE ?1 END) WHERE receipt = ?2 AND sid = ?3 AND state <> 'confirmed'`
	sqlGiveUp = `UPDATE delivery SET state = (CASE WHEN confirmed_at = 0 THEN 'given-up' ELSE 'confirmed' END), due = NULL WHERE receipt = ? AND sid = ? AND state = 'owed'`

	sqlFanOuts    = `SELECT r.number, r.account, r.client, r.at, r.endings, r.fan_ending, r.fan_account, r.fan_grant FROM receipt r WHERE r.told_at = 0 ORDER BY r.number LIMIT CAST(? AS BIGINT)`
	sqlEndingsIn  = `SELECT name, what, until, number, at FROM ending WHERE number >= ? AND number < ? ORDER BY number`
	sqlMoveFanOut = `UPDATE receipt SET fan_ending = ?, fan_account = ?, fan_grant = ?, told_at = ? WHERE number = ?`
)

// Lists of deliveries in order, of one state and of several. Each state is a list of its own in the index.
var (
	sqlDeliveriesOne  = `SELECT ` + deliveryColumns + ` FROM delivery WHERE` + open + `AND state = ?5 AND` + behindDelivery
	sqlDeliveriesDead = deliveriesIn(idp.Refused, idp.OutOfTime, idp.GivenUp)
	sqlDeliveriesAll  = deliveriesIn(idp.Owed, idp.Refused, idp.OutOfTime, idp.GivenUp)
)

const behindDelivery = ` (receipt, sid) > (?1, ?2) AND (?3 = '' OR client = ?3) ORDER BY receipt, sid LIMIT CAST(?4 AS BIGINT)`

func deliveriesIn(states ...idp.DeliveryState) string {
	var each []string
	for _, s := range states {
		each = append(each, `SELECT * FROM (SELECT `+deliveryColumns+` FROM delivery WHERE`+open+`AND state = '`+string(s)+`' AND`+behindDelivery+`) AS s`)
	}
	return strings.Join(each, ` UNION ALL `) + ` ORDER BY receipt, sid LIMIT CAST(?4 AS BIGINT)`
}

func readDelivery(r Row) idp.Delivery {
	return idp.Delivery{
		Receipt: uint64(r.Int()), Sid: r.Name(), Client: idp.ClientID(r.Text()), Account: idp.AccountID(r.Text()), State: idp.DeliveryState(r.Text()),
		CreatedAt: r.Time(), Due: idp.Time(r.IntOr0()), Attempts: int(r.Int()), AttemptedAt: r.Time(), ConfirmedAt: r.Time(), Again: r.Bool(),
		Status: int(r.Int()), Error: r.Text(), Since: r.Time(),
	}
}

// Delivery reads one.
func (v *View) Delivery(id idp.DeliveryID) (d idp.Delivery, err error) {
	err = v.find(sqlDelivery, func(r Row) { d = readDelivery(r) }, id.Receipt, id.Sid)
	return d, err
}

func (v *View) told(sql string, args ...any) (out []idp.Told, err error) {
	err = v.E.Each(sql, func(r Row) {
		out = append(out, idp.Told{Client: idp.ClientID(r.Text()), State: idp.DeliveryState(r.Text()), Count: r.Int(), Last: r.Time(), Due: idp.Time(r.IntOr0()), Attempts: int(r.Int()), Error: r.Text(), Since: idp.Time(r.IntOr0())})
	}, args...)
	return out, err
}

// ToldOf sums up a receipt's deliveries.
func (v *View) ToldOf(receipt uint64) ([]idp.Told, error) { return v.told(sqlToldOf, receipt) }

// DeliveryCounts counts what is owed or dead.
func (v *View) DeliveryCounts() ([]idp.Told, error) { return v.told(sqlDeliveryCount) }

// OldestOwed is when the oldest delivery that is still owed was made.
func (v *View) OldestOwed() (at idp.Time, err error) {
	_, err = v.E.One(sqlOldestOwed, func(r Row) { at = r.Time() })
	return at, err
}

// Deliveries lists what is owed or dead.
func (v *View) Deliveries(f idp.DeliveryFilter, p idp.Page) (out []idp.Delivery, err error) {
	after := idp.DeliveryID{}
	if p.After != "" {
		if after, err = idp.ParseDeliveryID(p.After); err != nil {
			return nil, err
		}
	}
	sql, args := sqlDeliveriesAll, []any{after.Receipt, after.Sid[:], f.Client, limitOf(p)}
	switch {
	case f.State != "":
		sql, args = sqlDeliveriesOne, append(args, string(f.State))
	case f.Dead:
		sql = sqlDeliveriesDead
	}
	err = v.E.Each(sql, func(r Row) { out = append(out, readDelivery(r)) }, args...)
	return out, err
}

// Backlogs lists the apps with something due.
func (v *View) Backlogs(now idp.Time) (out []idp.Backlog, err error) {
	err = v.E.Each(sqlBacklogs, func(r Row) { out = append(out, idp.Backlog{Client: idp.ClientID(r.Text()), Due: r.Time()}) }, now)
	return out, err
}

// FanOuts locks what is still to be expanded.
func (t *Tx) FanOuts(limit int) (out []idp.FanOut, err error) {
	var endings []uint64
	if err := t.E.Each(sqlFanOuts+t.SkipLocked, func(r Row) {
		f := idp.FanOut{Number: uint64(r.Int()), Account: idp.AccountID(r.Text()), Client: idp.ClientID(r.Text()), EndedAt: r.Time()}
		endings = append(endings, uint64(r.Int()))
		f.At = idp.FanPlace{Ending: int(r.Int()), Account: idp.AccountID(r.Text()), Grant: r.Name()}
		out = append(out, f)
	}, limit); err != nil {
		return nil, err
	}
	// Those that ended one after the other have endings one after the other, which are read at once.
	for i := 0; i < len(out); {
		at, end := i, out[i].Number+endings[i]
		for i++; i < len(out) && out[i].Number == end; i++ {
			end += endings[i]
		}
		if err := t.E.Each(sqlEndingsIn, func(r Row) {
			e := ending(r)
			for at+1 < i && e.Number >= out[at+1].Number {
				at++
			}
			out[at].Endings = append(out[at].Endings, e)
		}, out[at].Number, end); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// MoveFanOut notes how far a fan-out has come.
func (t *Tx) MoveFanOut(number uint64, to idp.FanPlace, told idp.Time) error {
	return t.must(sqlMoveFanOut, to.Ending, to.Account, to.Grant, told, number)
}

// InsertDelivery writes a new one.
func (t *Tx) InsertDelivery(d idp.Delivery) error {
	return t.add(sqlInsertDelivery, d.Receipt, d.Sid, d.Client, d.Account, string(d.State), d.CreatedAt, orNull(d.Due), d.Attempts, d.AttemptedAt, d.ConfirmedAt,
		d.Again, d.Status, d.Error, d.Since)
}

// LeaseDeliveries takes what is due.
func (t *Tx) LeaseDeliveries(c idp.ClientID, now, until idp.Time, limit int) (out []idp.Delivery, err error) {
	if err := t.E.Each(sqlDue+t.SkipLocked, func(r Row) { out = append(out, readDelivery(r)) }, c, now, limit); err != nil {
		return nil, err
	}
	for i := range out {
		d := &out[i]
		d.Attempts++
		d.Due, d.AttemptedAt = until, now
		if err := t.must(sqlLease, until, now, d.Receipt, d.Sid); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FreeLeases makes due what is leased.
func (t *Tx) FreeLeases(now idp.Time, length time.Duration) (int64, error) {
	return t.write(sqlFree, now, length.Milliseconds())
}

// SettleDeliveries writes what came of attempts. A confirmation counts also where somebody has given up meanwhile, or asked for another
// attempt; and what has been confirmed is not refused by a later one: then all says so.
func (t *Tx) SettleDeliveries(all []idp.Delivery) ([]bool, error) {
	args := make([][]any, len(all))
	for i := range all {
		d := &all[i]
		if d.State.Dead() {
			switch row, err := t.Delivery(d.ID()); {
			case err == nil && row.ConfirmedAt != 0:
				d.State, d.ConfirmedAt = idp.Confirmed, row.ConfirmedAt
			case err != nil && !errors.Is(err, idp.ErrNotFound):
				return nil, err
			}
		}
		args[i] = []any{string(d.State), orNull(d.Due), d.ConfirmedAt, d.Again, d.Status, d.Error, d.Receipt, d.Sid, d.Attempts, d.Since}
	}
	n, err := t.W.Writes(sqlSettle, args)
	if err != nil {
		return nil, err
	}
	settled := make([]bool, len(all))
	for i, d := range all {
		if settled[i] = n[i] > 0; !settled[i] && d.ConfirmedAt != 0 {
			if settled[i], err = t.swap(sqlConfirmLate, d.ConfirmedAt, d.Receipt, d.Sid); err != nil {
				return nil, err
			}
		}
	}
	return settled, nil
}

// SendAgain makes a delivery owed again. Each time has a since of its own: by it what comes of an attempt from before is told apart.
func (t *Tx) SendAgain(id idp.DeliveryID, now idp.Time) (bool, error) {
	return t.swap(sqlSendAgain, now, id.Receipt, id.Sid)
}

// GiveUp makes an owed delivery what it was, if its app has confirmed it, and else dead.
func (t *Tx) GiveUp(id idp.DeliveryID) (bool, error) { return t.swap(sqlGiveUp, id.Receipt, id.Sid) }

func orNull(t idp.Time) any {
	if t == 0 {
		return nil
	}
	return t
}

// A grant is beneath an ending, and the first of its names that ended is of this receipt: else an earlier one has told of it. What the
// app knows an offline grant by is the grant of the session that it was made in, kept by its family. A grant that is still pending
// gave the app nothing; only the end of the realm, which opening a grant does not lock, may overtake one. Where offline access ended and
// the sign-in that it was made in lives on (an end of all others, made there), the app is not told: it would end that sign-in.
const (
	participant = `SELECT g.name, CASE WHEN g.session IS NULL THEN (SELECT f.sid FROM family f WHERE f.grant_ = g.name LIMIT 1) ELSE g.name END AS sid,
		g.client, g.account, g.redeemed_at FROM grant_ g LEFT JOIN session s ON s.name = g.session WHERE `
	notBefore = ` AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (g.name, g.client_epoch, g.consent_epoch, g.account_epoch, g.realm, s.name, s.epoch, s.realm)
		AND e.number < ?)
		AND (g.session IS NOT NULL OR NOT EXISTS (SELECT 1 FROM family f JOIN grant_ b ON b.name = f.sid JOIN session t ON t.name = b.session WHERE f.grant_ = g.name
			AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (b.name, b.client_epoch, b.consent_epoch, t.name, t.epoch, t.realm)))) `
	redeemed  = ` AND g.redeemed_at <> 0 `
	inAccount = ` AND (g.account, g.name) > (?, ?) ORDER BY g.account, g.name LIMIT CAST(? AS BIGINT)`

	sqlOfGrant = participant + `g.name = ?` + notBefore + redeemed + inAccount
	// Nearly every sign-out: what its grants share is asked once, and no table is made for an IN.
	sqlOfSession = `SELECT g.name, g.name, g.client, g.account, g.redeemed_at FROM grant_ g WHERE g.session = ?1
		AND NOT EXISTS (SELECT 1 FROM session s JOIN ending e ON e.name = s.epoch WHERE s.name = ?1 AND e.number < ?2)
		AND NOT EXISTS (SELECT 1 FROM session s JOIN ending e ON e.name = s.realm WHERE s.name = ?1 AND e.number < ?2)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = g.name AND e.number < ?2)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = g.client_epoch AND e.number < ?2)
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name = g.consent_epoch AND e.number < ?2)` + redeemed + `AND g.name > ?3 ORDER BY g.name LIMIT CAST(?4 AS BIGINT)`
	sqlOfAccount = participant + `g.name IN (SELECT b.name FROM grant_ b JOIN session t ON b.session = t.name WHERE t.account = ? AND t.epoch = ?
		UNION SELECT o.name FROM grant_ o WHERE o.account_epoch = ?)` + notBefore + redeemed + inAccount
	sqlOfClient  = participant + `g.client = ? AND g.client_epoch = ?` + notBefore + redeemed + inAccount
	sqlOfConsent = participant + `g.client = ? AND g.account = ? AND g.consent_epoch = ?` + notBefore + redeemed + inAccount
	sqlOfRealm   = participant + `(s.realm = ? OR g.realm = ?)` + notBefore + ` AND g.name > ? ORDER BY g.name LIMIT CAST(? AS BIGINT)`
)

// Participants lists the apps beneath the ending that a fan-out has come to.
func (t *Tx) Participants(f idp.FanOut, limit int) (out []idp.Participant, err error) {
	e, at := f.Endings[f.At.Ending], f.At
	var sql string
	var args []any
	switch e.What {
	case idp.WhatGrant:
		sql, args = sqlOfGrant, []any{e.Name}
	case idp.WhatSession:
		sql, args = sqlOfSession, []any{e.Name}
	case idp.WhatAccount:
		sql, args = sqlOfAccount, []any{f.Account, e.Name, e.Name}
	case idp.WhatClient:
		sql, args = sqlOfClient, []any{f.Client, e.Name}
	case idp.WhatConsent:
		sql, args = sqlOfConsent, []any{f.Client, f.Account, e.Name}
	case idp.WhatRealm:
		sql, args = sqlOfRealm, []any{e.Name, e.Name}
	default:
		return nil, nil
	}
	args = append(args, f.Number)
	if e.What != idp.WhatRealm && e.What != idp.WhatSession { // of these a grant's name is place enough
		args = append(args, at.Account)
	}
	args = append(args, at.Grant[:], cmp.Or(limit, 1))
	err = t.E.Each(sql, func(r Row) {
		out = append(out, idp.Participant{Grant: r.Name(), Sid: r.Name(), Client: idp.ClientID(r.Text()), Account: idp.AccountID(r.Text()), RedeemedAt: r.Time()})
	}, args...)
	return out, err
}
