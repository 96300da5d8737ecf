package outbound

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

const longestWait = 72 * time.Hour

// retryAfter reads Retry-After (RFC 9110 section 10.2.3), seconds or a date; nonsense counts as not said.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, uint64(longestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, min(at.Sub(now), longestWait))
	}
	return 0
}
