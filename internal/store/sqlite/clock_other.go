//go:build !linux

package sqlite

import "time"

// monotonic counts from a fixed instant of this process by Go's monotonic clock.
func monotonic() time.Duration { return time.Since(started) }

var started = time.Now()
