package verbs

import (
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

const (
	revocationColumns = `id, provider, issuer, subject, account, receipt, state, tokens, created_at, due, attempts, attempted_at, settled_at, error`

	sqlRevocationsOf = `SELECT ` + revocationColumns + ` FROM revocation WHERE receipt = ? AND receipt <> '' ORDER BY created_at, id`
	sqlRevocation    = `SELECT ` + revocationColumns + ` FROM revocation WHERE id = ?`
	sqlRevocations   = `SELECT ` + revocationColumns + ` FROM revocation WHERE state <> 'confirmed' AND id > ?1
		AND (?2 = '' OR provider = ?2) AND (?3 = '' OR state = ?3) AND (?4 = 0 OR state <> 'owed') ORDER BY id LIMIT CAST(?5 AS BIGINT)`
	sqlRevocationsOpen = `SELECT coalesce(sum(CASE WHEN r.state = 'owed' THEN 1 ELSE 0 END), 0), count(*), coalesce(min(CASE WHEN r.state = 'owed' THEN r.created_at END), 0)
		FROM (SELECT state, created_at FROM revocation WHERE state <> 'confirmed' LIMIT CAST(? AS BIGINT)) AS r`
	sqlRevocationsDue   = `SELECT DISTINCT provider FROM revocation WHERE due <= ? ORDER BY provider`
	sqlInsertRevocation = `INSERT INTO revocation (` + revocationColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlDueRevocations   = `SELECT ` + revocationColumns + ` FROM revocation WHERE provider = ? AND due <= ? ORDER BY due LIMIT CAST(? AS BIGINT)`
	sqlLeaseRevocation  = `UPDATE revocation SET due = ?, attempts = attempts + 1, attempted_at = ? WHERE id = ?`
	sqlSettleRevocation = `UPDATE revocation SET state = ?, due = ?, settled_at = ?, error = ?, tokens = ? WHERE id = ? AND attempts = ? AND due IS NOT NULL`
	sqlHastenRevocation = `UPDATE revocation SET due = ? WHERE id = ? AND due IS NOT NULL`
	sqlGiveUpRevocation = `UPDATE revocation SET state = 'given-up', due = NULL, settled_at = ?, tokens = NULL WHERE id = ? AND due IS NOT NULL`
)

func readRevocation(r Row) idp.Revocation {
	return idp.Revocation{
		ID: r.Name(), IdentityKey: idp.IdentityKey{Provider: r.Text(), Issuer: r.Text(), Subject: r.Text()}, Account: idp.AccountID(r.Text()),
		Receipt: idp.ReceiptID(r.Text()), State: idp.DeliveryState(r.Text()), Tokens: r.Bytes(), CreatedAt: r.Time(), Due: idp.Time(r.IntOr0()),
		Attempts: int(r.Int()), AttemptedAt: r.Time(), SettledAt: r.Time(), Error: r.Text(),
	}
}

func (v *View) revocations(sql string, args ...any) (out []idp.Revocation, err error) {
	err = v.E.Each(sql, func(r Row) { out = append(out, readRevocation(r)) }, args...)
	return out, err
}

// RevocationsOf lists those of a receipt.
func (v *View) RevocationsOf(id idp.ReceiptID) ([]idp.Revocation, error) {
	if !storable(string(id)) {
		return nil, nil
	}
	return v.revocations(sqlRevocationsOf, string(id))
}

// RevocationsDue names the providers to which something is due.
func (v *View) RevocationsDue(now idp.Time) (out []string, err error) {
	err = v.E.Each(sqlRevocationsDue, func(r Row) { out = append(out, r.Text()) }, now)
	return out, err
}

// Revocation reads one.
func (v *View) Revocation(id idp.Name) (d idp.Revocation, err error) {
	err = v.find(sqlRevocation, func(r Row) { d = readRevocation(r) }, id)
	return d, err
}

// RevocationsOpen counts what is owed or dead.
func (v *View) RevocationsOpen() (owed, dead idp.Counted, oldest idp.Time, err error) {
	var open int64
	_, err = v.E.One(sqlRevocationsOpen, func(r Row) { owed.N, open, oldest = r.Int(), r.Int(), r.Time() }, idp.CountedTo)
	dead.N = open - owed.N
	owed.More, dead.More = open == idp.CountedTo, open == idp.CountedTo
	return owed, dead, oldest, err
}

// Revocations lists what is owed or dead.
func (v *View) Revocations(f idp.RevocationFilter, p idp.Page) ([]idp.Revocation, error) {
	after := idp.Name{}
	if p.After != "" {
		var err error
		if after, err = ledger.ParseName(p.After); err != nil {
			return nil, idp.Invalid("after", "That page does not exist.")
		}
	}
	if !storable(f.Provider + string(f.State)) {
		return nil, nil
	}
	dead := 0
	if f.Dead {
		dead = 1
	}
	return v.revocations(sqlRevocations, after[:], f.Provider, string(f.State), dead, limitOf(p))
}

// InsertRevocation writes a new duty.
func (t *Tx) InsertRevocation(r idp.Revocation) error {
	return t.add(sqlInsertRevocation, r.ID, r.Provider, r.Issuer, r.Subject, r.Account, string(r.Receipt), string(r.State), blob(r.Tokens), r.CreatedAt, orNull(r.Due),
		r.Attempts, r.AttemptedAt, r.SettledAt, r.Error)
}

// LeaseRevocations takes what is due.
func (t *Tx) LeaseRevocations(provider string, now, until idp.Time, limit int) ([]idp.Revocation, error) {
	out, err := t.revocations(sqlDueRevocations+t.SkipLocked, provider, now, limit)
	for i := range out {
		r := &out[i]
		r.Attempts++
		r.Due, r.AttemptedAt = until, now
		if err := t.must(sqlLeaseRevocation, until, now, r.ID); err != nil {
			return nil, err
		}
	}
	return out, err
}

// SettleRevocation writes what came of an attempt.
func (t *Tx) SettleRevocation(r idp.Revocation) (bool, error) {
	if r.State != idp.Owed {
		r.Tokens, r.Due = nil, 0
	}
	return t.swap(sqlSettleRevocation, string(r.State), orNull(r.Due), r.SettledAt, r.Error, blob(r.Tokens), r.ID, r.Attempts)
}

// HastenRevocation makes it due now.
func (t *Tx) HastenRevocation(id idp.Name, now idp.Time) (bool, error) {
	return t.swap(sqlHastenRevocation, now, id)
}

// GiveUpRevocation makes it dead.
func (t *Tx) GiveUpRevocation(id idp.Name, now idp.Time) (bool, error) {
	return t.swap(sqlGiveUpRevocation, now, id)
}
