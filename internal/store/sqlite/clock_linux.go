package sqlite

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is CLOCK_BOOTTIME, which counts the time that the machine was suspended: waking up is no leap.
func monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0 // never on a kernel that Go supports
	}
	return time.Duration(t.Nano())
}
