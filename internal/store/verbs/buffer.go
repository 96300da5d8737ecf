package verbs

import (
	"slices"

	"exeunt.dev/internal/idp"
)

// Act is one call of Append: a receipt and its endings, none of which had ended.
type Act struct {
	Receipt idp.Receipt
	Endings []idp.Ending
}

// Buffer is what the members of a flight have appended so far, and what they have learned about the ledger.
type Buffer struct {
	Acts    []Act
	Endings int // in all acts

	byName    map[idp.Name]int // index in Acts
	byRequest map[idp.Hash]int
	live      map[idp.Name]struct{} // asked, and not in the table
}

// Mark is a place in the buffer to come back to when a member fails.
type Mark struct{ acts, endings int }

// Mark is where the buffer is now.
func (b *Buffer) Mark() Mark { return Mark{len(b.Acts), b.Endings} }

// Reset goes back to a mark.
func (b *Buffer) Reset(m Mark) {
	for _, a := range b.Acts[m.acts:] {
		for _, e := range a.Endings {
			delete(b.byName, e.Name)
		}
		delete(b.byRequest, a.Receipt.Request)
	}
	b.Acts, b.Endings = b.Acts[:m.acts], m.endings
}

func (b *Buffer) add(r idp.Receipt, endings []idp.Ending) {
	if b.byName == nil {
		b.byName, b.byRequest = map[idp.Name]int{}, map[idp.Hash]int{}
	}
	i := len(b.Acts)
	b.Acts = append(b.Acts, Act{r, endings})
	b.Endings += len(endings)
	for _, e := range endings {
		b.byName[e.Name] = i
	}
	if !r.Request.IsZero() {
		b.byRequest[r.Request] = i
	}
}

func (b *Buffer) has(n idp.Name) bool { _, ok := b.byName[n]; return ok }

func (b *Buffer) isLive(n idp.Name) bool { _, ok := b.live[n]; return ok && !b.has(n) }

// learn keeps the answer of the table to a question for names.
func (b *Buffer) learn(asked, over []idp.Name) {
	if b.live == nil {
		b.live = map[idp.Name]struct{}{}
	}
	for _, n := range asked {
		if !slices.Contains(over, n) {
			b.live[n] = struct{}{}
		}
	}
}

// HasRequest says whether a receipt of this request was appended.
func (b *Buffer) HasRequest(h idp.Hash) bool { _, ok := b.byRequest[h]; return ok }

// Learn is told the table's answer to a question for names, asked under the locks of this flight.
func (b *Buffer) Learn(asked, over []idp.Name) { b.learn(asked, over) }

// Doubt forgets what was alive: others may have ended it since.
func (b *Buffer) Doubt() { clear(b.live) }
