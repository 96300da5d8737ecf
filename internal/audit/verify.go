package audit

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"exeunt.dev/internal/idp"
)

// Head is a place in the chain: what an operator keeps elsewhere, to give it back later.
type Head struct {
	Number uint64
	Hash   idp.Hash
}

func (h Head) String() string {
	return strconv.FormatUint(h.Number, 10) + ":" + hex.EncodeToString(h.Hash[:])
}

// ParseHead reads what String makes.
func ParseHead(s string) (h Head, err error) {
	number, sum, _ := strings.Cut(s, ":")
	b, err1 := hex.DecodeString(sum)
	n, err2 := strconv.ParseUint(number, 10, 63)
	if err1 != nil || err2 != nil || len(b) != len(h.Hash) {
		return h, idp.Invalid("head", "A head is a number, a colon, and 64 hexadecimal digits.")
	}
	return Head{n, idp.Hash(b)}, nil
}

// BrokenError says where the chain breaks.
type BrokenError struct {
	Number uint64
	Why    string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the chain of events breaks at number %d: %s", e.Number, e.Why)
}

// Verdict is what a chain that holds is like.
type Verdict struct {
	Head  Head
	First uint64 // the first number that is kept
	Open  int64  // events that are not sealed yet
	Kept  bool   // the kept head was met
}

// Verify walks the whole chain. kept, if not nil, is a head from earlier that must lie in it. A *[BrokenError] says where it breaks.
func Verify(ctx context.Context, store idp.Store, kept *Head) (out Verdict, err error) {
	w := walk{kept: kept}
	for {
		var rows []idp.Event
		var s idp.Sealed
		if err := store.View(ctx, func(v idp.View) error {
			if s, err = v.Sealed(); err != nil {
				return err
			}
			if out.Open, err = v.OpenEvents(); err != nil {
				return err
			}
			rows, err = v.SealedEvents(max(w.at, s.First-1), batch)
			return err
		}); err != nil {
			return out, err
		}
		if w.begin(s); w.wrong != nil {
			return out, w.wrong
		}
		for i := range rows {
			if w.next(&rows[i]); w.wrong != nil {
				return out, w.wrong
			}
		}
		if len(rows) == batch {
			continue
		}
		if w.finish(s); w.wrong != nil {
			return out, w.wrong
		}
		out.Head, out.First, out.Kept = Head{s.Number, s.Hash}, s.First, w.met
		return out, nil
	}
}

// walk is where the verification has come to.
type walk struct {
	at    uint64
	hash  idp.Hash
	kept  *Head
	met   bool
	wrong error
}

func (w *walk) breaks(number uint64, why string) { w.wrong = &BrokenError{number, why} }

// begin takes over the beginning, also one that a sweep has moved meanwhile.
func (w *walk) begin(s idp.Sealed) {
	if w.at < s.First-1 || w.at == 0 {
		w.at, w.hash = s.First-1, s.Before
		w.meet()
	}
}

func (w *walk) meet() {
	if w.kept == nil || w.kept.Number != w.at {
		return
	}
	if w.met = w.kept.Hash == w.hash; !w.met {
		w.breaks(w.at, "it is not what the given head says: the events up to here are others than then")
	}
}

func (w *walk) next(e *idp.Event) {
	want := w.at + 1
	switch {
	case e.Number != want:
		w.breaks(want, "this event is missing")
	case e.Seal(want, w.hash) != e.Hash:
		w.breaks(want, "this event is not what was sealed")
	default:
		w.at, w.hash = want, e.Hash
		w.meet()
	}
}

func (w *walk) finish(s idp.Sealed) {
	switch {
	case w.at != s.Number:
		w.breaks(w.at+1, fmt.Sprintf("events up to %d are missing", s.Number))
	case w.hash != s.Hash:
		w.breaks(w.at, "the last event is not the one that was sealed last")
	case w.kept != nil && w.kept.Number > s.Number:
		w.breaks(s.Number+1, fmt.Sprintf("the given head is of number %d: what was there then is missing", w.kept.Number))
	}
}
