package sqlite

import (
	"strings"

	"exeunt.dev/internal/idp"
)

// view reads: from a snapshot, or, with a flight, from a write transaction and what it has buffered.
type view struct {
	c      *conn
	store  *Store
	flight *flight
}

var _ idp.View = (*view)(nil)

// find reads one row or returns idp.ErrNotFound.
func (v *view) find(sql string, f func(*row), args ...any) error {
	found, err := v.c.one(sql, f, args...)
	if err == nil && !found {
		err = idp.ErrNotFound
	}
	return err
}

const (
	sqlRealmEpoch   = `SELECT epoch FROM realm`
	sqlAccountEpoch = `SELECT epoch FROM account WHERE id = ?`
	sqlClientEpoch  = `SELECT epoch FROM client WHERE id = ?`
	sqlConsentEpoch = `SELECT epoch FROM consent WHERE account = ? AND client = ?`
)

// Epochs reads the current epochs.
func (v *view) Epochs(account idp.AccountID, client idp.ClientID) (e idp.Epochs, err error) {
	if _, err = v.c.one(sqlRealmEpoch, func(r *row) { e.Realm = r.name() }); err != nil {
		return idp.Epochs{}, err
	}
	if account != "" {
		if _, err = v.c.one(sqlAccountEpoch, func(r *row) { e.Account = r.name() }, account); err != nil {
			return idp.Epochs{}, err
		}
	}
	if client != "" {
		if _, err = v.c.one(sqlClientEpoch, func(r *row) { e.Client = r.name() }, client); err != nil {
			return idp.Epochs{}, err
		}
	}
	if account != "" && client != "" {
		if _, err = v.c.one(sqlConsentEpoch, func(r *row) { e.Consent = r.name() }, account, client); err != nil {
			return idp.Epochs{}, err
		}
	}
	return e, nil
}

// maxAsk is how many names one question for endings holds.
const maxAsk = 16

// sqlEnded holds the question for 1 to maxAsk names: one integer with a bit for each that has ended. An IN list would
// build a sorted table first.
var sqlEnded = func() (q [maxAsk + 1]string) {
	var terms []string
	for n := 1; n <= maxAsk; n++ {
		shift := string("0123456789abcdef"[n-1])
		terms = append(terms, "(EXISTS (SELECT 1 FROM ending WHERE name = ?) << 0x"+shift+")")
		q[n] = "SELECT " + strings.Join(terms, " | ")
	}
	return q
}()

// Ended returns those of the names that are in the ledger.
func (v *view) Ended(names ...idp.Name) ([]idp.Name, error) {
	if v.flight == nil {
		return v.endedInTable(names)
	}
	b := &v.flight.buffer
	ask := make([]idp.Name, 0, len(names))
	var over []idp.Name
	for _, n := range names {
		switch {
		case b.has(n):
			over = append(over, n)
		case !b.isLive(n):
			ask = append(ask, n)
		}
	}
	told, err := v.endedInTable(ask)
	if err != nil {
		return nil, err
	}
	b.learn(ask, told)
	return append(over, told...), nil
}

func (v *view) endedInTable(names []idp.Name) (over []idp.Name, err error) {
	var args [maxAsk]any
	for len(names) > 0 {
		n := min(len(names), maxAsk)
		for i, name := range names[:n] {
			args[i] = name
		}
		var bits int64
		if _, err := v.c.one(sqlEnded[n], func(r *row) { bits = r.int() }, args[:n]...); err != nil {
			return nil, err
		}
		for i := 0; bits != 0; i, bits = i+1, bits>>1 {
			if bits&1 != 0 {
				over = append(over, names[i])
			}
		}
		names = names[n:]
	}
	return over, nil
}
