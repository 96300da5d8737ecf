package verbs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"exeunt.dev/internal/idp"
)

// View is idp.View without Head.
type View struct {
	E      Engine
	Cache  *ClientCache
	Buffer *Buffer // of the flight this belongs to; nil in a read-only transaction

	live idp.Names // of a session, told with it; none if there is a Buffer
}

// On is the same with another engine.
func (v View) On(e Engine) View {
	v.E = e
	return v
}

// InTurn runs reads one after the other, where a question is answered at once.
func InTurn(v idp.View, reads []func(idp.View) error) error {
	for _, read := range reads {
		if err := read(v); err != nil {
			return err
		}
	}
	return nil
}

// find reads one row or returns idp.ErrNotFound.
func (v *View) find(sql string, f func(Row), args ...any) error {
	found, err := v.E.One(sql, f, args...)
	if err == nil && !found {
		err = idp.ErrNotFound
	}
	return err
}

const sqlEpochs = `SELECT (SELECT epoch FROM realm), (SELECT epoch FROM account WHERE id = ?1), (SELECT epoch FROM client WHERE id = ?2),
	(SELECT epoch FROM consent WHERE account = ?1 AND client = ?2)`

// Epochs reads the current epochs. No account and no client has an empty id.
func (v *View) Epochs(account idp.AccountID, client idp.ClientID) (e idp.Epochs, err error) {
	err = v.find(sqlEpochs, func(r Row) {
		e = idp.Epochs{Realm: r.Name(), Account: r.Name(), Client: r.Name(), Consent: r.Name()}
	}, account, client)
	return e, err
}

// Ended returns those of the names that are in the ledger, or that this commit has appended so far.
func (v *View) Ended(names ...idp.Name) ([]idp.Name, error) {
	if v.Buffer == nil {
		if len(v.live) > 0 {
			names = slices.DeleteFunc(slices.Clone(names), func(n idp.Name) bool { return slices.Contains(v.live, n) })
		}
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

// storable says that a caller's text can be in a column at all; Postgres answers a question after any other with an error, which is
// no way to say that there is none.
func storable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
