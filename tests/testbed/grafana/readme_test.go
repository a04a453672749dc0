package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of what is unconfirmed into README.md")

const (
	listBegins = "<!-- unconfirmed: go test . -run Unconfirmed -update -->\n"
	listEnds   = "<!-- end of unconfirmed -->\n"
)

// What nobody could confirm says so where it is played, and the README lists all of it.
func TestTheReadmeListsWhatIsUnconfirmed(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), listBegins)
	listed, after, ends := strings.Cut(rest, listEnds)
	if !begins || !ends {
		t.Fatal("README.md has no place for the list")
	}
	want := unconfirmed(t)
	if listed == want {
		return
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(before+listBegins+want+listEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, line := range strings.Split(listed, "\n") {
		if !strings.Contains(want, line) {
			t.Errorf("it lists what no comment says: %s", line)
		}
	}
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains(listed, line) {
			t.Errorf("it doesn't list what a comment says: %s", line)
		}
	}
	t.Error("go test . -run Unconfirmed -update writes the list anew")
}

// unconfirmed makes the list of the comments that say so.
func unconfirmed(t *testing.T) string {
	t.Helper()
	var rows []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			for i, part := range strings.Split(strings.Join(strings.Fields(group.Text()), " "), "Unconfirmed: ") {
				if i > 0 {
					rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", filepath.ToSlash(filepath.Dir(path)), declaration(file, group), strings.TrimSpace(part)))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(rows)
	return "| where | of | what nobody could confirm |\n|---|---|---|\n" + strings.Join(rows, "")
}

// declaration is the name of what a comment belongs to: what it stands in, or what comes next.
func declaration(file *ast.File, group *ast.CommentGroup) string {
	for _, d := range file.Decls {
		if d.End() < group.Pos() {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			return d.Name.Name
		case *ast.GenDecl:
			name := ""
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					name = spec.Name.Name
				case *ast.ValueSpec:
					name = spec.Names[0].Name
				}
				if spec.End() >= group.Pos() {
					break
				}
			}
			return name
		}
	}
	return file.Name.Name
}
