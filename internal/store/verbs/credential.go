package verbs

import "exeunt.dev/internal/idp"

const (
	credentialColumns = `id, account, kind, name, handle, public, secret, counter, added_at, used_at, session, ip`

	sqlCredential         = `SELECT ` + credentialColumns + ` FROM credential WHERE id = ?`
	sqlCredentialByHandle = `SELECT ` + credentialColumns + ` FROM credential WHERE handle = ?`
	sqlCredentials        = `SELECT ` + credentialColumns + ` FROM credential WHERE account = ? ORDER BY added_at, id`
	sqlInsertCredential   = `INSERT INTO credential (` + credentialColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUseCredential      = `UPDATE credential SET counter = ?, public = ?, used_at = ? WHERE id = ? AND counter = ?`
	sqlRenameCredential   = `UPDATE credential SET name = ? WHERE account = ? AND id = ?`
	sqlDeleteCredential   = `DELETE FROM credential WHERE account = ? AND id = ?`
	sqlDropCredentials    = `DELETE FROM credential WHERE account = ?`
	sqlDeleteCredentials  = `DELETE FROM credential WHERE account = ? AND kind = ?`
)

func readCredential(r Row) idp.Credential {
	return idp.Credential{
		ID: idp.CredentialID(r.Text()), Account: idp.AccountID(r.Text()), Kind: idp.CredentialKind(r.Text()), Name: r.Text(), Handle: r.Hash(),
		Public: r.Bytes(), Secret: r.Bytes(), Counter: r.Int(), AddedAt: r.Time(), UsedAt: r.Time(), From: r.Text(), IP: r.Text(),
	}
}

// Credential reads one by its id.
func (v *View) Credential(id idp.CredentialID) (c idp.Credential, err error) {
	if !storable(string(id)) {
		return idp.Credential{}, idp.ErrNotFound
	}
	err = v.find(sqlCredential, func(r Row) { c = readCredential(r) }, string(id))
	return c, err
}

// CredentialByHandle reads one by what it is found by without a username.
func (v *View) CredentialByHandle(h idp.Hash) (c idp.Credential, err error) {
	err = v.find(sqlCredentialByHandle, func(r Row) { c = readCredential(r) }, h)
	return c, err
}

// Credentials lists those of an account, oldest first.
func (v *View) Credentials(a idp.AccountID) (out []idp.Credential, err error) {
	err = v.E.Each(sqlCredentials, func(r Row) { out = append(out, readCredential(r)) }, a)
	return out, err
}

// InsertCredential writes a new one.
func (t *Tx) InsertCredential(c idp.Credential) error {
	return t.add(sqlInsertCredential, string(c.ID), c.Account, string(c.Kind), c.Name, c.Handle, c.Public, c.Secret, c.Counter, c.AddedAt,
		c.UsedAt, c.From, c.IP)
}

// UseCredential writes a use, by compare on the counter.
func (t *Tx) UseCredential(c idp.Credential, was int64) (bool, error) {
	return t.swap(sqlUseCredential, c.Counter, c.Public, c.UsedAt, string(c.ID), was)
}

// RenameCredential writes the name that the person gives.
func (t *Tx) RenameCredential(a idp.AccountID, id idp.CredentialID, name string) error {
	if !storable(string(id)) {
		return idp.ErrNotFound
	}
	return t.must(sqlRenameCredential, name, a, string(id))
}

// DeleteCredential takes one of an account away.
func (t *Tx) DeleteCredential(a idp.AccountID, id idp.CredentialID) error {
	if !storable(string(id)) {
		return idp.ErrNotFound
	}
	return t.must(sqlDeleteCredential, a, string(id))
}

// DeleteCredentials takes all of a kind away.
func (t *Tx) DeleteCredentials(a idp.AccountID, kind idp.CredentialKind) error {
	_, err := t.write(sqlDeleteCredentials, a, string(kind))
	return err
}
