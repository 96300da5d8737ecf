package ledger

import (
	"encoding/binary"
	"errors"
	"time"
)

// Version of everything here. There is one; another is refused.
const Version = 1

// Sizes on the wire and the bounds of what a decoder holds.
const (
	EntrySize   = 16
	MaxEntries  = 4096                                   // in one frame or one answer: 64 KiB
	MaxFrame    = 1 + entriesHead + MaxEntries*EntrySize // kind and payload
	MaxAnswer   = answerHead + MaxEntries*EntrySize      // a whole answer to a beat
	frameHead   = 4                                      // length
	helloSize   = 1 + 16 + 8                             // payload of a hello
	entriesHead = 8 + 8 + 4                              // payload of entries before the first entry
)

// PingInterval is the longest silence of a healthy tail.
const PingInterval = 15 * time.Second

// Where the feed is, below the issuer's address, and what it speaks.
const (
	PathTail     = "/ledger"
	PathSnapshot = "/ledger/snapshot"
	PathBeat     = "/ledger/beat"

	ParamAfter   = "after"
	ParamLineage = "lineage"

	TypeTail     = "application/vnd.exeunt.ledger-tail"
	TypeSnapshot = "application/vnd.exeunt.ledger-snapshot"
	TypeBeat     = "application/vnd.exeunt.ledger-beat"

	// StatusTakeSnapshot answers a tail request that cannot be continued by number.
	StatusTakeSnapshot = 410 // Gone; the number, since this package knows no HTTP
)

// Errors of decoding. Each means that what was read must not be used and that the source cannot be trusted to go on.
var (
	ErrVersion   = errors.New("ledger: unknown version")
	ErrKind      = errors.New("ledger: unknown kind of frame")
	ErrSize      = errors.New("ledger: wrong size")
	ErrGap       = errors.New("ledger: numbers do not continue")
	ErrHello     = errors.New("ledger: hello missing, repeated or for something else")
	ErrValue     = errors.New("ledger: impossible value")
	ErrOrder     = errors.New("ledger: entries not in order")
	ErrDamaged   = errors.New("ledger: checksum does not match")
	ErrTruncated = errors.New("ledger: ends too early")
	ErrTrailing  = errors.New("ledger: bytes after the end")
)

// Entry is one ending on the wire.
type Entry struct {
	Name  Name
	Until uint32 // Unix seconds: no token that hangs on Name is valid from then on; or Forever
}

// Head is how far a ledger has come: entries 1 to Number exist.
type Head struct {
	Lineage Lineage
	Number  uint64
	Time    Time
}

func appendEntry(b []byte, e Entry) []byte {
	return binary.BigEndian.AppendUint32(append(b, e.Name[:]...), e.Until)
}

// entry reads one from exactly the first EntrySize bytes.
func entry(b []byte) (Entry, error) {
	e := Entry{Name: Name(b[:12]), Until: binary.BigEndian.Uint32(b[12:16])}
	if e.Name.IsZero() {
		return Entry{}, ErrValue
	}
	return e, nil
}

// appendEntriesOf decodes count entries that fill b, onto dst.
func appendEntriesOf(dst []Entry, b []byte, count int) ([]Entry, error) {
	for i := range count {
		e, err := entry(b[i*EntrySize:])
		if err != nil {
			return dst, err
		}
		dst = append(dst, e)
	}
	return dst, nil
}

func appendHead(b []byte, h Head) []byte {
	b = append(b, h.Lineage[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Number)
	return binary.BigEndian.AppendUint64(b, uint64(h.Time))
}

const headSize = 16 + 8 + 8

func parseHead(b []byte) (Head, error) {
	h := Head{
		Lineage: Lineage(b[:16]),
		Number:  binary.BigEndian.Uint64(b[16:]),
		Time:    Time(binary.BigEndian.Uint64(b[24:])),
	}
	if h.Lineage.IsZero() || h.Time <= 0 {
		return Head{}, ErrValue
	}
	return h, nil
}
