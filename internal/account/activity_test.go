package account

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// Each kind of event and each cause has words of its own, but for what is the business of operators only.
func TestEveryKindHasWords(t *testing.T) {
	rest := web.Plain(what(&idp.Event{}))
	operators := []idp.EventKind{idp.EventClientAdded, idp.EventClientChanged, idp.EventSecretRotated, idp.EventKeyRotated, idp.EventOperator, idp.EventLedgerSealed}
	for _, k := range constants(t, "EventKind") {
		own := web.Plain(what(&idp.Event{Kind: idp.EventKind(k)})) != rest
		if own == slices.Contains(operators, idp.EventKind(k)) {
			t.Errorf("event %s: has words of its own: %v", k, own)
		}
	}
	rest = web.Plain(ended(&idp.Receipt{}))
	others := []idp.CauseKind{idp.CauseClientEnded, idp.CauseKeyKilled, idp.CauseRealmEnded} // of nobody in particular
	for _, k := range constants(t, "CauseKind") {
		own := web.Plain(ended(&idp.Receipt{Cause: idp.CauseKind(k)})) != rest
		if own == slices.Contains(others, idp.CauseKind(k)) {
			t.Errorf("cause %s: has words of its own: %v", k, own)
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
