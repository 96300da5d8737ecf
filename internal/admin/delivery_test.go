package admin

import (
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

// A delivery's page is loaded again while what was sent again has no answer, and not for ever.
func TestSending(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	for _, c := range []struct {
		state  idp.DeliveryState
		resent *time.Time
		want   bool
	}{
		{idp.Owed, ago(0), true},
		{idp.Owed, ago(9 * time.Second), true},
		{idp.Owed, ago(10 * time.Second), false},
		{idp.Owed, nil, false},
		{idp.Confirmed, ago(0), false},
		{idp.Refused, ago(0), false},
	} {
		if got := sending(&operate.Delivery{State: c.state, Resent: c.resent}, now); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
