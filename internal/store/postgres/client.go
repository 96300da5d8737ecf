package postgres

import (
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// client reads an app. A copy that this node keeps is told at once, and the question whether it is the row's goes with what is
// asked next. If it is not, the transaction comes to nothing and the closure runs again: a decision that rests on the copy
// is never told and never written before the row was asked. The run that follows asks first.
func (e *engine) client(v *verbs.View, id idp.ClientID) (idp.Client, error) {
	c, version, kept := v.Cache.Copy(id)
	if !kept || e.again || e.failed != nil {
		return v.Client(id)
	}
	same := false
	e.waiting = append(e.waiting, &question{sql: verbs.ClientVersion, args: []any{id}, f: func(r verbs.Row) { same = r.Int() == version }, then: func() error {
		if same {
			return nil
		}
		return errAgain
	}})
	e.unsure = true
	return c, nil
}

// Client reads an app. What runs in View is not written to run again.
func (v *view) Client(id idp.ClientID) (idp.Client, error) {
	if !v.looks {
		return v.View.Client(id)
	}
	return v.e.client(&v.View, id)
}

// Client reads an app. The members of a joined flight share what waits, and whether one of them must run again, so
// they ask first.
func (t *tx) Client(id idp.ClientID) (idp.Client, error) {
	if t.foreseen != nil {
		return t.Tx.Client(id)
	}
	return t.e.client(&t.View, id)
}
