package guard

import (
	"context"
	"errors"
	"io"
	"time"

	"exeunt.dev/ledger"
)

const (
	// Three pings lost. Until then the beats carry what the tail does not.
	tailSilence     = 3 * ledger.PingInterval
	snapshotSilence = 10 * time.Second
)

// keepTail keeps a tail open, over which endings come the moment they are committed. It only makes the guard faster:
// nothing that it brings, and nothing that it fails to bring, makes the guard fresh.
func (g *Guard) keepTail(ctx context.Context) {
	wait := backoff{from: 50 * time.Millisecond, to: 5 * time.Second}
	for node := 0; ctx.Err() == nil; {
		heard := g.news.wait()
		from := g.place()
		if from.lineage.IsZero() {
			select {
			case <-heard:
			case <-ctx.Done():
			}
			continue
		}
		got, err := g.readTail(ctx, node, from)
		if got {
			wait.reset()
		}
		var status statusError
		switch {
		case errors.As(err, &status) && status.status == ledger.StatusTakeSnapshot:
			// The next beat says so too, and takes it.
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) && ctx.Err() == nil:
			g.trouble(err)
			node++
		}
		if !sleep(ctx, wait.next()) {
			return
		}
	}
}

// readTail follows one tail to its end. It says whether anything came.
func (g *Guard) readTail(ctx context.Context, node int, from place) (got bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g.applying.Lock()
	g.cutTail = cancel
	g.applying.Unlock()
	tail, body, err := g.feed.tail(ctx, node, ledger.Hello{Lineage: from.lineage, After: from.number}, tailSilence)
	if err != nil {
		return false, err
	}
	defer body.Close()
	for {
		batch, err := tail.Next()
		if err != nil {
			return got, err
		}
		got = true
		if len(batch.Entries) == 0 {
			continue
		}
		if err := g.takeBatch(from.era, batch); err != nil {
			return got, err
		}
	}
}

func (g *Guard) takeBatch(era int, b ledger.Batch) error {
	g.applying.Lock()
	defer g.applying.Unlock()
	if g.at.era != era {
		return context.Canceled // numbers of another history
	}
	if err := g.follow(b.First, b.Entries, b.Time); err != nil {
		return err
	}
	g.hear(b.Time)
	return nil
}
