// Package place says about where an address is, by a table that an operator keeps: a text file with a range of addresses and a place on
// each line, as free tables have them ("1.0.0.0,1.0.0.255,AU"). It asks nobody: addresses of people go to no other service.
//
// It rests on nothing of ours. It refuses a file that it cannot read as a whole: a table with holes nobody notices.
package place

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Table is read once and then only looked up in.
type Table struct{ ranges []span }

type span struct {
	first, last netip.Addr
	name        string
}

// maxName is the length of a place, in bytes.
const maxName = 100

// Open reads a file.
func Open(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Read reads lines of CSV: first address, last address, and what the place is called, in one field or in several.
func Read(from io.Reader) (*Table, error) {
	lines := csv.NewReader(bufio.NewReader(from))
	lines.FieldsPerRecord, lines.ReuseRecord, lines.Comment = -1, true, '#'
	t, names := &Table{}, map[string]string{} // each name once: there are many ranges of one place
	for {
		row, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := lines.FieldPos(0)
		s, err := parse(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if known, ok := names[s.name]; ok {
			s.name = known
		} else {
			names[s.name] = s.name
		}
		t.ranges = append(t.ranges, s)
	}
	slices.SortFunc(t.ranges, func(a, b span) int { return a.first.Compare(b.first) })
	for i := 1; i < len(t.ranges); i++ {
		if a, b := t.ranges[i-1], t.ranges[i]; a.first.Is4() == b.first.Is4() && a.last.Compare(b.first) >= 0 {
			return nil, fmt.Errorf("%s is in two ranges", b.first)
		}
	}
	return t, nil
}

func parse(row []string) (s span, err error) {
	if len(row) < 3 {
		return s, errors.New("write first address, last address, place")
	}
	first, err1 := netip.ParseAddr(strings.TrimSpace(row[0]))
	last, err2 := netip.ParseAddr(strings.TrimSpace(row[1]))
	if err := errors.Join(err1, err2); err != nil {
		return s, err
	}
	s = span{first: first.Unmap(), last: last.Unmap()}
	if s.first.Is4() != s.last.Is4() || s.last.Less(s.first) {
		return s, fmt.Errorf("%s to %s is no range", first, last)
	}
	var parts []string
	for _, p := range row[2:] {
		if p = strings.TrimSpace(p); p != "" && len(parts) < 3 {
			parts = append(parts, p)
		}
	}
	s.name = strings.ToValidUTF8(strings.Join(parts, ", "), "")
	if s.name == "" || len(s.name) > maxName {
		return s, fmt.Errorf("a place has 1 to %d bytes", maxName)
	}
	return s, nil
}

// Of says where an address is; "": nobody knows.
func (t *Table) Of(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	i, found := slices.BinarySearchFunc(t.ranges, a, func(s span, a netip.Addr) int { return s.first.Compare(a) })
	if !found {
		i--
	}
	if i < 0 || t.ranges[i].last.Less(a) || t.ranges[i].first.Is4() != a.Is4() {
		return ""
	}
	return t.ranges[i].name
}
