package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	magic        = "exeuntL\x00"
	snapshotHead = len(magic) + 1 + headSize + 8
)

// SnapshotSize is the size of a snapshot of count entries, for Content-Length.
func SnapshotSize(count int) int64 {
	return int64(snapshotHead) + int64(count)*EntrySize + sha256.Size
}

// AppendSnapshot appends the whole snapshot. The entries must be in strictly ascending order of name.
func AppendSnapshot(b []byte, head Head, entries []Entry) ([]byte, error) {
	if head.Lineage.IsZero() || head.Time <= 0 {
		return b, ErrValue
	}
	start := len(b)
	b = append(b, magic...)
	b = append(b, Version)
	b = appendHead(b, head)
	b = binary.BigEndian.AppendUint64(b, uint64(len(entries)))
	var last Name
	for _, e := range entries {
		if e.Name.Compare(last) <= 0 {
			return b[:start], ErrOrder
		}
		last = e.Name
		b = appendEntry(b, e)
	}
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:]...), nil
}

// SnapshotReader reads a snapshot piece by piece; it holds 64 KiB whatever the header says.
type SnapshotReader struct {
	r    io.Reader // what is read is hashed
	raw  *bufio.Reader
	sum  hash.Hash
	head Head
	left uint64
	last Name
	buf  []byte
	err  error
}

// NewSnapshotReader reads the header.
func NewSnapshotReader(r io.Reader) (*SnapshotReader, error) {
	raw, sum := bufio.NewReaderSize(r, 64<<10), sha256.New()
	s := &SnapshotReader{r: io.TeeReader(raw, sum), raw: raw, sum: sum, buf: make([]byte, 256*EntrySize)}
	b := s.buf[:snapshotHead]
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil, truncated(noEOF(err))
	}
	if string(b[:len(magic)]) != magic || b[len(magic)] != Version {
		return nil, ErrVersion
	}
	b = b[len(magic)+1:]
	var err error
	if s.head, err = parseHead(b); err != nil {
		return nil, err
	}
	s.left = binary.BigEndian.Uint64(b[headSize:])
	if s.left > s.head.Number {
		return nil, fmt.Errorf("%w: %d entries below number %d", ErrValue, s.left, s.head.Number)
	}
	return s, nil
}

// Head of the snapshot. It counts only once Next has returned io.EOF.
func (s *SnapshotReader) Head() Head { return s.head }

// Next appends up to max entries to dst. It returns io.EOF with the last of them, and only when the whole snapshot was
// there and undamaged; every other error means that it was not.
func (s *SnapshotReader) Next(dst []Entry, max int) ([]Entry, error) {
	for max > 0 && s.err == nil && s.left > 0 {
		n := int(min(s.left, uint64(max), uint64(len(s.buf)/EntrySize)))
		b := s.buf[:n*EntrySize]
		if _, err := io.ReadFull(s.r, b); err != nil {
			s.err = truncated(noEOF(err))
			break
		}
		for ; len(b) > 0; b = b[EntrySize:] {
			e, err := entry(b)
			if err != nil {
				s.err = err
				return dst, err
			}
			if e.Name.Compare(s.last) <= 0 {
				s.err = ErrOrder
				return dst, s.err
			}
			s.last = e.Name
			dst = append(dst, e)
		}
		max, s.left = max-n, s.left-uint64(n)
	}
	if s.err == nil && s.left == 0 {
		s.err = s.finish()
	}
	return dst, s.err
}

func (s *SnapshotReader) finish() error {
	want := s.sum.Sum(nil)
	got := s.buf[:len(want)]
	if _, err := io.ReadFull(s.raw, got); err != nil {
		return truncated(noEOF(err))
	}
	if !bytes.Equal(got, want) {
		return ErrDamaged
	}
	switch _, err := s.raw.ReadByte(); {
	case err == nil:
		return ErrTrailing
	case !errors.Is(err, io.EOF):
		return err
	}
	return io.EOF
}
