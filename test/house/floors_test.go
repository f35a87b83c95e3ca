// Package house_test holds the plan of the house (ARCHITECTURE.md) against the source: who may know whom, and the
// rules that every room keeps. It parses the files itself; a test that asked the go command would see its cache.
package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/purser-cloud/purser/"

// floors is the plan: a room imports only rooms of lower floors.
var floors = [][]string{
	0:  {"internal/money", "internal/period", "internal/ident", "internal/fault", "internal/schema", "internal/contract", "api", "cloud"},
	1:  {"internal/rating", "internal/amortise", "internal/db", "internal/bucket", "internal/paper"},
	2:  {"internal/trace", "internal/job", "internal/outbox", "internal/queue", "internal/clock", "internal/once", "internal/identity", "internal/account", "internal/project", "internal/catalog"},
	3:  {"internal/agreement", "internal/discount", "internal/coupon", "internal/quota", "internal/ledger", "internal/tax", "internal/charge", "internal/usage"},
	4:  {"internal/payment", "internal/provider", "internal/subscription"},
	5:  {"internal/order", "internal/settlement"},
	6:  {"internal/bill"},
	7:  {"internal/cost", "internal/invoice"},
	8:  {"internal/operation", "client", "client/bss", "client/iam", "client/eps", "client/cts", "client/purser"},
	9:  {"internal/focus", "internal/sheet", "internal/doorway"},
	10: {"internal/cycle", "internal/courier", "internal/bssapi", "internal/iamapi", "internal/epsapi", "internal/ctsapi", "internal/purserapi", "internal/portal"},
	11: {"internal/house"},
	12: {"internal/cli"},
	13: {"cmd/purser"},
}

// outside lists the packages that are not rooms: tools, and what only tests import.
var outside = []string{"tools/", "test/", "internal/db/dbtest", "internal/house/housetest"}

// wiring may ask what time it is; everyone else is told.
var wiring = []string{"internal/house", "internal/cli", "cmd/purser", "client"}

var junk = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "types", "misc", "base", "lib", "shared"}

type room struct {
	path  string
	files map[string]*ast.File
	fset  *token.FileSet
}

func rooms(t *testing.T) []room {
	t.Helper()
	root := filepath.Join("..", "..")
	var out []room
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "target") {
			return filepath.SkipDir
		}
		names, err := filepath.Glob(filepath.Join(path, "*.go"))
		if err != nil {
			return err
		}
		r := room{files: map[string]*ast.File{}, fset: token.NewFileSet()}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(r.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			r.files[name] = file
		}
		if len(r.files) > 0 {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			r.path = filepath.ToSlash(rel)
			out = append(out, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d packages found", len(out))
	}
	return out
}

func floorOf(path string) (int, bool) {
	for i, names := range floors {
		if slices.Contains(names, path) {
			return i, true
		}
	}
	return 0, false
}

func isOutside(path string) bool {
	return slices.ContainsFunc(outside, func(prefix string) bool { return strings.HasPrefix(path+"/", prefix) || path == prefix })
}

func TestImportsGoDownhill(t *testing.T) {
	for _, r := range rooms(t) {
		if isOutside(r.path) {
			continue
		}
		mine, ok := floorOf(r.path)
		if !ok {
			t.Errorf("%s stands on no floor: put it in the plan (floors) and in ARCHITECTURE.md", r.path)
			continue
		}
		for name, file := range r.files {
			for _, spec := range file.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				other, ours := strings.CutPrefix(path, module)
				if !ours {
					continue
				}
				if isOutside(other) {
					t.Errorf("%s imports %s, which is for tests and tools", name, other)
					continue
				}
				if strings.HasPrefix(r.path, "client") && !strings.HasPrefix(other, "client") {
					t.Errorf("%s imports %s: the client imports nothing of the house", name, other)
				}
				if r.path == "internal/portal" && !strings.HasPrefix(other, "client") {
					t.Errorf("%s imports %s: the portal knows the public contracts only", name, other)
				}
				if theirs, ok := floorOf(other); ok && theirs >= mine && !strings.HasPrefix(r.path, "client") {
					t.Errorf("%s (floor %d) imports %s (floor %d): only lower floors may be known", name, mine, other, theirs)
				}
			}
		}
	}
}

func TestEachPackageSaysWhatItOwns(t *testing.T) {
	for _, r := range rooms(t) {
		comment := ""
		for name, file := range r.files {
			if file.Doc != nil && !strings.HasSuffix(name, ".gen.go") {
				comment += file.Doc.Text()
			}
		}
		generated := strings.HasPrefix(r.path, "client/") // wholly oapi-codegen's, which writes its own
		if len(comment) < 40 && !generated {
			t.Errorf("%s has no package comment that says what it owns", r.path)
		}
		if slices.Contains(junk, filepath.Base(r.path)) {
			t.Errorf("%s: a name that says nothing", r.path)
		}
	}
}

func TestNoFloatsAndNoClock(t *testing.T) {
	for _, r := range rooms(t) {
		if isOutside(r.path) {
			continue
		}
		for name, file := range r.files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if (n.Name == "float64" || n.Name == "float32") && r.path != "internal/doorway" && r.path != "internal/paper" {
						t.Errorf("%s:%d: %s", name, r.fset.Position(n.Pos()).Line, n.Name)
					}
				case *ast.SelectorExpr:
					x, ok := n.X.(*ast.Ident)
					if ok && x.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since" || n.Sel.Name == "Until") && !slices.Contains(wiring, r.path) {
						t.Errorf("%s:%d: time.%s outside the wiring", name, r.fset.Position(n.Pos()).Line, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

var tableName = regexp.MustCompile(`\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+([a-z][a-z0-9]*)_`)

// A room's tables begin with its name, and only that room names them.
func TestTablesStayInTheirRoom(t *testing.T) {
	for _, r := range rooms(t) {
		if isOutside(r.path) || r.path == "internal/schema" {
			continue
		}
		owner := filepath.Base(r.path)
		for name, file := range r.files {
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				for _, m := range tableName.FindAllStringSubmatch(lit.Value, -1) {
					if owner == "db" && (m[1] == "sqlite" || m[1] == "pragma" || m[1] == "pg") {
						continue // the engine's own, by which db learns what tables there are
					}
					if m[1] != owner {
						t.Errorf("%s:%d: room %s names a table of %s", name, r.fset.Position(lit.Pos()).Line, owner, m[1])
					}
				}
				return true
			})
		}
	}
}

// Migrations: each table belongs to a room that exists.
func TestEveryTableHasARoom(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "..", "internal", "schema", "migrations", "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatal("no migrations", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`CREATE TABLE ([a-z0-9]+)_`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", "..", "internal", m[1])); err != nil {
				t.Errorf("%s: table of a room %q that is not there", filepath.Base(name), m[1])
			}
		}
		if strings.Contains(strings.ToUpper(string(text)), "DROP TABLE") {
			t.Errorf("%s: a migration only adds", filepath.Base(name))
		}
	}
}
