package guard

import (
	"errors"
	"time"

	"exeunt.dev/ledger"
)

// EventKind says what happened.
type EventKind string

// Kinds of event.
const (
	Fresh         EventKind = "fresh"          // the guard knows the ledger (again)
	Stale         EventKind = "stale"          // it has lost the ledger for longer than it may; Age
	SnapshotTaken EventKind = "snapshot"       // Number, Entries
	NewLineage    EventKind = "lineage"        // a backup was restored: another history, which is added to what is held
	Rewritten     EventKind = "rewritten"      // the ledger fell behind what it had told: history was rewritten
	Applied       EventKind = "applied"        // endings took effect; Number, Entries
	AcceptedStale EventKind = "accepted-stale" // a token was admitted although stale (AcceptFor); Age
	Refused       EventKind = "refused"        // a request was refused; Err, of which [Reason] makes a word: "bound" is a token in other hands than it was given to
	Trouble       EventKind = "trouble"        // asking for keys or ledger failed, and will be tried again; Err
)

// Event is something to log or count. It holds no token and no secret.
type Event struct {
	Kind    EventKind
	Err     error
	Age     time.Duration // since the guard last knew everything
	Number  uint64        // the last entry known
	Entries int           // how many came
}

// Status is what a guard holds now.
type Status struct {
	Age     time.Duration // since the guard last knew everything; the largest duration if never
	Lineage ledger.Lineage
	Number  uint64 // the last entry known
	Endings int    // names held
	Tokens  int    // verified tokens held
	Bytes   int    // what they take, about
}

// Status for metrics. It takes a lock; do not ask on every request.
func (g *Guard) Status() Status {
	s := Status{Age: forever}
	g.mu.Lock()
	s.Lineage, s.Number = g.at.lineage, g.at.number
	s.Endings, s.Tokens, s.Bytes = g.ended.size(), len(g.cache.ring), g.cache.bytes
	g.mu.Unlock()
	if a := g.anchor.Load(); a != nil {
		s.Age = a.age(g.conf.clock())
	}
	return s
}

func (g *Guard) tell(e Event) { g.conf.observe(e) }

// refuse reports that a request was refused, and why.
func (g *Guard) refuse(err error) error {
	g.tell(Event{Kind: Refused, Err: err})
	return err
}

// Reason is one word for why a request was refused, for logs and metrics: ended, expired, invalid, bound, proof, nonce, stale, missing, request
// or scope; "" if err is none of those.
func Reason(err error) string {
	for _, r := range [...]struct {
		err  error
		word string
	}{{ErrEnded, "ended"}, {ErrExpired, "expired"}, {ErrInvalid, "invalid"}, {ErrBound, "bound"}, {ErrProof, "proof"}, {ErrNonce, "nonce"},
		{ErrStale, "stale"}, {ErrMissing, "missing"}, {ErrRequest, "request"}, {ErrScope, "scope"}} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return ""
}

// trouble reports an error and keeps it, so that Ready and Run can say what was wrong last.
func (g *Guard) trouble(err error) {
	g.lastTrouble.Store(&err)
	g.tell(Event{Kind: Trouble, Err: err})
}

func (g *Guard) lastErr() error {
	if p := g.lastTrouble.Load(); p != nil {
		return *p
	}
	return nil
}
