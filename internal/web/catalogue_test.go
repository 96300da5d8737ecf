package web

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
)

// Every sentence that a page can say has a translation, and every translation is of a sentence that a page can say. Sentences are the first
// arguments of t in the templates; in Go what is written into a page's fields, returned as Words, put into Say or a letter, or said by idp.Invalid.
func TestEverySentenceIsTranslated(t *testing.T) {
	langs, err := languages(files)
	if err != nil {
		t.Fatal(err)
	}
	said := sentences(t)
	if len(said) < 100 {
		t.Fatalf("only %d sentences were found", len(said))
	}
	for _, lang := range langs {
		v, err := voiceOf(files, lang)
		if err != nil {
			t.Fatal(err)
		}
		if lang == English {
			continue
		}
		missing := map[string]string{}
		for s, where := range said {
			if translated, ok := v.words[s]; !ok {
				missing[s] = where
			} else if strings.Count(s, "%s") != strings.Count(translated, "%s") && !strings.Contains(translated, "%[") {
				t.Errorf("%s: %q puts in another number of values than %q", lang, translated, s)
			}
		}
		if len(missing) > 0 {
			text, _ := json.MarshalIndent(missing, "", " ")
			t.Errorf("without a translation into %s: %s", lang, text)
		}
		for s := range v.words {
			if _, ok := said[s]; !ok {
				t.Errorf("%s: no page says %q", lang, s)
			}
		}
	}
}

func sentences(t *testing.T) map[string]string {
	out := map[string]string{}
	p, err := New("Test", false)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		page, err := p.page(English, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range page.Templates() {
			if part.Tree != nil {
				inTemplate(part.Tree.Root, func(s string) { out[s] = name + ".html" })
			}
		}
	}
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			return err
		}
		inGo(f, func(s string) { out[s] = path })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(out, "")
	return out
}

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	attribute = regexp.MustCompile(`\s(?:aria-label|alt|title|placeholder|data-text)="([^"]*)"`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	letter    = regexp.MustCompile(`\pL`)
)

// No template has a word that people read outside of t.
func TestTemplatesSayNothingBut(t *testing.T) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		bare := action.ReplaceAllString(string(text), "")
		pieces := strings.Split(tag.ReplaceAllString(bare, "\n"), "\n")
		for _, m := range attribute.FindAllStringSubmatch(bare, -1) {
			pieces = append(pieces, m[1])
		}
		for _, piece := range pieces {
			if letter.MatchString(piece) {
				t.Errorf("%s says %q in English only", name, strings.TrimSpace(piece))
			}
		}
	}
}

// No page has script or style within it, but the one whose script its policy allows by its hash.
func TestTemplatesHaveNoScriptOrStyleWithin(t *testing.T) {
	within := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?: [^>]*)?>[^<]`)
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range within.FindAllString(string(text), -1) {
			if name != "templates/leaving.html" {
				t.Errorf("%s: %s", name, found)
			}
		}
	}
}

// inTemplate finds the first arguments of t.
func inTemplate(n parse.Node, found func(string)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				inTemplate(c, found)
			}
		}
	case *parse.ActionNode:
		inTemplate(n.Pipe, found)
	case *parse.IfNode:
		inBranch(&n.BranchNode, found)
	case *parse.RangeNode:
		inBranch(&n.BranchNode, found)
	case *parse.WithNode:
		inBranch(&n.BranchNode, found)
	case *parse.TemplateNode:
		inTemplate(n.Pipe, found)
	case *parse.PipeNode:
		if n != nil {
			for _, c := range n.Cmds {
				inTemplate(c, found)
			}
		}
	case *parse.CommandNode:
		if id, ok := n.Args[0].(*parse.IdentifierNode); ok && id.Ident == "t" && len(n.Args) > 1 {
			if s, ok := n.Args[1].(*parse.StringNode); ok {
				found(s.Text)
			}
		}
		for _, a := range n.Args {
			inTemplate(a, found)
		}
	}
}

func inBranch(b *parse.BranchNode, found func(string)) {
	inTemplate(b.Pipe, found)
	inTemplate(b.List, found)
	inTemplate(b.ElseList, found)
}

// inGo finds sentences by where they stand.
func inGo(f *ast.File, found func(string)) {
	literal := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				found(s)
			}
		}
	}
	fields := []string{"Title", "Text", "LinkText", "Flash", "Error", "What", "Said", "Name", "Label", "Lead", "Button", "Hint", "Empty", "Warning"}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch named(n.Fun) {
			case "L":
				if parts(n.Fun) == "mail.L" {
					literal(n.Args[0])
				}
			case "say":
				if f.Name.Name == "mail" && len(n.Args) > 1 {
					literal(n.Args[1])
				}
			case "not": // a verb of operators says why it was not done
				if f.Name.Name == "operate" && len(n.Args) == 1 {
					literal(n.Args[0])
				}
			case "Say", "Invalid", "Sentences", "List":
				if p := parts(n.Fun); p == "web.Say" || p == "Say" && f.Name.Name == "web" {
					literal(n.Args[0])
				} else if p == "web.Sentences" || p == "web.List" {
					for _, a := range n.Args {
						literal(a)
					}
				} else if (p == "idp.Invalid" || p == "Invalid" && f.Name.Name == "idp") && len(n.Args) == 2 {
					literal(n.Args[1])
				}
			}
		case *ast.CompositeLit:
			if p := parts(n.Type); strings.HasPrefix(p, "web.") || f.Name.Name == "web" && (p == "Message") {
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && slices.Contains(fields, named(kv.Key)) {
						literal(kv.Value)
					} else if !ok && p == "web.Words" {
						literal(e)
					}
				}
			} else if a, ok := n.Type.(*ast.ArrayType); ok && strings.HasPrefix(parts(a.Elt), "web.") {
				for _, e := range n.Elts {
					one, ok := e.(*ast.CompositeLit) // its type is said once, for all of them
					if !ok {
						literal(e)
						continue
					}
					for _, e := range one.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && slices.Contains(fields, named(kv.Key)) {
							literal(kv.Value)
						}
					}
				}
			}
		case *ast.AssignStmt:
			if f.Name.Name == "web" {
				for i, l := range n.Lhs {
					if s, ok := l.(*ast.SelectorExpr); ok && slices.Contains(fields, s.Sel.Name) && i < len(n.Rhs) {
						literal(n.Rhs[i])
					}
				}
			}
		case *ast.FuncDecl:
			if n.Type.Results == nil || n.Body == nil || !returnsWords(n.Type, f.Name.Name) {
				return true
			}
			ast.Inspect(n.Body, func(b ast.Node) bool {
				switch b := b.(type) {
				case *ast.ReturnStmt:
					for _, e := range b.Results {
						literal(e)
					}
				case *ast.CallExpr:
					if named(b.Fun) == "append" {
						for _, e := range b.Args[1:] {
							literal(e)
						}
					}
				case *ast.AssignStmt:
					for _, e := range b.Rhs {
						literal(e)
					}
				}
				return true
			})
		}
		return true
	})
}

func returnsWords(f *ast.FuncType, pkg string) bool {
	for _, r := range f.Results.List {
		e := r.Type
		if a, ok := e.(*ast.ArrayType); ok {
			e = a.Elt
		}
		if p := parts(e); p == "web.Words" || p == "Words" && pkg == "web" {
			return true
		}
	}
	return false
}

func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func parts(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return parts(e.X) + "." + e.Sel.Name
	}
	return ""
}
