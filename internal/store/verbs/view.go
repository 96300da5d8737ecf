package verbs

import "exeunt.dev/internal/idp"

// View is idp.View without Head.
type View struct {
	E      Engine
	Cache  *ClientCache
	Buffer *Buffer // of the flight this belongs to; nil in a read-only transaction
}

// find reads one row or returns idp.ErrNotFound.
func (v *View) find(sql string, f func(Row), args ...any) error {
	found, err := v.E.One(sql, f, args...)
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
func (v *View) Epochs(account idp.AccountID, client idp.ClientID) (e idp.Epochs, err error) {
	for _, q := range []struct {
		asked bool
		sql   string
		into  *idp.Name
		args  []any
	}{
		{true, sqlRealmEpoch, &e.Realm, nil},
		{account != "", sqlAccountEpoch, &e.Account, []any{account}},
		{client != "", sqlClientEpoch, &e.Client, []any{client}},
		{account != "" && client != "", sqlConsentEpoch, &e.Consent, []any{account, client}},
	} {
		if !q.asked {
			continue
		}
		if _, err := v.E.One(q.sql, func(r Row) { *q.into = r.Name() }, q.args...); err != nil {
			return idp.Epochs{}, err
		}
	}
	return e, nil
}

// Ended returns those of the names that are in the ledger, or that this commit has appended so far.
func (v *View) Ended(names ...idp.Name) ([]idp.Name, error) {
	if v.Buffer == nil {
		return v.E.Over(names)
	}
	b := v.Buffer
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
	if len(ask) == 0 {
		return over, nil
	}
	told, err := v.E.Over(ask)
	if err != nil {
		return nil, err
	}
	b.learn(ask, told)
	return append(over, told...), nil
}
