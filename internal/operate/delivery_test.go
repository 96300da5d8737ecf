package operate

import (
	"errors"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Many are sent again in transactions of some each: what one has not recorded is undone, and only that. What cannot be sent stays as it is.
func TestResendAll(t *testing.T) {
	s := openStore(t)
	const dead = 2*resentAtOnce + 30
	err := s.Update(t.Context(), func(tx idp.Tx) error {
		err := errors.Join(tx.InsertClient(idp.Client{ID: "told", BackchannelLogoutURI: "https://told.test"}, ledger.NewName()), tx.InsertClient(idp.Client{ID: "untold"}, ledger.NewName()))
		for i := range dead {
			d := idp.Delivery{Receipt: uint64(i + 1), Sid: ledger.NewName(), Client: "told", State: idp.Refused, CreatedAt: 1}
			other := d
			if other.Sid, other.Client = ledger.NewName(), "untold"; i%40 == 0 {
				err = errors.Join(err, tx.InsertDelivery(other))
			}
			err = errors.Join(err, tx.InsertDelivery(d))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := idp.DeliveryFilter{Dead: true}
	at := 0
	resend := func(most, fails, want int, more bool) {
		t.Helper()
		resent, err := ResendAll(t.Context(), s, all, most, func(_ idp.Tx, again []idp.Delivery) error {
			if at++; at == fails {
				return errRefused
			}
			for i := range again {
				if again[i].State != idp.Owed || again[i].Client != "told" {
					t.Errorf("told of %+v", again[i])
				}
			}
			return nil
		})
		if resent != (Resent{want, more}) || (fails > 0) != errors.Is(err, errRefused) {
			t.Errorf("%+v, %v; want %d", resent, err, want)
		}
	}
	owed := func(want int64) {
		t.Helper()
		err := s.View(t.Context(), func(v idp.View) error {
			o, _, err := v.OwedOrDead()
			if o.N != want {
				t.Errorf("%d are owed, want %d", o.N, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	resend(10, 0, 10, true)
	owed(10)
	at = 0
	resend(0, 2, resentAtOnce, true)
	owed(10 + resentAtOnce)
	resend(0, 0, dead-10-resentAtOnce, false)
	owed(dead)
	resend(10, 0, 0, false)
}

var errRefused = errors.New("refused")
