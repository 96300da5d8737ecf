package verbs

import (
	"net/netip"

	"exeunt.dev/internal/idp"
)

const (
	sqlUseProof    = `INSERT INTO proof (id, expires_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`
	sqlSweepProofs = `DELETE FROM proof WHERE id IN (SELECT id FROM proof WHERE expires_at <= ? ORDER BY expires_at LIMIT CAST(? AS BIGINT))`
)

// UseProof notes the use of a proof; false: it was used before.
func (t *Tx) UseProof(id idp.Hash, until idp.Time) (bool, error) {
	return t.swap(sqlUseProof, id, until)
}

func readBond(r Row) (b idp.Bond) {
	b.Key = r.Text()
	if text := r.Text(); text != "" {
		var err error
		if b.Net, err = netip.ParsePrefix(text); err != nil {
			r.Bad() // a bond that cannot be read must not become none
		}
	}
	return b
}

func network(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}
