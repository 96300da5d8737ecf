package upstream

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"exeunt.dev/internal/jws"
)

const (
	keysPatience = 3 * time.Second // how long a logout token waits for the provider's keys, in the request that brought it
	mostWaiting  = 64              // tokens that do, at one provider
)

// Patiently is LogoutToken with retries of the discovery of keys: to drop a sign-out because the provider was restarting would
// leave people signed in. What the keys at hand verify never waits. What they do not may be anybody's, so that only a few wait at a
// time, all of them for the same question; the others are told at once that the keys cannot be had, and the provider comes again.
func (u *Upstream) Patiently(ctx context.Context, raw string) (LogoutToken, error) {
	t, err := u.logoutToken(raw, u.verifyAtHand)
	if !errors.Is(err, ErrUnavailable) {
		return t, err
	}
	select {
	case u.waiting <- struct{}{}:
		defer func() { <-u.waiting }()
	default:
		return t, err
	}
	ctx, cancel := context.WithTimeout(ctx, keysPatience)
	defer cancel()
	for {
		t, err := u.logoutToken(raw, func(t jws.Unverified) error { return u.verify(ctx, t) })
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

// verifyAtHand asks nobody. ErrUnavailable is all that is not verified by keys that are fresh.
func (u *Upstream) verifyAtHand(t jws.Unverified) error {
	set, got := u.sets.held()
	if got.IsZero() || time.Since(got) >= keysFresh {
		return ErrUnavailable
	}
	if _, err := check(t, set); err != nil {
		return ErrUnavailable
	}
	return nil
}

// Clean accepts text that every database and every page takes.
func Clean(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}
