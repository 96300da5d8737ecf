package outbound

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "1.5": 0,
		"99999999999": longestWait, "99999999999999999999999": longestWait,
		"Sat, 21 Nov 2026 05:00:30 GMT": 30 * time.Second,
		"Sat, 21 Nov 2026 04:00:00 GMT": 0,
		"Sat, 21 Nov 2099 05:00:00 GMT": longestWait,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
