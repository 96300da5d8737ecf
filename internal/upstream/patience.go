package upstream

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

const keysPatience = 3 * time.Second // how long a logout token waits for the provider's keys, in the request that brought it

// Patiently is LogoutToken with retries of the discovery of keys: to drop a sign-out because the provider was restarting would
// leave people signed in.
func (u *Upstream) Patiently(ctx context.Context, raw string) (LogoutToken, error) {
	ctx, cancel := context.WithTimeout(ctx, keysPatience)
	defer cancel()
	for {
		t, err := u.LogoutToken(ctx, raw)
		if !errors.Is(err, ErrUnavailable) {
			return t, err
		}
		select {
		case <-ctx.Done():
			return t, err
		case <-time.After(again / 2):
		}
	}
}

// Clean accepts text that every database and every page takes.
func Clean(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}
