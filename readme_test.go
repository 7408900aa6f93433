// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondkit_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestReadmeExample holds the code in README.md to the example that compiles.
func TestReadmeExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "```go\n")
	block, _, ok := strings.Cut(after, "```\n")
	if !ok {
		t.Fatal("README.md has no block of Go code")
	}

	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "example_test.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Example" {
			continue
		}
		body := source[fset.Position(f.Body.Lbrace).Offset+1 : fset.Position(f.Body.Rbrace).Offset]
		want, err := format.Source([]byte(strings.TrimSpace(string(body)) + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if block != string(want) {
			t.Errorf("the code in README.md is\n%s\nand the body of Example is\n%s", block, want)
		}
		return
	}
	t.Fatal("there is no Example")
}
