// Package talk is what the program api and the tests that run it say to each other. It rests on nothing of ours.
package talk

import (
	"time"

	"golang.org/x/sys/unix"
)

// Order asks for a guard.
type Order struct {
	Issuer, Audience, Client, Secret string
	Feeds                            []string
	Staleness                        time.Duration
}

// Report is what became of all tokens that are tried at a guard.
type Report struct {
	Tokens map[string]Token
	Events map[string]int // what the guard told its observer, by kind and by error
	Late   time.Duration  // by how much a timer of this process was late at worst: no cut of a stream can be more punctual
}

// Token is what became of one.
type Token struct {
	Answers  map[int]int   // by status; 0: 503 without Retry-After
	Turns    []Turn        // whenever the answer changed
	Admitted time.Duration // when the last request began that was admitted
	Open     bool          // there is a stream
	Cut      time.Duration // when the last stream was
	Cuts     int
}

// Turn is the first of some equal answers.
type Turn struct {
	At       time.Duration // when its request began
	Answered time.Duration // much later, if the process was stopped in between
	Status   int
}

// Now is CLOCK_MONOTONIC.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("no monotonic clock: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
