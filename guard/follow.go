package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"exeunt.dev/ledger"
)

var (
	errNonce     = errors.New("guard: answer to another question")
	errBehind    = errors.New("guard: the ledger is behind what it told before")
	errNotCaught = errors.New("guard: the node does not know all entries yet")
)

// snapshotBatch is how many entries of a snapshot are applied at a time.
const snapshotBatch = 1 << 18

// Run follows the ledger until ctx ends, and then says why it stopped. Whatever goes wrong on the way is reported to
// Observe and tried again; what cannot be known meanwhile is refused with ErrStale. It may be called once.
func (g *Guard) Run(ctx context.Context) error {
	if !g.running.CompareAndSwap(false, true) {
		return errors.New("guard: Run was called before")
	}
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { g.keepKeys(run) })
	wg.Go(func() { g.keepTail(run) })
	wg.Go(func() { g.keepWatch(run) })
	defer wg.Wait()
	defer cancel()
	g.keepAsking(run)
	// Nobody will hear of endings any more. What is streamed now may go on for as long as a check would still admit it.
	// What is begun after that is over when nothing is begun any more.
	for _, left := range []time.Duration{g.streamsLeft(), g.trustLeft() - g.early()/2} {
		time.AfterFunc(left, func() { g.watches.endAll(ErrStale) })
	}
	return fmt.Errorf("guard: stopped following the ledger: %w", errors.Join(context.Cause(ctx), g.lastErr()))
}

// interval between two questions: a fifth of the staleness.
func (g *Guard) interval() time.Duration { return g.conf.maxStaleness / 5 }

// keepAsking is the beat: the only source of freshness, and the one that decides when a snapshot is needed.
func (g *Guard) keepAsking(ctx context.Context) {
	for node := 0; ctx.Err() == nil; {
		atOnce, err := g.ask(ctx, node)
		if err != nil && ctx.Err() == nil {
			g.trouble(err)
			node++
		}
		if (err != nil || !atOnce) && !sleep(ctx, jitter(g.interval())) {
			return
		}
	}
}

// ask asks one question and acts on the answer. It says whether to ask again at once, which it does only after
// progress, so that no answer can make the guard spin.
func (g *Guard) ask(ctx context.Context, node int) (again bool, err error) {
	at := g.place()
	q := ledger.Question{Nonce: ledger.NewNonce(), Lineage: at.lineage, After: at.number}
	if q.Lineage.IsZero() {
		return true, g.takeSnapshot(ctx, node, false)
	}
	// Half the staleness, so that a node that hangs leaves time to ask another.
	limited, cancel := context.WithTimeout(ctx, g.conf.maxStaleness/2)
	defer cancel()
	sent := g.conf.clock()
	a, err := g.feed.beat(limited, node, q)
	if err != nil {
		return false, err
	}
	// An answer to an earlier question, kept and delivered by whoever, proves nothing.
	if a.Nonce != q.Nonce {
		return false, errNonce
	}
	rewritten := a.Head.Lineage == q.Lineage && a.Head.Number < q.After
	if a.Snapshot || rewritten || a.Head.Lineage != q.Lineage {
		if rewritten {
			g.tell(Event{Kind: Rewritten, Err: errBehind, Number: a.Head.Number})
		}
		err := g.takeSnapshot(ctx, node, rewritten)
		return g.place() != at, err
	}
	return g.take(at, a, sent)
}

// take applies an answer and, if it reaches the head, is fresh as of sent.
func (g *Guard) take(asked place, a ledger.Answer, sent reading) (again bool, err error) {
	g.applying.Lock()
	defer g.applying.Unlock()
	if g.at.era != asked.era { // numbers of another history
		return false, nil
	}
	before := g.at.number
	if len(a.Entries) > 0 {
		if err := g.follow(a.First, a.Entries, a.Head.Time); err != nil {
			return false, err
		}
	}
	g.hear(a.Head.Time)
	if g.at.number < a.Head.Number {
		if !a.More {
			return false, fmt.Errorf("%w: known to %d of %d", ledger.ErrGap, g.at.number, a.Head.Number)
		}
		if g.at.number == before {
			return false, errNotCaught
		}
		return true, nil
	}
	g.prove(sent)
	if g.stale.CompareAndSwap(true, false) {
		g.tell(Event{Kind: Fresh, Number: g.at.number})
	}
	g.news.tell()
	return false, nil
}

// takeSnapshot adds a snapshot to what is held; nothing held is ever taken away for it. The position moves only when
// the whole snapshot was there and undamaged. It never moves back within one history, unless that was rewritten.
func (g *Guard) takeSnapshot(ctx context.Context, node int, rewritten bool) error {
	r, body, err := g.feed.snapshot(ctx, node, snapshotSilence)
	if err != nil {
		return err
	}
	defer body.Close()
	total := 0
	for buf := []ledger.Entry(nil); err == nil; {
		buf, err = r.Next(buf[:0], snapshotBatch)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		g.applying.Lock()
		g.apply(buf, r.Head().Time)
		g.applying.Unlock()
		total += len(buf)
	}
	head := r.Head()
	g.applying.Lock()
	defer g.applying.Unlock()
	g.hear(head.Time)
	at := g.at
	other := head.Lineage != at.lineage
	if other || rewritten {
		if other && !at.lineage.IsZero() {
			g.tell(Event{Kind: NewLineage, Number: head.Number})
			g.keys.renew() // a restored issuer has new ones, and none was published ahead
		}
		g.move(place{lineage: head.Lineage, number: head.Number, era: at.era + 1})
		if g.cutTail != nil {
			g.cutTail()
		}
	} else if head.Number > at.number {
		at.number = head.Number
		g.move(at)
	}
	g.tell(Event{Kind: SnapshotTaken, Number: g.at.number, Entries: total})
	g.news.tell()
	return nil
}
