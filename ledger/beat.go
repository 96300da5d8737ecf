package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
)

// Nonce makes one question unlike every other, so that an old answer proves nothing.
type Nonce [16]byte

// NewNonce draws a nonce.
func NewNonce() Nonce {
	var n Nonce
	rand.Read(n[:])
	return n
}

// Question is what a guard asks in a beat: how far is the ledger now, and what came after number After.
type Question struct {
	Nonce   Nonce
	Lineage Lineage // zero: the guard holds nothing yet
	After   uint64
}

// Answer is what a node vouches for.
type Answer struct {
	Nonce    Nonce
	Head     Head    // read on the primary after the question arrived
	First    uint64  // number of Entries[0]; 0 without entries
	Entries  []Entry // at most MaxEntries
	More     bool    // the entries do not reach Head.Number
	Snapshot bool    // number After cannot be continued: take a snapshot
}

const (
	questionSize = 1 + 16 + 16 + 8
	answerHead   = 1 + 1 + 16 + headSize + 8 + 4

	flagMore     = 1
	flagSnapshot = 2
)

// AppendQuestion appends the wire form.
func AppendQuestion(b []byte, q Question) []byte {
	b = append(b, Version)
	b = append(b, q.Nonce[:]...)
	b = append(b, q.Lineage[:]...)
	return binary.BigEndian.AppendUint64(b, q.After)
}

// ParseQuestion reads a whole question. A node reads at most [QuestionSize]+1 bytes of a request first.
func ParseQuestion(b []byte) (Question, error) {
	if len(b) < 1 || b[0] != Version {
		return Question{}, ErrVersion
	}
	if err := exactly(b, questionSize); err != nil {
		return Question{}, err
	}
	q := Question{
		Nonce:   Nonce(b[1:17]),
		Lineage: Lineage(b[17:33]),
		After:   binary.BigEndian.Uint64(b[33:]),
	}
	if q.Lineage.IsZero() && q.After != 0 {
		return Question{}, ErrValue
	}
	return q, nil
}

// QuestionSize is the size of every question.
const QuestionSize = questionSize

// AppendAnswer appends the wire form. It fails on an answer that a guard would refuse, so that the mistake shows where
// it is made.
func AppendAnswer(b []byte, a Answer) ([]byte, error) {
	if err := a.check(); err != nil {
		return b, err
	}
	var flags byte
	if a.More {
		flags |= flagMore
	}
	if a.Snapshot {
		flags |= flagSnapshot
	}
	b = append(b, Version, flags)
	b = append(b, a.Nonce[:]...)
	b = appendHead(b, a.Head)
	b = binary.BigEndian.AppendUint64(b, a.First)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Entries)))
	for _, e := range a.Entries {
		b = appendEntry(b, e)
	}
	return b, nil
}

// ParseAnswer reads a whole answer.
func ParseAnswer(b []byte) (Answer, error) {
	if len(b) < 1 || b[0] != Version {
		return Answer{}, ErrVersion
	}
	if len(b) < answerHead {
		return Answer{}, ErrTruncated
	}
	flags := b[1]
	if flags&^(flagMore|flagSnapshot) != 0 {
		return Answer{}, fmt.Errorf("%w: flags %#x", ErrKind, flags)
	}
	head, err := parseHead(b[18:])
	if err != nil {
		return Answer{}, err
	}
	a := Answer{
		Nonce:    Nonce(b[2:18]),
		Head:     head,
		First:    binary.BigEndian.Uint64(b[18+headSize:]),
		More:     flags&flagMore != 0,
		Snapshot: flags&flagSnapshot != 0,
	}
	count := uint64(binary.BigEndian.Uint32(b[26+headSize:]))
	if count > MaxEntries {
		return Answer{}, fmt.Errorf("%w: %d entries", ErrSize, count)
	}
	if err := exactly(b, answerHead+int(count)*EntrySize); err != nil {
		return Answer{}, err
	}
	if count > 0 {
		if a.Entries, err = appendEntriesOf(make([]Entry, 0, count), b[answerHead:], int(count)); err != nil {
			return Answer{}, err
		}
	}
	return a, a.check()
}

// check says whether the parts agree; both sides ask.
func (a Answer) check() error {
	n := uint64(len(a.Entries))
	switch {
	case a.Head.Lineage.IsZero() || a.Head.Time <= 0:
		return ErrValue
	case n > MaxEntries:
		return fmt.Errorf("%w: %d entries", ErrSize, n)
	case n == 0 && a.First != 0, n > 0 && a.First == 0, a.First > math.MaxUint64-n:
		return fmt.Errorf("%w: first %d of %d", ErrValue, a.First, n)
	case a.Snapshot && (a.More || n > 0):
		return fmt.Errorf("%w: snapshot and more", ErrValue)
	case n == 0:
		return nil
	}
	last := a.First + n - 1
	if a.More && last >= a.Head.Number || !a.More && last != a.Head.Number {
		return fmt.Errorf("%w: entries end at %d, head is %d", ErrGap, last, a.Head.Number)
	}
	return nil
}

func exactly(b []byte, n int) error {
	switch {
	case len(b) < n:
		return ErrTruncated
	case len(b) > n:
		return ErrTrailing
	}
	return nil
}
