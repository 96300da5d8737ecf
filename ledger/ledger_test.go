package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

// sample is n entries with names in ascending order.
func sample(n int) []Entry {
	out := make([]Entry, n)
	for i := range out {
		out[i] = Entry{Name: Name{byte(i >> 8), byte(i), 11: byte(i) | 1}, Until: 1_800_000_300 + uint32(i)}
	}
	return out
}

var (
	lineage = Lineage{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	head    = Head{Lineage: lineage, Number: 9, Time: 1_800_000_000_123}
)

// golden vectors fix the format: a change of these files is a change of version.
func TestGoldenVectors(t *testing.T) {
	tail := AppendHello(nil, Hello{Lineage: lineage, After: 6})
	tail = AppendBatch(tail, Batch{First: 7, Time: head.Time, Entries: sample(2)})
	tail = AppendPing(tail)
	tail = AppendBatch(tail, Batch{First: 9, Time: head.Time + 1, Entries: []Entry{{Name: Name{0xff}, Until: Forever}}})
	snap, err := AppendSnapshot(nil, head, sample(3))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := AppendAnswer(nil, Answer{Nonce: Nonce{9}, Head: head, First: 8, Entries: sample(2)})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{
		"tail": tail, "snapshot": snap, "answer": answer,
		"question": AppendQuestion(nil, Question{Nonce: Nonce{9}, Lineage: lineage, After: 7}),
	} {
		path := filepath.Join("testdata", name+".golden")
		want, err := os.ReadFile(path)
		if os.Getenv("UPDATE_GOLDEN") == "1" {
			err = os.WriteFile(path, got, 0o644)
			want = got
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %x\nwant %x", name, got, want)
		}
	}
}

func TestTextForms(t *testing.T) {
	n := Name{0xfb, 0xff, 11: 1}
	if got := n.String(); got != "-_8AAAAAAAAAAAAB" {
		t.Errorf("String = %q", got)
	}
	if p, err := ParseName(n.String()); err != nil || p != n {
		t.Errorf("ParseName = %v, %v", p, err)
	}
	if p, err := ParseLineage(lineage.String()); err != nil || p != lineage {
		t.Errorf("ParseLineage = %v, %v", p, err)
	}
	for _, s := range []string{
		"", "AAAAAAAAAAAAAAAA", "-_8AAAAAAAAAAAA", "-_8AAAAAAAAAAAABB", "+/8AAAAAAAAAAAAB",
		"-_8AAAAAAAAAAAA\n", "-_8AAAAAAAAAAA==", "-_8AAAAAAAA\nAAAB", "-_8AAAAAAAA AAAB",
	} {
		if p, err := ParseName(s); !errors.Is(err, ErrName) {
			t.Errorf("ParseName(%q) = %v, %v", s, p, err)
		}
	}
	// The last character of a lineage carries four bits that must be zero.
	for _, s := range []string{"", "AQIDBAUGBwgJCgsMDQ4PEB", "AAAAAAAAAAAAAAAAAAAAAA", "AQIDBAUGBwgJCgsMDQ4PE", "AQIDBAUGBwgJCgsMDQ4P\nE"} {
		if p, err := ParseLineage(s); !errors.Is(err, ErrLineage) {
			t.Errorf("ParseLineage(%q) = %v, %v", s, p, err)
		}
	}
	type pair struct {
		N Name
		L Lineage
	}
	for _, want := range []pair{{n, lineage}, {}} {
		b, err := json.Marshal(want)
		var got pair
		if err := errors.Join(err, json.Unmarshal(b, &got)); err != nil || got != want {
			t.Errorf("JSON %s: %v, %v", b, got, err)
		}
	}
	//lint:ignore SA4000 two calls of a random source
	if a, b := NewName(), NewName(); a == b || NewLineage() == NewLineage() || NewNonce() == NewNonce() {
		t.Error("drawn twice")
	}
}

// exp = floor((t + life)/1000) must never lie above until, for a mint at or before the ending.
func TestUntilCoversEveryExp(t *testing.T) {
	life := 5 * time.Minute
	for ms := range Time(2000) {
		at := 1_800_000_000_000 + ms
		if exp, until := int64(at.Add(life))/1000, int64(Until(at, life)); exp > until || until > exp+1 {
			t.Fatalf("at %d: exp %d, until %d", at, exp, until)
		}
	}
	if Until(math.MaxInt64/2, 0) != Forever {
		t.Error("a time beyond the format must not wrap")
	}
}

func tailOf(t *testing.T, r io.Reader, h Hello) (got []Entry, err error) {
	t.Helper()
	tr, err := NewTailReader(r, h)
	for err == nil {
		var b Batch
		if b, err = tr.Next(); err == nil && len(b.Entries) > 0 {
			if b.First != h.After+uint64(len(got))+1 || b.Last() != b.First+uint64(len(b.Entries))-1 {
				t.Fatalf("first %d after %d entries", b.First, len(got))
			}
			got = append(got, b.Entries...)
		}
	}
	return got, err
}

// Promise: cutting the stream at every byte and resuming by number yields the same set.
func TestCutAtEveryByteAndResume(t *testing.T) {
	all := sample(12)
	serve := func(after uint64) []byte {
		b := AppendHello(nil, Hello{Lineage: lineage, After: after})
		for i := after; i < uint64(len(all)); { // frames of one to three entries, with pings between
			n := min(1+i%3, uint64(len(all))-i)
			b = AppendPing(AppendBatch(b, Batch{First: i + 1, Time: head.Time, Entries: all[i : i+n]}))
			i += n
		}
		return b
	}
	for cut := range len(serve(0)) + 1 {
		got, err := tailOf(t, iotest.OneByteReader(bytes.NewReader(serve(0)[:cut])), Hello{Lineage: lineage})
		if err == nil || !errors.Is(err, io.EOF) && !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		after := uint64(len(got))
		rest, err := tailOf(t, bytes.NewReader(serve(after)), Hello{Lineage: lineage, After: after})
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if !slices.Equal(append(got, rest...), all) {
			t.Fatalf("cut at %d: another set", cut)
		}
	}
}

func TestTailRefuses(t *testing.T) {
	asked := Hello{Lineage: lineage, After: 6}
	hello := AppendHello(nil, asked)
	batch := func(first uint64, n int) []byte {
		return AppendBatch(nil, Batch{First: first, Time: head.Time, Entries: sample(n)})
	}
	change := func(b []byte, at int, to byte) []byte {
		b = bytes.Clone(b)
		b[at] = to
		return b
	}
	longer := func(b []byte) []byte { // one byte more, and the length says so
		b = append(bytes.Clone(b), 0)
		b[3]++
		return b
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":                 {nil, ErrTruncated},
		"no hello":                {batch(7, 1), ErrHello},
		"another version":         {change(hello, 5, 2), ErrVersion},
		"hello too long":          {longer(hello), ErrSize},
		"another lineage":         {AppendHello(nil, Hello{Lineage: Lineage{9}, After: 6}), ErrHello},
		"zero lineage":            {AppendHello(nil, Hello{After: 6}), ErrValue},
		"another number":          {AppendHello(nil, Hello{Lineage: lineage, After: 5}), ErrHello},
		"two hellos":              {slices.Concat(hello, hello), ErrHello},
		"unknown kind":            {slices.Concat(hello, []byte{0, 0, 0, 1, 4}), ErrKind},
		"empty frame":             {slices.Concat(hello, []byte{0, 0, 0, 0}), ErrSize},
		"huge frame":              {slices.Concat(hello, []byte{0xff, 0xff, 0xff, 0xff, 2}), ErrSize},
		"ping with payload":       {slices.Concat(hello, []byte{0, 0, 0, 2, 3, 0}), ErrSize},
		"gap at the start":        {slices.Concat(hello, batch(8, 1)), ErrGap},
		"repeated entries":        {slices.Concat(hello, batch(7, 2), batch(7, 2)), ErrGap},
		"gap later":               {slices.Concat(hello, batch(7, 2), batch(10, 1)), ErrGap},
		"entries too long":        {slices.Concat(hello, longer(batch(7, 1))), ErrSize},
		"count too large":         {slices.Concat(hello, change(batch(7, 1), 24, 2)), ErrSize},
		"count zero":              {slices.Concat(hello, change(batch(7, 1), 24, 0)), ErrSize},
		"zero name":               {slices.Concat(hello, AppendBatch(nil, Batch{First: 7, Time: 1, Entries: []Entry{{}}})), ErrValue},
		"no time":                 {slices.Concat(hello, AppendBatch(nil, Batch{First: 7, Entries: sample(1)})), ErrValue},
		"number wraps":            {slices.Concat(hello, batch(math.MaxUint64, 1)), ErrValue},
		"cut in a length":         {slices.Concat(hello, []byte{0, 0}), ErrTruncated},
		"cut in a frame":          {slices.Concat(hello, batch(7, 1)[:20]), ErrTruncated},
		"cut just after a length": {slices.Concat(hello, batch(7, 1)[:4]), ErrTruncated},
		"cut between frames":      {slices.Concat(hello, batch(7, 1)), io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tailOf(t, bytes.NewReader(c.in), asked); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestTailSaysNothingAfterAnError(t *testing.T) {
	in := AppendHello(nil, Hello{Lineage: lineage})
	in = append(in, 0, 0, 0, 1, 77)
	in = AppendBatch(in, Batch{First: 1, Time: 1, Entries: sample(1)})
	tr, err := NewTailReader(bytes.NewReader(in), Hello{Lineage: lineage})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if b, err := tr.Next(); !errors.Is(err, ErrKind) || len(b.Entries) > 0 {
			t.Fatalf("%v, %v", b, err)
		}
	}
}

func TestLongBatchIsSeveralFrames(t *testing.T) {
	in := AppendHello(nil, Hello{Lineage: lineage})
	in = AppendBatch(in, Batch{First: 1, Time: 1, Entries: sample(2*MaxEntries + 1)})
	got, err := tailOf(t, bytes.NewReader(in), Hello{Lineage: lineage})
	if !errors.Is(err, io.EOF) || !slices.Equal(got, sample(2*MaxEntries+1)) {
		t.Fatalf("%d entries, %v", len(got), err)
	}
}

func TestBeatRefuses(t *testing.T) {
	ok := Answer{Nonce: Nonce{9}, Head: head, First: 8, Entries: sample(2)}
	good, err := AppendAnswer(nil, ok)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(good) {
		if _, err := ParseAnswer(good[:cut]); err == nil {
			t.Errorf("cut at %d accepted", cut)
		}
	}
	if _, err := ParseAnswer(append(bytes.Clone(good), 0)); !errors.Is(err, ErrTrailing) {
		t.Errorf("trailing: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*Answer)
		want   error
	}{
		"short of head":     {func(a *Answer) { a.First-- }, ErrGap},
		"beyond head":       {func(a *Answer) { a.First++ }, ErrGap},
		"more at head":      {func(a *Answer) { a.More = true }, ErrGap},
		"snapshot, entries": {func(a *Answer) { a.Snapshot = true }, ErrValue},
		"snapshot and more": {func(a *Answer) { a.Snapshot, a.More, a.First, a.Entries = true, true, 0, nil }, ErrValue},
		"first without any": {func(a *Answer) { a.Entries = nil }, ErrValue},
		"entries, no first": {func(a *Answer) { a.First = 0 }, ErrValue},
		"number wraps":      {func(a *Answer) { a.First = math.MaxUint64 }, ErrValue},
		"no lineage":        {func(a *Answer) { a.Head.Lineage = Lineage{} }, ErrValue},
		"no time":           {func(a *Answer) { a.Head.Time = 0 }, ErrValue},
		"too many":          {func(a *Answer) { a.Entries = sample(MaxEntries + 1) }, ErrSize},
	} {
		a := ok
		c.change(&a)
		if _, err := AppendAnswer(nil, a); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for at, want := range map[int]error{0: ErrVersion, 1: ErrKind} {
		b := bytes.Clone(good)
		b[at] = 4
		if _, err := ParseAnswer(b); !errors.Is(err, want) {
			t.Errorf("byte %d: %v, want %v", at, err, want)
		}
	}
	q := AppendQuestion(nil, Question{Nonce: Nonce{1}, Lineage: lineage, After: 3})
	for cut := range len(q) {
		if _, err := ParseQuestion(q[:cut]); err == nil {
			t.Errorf("question cut at %d accepted", cut)
		}
	}
	if _, err := ParseQuestion(append(q, 0)); !errors.Is(err, ErrTrailing) {
		t.Errorf("question trailing: %v", err)
	}
	if _, err := ParseQuestion(AppendQuestion(nil, Question{After: 3})); !errors.Is(err, ErrValue) {
		t.Errorf("question after without lineage: %v", err)
	}
}

func readSnapshot(b []byte) (Head, []Entry, error) {
	s, err := NewSnapshotReader(bytes.NewReader(b))
	if err != nil {
		return Head{}, nil, err
	}
	var got []Entry
	for err == nil {
		got, err = s.Next(got, 100)
	}
	if !errors.Is(err, io.EOF) {
		return Head{}, got, err
	}
	return s.Head(), got, nil
}

func TestSnapshot(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 1000} {
		h := Head{Lineage: lineage, Number: 1000, Time: 5}
		b, err := AppendSnapshot(nil, h, sample(n))
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(b)) != SnapshotSize(n) {
			t.Errorf("%d bytes, SnapshotSize says %d", len(b), SnapshotSize(n))
		}
		if gh, got, err := readSnapshot(b); err != nil || gh != h || !slices.Equal(got, sample(n)) {
			t.Errorf("%d: %v, %d entries, %v", n, gh, len(got), err)
		}
	}
}

func TestSnapshotNoticesCutsAndDamage(t *testing.T) {
	b, err := AppendSnapshot(nil, head, sample(5))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		if _, _, err := readSnapshot(b[:i]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		bad := bytes.Clone(b)
		bad[i] ^= 0x40
		if _, _, err := readSnapshot(bad); err == nil {
			t.Fatalf("damage at %d went unnoticed", i)
		}
	}
	if _, _, err := readSnapshot(append(bytes.Clone(b), 0)); !errors.Is(err, ErrTrailing) {
		t.Errorf("trailing: %v", err)
	}
	two := sample(2)
	for _, entries := range [][]Entry{{two[1], two[0]}, {two[0], two[0]}, {{}}} {
		if _, err := AppendSnapshot(nil, head, entries); !errors.Is(err, ErrOrder) {
			t.Errorf("%v: %v", entries, err)
		}
	}
	more, err := AppendSnapshot(nil, Head{Lineage: lineage, Number: 1, Time: 1}, two)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readSnapshot(more); !errors.Is(err, ErrValue) {
		t.Errorf("two entries below number 1: %v", err)
	}
}
