package postgres

import (
	"slices"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// SessionByCookie reads a session and, in the same statement, whether it lives: who finds a session by its cookie asks that
// next. Which of its names has ended is not told, and is asked for as ever.
func (v *view) SessionByCookie(h idp.Hash) (s idp.Session, err error) {
	over := false
	found, err := v.e.One(verbs.LiveSessionByCookie, func(r verbs.Row) {
		over = r.Bool()
		s = verbs.ReadSession(r)
	}, h)
	switch {
	case err != nil:
		return idp.Session{}, err
	case !found:
		return idp.Session{}, idp.ErrNotFound
	case !over:
		v.live = s.Names()
	}
	return s, nil
}

// Ended returns those of the names that are in the ledger.
func (v *view) Ended(names ...idp.Name) ([]idp.Name, error) {
	return v.View.Ended(slices.DeleteFunc(slices.Clone(names), func(n idp.Name) bool { return slices.Contains(v.live, n) })...)
}
