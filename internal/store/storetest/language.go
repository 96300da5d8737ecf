package storetest

import (
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// languages are each person's own, and go with the account.
func languages(t *testing.T, o Opened) {
	p, other := addPerson(t, o.Store), addPerson(t, o.Store)
	is := func(id idp.AccountID, want string) {
		t.Helper()
		view(t, o.Store, func(v idp.View) error {
			lang, err := v.Language(id)
			same(t, "language", lang, want, err)
			return nil
		})
	}
	is(p.id, "")
	for _, lang := range []string{"de", "en", "de"} {
		update(t, o.Store, func(tx idp.Tx) error { return tx.PutLanguage(p.id, lang) })
		is(p.id, lang)
	}
	is(other.id, "")
	update(t, o.Store, func(tx idp.Tx) error { return tx.PutLanguage(other.id, "de") })
	update(t, o.Store, func(tx idp.Tx) error { return tx.PutLanguage(p.id, "") })
	is(p.id, "")
	is(other.id, "de")
	update(t, o.Store, func(tx idp.Tx) error {
		e, err := tx.Epochs(other.id, "")
		if err != nil {
			return err
		}
		_, err = tx.SwapAccountEpoch(other.id, e.Account, ledger.Name{}, idp.AccountDeleted)
		return err
	})
	is(other.id, "")
}
