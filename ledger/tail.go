package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Kinds of frame.
const (
	kindHello   = 1
	kindEntries = 2
	kindPing    = 3
)

// Hello opens a tail: which history, and after which number it goes on.
type Hello struct {
	Lineage Lineage
	After   uint64
}

// Batch is consecutive entries from number First on.
type Batch struct {
	First   uint64
	Time    Time // ledger time of the last entry's commit, or later
	Entries []Entry
}

// Last is the number of the last entry. Only for a batch that is not empty.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Entries)) - 1 }

// AppendHello appends a hello frame.
func AppendHello(b []byte, h Hello) []byte {
	b = binary.BigEndian.AppendUint32(b, 1+helloSize)
	b = append(b, kindHello, Version)
	b = append(b, h.Lineage[:]...)
	return binary.BigEndian.AppendUint64(b, h.After)
}

// AppendBatch appends as many entries frames as the entries need: none for an empty batch.
func AppendBatch(b []byte, batch Batch) []byte {
	for rest, first := batch.Entries, batch.First; len(rest) > 0; {
		n := min(len(rest), MaxEntries)
		b = binary.BigEndian.AppendUint32(b, uint32(1+entriesHead+n*EntrySize))
		b = append(b, kindEntries)
		b = binary.BigEndian.AppendUint64(b, first)
		b = binary.BigEndian.AppendUint64(b, uint64(batch.Time))
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		for _, e := range rest[:n] {
			b = appendEntry(b, e)
		}
		rest, first = rest[n:], first+uint64(n)
	}
	return b
}

// AppendPing appends a ping frame.
func AppendPing(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, 1), kindPing)
}

// TailReader reads one tail. It holds at most one frame (64 KiB) and its entries.
type TailReader struct {
	r       io.Reader
	hello   Hello
	next    uint64 // the number that must come
	buf     []byte
	entries []Entry
	err     error
}

// NewTailReader reads the hello and demands that it is what was asked for; a proxy or a confused node could answer
// another question.
func NewTailReader(r io.Reader, asked Hello) (*TailReader, error) {
	t := &TailReader{r: r, hello: asked, next: asked.After + 1}
	kind, payload, err := t.frame()
	if err != nil {
		return nil, truncated(noEOF(err))
	}
	if kind != kindHello {
		return nil, fmt.Errorf("%w: first frame is of kind %d", ErrHello, kind)
	}
	got, err := parseHello(payload)
	if err != nil {
		return nil, err
	}
	if got != asked {
		return nil, fmt.Errorf("%w: answered for another lineage or number", ErrHello)
	}
	return t, nil
}

// Next returns the next frame. A ping is an empty batch. The entries are valid until the next call. A tail cut
// between two frames gives io.EOF, one cut within a frame ErrTruncated, damage its own error; after an error there is
// nothing more. Resume with a new tail after the last number that was returned.
func (t *TailReader) Next() (Batch, error) {
	if t.err != nil {
		return Batch{}, t.err
	}
	b, err := t.read()
	t.err = err
	return b, err
}

func (t *TailReader) read() (Batch, error) {
	kind, payload, err := t.frame()
	if err != nil {
		return Batch{}, err
	}
	switch kind {
	case kindEntries:
		b, err := parseBatch(t.entries[:0], payload)
		t.entries = b.Entries
		if err != nil {
			return Batch{}, err
		}
		if b.First != t.next {
			return Batch{}, fmt.Errorf("%w: %d came where %d was due", ErrGap, b.First, t.next)
		}
		t.next += uint64(len(b.Entries))
		return b, nil
	case kindPing:
		if len(payload) != 0 {
			return Batch{}, fmt.Errorf("%w: ping with %d bytes", ErrSize, len(payload))
		}
		return Batch{}, nil
	case kindHello:
		return Batch{}, fmt.Errorf("%w: a second one", ErrHello)
	}
	return Batch{}, fmt.Errorf("%w: %d", ErrKind, kind)
}

// frame reads one frame into the reader's buffer.
func (t *TailReader) frame() (kind byte, payload []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(t.r, head[:]); err != nil {
		return 0, nil, truncated(err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > MaxFrame {
		return 0, nil, fmt.Errorf("%w: frame of %d bytes", ErrSize, n)
	}
	if cap(t.buf) < int(n) {
		t.buf = make([]byte, n)
	}
	body := t.buf[:n]
	if _, err := io.ReadFull(t.r, body); err != nil {
		return 0, nil, truncated(noEOF(err))
	}
	return body[0], body[1:], nil
}

func parseHello(b []byte) (Hello, error) {
	if len(b) < 1 || b[0] != Version {
		return Hello{}, ErrVersion
	}
	if len(b) != helloSize {
		return Hello{}, fmt.Errorf("%w: hello of %d bytes", ErrSize, len(b))
	}
	h := Hello{Lineage: Lineage(b[1:17]), After: binary.BigEndian.Uint64(b[17:])}
	if h.Lineage.IsZero() || h.After == math.MaxUint64 {
		return Hello{}, ErrValue
	}
	return h, nil
}

func parseBatch(dst []Entry, b []byte) (Batch, error) {
	if len(b) < entriesHead {
		return Batch{}, fmt.Errorf("%w: entries frame of %d bytes", ErrSize, len(b))
	}
	batch := Batch{First: binary.BigEndian.Uint64(b), Time: Time(binary.BigEndian.Uint64(b[8:]))}
	count := uint64(binary.BigEndian.Uint32(b[16:]))
	b = b[entriesHead:]
	if count < 1 || count > MaxEntries || uint64(len(b)) != count*EntrySize {
		return Batch{}, fmt.Errorf("%w: %d entries in %d bytes", ErrSize, count, len(b))
	}
	if batch.First < 1 || batch.First > math.MaxUint64-count || batch.Time <= 0 {
		return Batch{}, ErrValue
	}
	var err error
	batch.Entries, err = appendEntriesOf(dst, b, int(count))
	return batch, err
}

// truncated names a cut within a frame; a cut between frames stays io.EOF, other errors stay what they are.
func truncated(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}

// noEOF is for places where the end must not come.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
