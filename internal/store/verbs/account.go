package verbs

import (
	"fmt"
	"slices"
	"strings"

	"exeunt.dev/internal/idp"
)

const (
	accountColumns = `id, username, password, name, email, email_verified, state, created_at, password_at`

	sqlAccount           = `SELECT ` + accountColumns + ` FROM account WHERE id = ?`
	sqlAccountByUsername = `SELECT ` + accountColumns + ` FROM account WHERE folded = ?`
	sqlAccounts          = `SELECT ` + accountColumns + ` FROM account WHERE folded > ? ORDER BY folded LIMIT CAST(? AS BIGINT)`
	sqlInsertAccount     = `INSERT INTO account (` + accountColumns + `, folded, epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdateAccount     = `UPDATE account SET username = ?, folded = ?, password = ?, name = ?, email = ?, email_verified = ?, password_at = ? WHERE id = ?`
	// An account without an epoch has NULL.
	sqlSwapAccountEpoch = `UPDATE account SET epoch = ?, state = ? WHERE id = ? AND epoch IS NOT DISTINCT FROM ?`

	// A consent without an epoch was withdrawn: it allows nothing.
	consentColumns = `account, client, scopes, given_at`

	sqlConsent     = `SELECT ` + consentColumns + ` FROM consent WHERE account = ? AND client = ? AND epoch IS NOT NULL`
	sqlConsents    = `SELECT ` + consentColumns + ` FROM consent WHERE account = ? AND epoch IS NOT NULL ORDER BY client`
	sqlOfflineApps = `SELECT DISTINCT g.client FROM grant_ g WHERE g.account_epoch = ? AND g.session IS NULL AND g.redeemed_at <> 0
		AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (g.name, g.client_epoch, g.consent_epoch, g.account_epoch, g.realm))
		AND NOT (SELECT ` + givenBack + ` WHERE f.grant_ = g.name) ORDER BY g.client`
	sqlPutConsent = `INSERT INTO consent (` + consentColumns + `, epoch) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, client) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at, epoch = coalesce(consent.epoch, excluded.epoch)`
	sqlSwapConsentEpoch = `UPDATE consent SET epoch = ? WHERE account = ? AND client = ? AND epoch IS NOT DISTINCT FROM ?`
)

func readAccount(r Row) idp.Account {
	return idp.Account{
		ID: idp.AccountID(r.Text()), Username: r.Text(), Password: r.Text(), Name: r.Text(), Email: r.Text(), EmailVerified: r.Bool(),
		State: idp.AccountState(r.Text()), CreatedAt: r.Time(), PasswordAt: r.Time(),
	}
}

// Account reads a person.
func (v *View) Account(id idp.AccountID) (a idp.Account, err error) {
	if !storable(string(id)) {
		return a, idp.ErrNotFound
	}
	err = v.find(sqlAccount, func(r Row) { a = readAccount(r) }, id)
	return a, err
}

// AccountByUsername reads a person by the folded form.
func (v *View) AccountByUsername(username string) (a idp.Account, err error) {
	err = v.find(sqlAccountByUsername, func(r Row) { a = readAccount(r) }, idp.FoldUsername(username))
	return a, err
}

// Accounts lists people by username; After is a username.
func (v *View) Accounts(p idp.Page) (out []idp.Account, err error) {
	err = v.E.Each(sqlAccounts, func(r Row) { out = append(out, readAccount(r)) }, idp.FoldUsername(p.After), limitOf(p))
	return out, err
}

// namesAtOnce is how many people sqlUsernames asks for.
const namesAtOnce = 32

var sqlUsernames = `SELECT id, username FROM account WHERE id IN (?` + strings.Repeat(", ?", namesAtOnce-1) + `)`

// Usernames reads what people are called, of many in one question.
func (v *View) Usernames(ids []idp.AccountID) (map[idp.AccountID]string, error) {
	out := map[idp.AccountID]string{}
	for some := range slices.Chunk(slices.DeleteFunc(slices.Clone(ids), func(id idp.AccountID) bool { return !storable(string(id)) }), namesAtOnce) {
		var ask [namesAtOnce]any // NULL is nobody
		for i, id := range some {
			ask[i] = id
		}
		if err := v.E.Each(sqlUsernames, func(r Row) { out[idp.AccountID(r.Text())] = r.Text() }, ask[:]...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// limitOf keeps a page's limit within what idp.Page states.
func limitOf(p idp.Page) int { return min(max(p.Limit, 1), 1000) }

func readConsent(r Row) idp.Consent {
	return idp.Consent{Account: idp.AccountID(r.Text()), Client: idp.ClientID(r.Text()), Scopes: r.List(), GivenAt: r.Time()}
}

// Consent reads what a person allows an app.
func (v *View) Consent(a idp.AccountID, c idp.ClientID) (out idp.Consent, err error) {
	err = v.find(sqlConsent, func(r Row) { out = readConsent(r) }, a, c)
	return out, err
}

// Consents lists all that a person allows.
func (v *View) Consents(a idp.AccountID) (out []idp.Consent, err error) {
	err = v.E.Each(sqlConsents, func(r Row) { out = append(out, readConsent(r)) }, a)
	return out, err
}

// OfflineApps lists the apps with live offline access.
func (v *View) OfflineApps(epoch idp.Name) (out []idp.ClientID, err error) {
	if epoch.IsZero() {
		return nil, nil
	}
	err = v.E.Each(sqlOfflineApps, func(r Row) { out = append(out, idp.ClientID(r.Text())) }, epoch)
	return out, err
}

// InsertAccount writes a new person.
func (t *Tx) InsertAccount(a idp.Account, epoch idp.Name) error {
	if err := agrees(a.State, epoch); err != nil {
		return err
	}
	return t.add(sqlInsertAccount, a.ID, a.Username, a.Password, a.Name, a.Email, a.EmailVerified, string(a.State), a.CreatedAt, a.PasswordAt,
		idp.FoldUsername(a.Username), epoch)
}

// agrees refuses an epoch for an account that is not active: "locked" is having none.
func agrees(s idp.AccountState, epoch idp.Name) error {
	if (s == idp.AccountActive) == epoch.IsZero() {
		return fmt.Errorf("%w: an account has an epoch if and only if it is active", ErrProgram)
	}
	return nil
}

// UpdateAccount writes all but state and epoch.
func (t *Tx) UpdateAccount(a idp.Account) error {
	return t.must(sqlUpdateAccount, a.Username, idp.FoldUsername(a.Username), a.Password, a.Name, a.Email, a.EmailVerified, a.PasswordAt, a.ID)
}

// SwapAccountEpoch replaces epoch and state by compare on the epoch.
func (t *Tx) SwapAccountEpoch(id idp.AccountID, old, next idp.Name, state idp.AccountState) (bool, error) {
	if err := agrees(state, next); err != nil {
		return false, err
	}
	if state == idp.AccountDeleted { // nothing is kept of what a person signed in with
		if _, err := t.write(sqlDropCredentials, id); err != nil {
			return false, err
		}
		if err := t.PutLanguage(id, ""); err != nil {
			return false, err
		}
	}
	return t.swap(sqlSwapAccountEpoch, next, string(state), id, old)
}

// PutConsent writes a consent; one that lives keeps its epoch.
func (t *Tx) PutConsent(c idp.Consent, epoch idp.Name) error {
	return t.add(sqlPutConsent, c.Account, c.Client, c.Scopes, c.GivenAt, epoch)
}

// SwapConsentEpoch replaces a consent's epoch by compare.
func (t *Tx) SwapConsentEpoch(a idp.AccountID, c idp.ClientID, old, next idp.Name) (bool, error) {
	return t.swap(sqlSwapConsentEpoch, next, a, c, old)
}
