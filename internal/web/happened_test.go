package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"exeunt.dev/internal/idp"
)

// Each kind of event and each cause has words, and the list of kinds has them all.
func TestEveryKindHasWords(t *testing.T) {
	for _, k := range constants(t, "EventKind") {
		if Happened(idp.EventKind(k)) == nil {
			t.Errorf("event %s has no words", k)
		}
		if !slices.Contains(idp.EventKinds(), idp.EventKind(k)) {
			t.Errorf("event %s is not in the list", k)
		}
	}
	for _, k := range constants(t, "CauseKind") {
		if Ended(idp.CauseKind(k)) == Ended("") {
			t.Errorf("cause %s has no words of its own", k)
		}
	}
}

// constants are the values of a type's constants in package idp.
func constants(t *testing.T, kind string) (out []string) {
	t.Helper()
	files, err := filepath.Glob("../idp/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == kind {
				if l, ok := v.Values[0].(*ast.BasicLit); ok {
					if text, err := strconv.Unquote(l.Value); err == nil {
						out = append(out, text)
					}
				}
			}
			return true
		})
	}
	if len(out) < 10 {
		t.Fatalf("only %d of %s were found", len(out), kind)
	}
	return out
}
