package storetest

import (
	"errors"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

func newCredential(p person, kind idp.CredentialKind, at idp.Time) idp.Credential {
	return idp.Credential{ID: idp.CredentialID(ledger.NewName().String()), Account: p.id, Kind: kind, Name: "Älice's key", Handle: idp.HashOf(idp.NewSecret(16)),
		Public: []byte(`{"x":1}`), Secret: []byte{0, 1}, Counter: 7, AddedAt: at, UsedAt: at + 1, From: "ref", IP: "192.0.2.1"}
}

// credentials are their account's only; a use is won once.
func credentials(t *testing.T, o Opened) {
	p, other := addPerson(t, o.Store), addPerson(t, o.Store)
	key, second, theirs := newCredential(p, idp.CredentialPasskey, 10), newCredential(p, idp.CredentialPasskey, 30), newCredential(other, idp.CredentialPasskey, 10)
	app := newCredential(p, idp.CredentialTOTP, 20)
	app.Handle, app.Public = idp.Hash{}, nil
	more := newCredential(other, idp.CredentialTOTP, 20)
	more.Handle = idp.Hash{} // many have none
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.InsertCredential(second), tx.InsertCredential(app), tx.InsertCredential(key), tx.InsertCredential(theirs), tx.InsertCredential(more))
	})
	view(t, o.Store, func(v idp.View) error {
		all, err := v.Credentials(p.id)
		same(t, "credentials", all, []idp.Credential{key, app, second}, err)
		c, err := v.Credential(app.ID)
		same(t, "credential", c, app, err)
		c, err = v.CredentialByHandle(key.Handle)
		same(t, "by handle", c, key, err)
		_, err = v.CredentialByHandle(idp.Hash{})
		missing(t, "one without a handle", err)
		_, err = v.Credential("x\x00")
		missing(t, "a credential", err)
		return nil
	})
	used := key
	used.Counter, used.UsedAt, used.Public = 8, 99, []byte(`{"x":2}`)
	update(t, o.Store, func(tx idp.Tx) error {
		for i := range 2 {
			if ok, err := tx.UseCredential(used, key.Counter); err != nil || ok != (i == 0) {
				t.Errorf("use, time %d: %v, %v", i, ok, err)
			}
		}
		return tx.RenameCredential(p.id, second.ID, "new")
	})
	second.Name = "new"
	for what, f := range map[string]func(idp.Tx) error{
		"rename": func(tx idp.Tx) error { return tx.RenameCredential(p.id, theirs.ID, "mine") },
		"delete": func(tx idp.Tx) error { return tx.DeleteCredential(p.id, theirs.ID) },
		"gone":   func(tx idp.Tx) error { return tx.DeleteCredential(p.id, "x\xff") },
	} {
		missing(t, what+" of another's", o.Store.Update(t.Context(), f))
	}
	double := newCredential(other, idp.CredentialPasskey, 1)
	double.Handle = key.Handle
	if err := o.Store.Update(t.Context(), func(tx idp.Tx) error { return tx.InsertCredential(double) }); !errors.Is(err, idp.ErrConflict) {
		t.Error("a handle twice:", err)
	}
	update(t, o.Store, func(tx idp.Tx) error {
		return errors.Join(tx.DeleteCredential(p.id, app.ID), tx.DeleteCredentials(other.id, idp.CredentialTOTP))
	})
	view(t, o.Store, func(v idp.View) error {
		all, err := v.Credentials(p.id)
		same(t, "what is left", all, []idp.Credential{used, second}, err)
		all, err = v.Credentials(other.id)
		same(t, "what is left of the other's", all, []idp.Credential{theirs}, err)
		return nil
	})
	update(t, o.Store, func(tx idp.Tx) error {
		_, err := tx.SwapAccountEpoch(p.id, p.epochs.Account, idp.Name{}, idp.AccountDeleted)
		return err
	})
	view(t, o.Store, func(v idp.View) error {
		all, err := v.Credentials(p.id)
		same(t, "what is left of somebody who is deleted", all, []idp.Credential(nil), err)
		all, err = v.Credentials(other.id)
		same(t, "and of somebody else", all, []idp.Credential{theirs}, err)
		return nil
	})
}
