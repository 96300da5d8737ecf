package verbs

import "exeunt.dev/internal/idp"

const (
	sqlLock      = `SELECT account, id, kind, at, opens_at FROM account_lock WHERE account = ?`
	sqlLocksOver = `SELECT account FROM account_lock WHERE opens_at <> 0 AND opens_at <= ? ORDER BY opens_at LIMIT CAST(? AS BIGINT)`
	sqlPutLock   = `INSERT INTO account_lock (account, id, kind, at, opens_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET id = excluded.id, kind = excluded.kind, at = excluded.at, opens_at = excluded.opens_at`
	sqlDropLock = `DELETE FROM account_lock WHERE account = ?`

	sqlCare    = `SELECT account, since, settled_at FROM care WHERE account = ?`
	sqlPutCare = `INSERT INTO care (account, since, settled_at) VALUES (?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET since = excluded.since, settled_at = excluded.settled_at`

	sqlAccountsByEmail = `SELECT ` + accountColumns + ` FROM account WHERE email <> '' AND lower(email) = lower(CAST(? AS TEXT)) ORDER BY folded LIMIT CAST(? AS BIGINT)`
)

// Lock reads why an account is locked.
func (v *View) Lock(a idp.AccountID) (l idp.Lock, err error) {
	err = v.find(sqlLock, func(r Row) {
		l = idp.Lock{Account: idp.AccountID(r.Text()), ID: r.Name(), Kind: idp.LockKind(r.Text()), At: r.Time(), OpensAt: r.Time()}
	}, a)
	return l, err
}

// LocksOver lists whose locks have opened by themselves.
func (v *View) LocksOver(now idp.Time, limit int) (out []idp.AccountID, err error) {
	err = v.E.Each(sqlLocksOver, func(r Row) { out = append(out, idp.AccountID(r.Text())) }, now, limit)
	return out, err
}

// Care reads what is known of an account beside the account.
func (v *View) Care(a idp.AccountID) (c idp.Care, err error) {
	err = v.find(sqlCare, func(r Row) { c = idp.Care{Account: idp.AccountID(r.Text()), Since: r.Time(), SettledAt: r.Time()} }, a)
	return c, err
}

// AccountsByEmail lists people with an address.
func (v *View) AccountsByEmail(email string, limit int) (out []idp.Account, err error) {
	if email == "" || !storable(email) {
		return nil, nil
	}
	err = v.E.Each(sqlAccountsByEmail, func(r Row) { out = append(out, readAccount(r)) }, email, limit)
	return out, err
}

// PutLock writes why an account is locked.
func (t *Tx) PutLock(l idp.Lock) error {
	return t.add(sqlPutLock, l.Account, l.ID, string(l.Kind), l.At, l.OpensAt)
}

// DropLock deletes it.
func (t *Tx) DropLock(a idp.AccountID) error {
	_, err := t.write(sqlDropLock, a)
	return err
}

// PutCare writes what is known of an account.
func (t *Tx) PutCare(c idp.Care) error { return t.add(sqlPutCare, c.Account, c.Since, c.SettledAt) }
