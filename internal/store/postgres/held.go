package postgres

import (
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// held is the family that a transaction has locked for itself. What is read of it since stands until COMMIT, so a rotation
// need not ask whether it was in time: a refresh is two flights, one that locks, reads and asks for endings, and one that
// rotates and commits.
type held struct {
	handle idp.Hash
	name   idp.Name // zero: not read yet
	cur    idp.Hash
}

// sqlHeldChain reads a chain and asks whether any of its names has ended, in one statement and so on one snapshot, which is
// taken after the lock before it was granted.
var sqlHeldChain = `SELECT EXISTS (SELECT 1 FROM ending e WHERE e.name IN (s.realm, s.epoch, g.realm, g.account_epoch, g.client_epoch,
	g.consent_epoch, s.name, g.name, f.name)), ` + verbs.ChainColumns + verbs.ChainTables + `WHERE f.handle = ?`

// ChainByHandle reads a family by the hash of its refresh token's handle. With the family held it learns in the same
// statement that nothing has ended; which name has, is not told, and is asked for as ever.
func (t *tx) ChainByHandle(h idp.Hash) (idp.Chain, error) {
	if h.IsZero() || t.held.handle != h {
		return t.Tx.ChainByHandle(h)
	}
	var c idp.Chain
	var over, whole bool
	found, err := t.e.One(sqlHeldChain, func(r verbs.Row) {
		over = r.Bool()
		c, whole = verbs.ReadChain(r)
	}, h)
	switch {
	case err != nil:
		return idp.Chain{}, err
	case !found || !whole:
		return idp.Chain{}, idp.ErrNotFound
	}
	t.held.name, t.held.cur = c.Family.Name, c.Family.Cur
	if !over {
		t.Buffer.Learn(c.Names(), nil)
	}
	return c, nil
}

// RotateFamily rotates by compare on the current secret. What a held family's row says is known; all else is asked.
func (t *tx) RotateFamily(f idp.Family, was idp.Hash) (bool, error) {
	if t.held.name.IsZero() || t.held.name != f.Name || t.held.cur != was {
		t.held = held{}
		return t.Tx.RotateFamily(f, was)
	}
	t.held.cur = f.Cur
	return true, t.RotateHeld(f, was)
}
