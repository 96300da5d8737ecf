package exeunt_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "exeunt.dev"

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	GoFiles    []string
	Dir        string
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,GoFiles,Dir", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			all[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = p
		}
	}
	return all
}

// The direction of imports: a package may import only packages of its own or a lower rank, and rooms never import each other.
func TestTree_Direction(t *testing.T) {
	rank := map[string]int{
		"ledger": 0, "internal/jws": 0, "internal/caller": 0, "js": 0, "internal/dpop": 1, "provider": 1, "internal/upstream": 2, "internal/upstream/optest": 2, "rp": 2, "rp/sqlstore": 3, "rp/rptest": 3, "guard": 1, "guard/guardprom": 2, "exeunttest": 1, "internal/idp": 1, "internal/config": 2,
		"internal/door": 2, "internal/keys": 3, "internal/token": 4, "internal/store/verbs": 2, "internal/store/boottime": 2, "internal/store/pgtest": 2, "internal/store/fill": 2, "internal/store/sqlite": 3, "internal/store/postgres": 3, "internal/store/storetest": 3,
		"internal/edge": 2, "internal/acme": 2, "internal/outbound": 1, "internal/delivery": 5, "internal/receipt": 5, "internal/operate": 5, "internal/audit": 5, "internal/place": 1, "internal/feed": 5, "internal/browser": 5, "internal/factor": 5, "internal/person": 5, "internal/web": 5, "internal/frontchannel": 5, "internal/bearer": 5, "internal/weak": 2, "internal/mail": 5, "internal/mail/mailtest": 5,
		"internal/broker": 6, "internal/oauth": 6, "internal/logout": 6, "internal/signin": 6, "internal/account": 6, "internal/admin": 6, "internal/rescue": 6,
		"internal/server": 7, "internal/demo": 8, "cmd/exeunt": 9,
	}
	rooms := []string{"internal/broker", "internal/oauth", "internal/logout", "internal/signin", "internal/account", "internal/admin", "internal/rescue", "internal/feed"}
	for name, p := range packages(t) {
		if name == "" {
			continue // these tests
		}
		r, known := rank[name]
		if !known {
			if !strings.HasPrefix(name, "examples/") && !strings.HasPrefix(name, "bench") && name != "deploy" && !strings.HasPrefix(name, "e2e") {
				t.Errorf("%s has no rank: give it one", name)
			}
			continue
		}
		for _, i := range p.Imports {
			other, ours := strings.CutPrefix(i, module+"/")
			if !ours {
				continue
			}
			if rank[other] > r {
				t.Errorf("%s imports %s, which stands above it", name, other)
			}
			if slices.Contains(rooms, name) && slices.Contains(rooms, other) {
				t.Errorf("%s imports %s: rooms hand over rows", name, other)
			}
		}
	}
}

// What may import what from outside: each forbidden import with its reason.
func TestTree_Closures(t *testing.T) {
	all := packages(t)
	for _, d := range all["guard"].Deps {
		if strings.Contains(strings.Split(d, "/")[0], ".") && d != module+"/ledger" && d != module+"/internal/jws" && d != module+"/internal/dpop" && d != module+"/internal/caller" {
			t.Errorf("guard depends on %s: an API author gets the standard library and ours only", d)
		}
	}
	for _, forbidden := range []string{"net/http", "database/sql"} {
		if slices.Contains(all["internal/idp"].Deps, forbidden) {
			t.Errorf("idp depends on %s: it does no I/O", forbidden)
		}
	}
	for _, d := range all["exeunttest"].Deps {
		if strings.HasPrefix(d, module+"/internal/") && d != module+"/internal/jws" && d != module+"/internal/dpop" {
			t.Errorf("exeunttest depends on %s: it must not import the server", d)
		}
	}
}

