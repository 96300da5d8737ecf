package verbs

import "exeunt.dev/internal/idp"

const (
	keyColumns   = `kid, use, alg, state, private, public, created_at, retired_at`
	sqlKeys      = `SELECT ` + keyColumns + ` FROM key ORDER BY created_at, kid`
	sqlInsertKey = `INSERT INTO key (` + keyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlKeyState  = `UPDATE key SET state = ?, retired_at = ? WHERE kid = ?`
)

// Keys lists signing keys, oldest first.
func (v *View) Keys() (out []idp.Key, err error) {
	err = v.E.Each(sqlKeys, func(r Row) {
		out = append(out, idp.Key{
			Kid: r.Name(), Use: idp.KeyUse(r.Text()), Alg: r.Text(), State: idp.KeyState(r.Text()), Private: r.Bytes(), Public: r.Bytes(),
			CreatedAt: r.Time(), RetiredAt: r.Time(),
		})
	})
	return out, err
}

// InsertKey writes a new key.
func (t *Tx) InsertKey(k idp.Key) error {
	return t.add(sqlInsertKey, k.Kid, string(k.Use), k.Alg, string(k.State), k.Private, k.Public, k.CreatedAt, k.RetiredAt)
}

// SetKeyState moves a key on in its life.
func (t *Tx) SetKeyState(kid idp.Name, s idp.KeyState, retiredAt idp.Time) error {
	return t.must(sqlKeyState, string(s), retiredAt, kid)
}
