package verbs

import "exeunt.dev/internal/idp"

const (
	pendingColumns   = `id, kind, browser, client, realm, account_epoch, client_epoch, consent_epoch, session, acted_at, data, created_at, expires_at`
	sqlPending       = `SELECT ` + pendingColumns + ` FROM pending WHERE id = ?`
	sqlInsertPending = `INSERT INTO pending (` + pendingColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdatePending = `UPDATE pending SET kind = ?, browser = ?, client = ?, realm = ?, account_epoch = ?, client_epoch = ?, consent_epoch = ?,
		session = ?, acted_at = ?, data = ?, expires_at = ? WHERE id = ?`
	sqlDeletePending = `DELETE FROM pending WHERE id = ?`
)

// Pending reads a half-finished thing.
func (v *View) Pending(id idp.Hash) (p idp.Pending, err error) {
	err = v.find(sqlPending, func(r Row) {
		p = idp.Pending{
			ID: r.Hash(), Kind: idp.PendingKind(r.Text()), Browser: r.Hash(), Client: idp.ClientID(r.Text()),
			Born:    idp.Epochs{Realm: r.Name(), Account: r.Name(), Client: r.Name(), Consent: r.Name()},
			Session: r.Name(), ActedAt: r.Time(), Data: r.Bytes(), CreatedAt: r.Time(), ExpiresAt: r.Time(),
		}
	}, id)
	return p, err
}

// InsertPending writes a new one.
func (t *Tx) InsertPending(p idp.Pending) error {
	b := p.Born
	return t.add(sqlInsertPending, p.ID, string(p.Kind), p.Browser, p.Client, b.Realm, b.Account, b.Client, b.Consent, p.Session, p.ActedAt,
		p.Data, p.CreatedAt, p.ExpiresAt)
}

// UpdatePending writes all but id and birth.
func (t *Tx) UpdatePending(p idp.Pending) error {
	b := p.Born
	return t.must(sqlUpdatePending, string(p.Kind), p.Browser, p.Client, b.Realm, b.Account, b.Client, b.Consent, p.Session, p.ActedAt,
		p.Data, p.ExpiresAt, p.ID)
}

// TakePending reads and deletes.
func (t *Tx) TakePending(id idp.Hash) (idp.Pending, error) {
	p, err := t.Pending(id)
	if err != nil {
		return idp.Pending{}, err
	}
	return p, t.must(sqlDeletePending, id)
}
