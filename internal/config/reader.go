package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Problem is one thing that is wrong.
type Problem struct {
	Line    int
	Key     string // dotted; "" for the file as a whole
	Wrong   string
	Instead string // what to write
}

// Error is a file that cannot be used, with all that is wrong in it.
type Error struct {
	File     string
	Problems []Problem
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: ", e.File, p.Line)
		if p.Key != "" {
			b.WriteString(p.Key + ": ")
		}
		b.WriteString(p.Wrong)
		if p.Instead != "" {
			b.WriteString("; " + p.Instead)
		}
	}
	return b.String()
}

// reader walks a tree of YAML and gathers what is wrong.
type reader struct {
	problems []Problem
	base     string         // folder of the file, for secrets in files
	lines    map[string]int // where each key was
	beside   bool           // for a command: what only the server's environment has may be missing
}

func (r *reader) wrong(line int, key, wrong, instead string) {
	r.problems = append(r.problems, Problem{line, key, wrong, instead})
}

// field is what a mapping may hold: a key and who reads its value.
type field struct {
	key  string
	read func(key string, n *yaml.Node)
}

func (r *reader) mapping(at string, n *yaml.Node, fields []field) {
	if n.Kind != yaml.MappingNode {
		r.wrong(n.Line, at, "this should be a mapping", "write its keys indented below it")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		full := k.Value
		if at != "" {
			full = at + "." + k.Value
		}
		f := slices.IndexFunc(fields, func(f field) bool { return f.key == k.Value })
		switch {
		case f < 0:
			r.wrong(k.Line, full, "there is no such key", suggest(k.Value, fields))
		case seen[k.Value]:
			r.wrong(k.Line, full, "this key is there twice", "keep one of them")
		default:
			seen[k.Value] = true
			r.lines[full] = k.Line
			fields[f].read(full, v)
		}
	}
}

// suggest names the key that was probably meant, or all.
func suggest(given string, fields []field) string {
	best, least := "", 3
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
		if d := distance(given, f.key); d < least {
			best, least = f.key, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "known here are " + strings.Join(names, ", ")
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// text reads a scalar.
func (r *reader) text(key string, n *yaml.Node) (string, bool) {
	if n.Kind == yaml.AliasNode {
		r.wrong(n.Line, key, "*"+n.Value+" stands for a value elsewhere, which is not supported", "write the value itself")
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		r.wrong(n.Line, key, "a value is missing", "write one on the same line, or leave the key out")
		return "", false
	}
	return n.Value, true
}

// list reads a sequence, and a single value as a list of one.
func (r *reader) list(key string, n *yaml.Node, each func(n *yaml.Node)) {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			each(item)
		}
	case yaml.ScalarNode:
		if _, ok := r.text(key, n); ok {
			each(n)
		}
	default:
		r.wrong(n.Line, key, "this should be a list", "write each item on a line of its own after a dash")
	}
}
