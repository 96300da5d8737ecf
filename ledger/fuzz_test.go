package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func seed(f *testing.F, name string) {
	b, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
}

// FuzzFrame: what the tail reader accepts is written back the same.
func FuzzFrame(f *testing.F) {
	seed(f, "tail")
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < frameHead+1+helloSize {
			return
		}
		asked, err := parseHello(in[frameHead+1 : frameHead+1+helloSize])
		if err != nil {
			return
		}
		tr, err := NewTailReader(bytes.NewReader(in), asked)
		if err != nil {
			return
		}
		out := AppendHello(nil, asked)
		for {
			b, err := tr.Next()
			if err != nil {
				break
			}
			if len(b.Entries) == 0 {
				out = AppendPing(out)
			}
			out = AppendBatch(out, b)
		}
		if !bytes.HasPrefix(in, out) {
			t.Fatalf("in  %x\nout %x", in, out)
		}
	})
}

// FuzzBeat: what either side of a beat accepts is written back the same.
func FuzzBeat(f *testing.F) {
	seed(f, "question")
	seed(f, "answer")
	f.Fuzz(func(t *testing.T, in []byte) {
		if q, err := ParseQuestion(in); err == nil && !bytes.Equal(AppendQuestion(nil, q), in) {
			t.Fatalf("question %x", in)
		}
		if a, err := ParseAnswer(in); err == nil {
			if out, err := AppendAnswer(nil, a); err != nil || !bytes.Equal(out, in) {
				t.Fatalf("answer %x: %x, %v", in, out, err)
			}
		}
	})
}

// FuzzSnapshot: what is accepted is written back the same.
func FuzzSnapshot(f *testing.F) {
	seed(f, "snapshot")
	f.Fuzz(func(t *testing.T, in []byte) {
		h, entries, err := readSnapshot(in)
		if err != nil {
			return
		}
		if out, err := AppendSnapshot(nil, h, entries); err != nil || !bytes.Equal(out, in) {
			t.Fatalf("in  %x\nout %x, %v", in, out, err)
		}
	})
}