// each walks our Go files.
func each(t *testing.T, tests bool, f func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || (!tests && strings.HasSuffix(path, "_test.go")) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f(filepath.ToSlash(path), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// only says that a pattern stands in the named places and nowhere else.
func only(t *testing.T, pattern, why string, places ...string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	each(t, false, func(path string, text []byte) {
		if re.Match(text) && !slices.ContainsFunc(places, func(p string) bool { return strings.HasPrefix(path, p) }) {
			t.Errorf("%s: %s", path, why)
		}
	})
}

func TestTree_OneDoor(t *testing.T) {
	only(t, `\.Append\([a-z]+, [a-z]+\)`, "only the door appends to the ledger", "internal/door/")
	only(t, `INSERT INTO ending`, "only a store writes endings", "internal/store/")
	only(t, `\.(PutLock|DropLock)\(`, "accounts are locked and opened at the door", "internal/door/", "internal/store/storetest/")
	only(t, `\.Swap(Account|Client|Consent|Realm)Epoch\(`, "epochs are swapped at the door", "internal/door/", "internal/store/storetest/")
}

func TestTree_OneReaderOfEpochs(t *testing.T) {
	only(t, `\.Epochs\(`, "current epochs are read with a credential that is checked, or at the door, or to list what is alive",
		"internal/store/", "internal/door/", "internal/signin/passwords.go", "internal/broker/", "internal/rescue/", "internal/factor/passkey.go", "internal/oauth/", "internal/logout/logout.go", "internal/account/sessions.go", "internal/account/apps.go", "internal/operate/session.go", "internal/demo/", "bench/", "cmd/exeunt/")
}

func TestTree_OnePlaceComparesRedirects(t *testing.T) {
	only(t, `slices\.Contains\([a-zA-Z.]*(Redirect|Logout)URIs`, "URIs are compared by idp.MatchURI", "internal/idp/client.go")
}

// Whoever can make the server call an address of his choice is kept off the inner network in one place. Only the operator
// chooses a certificate authority. The demo's visitors and websites are not the server.
func TestTree_OneOutboundClient(t *testing.T) {
	const pattern = `\bhttp\.(Client|Transport|DefaultClient|DefaultTransport|Get|Head|Post|PostForm)\b|\bhttputil\.(ReverseProxy|NewSingleHostReverseProxy)\b`
	only(t, pattern, "the server calls others by internal/outbound only",
		"internal/outbound/", "internal/upstream/", "internal/acme/", "internal/demo/", "cmd/", "guard/", "exeunttest/", "examples/", "bench/", "e2e/", "deploy/")
}

func TestTree_CookiesAreSetInOnePlace(t *testing.T) {
	// The reader's language is no secret and decides nothing but words.
	only(t, `http\.SetCookie\(`, "only package browser sets cookies", "internal/browser/", "internal/web/language.go", "rp/cookie.go")
}

// What a token is bound to is checked where it is taken. Introspection and revocation ask about a token and take none.
func TestTree_OnePlaceTakesAccessTokens(t *testing.T) {
	only(t, `\.ReadAccess\(`, "access tokens of requests come from package bearer, which checks what they are bound to",
		"internal/bearer/", "internal/oauth/inspect.go", "internal/oauth/revoke.go")
	only(t, `edge\.Bearer\(`, "an access token may come by DPoP, too: ask edge.Bears, or package bearer", "internal/oauth/register.go")
}

func TestTree_Sizes(t *testing.T) {
	each(t, true, func(path string, text []byte) {
		if n := bytes.Count(text, []byte("\n")); n > 500 {
			t.Errorf("%s has %d lines", path, n)
		}
	})
}

// No init, and no package variable that changes: only errors, compiled patterns, embedded files and assertions stand at top level.
func TestTree_NoGlobals(t *testing.T) {
	each(t, false, func(path string, text []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s has an init", path)
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || a.Tok == token.DEFINE {
				return true
			}
			for _, l := range a.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Obj != nil && id.Obj.Kind == ast.Var {
					if spec, ok := id.Obj.Decl.(*ast.ValueSpec); ok && slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
						g, ok := d.(*ast.GenDecl)
						return ok && slices.Contains(g.Specs, ast.Spec(spec))
					}) {
						t.Errorf("%s changes the package variable %s", path, id.Name)
					}
				}
			}
			return true
		})
	})
}
