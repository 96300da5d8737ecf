package sqlite

import (
	"exeunt.dev/internal/idp"
)

// Epochs is the one reader of current epochs.
func (v *view) Epochs(account idp.AccountID, client idp.ClientID) (idp.Epochs, error) {
	var e idp.Epochs
	err := v.conn.row(`SELECT realm.epoch, (SELECT epoch FROM account WHERE id = ?1), (SELECT epoch FROM client WHERE id = ?2),
		(SELECT epoch FROM consent WHERE account = ?1 AND client = ?2) FROM realm`, []any{string(account), string(client)},
		into(e.Realm[:]), into(e.Account[:]), into(e.Client[:]), into(e.Consent[:]))
	return e, err
}

const accountColumns = `SELECT id, username, password, name, email, email_verified, state, created_at, password_at FROM account `

func scanAccount(scan func(...any) error) (idp.Account, error) {
	var a idp.Account
	err := scan(&a.ID, &a.Username, &a.Password, &a.Name, &a.Email, &a.EmailVerified, &a.State, &a.CreatedAt, &a.PasswordAt)
	return a, err
}

func (v *view) account(query string, arg string) (idp.Account, error) {
	return scanAccount(func(to ...any) error { return v.conn.row(accountColumns+query, []any{arg}, to...) })
}

func (v *view) Account(id idp.AccountID) (idp.Account, error) {
	return v.account(`WHERE id = ?`, string(id))
}

func (v *view) AccountByUsername(username string) (idp.Account, error) {
	return v.account(`WHERE folded = ?`, idp.FoldUsername(username))
}

func (v *view) Accounts(p idp.Page) ([]idp.Account, error) {
	var out []idp.Account
	err := v.conn.rows(accountColumns+`WHERE folded > ? ORDER BY folded LIMIT ?`, []any{idp.FoldUsername(p.After), p.Limit},
		func(scan func(...any) error) error {
			a, err := scanAccount(scan)
			out = append(out, a)
			return err
		})
	return out, err
}

func (t *tx) InsertAccount(a idp.Account, epoch idp.Name) error {
	_, err := t.write(`INSERT INTO account (id, folded, username, password, name, email, email_verified, state, epoch, created_at, password_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(a.ID), idp.FoldUsername(a.Username), a.Username, a.Password, a.Name, a.Email,
		a.EmailVerified, string(a.State), null(epoch), int64(a.CreatedAt), int64(a.PasswordAt))
	return err
}

func (t *tx) UpdateAccount(a idp.Account) error {
	return t.one(t.write(`UPDATE account SET folded = ?, username = ?, password = ?, name = ?, email = ?, email_verified = ?, password_at = ? WHERE id = ?`,
		idp.FoldUsername(a.Username), a.Username, a.Password, a.Name, a.Email, a.EmailVerified, int64(a.PasswordAt), string(a.ID)))
}

func (t *tx) SwapAccountEpoch(id idp.AccountID, old, next idp.Name, state idp.AccountState) (bool, error) {
	n, err := t.write(`UPDATE account SET epoch = ?, state = ? WHERE id = ? AND epoch IS ?`, null(next), string(state), string(id), null(old))
	return n == 1, err
}

// one turns "no row" of an UPDATE into ErrNotFound.
func (t *tx) one(n int64, err error) error {
	if err == nil && n == 0 {
		return idp.ErrNotFound
	}
	return err
}

func (v *view) Consent(a idp.AccountID, c idp.ClientID) (idp.Consent, error) {
	out := idp.Consent{Account: a, Client: c}
	var scopes string
	err := v.conn.row(`SELECT scopes, given_at FROM consent WHERE account = ? AND client = ? AND epoch IS NOT NULL`,
		[]any{string(a), string(c)}, &scopes, &out.GivenAt)
	out.Scopes = fields(scopes)
	return out, err
}

func (v *view) Consents(a idp.AccountID) ([]idp.Consent, error) {
	var out []idp.Consent
	err := v.conn.rows(`SELECT client, scopes, given_at FROM consent WHERE account = ? AND epoch IS NOT NULL ORDER BY client`, []any{string(a)},
		func(scan func(...any) error) error {
			c := idp.Consent{Account: a}
			var scopes string
			err := scan(&c.Client, &scopes, &c.GivenAt)
			c.Scopes = fields(scopes)
			out = append(out, c)
			return err
		})
	return out, err
}

func (t *tx) PutConsent(c idp.Consent, epoch idp.Name) error {
	_, err := t.write(`INSERT INTO consent (account, client, scopes, given_at, epoch) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, client) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at, epoch = coalesce(consent.epoch, excluded.epoch)`,
		string(c.Account), string(c.Client), words(c.Scopes), int64(c.GivenAt), null(epoch))
	return err
}

func (t *tx) SwapConsentEpoch(a idp.AccountID, c idp.ClientID, old, next idp.Name) (bool, error) {
	n, err := t.write(`UPDATE consent SET epoch = ? WHERE account = ? AND client = ? AND epoch IS ?`, null(next), string(a), string(c), null(old))
	return n == 1, err
}
