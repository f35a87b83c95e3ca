package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// problemsMost bounds how many problems are reported at once.
const problemsMost = 100

// ProblemsError lists everything that is wrong with a catalogue's files, as "file:line:column: what".
type ProblemsError struct{ Problems []string }

func (e *ProblemsError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0]
	}
	return fmt.Sprintf("%d problems in the catalogue's files, the first: %s", len(e.Problems), e.Problems[0])
}

// source is one file as read.
type source struct {
	name string
	file File
	tree *ast.File
}

// Read reads all YAML files of a folder (and of its folders) and checks them as one whole. The error is a
// *ProblemsError when the files are at fault.
func Read(folder fs.FS) (*Content, error) {
	var names []string
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the catalogue's folder: %w", err)
	}
	if len(names) == 0 {
		return nil, &ProblemsError{[]string{"there is no .yaml file in the folder"}}
	}
	documents := make([]Document, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		documents[i] = Document{name, string(text)}
	}
	return ReadDocuments(documents)
}

// ReadDocuments is Read of files that are in memory. Names come from outside and only name places in problems; they
// are taken in the order of their names, as a folder's are.
func ReadDocuments(documents []Document) (*Content, error) {
	documents = slices.Clone(documents)
	slices.SortStableFunc(documents, func(a, b Document) int { return strings.Compare(a.Name, b.Name) })
	c := &checker{}
	sources := make([]source, 0, len(documents))
	for i, d := range documents {
		if i > 0 && documents[i-1].Name == d.Name {
			c.problems = append(c.problems, d.Name+":1:1: there are two files of this name")
		}
		s := source{name: d.Name}
		if err := s.read([]byte(d.Text)); err != nil {
			c.problems = append(c.problems, syntaxProblem(d.Name, err))
			continue
		}
		sources = append(sources, s)
	}
	if len(c.problems) == 0 {
		c.whole(sources)
	}
	if len(c.problems) > 0 {
		slices.Sort(c.problems)
		c.problems = slices.Compact(c.problems)
		if len(c.problems) > problemsMost {
			c.problems = append(c.problems[:problemsMost], "… and more")
		}
		return nil, &ProblemsError{c.problems}
	}
	return &c.content, nil
}

// read parses and decodes the file. The YAML library panics on some malformed texts (found by fuzzing): that is a
// fault of the text, not of the house.
func (s *source) read(text []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be read as YAML: %v", p)
		}
	}()
	if s.tree, err = parser.ParseBytes(text, 0); err != nil {
		return err
	}
	return yaml.UnmarshalWithOptions(text, &s.file, yaml.Strict())
}

// syntaxProblem puts a parser's error into one line with its position.
func syntaxProblem(name string, err error) string {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p := at.GetToken().Position
		return fmt.Sprintf("%s:%d:%d: %s", name, p.Line, p.Column, at.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return name + ":1:1: " + first
}

// place is where something stands in a file: a YAML path, turned into line and column only when it is needed.
type place struct {
	source *source
	path   string
}

func (p place) in(format string, args ...any) place {
	return place{p.source, p.path + fmt.Sprintf(format, args...)}
}

func (p place) String() string {
	line, column := 1, 1
	for at := p.path; at != "" && at != "$"; {
		if path, err := yaml.PathString(at); err == nil {
			if node, err := path.FilterFile(p.source.tree); err == nil && node != nil && node.GetToken() != nil {
				line, column = node.GetToken().Position.Line, node.GetToken().Position.Column
				break
			}
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)] // an absent field is reported where its owner stands
	}
	return fmt.Sprintf("%s:%d:%d", p.source.name, line, column)
}
