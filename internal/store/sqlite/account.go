package sqlite

import (
	"fmt"

	"exeunt.dev/internal/idp"
)

const (
	accountColumns = `id, username, password, name, email, email_verified, state, created_at, password_at`

	sqlAccount           = `SELECT ` + accountColumns + ` FROM account WHERE id = ?`
	sqlAccountByUsername = `SELECT ` + accountColumns + ` FROM account WHERE folded = ?`
	sqlAccounts          = `SELECT ` + accountColumns + ` FROM account WHERE folded > ? ORDER BY folded LIMIT ?`
	sqlInsertAccount     = `INSERT INTO account (` + accountColumns + `, folded, epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdateAccount     = `UPDATE account SET username = ?, folded = ?, password = ?, name = ?, email = ?, email_verified = ?, password_at = ? WHERE id = ?`
	// "IS", because an account without an epoch has NULL.
	sqlSwapAccountEpoch = `UPDATE account SET epoch = ?, state = ? WHERE id = ? AND epoch IS ?`

	// A consent without an epoch was withdrawn: it allows nothing.
	consentColumns = `account, client, scopes, given_at`

	sqlConsent    = `SELECT ` + consentColumns + ` FROM consent WHERE account = ? AND client = ? AND epoch IS NOT NULL`
	sqlConsents   = `SELECT ` + consentColumns + ` FROM consent WHERE account = ? AND epoch IS NOT NULL ORDER BY client`
	sqlPutConsent = `INSERT INTO consent (` + consentColumns + `, epoch) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at, epoch = coalesce(epoch, excluded.epoch)`
	sqlSwapConsentEpoch = `UPDATE consent SET epoch = ? WHERE account = ? AND client = ? AND epoch IS ?`
)

func readAccount(r *row) idp.Account {
	return idp.Account{
		ID: idp.AccountID(r.text()), Username: r.text(), Password: r.text(), Name: r.text(), Email: r.text(), EmailVerified: r.bool(),
		State: idp.AccountState(r.text()), CreatedAt: r.time(), PasswordAt: r.time(),
	}
}

// Account reads a person.
func (v *view) Account(id idp.AccountID) (a idp.Account, err error) {
	err = v.find(sqlAccount, func(r *row) { a = readAccount(r) }, id)
	return a, err
}

// AccountByUsername reads a person by the folded form.
func (v *view) AccountByUsername(username string) (a idp.Account, err error) {
	err = v.find(sqlAccountByUsername, func(r *row) { a = readAccount(r) }, idp.FoldUsername(username))
	return a, err
}

// Accounts lists people by username; After is a username.
func (v *view) Accounts(p idp.Page) (out []idp.Account, err error) {
	err = v.c.each(sqlAccounts, func(r *row) { out = append(out, readAccount(r)) }, idp.FoldUsername(p.After), limitOf(p))
	return out, err
}

// limitOf keeps a page's limit within what idp.Page states.
func limitOf(p idp.Page) int { return min(max(p.Limit, 1), 1000) }

func readConsent(r *row) idp.Consent {
	return idp.Consent{Account: idp.AccountID(r.text()), Client: idp.ClientID(r.text()), Scopes: r.list(), GivenAt: r.time()}
}

// Consent reads what a person allows an app.
func (v *view) Consent(a idp.AccountID, c idp.ClientID) (out idp.Consent, err error) {
	err = v.find(sqlConsent, func(r *row) { out = readConsent(r) }, a, c)
	return out, err
}

// Consents lists all that a person allows.
func (v *view) Consents(a idp.AccountID) (out []idp.Consent, err error) {
	err = v.c.each(sqlConsents, func(r *row) { out = append(out, readConsent(r)) }, a)
	return out, err
}

// InsertAccount writes a new person.
func (t *tx) InsertAccount(a idp.Account, epoch idp.Name) error {
	if err := agrees(a.State, epoch); err != nil {
		return err
	}
	return t.add(sqlInsertAccount, a.ID, a.Username, a.Password, a.Name, a.Email, a.EmailVerified, string(a.State), a.CreatedAt, a.PasswordAt,
		idp.FoldUsername(a.Username), epoch)
}

// agrees refuses an epoch for an account that is not active: "locked" is having none.
func agrees(s idp.AccountState, epoch idp.Name) error {
	if (s == idp.AccountActive) == epoch.IsZero() {
		return fmt.Errorf("%w: an account has an epoch if and only if it is active", errProgram)
	}
	return nil
}

// UpdateAccount writes all but state and epoch.
func (t *tx) UpdateAccount(a idp.Account) error {
	return t.must(sqlUpdateAccount, a.Username, idp.FoldUsername(a.Username), a.Password, a.Name, a.Email, a.EmailVerified, a.PasswordAt, a.ID)
}

// SwapAccountEpoch replaces epoch and state by compare on the epoch.
func (t *tx) SwapAccountEpoch(id idp.AccountID, old, next idp.Name, state idp.AccountState) (bool, error) {
	if err := agrees(state, next); err != nil {
		return false, err
	}
	return t.swap(sqlSwapAccountEpoch, next, string(state), id, old)
}

// PutConsent writes a consent; one that lives keeps its epoch.
func (t *tx) PutConsent(c idp.Consent, epoch idp.Name) error {
	return t.add(sqlPutConsent, c.Account, c.Client, c.Scopes, c.GivenAt, epoch)
}

// SwapConsentEpoch replaces a consent's epoch by compare.
func (t *tx) SwapConsentEpoch(a idp.AccountID, c idp.ClientID, old, next idp.Name) (bool, error) {
	return t.swap(sqlSwapConsentEpoch, next, a, c, old)
}
