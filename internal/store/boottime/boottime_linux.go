// Package boottime is the stores' monotonic clock: time since boot, sleep included where the system tells it.
package boottime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is time since boot, sleep included: a machine that was suspended has seen the step of its wall clock.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("boottime: no clock since boot: " + err.Error()) // Linux has it since 2.6.39
	}
	return time.Duration(ts.Nano())
}
