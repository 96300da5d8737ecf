package guard

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is growing pauses, each with some chance in it so that many guards do not come at once.
type backoff struct{ from, to, now time.Duration }

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.from), b.to)
	return jitter(b.now)
}

func (b *backoff) reset() { b.now = 0 }

// jitter is d give or take a fifth.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(max(2*d/5, 1))
}

// sleep says whether ctx let it sleep to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
