package sqlite

import (
	"errors"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// An end never unlocks: "everywhere" on a locked account and an end of a disabled client find nothing alive and give no epoch.
func TestEndDoesNotUnlock(t *testing.T) {
	s := testStore(t)
	a, _ := addPerson(t, s, "carol")
	d := door.New(s, nil)
	end := func(sel idp.Selector, kind idp.CauseKind) idp.Receipt {
		t.Helper()
		r, err := d.End(t.Context(), sel, idp.Cause{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	epoch := func() (e idp.Epochs) {
		t.Helper()
		err := s.View(t.Context(), func(v idp.View) (err error) {
			e, err = v.Epochs(a.ID, "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if end(idp.EndAccount(a.ID, idp.AccountLocked), idp.CauseLock).ID == "" {
		t.Fatal("the first lock has no receipt")
	}
	if r := end(idp.EndAccount(a.ID, idp.AccountActive), idp.CauseEverywhere); r.ID != "" || !epoch().Account.IsZero() {
		t.Error("signing out a locked account unlocks it")
	}
	if err := d.Unlock(t.Context(), a.ID); err != nil || epoch().Account.IsZero() {
		t.Error("unlock:", err)
	}
	if err := d.Unlock(t.Context(), a.ID); !errors.Is(err, idp.ErrConflict) {
		t.Error("unlocking an active account:", err)
	}
	end(idp.EndAccount(a.ID, idp.AccountDeleted), idp.CauseDelete)
	end(idp.EndAccount(a.ID, idp.AccountLocked), idp.CauseLock)
	if err := d.Unlock(t.Context(), a.ID); !errors.Is(err, idp.ErrConflict) {
		t.Error("a deleted account comes back:", err)
	}
}
