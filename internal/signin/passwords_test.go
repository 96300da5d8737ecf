package signin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// A password that was kept with less than today's cost is kept anew when its owner signs in, unless it was changed meanwhile; nothing ends.
func TestUpgrade(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	cheap, dear := NewPasswords(store), NewPasswords(store)
	dear.SetCost(Cost{Memory: 20 * 1024, Passes: 3})
	const right = "a right and long one"
	old, err := cheap.Hash(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	epoch := ledger.NewName()
	if err := store.Update(t.Context(), func(tx idp.Tx) error {
		return tx.InsertAccount(idp.Account{ID: "alice", Username: "alice", Password: old, State: idp.AccountActive, PasswordAt: 7}, epoch)
	}); err != nil {
		t.Fatal(err)
	}
	row := func() (a idp.Account, e idp.Epochs) {
		t.Helper()
		if err := store.View(t.Context(), func(v idp.View) (err error) {
			if a, err = v.Account("alice"); err == nil {
				e, err = v.Epochs("alice", "")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return a, e
	}
	check := func(p *Passwords, password string) error {
		_, err := p.Check(context.Background(), httptest.NewRequest("POST", "/login", nil), "alice", password)
		return err
	}
	if check(dear, "a wrong and long one") == nil || check(cheap, right) != nil {
		t.Fatal("the check is wrong")
	}
	if a, _ := row(); a.Password != old {
		t.Error("kept anew without a reason")
	}
	if err := check(dear, right); err != nil {
		t.Fatal(err)
	}
	a, e := row()
	if !strings.Contains(a.Password, "m=20480,t=3,p=1") || a.PasswordAt != 7 || e.Account != epoch {
		t.Errorf("%+v under %v", a, e)
	}
	if check(dear, right) != nil || check(cheap, right) != nil || check(dear, "a wrong and long one") == nil {
		t.Error("what is kept anew is another password")
	}
	if again, _ := row(); again.Password != a.Password {
		t.Error("kept anew twice, or more cheaply")
	}
	// Changed while it was checked: the change stays.
	a.Password = old
	changed := a
	changed.Password = "changed meanwhile"
	if err := store.Update(t.Context(), func(tx idp.Tx) error { return tx.UpdateAccount(changed) }); err != nil {
		t.Fatal(err)
	}
	dear.upgrade(t.Context(), &a, right)
	if now, _ := row(); now.Password != changed.Password {
		t.Error("a change was overwritten")
	}
}

// Strangers who send more than can be worked on are told to come back; who has signed in before in this browser does not stand behind them.
func TestLineOfStrangers(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := NewPasswords(store)
	const right = "a right and long one"
	phc, err := p.Hash(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), func(tx idp.Tx) error {
		return tx.InsertAccount(idp.Account{ID: "alice", Username: "alice", Password: phc, State: idp.AccountActive}, ledger.NewName())
	}); err != nil {
		t.Fatal(err)
	}
	p.Knows = func(r *http.Request, _ idp.AccountID) string { return r.Header.Get("Known") }
	check := func(name, known string) error {
		r := httptest.NewRequest("POST", "/login", nil)
		r.Header.Set("Known", known)
		_, err := p.Check(t.Context(), r, name, right)
		return err
	}
	for range cap(p.line) {
		p.line <- struct{}{}
	}
	var limited *idp.LimitedError
	for _, name := range []string{"alice", "nobody"} {
		if err := check(name, ""); !errors.As(err, &limited) || limited.Wait <= 0 {
			t.Errorf("%s, behind a full line: %v", name, err)
		}
	}
	if err := check("alice", "her own browser"); err != nil {
		t.Errorf("the owner's own browser: %v", err)
	}
	for range cap(p.line) {
		<-p.line
	}
	if err := check("alice", ""); err != nil || len(p.line) != 0 {
		t.Errorf("once there is room: %v; %d in line", err, len(p.line))
	}
}

// Where passwords are kept with several costs, every attempt pays for all of them, whoever is named: the time of an answer says nothing. It is
// so before anybody has been named.
func TestCostsOfAll(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const right = "a right and long one"
	costs := []Cost{{7 * 1024, 1, 1}, {8 * 1024, 1, 1}, {7 * 1024, 2, 1}, {9 * 1024, 1, 1}, {7 * 1024, 3, 1}}
	at := func(c Cost) *Passwords {
		p := NewPasswords(store)
		p.SetCost(c)
		return p
	}
	add := func(name string, c Cost) string {
		phc, err := at(c).Hash(t.Context(), right)
		if err == nil {
			err = store.Update(t.Context(), func(tx idp.Tx) error {
				return tx.InsertAccount(idp.Account{ID: idp.AccountID(name), Username: name, Password: phc, State: idp.AccountActive}, ledger.NewName())
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		return phc
	}
	add("alice", costs[0])
	p := at(costs[1])
	dummy := p.used(t.Context(), p.cost)
	if alices := p.used(t.Context(), costs[0]); len(dummy) != 2 || !slices.Equal(dummy, alices) {
		t.Errorf("nobody costs %v, alice %v", dummy, alices)
	}
	for i, c := range costs[2:] { // more than are kept in mind
		phc := add(string(rune('b'+i)), c)
		for password, want := range map[string]bool{right: true, "a wrong and long one": false} {
			if ok, err := p.verify(t.Context(), phc, password); ok != want || err != nil {
				t.Errorf("cost %v, %q: %v, %v", c, password, ok, err)
			}
		}
	}
	if got := p.used(t.Context(), p.cost); len(got) != costsAtMost {
		t.Errorf("%d costs are paid for", len(got))
	}
	if _, err := p.Check(t.Context(), httptest.NewRequest("POST", "/login", nil), "alice", right); err != nil {
		t.Error(err)
	}
}
