package sqlite

import "exeunt.dev/internal/idp"

const (
	keyColumns   = `kid, use, alg, state, private, public, created_at, retired_at`
	sqlKeys      = `SELECT ` + keyColumns + ` FROM key ORDER BY created_at, kid`
	sqlInsertKey = `INSERT INTO key (` + keyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlKeyState  = `UPDATE key SET state = ?, retired_at = ? WHERE kid = ?`
)

// Keys lists signing keys, oldest first.
func (v *view) Keys() (out []idp.Key, err error) {
	err = v.c.each(sqlKeys, func(r *row) {
		out = append(out, idp.Key{
			Kid: r.name(), Use: idp.KeyUse(r.text()), Alg: r.text(), State: idp.KeyState(r.text()), Private: r.bytes(), Public: r.bytes(),
			CreatedAt: r.time(), RetiredAt: r.time(),
		})
	})
	return out, err
}

// InsertKey writes a new key.
func (t *tx) InsertKey(k idp.Key) error {
	return t.add(sqlInsertKey, k.Kid, string(k.Use), k.Alg, string(k.State), k.Private, k.Public, k.CreatedAt, k.RetiredAt)
}

// SetKeyState moves a key on in its life.
func (t *tx) SetKeyState(kid idp.Name, s idp.KeyState, retiredAt idp.Time) error {
	return t.must(sqlKeyState, string(s), retiredAt, kid)
}
