package verbs

import "exeunt.dev/internal/idp"

const (
	operatorColumns = `account, role, given_by, given_at, why`
	sqlOperator     = `SELECT ` + operatorColumns + ` FROM operator WHERE account = ?`
	sqlOperators    = `SELECT ` + operatorColumns + ` FROM operator WHERE account > ? ORDER BY account LIMIT CAST(? AS BIGINT)`
	sqlAdmins       = `SELECT o.account FROM operator o JOIN account a ON a.id = o.account WHERE o.role = 'admin' AND a.state = 'active' LIMIT CAST(? AS BIGINT)`
	sqlPutOperator  = `INSERT INTO operator (` + operatorColumns + `) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET role = excluded.role, given_by = excluded.given_by, given_at = excluded.given_at, why = excluded.why`
	sqlDropOperator = `DELETE FROM operator WHERE account = ?`

	// A name that begins with a prefix lies between it and it with the last of all characters behind it. One lower bound only: with two,
	// SQLite might take the one that excludes nothing.
	sqlFindAccounts  = `SELECT ` + accountColumns + ` FROM account WHERE folded >= ?1 AND folded <> ?2 AND folded < ?3 ORDER BY folded LIMIT CAST(?4 AS BIGINT)`
	sqlFindActive    = `SELECT ` + accountColumns + ` FROM account WHERE folded >= ?1 AND folded <> ?2 AND folded < ?3 AND state = 'active' ORDER BY folded LIMIT CAST(?4 AS BIGINT)`
	sqlFindNotActive = `SELECT ` + accountColumns + ` FROM account WHERE state <> 'active' AND state = ?5 AND folded >= ?1 AND folded <> ?2 AND folded < ?3 ORDER BY folded LIMIT CAST(?4 AS BIGINT)`
	lastOfAll        = "\U0010FFFF"
	sqlPeopleOf      = `SELECT count(DISTINCT g.account), count(*) FROM (SELECT account FROM grant_ WHERE client = ?1 AND client_epoch = (SELECT epoch FROM client WHERE id = ?1) LIMIT CAST(?2 AS BIGINT)) AS g`
	// However many there are, so many are looked at.
	sqlOwedOrDead = `SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE` + open + `AND state = 'owed' LIMIT CAST(?1 AS BIGINT)) AS o),
		(SELECT count(*) FROM (SELECT 1 FROM delivery WHERE` + open + `AND state IN ('refused', 'out-of-time', 'given-up') LIMIT CAST(?1 AS BIGINT)) AS d)`
	sqlCountEvents  = `SELECT count(*) FROM (SELECT 1 FROM event WHERE kind = ? AND id >= ? AND id < ? LIMIT CAST(? AS BIGINT)) AS c`
	sqlDeliveriesOf = `SELECT ` + deliveryColumns + ` FROM delivery WHERE receipt = ? AND sid > ? ORDER BY sid LIMIT CAST(? AS BIGINT)`
)

func readOperator(r Row) idp.Operator {
	return idp.Operator{Account: idp.AccountID(r.Text()), Role: idp.Role(r.Text()), GivenBy: idp.Actor(r.Text()), GivenAt: r.Time(), Why: r.Text()}
}

// Operator reads what a person may.
func (v *View) Operator(id idp.AccountID) (o idp.Operator, err error) {
	err = v.find(sqlOperator, func(r Row) { o = readOperator(r) }, id)
	return o, err
}

// Operators lists all.
func (v *View) Operators(p idp.Page) (out []idp.Operator, err error) {
	if !storable(p.After) {
		return nil, idp.Invalid("after", "That page does not exist.")
	}
	err = v.E.Each(sqlOperators, func(r Row) { out = append(out, readOperator(r)) }, p.After, limitOf(p))
	return out, err
}

// Admins lists those who may do everything, and can sign in.
func (v *View) Admins(limit int) (out []idp.AccountID, err error) {
	err = v.E.Each(sqlAdmins, func(r Row) { out = append(out, idp.AccountID(r.Text())) }, limit)
	return out, err
}

// PutOperator gives a role.
func (t *Tx) PutOperator(o idp.Operator) error {
	return t.add(sqlPutOperator, o.Account, string(o.Role), string(o.GivenBy), o.GivenAt, o.Why)
}

// DropOperator takes it away.
func (t *Tx) DropOperator(id idp.AccountID) (bool, error) { return t.swap(sqlDropOperator, id) }

// FindAccounts lists people by the beginning of their usernames and their state.
func (v *View) FindAccounts(f idp.AccountFilter, p idp.Page) (out []idp.Account, err error) {
	if !storable(f.Prefix + p.After + string(f.State)) {
		return nil, idp.Invalid("prefix", "No username begins like that.")
	}
	prefix := idp.FoldUsername(f.Prefix)
	after := idp.FoldUsername(p.After)
	args := []any{max(prefix, after), after, prefix + lastOfAll, limitOf(p)}
	sql := sqlFindAccounts
	switch f.State {
	case "":
	case idp.AccountActive:
		sql = sqlFindActive
	default:
		sql = sqlFindNotActive
		args = append(args, string(f.State))
	}
	err = v.E.Each(sql, func(r Row) { out = append(out, readAccount(r)) }, args...)
	return out, err
}

// counted asks for one more than is counted.
func (v *View) counted(sql string, args ...any) (c idp.Counted, err error) {
	_, err = v.E.One(sql, func(r Row) { c = upTo(r.Int()) }, append(args, idp.CountedTo+1)...)
	return c, err
}

func upTo(n int64) idp.Counted {
	return idp.Counted{N: min(n, idp.CountedTo), More: n > idp.CountedTo}
}

// PeopleOf counts the people of an app. Where it has more grants than are looked at, so may it have people.
func (v *View) PeopleOf(id idp.ClientID, most int64) (c idp.Counted, err error) {
	_, err = v.E.One(sqlPeopleOf, func(r Row) { c.N, c.More = r.Int(), r.Int() > most }, id, most+1)
	return c, err
}

// OwedOrDead counts deliveries.
func (v *View) OwedOrDead() (owed, dead idp.Counted, err error) {
	_, err = v.E.One(sqlOwedOrDead, func(r Row) { owed, dead = upTo(r.Int()), upTo(r.Int()) }, idp.CountedTo+1)
	return owed, dead, err
}

// CountEvents counts events of a kind between two times.
func (v *View) CountEvents(k idp.EventKind, from, to idp.Time) (idp.Counted, error) {
	return v.counted(sqlCountEvents, string(k), idp.EventsAt(from), idp.EventsAt(to))
}

// EndingsBefore counts by numbers, which have no gaps.
func (v *View) EndingsBefore(t idp.Time) (uint64, error) {
	n, err := v.E.Counter()
	if err != nil {
		return 0, err
	}
	first, err := v.firstSince(t, n.Number)
	return first - 1, err
}

// DeliveriesOf lists a receipt's.
func (v *View) DeliveriesOf(receipt uint64, p idp.Page) (out []idp.Delivery, err error) {
	after := idp.DeliveryID{}
	if p.After != "" {
		if after, err = idp.ParseDeliveryID(p.After); err != nil {
			return nil, err
		}
	}
	err = v.E.Each(sqlDeliveriesOf, func(r Row) { out = append(out, readDelivery(r)) }, receipt, after.Sid[:], limitOf(p))
	return out, err
}
