package logout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/receipt"
)

// The page is live while something is owed, and not for ever.
func TestRefresh(t *testing.T) {
	ended := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sheet receipt.Sheet
		age   time.Duration
		want  string
	}{
		"nothing is owed": {receipt.Sheet{}, 0, ""},
		"working":         {receipt.Sheet{Working: true}, 0, "2"},
		"owed":            {receipt.Sheet{Owed: 1}, time.Minute, "2"},
		"owed for long":   {receipt.Sheet{Owed: 1}, 10 * time.Minute, "30"},
		"soon gone":       {receipt.Sheet{Owed: 1}, 14*time.Minute + 31*time.Second, ""}, // half a minute later only its person could read it
		"forgotten":       {receipt.Sheet{Owed: 1}, 16 * time.Minute, ""},
	} {
		c.sheet.EndedAt, c.sheet.As = ended, ended.Add(c.age)
		if got := refresh(c.sheet); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What is said of an app is so whenever it is read: no next attempt that has passed, no time of another day without its date.
func TestState(t *testing.T) {
	ended := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	sheet := receipt.Sheet{EndedAt: ended, As: ended.Add(time.Hour)}
	in := func(d time.Duration) *time.Time { t := ended.Add(d); return &t }
	for want, a := range map[string]receipt.App{
		"owed: it has not been told yet":                                                  {State: idp.Owed, Next: in(time.Minute)},
		"owed: it is being told":                                                          {State: idp.Owed, Attempts: 1, Next: in(time.Minute)},
		"owed: it has not confirmed yet, and is tried again":                              {State: idp.Owed, Attempts: 1, Failed: true, Next: in(time.Hour)},
		"owed: it has not confirmed yet; next attempt at %s":                              {State: idp.Owed, Attempts: 1, Failed: true, Next: in(2 * time.Hour)},
		"told, confirmed by the app at %s":                                                {State: idp.Confirmed, Confirmed: in(time.Hour)},
		"it takes no such messages, and may keep a cookie of its own":                     {State: idp.Unreachable},
		"it takes no such messages; it may keep the tokens that ended, which are refused": {State: idp.Unreachable, Public: true},
		"told, confirmed by the app: %s":                                                  {State: idp.Confirmed, Confirmed: in(24 * time.Hour)},
	} {
		if got := fmt.Sprint(state(a, sheet)); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
