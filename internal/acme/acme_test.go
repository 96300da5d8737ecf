package acme

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// Nobody there is asked again soon; a refusal is not, and when an authority says when, that holds. e2e/acme has a real one.
func TestAgain(t *testing.T) {
	away := &url.Error{Op: "Get", URL: "https://ca.test", Err: errors.New("connection refused")}
	limited := func(after string) error {
		return fmt.Errorf("order: %w", &acme.Error{StatusCode: 429, ProblemType: "urn:ietf:params:acme:error:rateLimited", Header: http.Header{"Retry-After": {after}}})
	}
	for _, c := range []struct {
		name     string
		err      error
		failures int
		want     time.Duration
	}{
		{"away", fmt.Errorf("account: %w", away), 0, 5 * time.Second},
		{"away for long", away, 3, 40 * time.Second},
		{"away for very long", away, 1000, 10 * time.Minute},
		{"never answers", context.DeadlineExceeded, 0, 5 * time.Second},
		{"broken", &acme.Error{StatusCode: 503}, 0, 5 * time.Second},
		{"refused", &acme.Error{StatusCode: 403}, 0, time.Minute},
		{"no proof", fmt.Errorf("proof: %w", &acme.AuthorizationError{}), 2, 4 * time.Minute},
		{"no proof for long", &acme.AuthorizationError{}, 1000, time.Hour},
		{"our own fault", errors.New("no space left"), 0, time.Minute},
		{"limited", limited("7200"), 0, 2 * time.Hour},
		{"limited without a time", limited(""), 0, time.Minute},
		{"limited for a year", limited("31536000"), 0, 24 * time.Hour},
		{"limited for less than we wait", limited("1"), 3, 8 * time.Minute},
	} {
		if got := again(c.err, c.failures); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
