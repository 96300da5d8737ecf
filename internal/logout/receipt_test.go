package logout

import (
	"testing"
	"time"

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
		"forgotten":       {receipt.Sheet{Owed: 1}, 16 * time.Minute, ""},
	} {
		c.sheet.EndedAt, c.sheet.As = ended, ended.Add(c.age)
		if got := refresh(c.sheet); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
