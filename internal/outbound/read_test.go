package outbound

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a body that can be neither read nor closed, until it is freed.
type stuck chan struct{}

func (s stuck) Read([]byte) (int, error) { <-s; return 0, errors.New("freed") }
func (s stuck) Close() error             { <-s; return nil }

func TestRead_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := make(stuck)
		defer close(body)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := read(ctx, body); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
