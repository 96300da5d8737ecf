package weak

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is a sorted file of passwords that nobody may have, each on a line: as they are, or by their SHA-1 in hexadecimal, after which
// the line may go on behind a colon (as lists that are sorted by hash do). It is searched where it lies, however large it is.
type File struct {
	path   string
	hashed bool
	upper  bool // its hexadecimal digits are capitals
}

const (
	longestLine = 4096
	lookedAt    = 1000 // lines at the beginning that must be in order, and places in the file
)

// OpenFile looks at a file: whether it is of hashes, and whether it is in order, as far as a look can tell.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	err := f.with(func(r *os.File, size int64) error {
		lines := bufio.NewReaderSize(r, longestLine)
		var before []byte
		for i := range lookedAt {
			line, err := lines.ReadSlice('\n')
			if len(line) == 0 && err == io.EOF {
				break
			}
			if err != nil && err != io.EOF {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
			line = trim(line)
			if i == 0 {
				f.hashed = isHash(line)
				f.upper = !bytes.ContainsAny(line, "abcdef")
			}
			if f.hashed && !isHash(line) {
				return fmt.Errorf("line %d is no SHA-1", i+1)
			}
			if bytes.Compare(before, line) > 0 {
				return fmt.Errorf("line %d is not in order; sort it by: LC_ALL=C sort -u", i+1)
			}
			before = bytes.Clone(line)
		}
		before = nil
		for i := range int64(64) { // the rest, here and there
			line, err := lineAt(r, size*i/64, size)
			if err != nil {
				return err
			}
			if line != nil && bytes.Compare(before, line) > 0 {
				return errors.New("it is not in order; sort it by: LC_ALL=C sort -u")
			}
			before = line
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *File) with(act func(r *os.File, size int64) error) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	return act(r, info.Size())
}

// Has looks a password up.
func (f *File) Has(password string) (found bool, err error) {
	want := []byte(password)
	if f.hashed {
		sum := sha1.Sum(want) // what such lists are made of; nothing is kept by it here
		want = []byte(hex.EncodeToString(sum[:]))
		if f.upper {
			want = bytes.ToUpper(want)
		}
	}
	if bytes.ContainsAny(want, "\r\n") {
		return false, nil // no line holds it
	}
	err = f.with(func(r *os.File, size int64) error {
		low, high := int64(0), size // the line, if it is there, begins at low or later, and before high
		for low < high {
			middle := low + (high-low)/2
			line, err := lineAt(r, middle, size)
			if err != nil {
				return err
			}
			key := f.key(line)
			switch {
			case line == nil || bytes.Compare(key, want) > 0:
				high = middle
			case bytes.Equal(key, want):
				found = true
				return nil
			default:
				low = middle + 1
			}
		}
		return nil
	})
	return found, err
}

func (f *File) key(line []byte) []byte {
	if f.hashed && len(line) > 2*sha1.Size {
		return line[:2*sha1.Size]
	}
	return line
}

// lineAt reads the first line that begins at a place or behind it; nil: there is none.
func lineAt(r io.ReaderAt, at, size int64) ([]byte, error) {
	from := max(at-1, 0)
	lines := bufio.NewReaderSize(io.NewSectionReader(r, from, size-from), longestLine)
	if at > 0 {
		if _, err := lines.ReadSlice('\n'); err == io.EOF {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	line, err := lines.ReadSlice('\n')
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err == io.EOF {
		return nil, nil
	}
	return bytes.Clone(trim(line)), err
}

func trim(line []byte) []byte { return bytes.TrimRight(line, "\r\n") }

func isHash(line []byte) bool {
	if len(line) < 2*sha1.Size || len(line) > 2*sha1.Size && line[2*sha1.Size] != ':' {
		return false
	}
	_, err := hex.DecodeString(string(line[:2*sha1.Size]))
	return err == nil
}
