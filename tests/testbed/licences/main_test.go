package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`
	agpl = `This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero General Public License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU Affero General Public License for more details.

You should have received a copy of the GNU Affero General Public License along with this program. If not, see <https://www.gnu.org/licenses/>.
`
	ours = "Everybody may look at this. Whoever sells what competes with it has to pay.\n"
)

// check links a program to a module that is made of these files, without a network, and says what is refused.
func check(t *testing.T, files map[string]string) (table string, err error) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("program/go.mod", "module example.com/program\n\ngo 1.26\n\nrequire example.com/linked v1.2.3\n\nreplace example.com/linked v1.2.3 => ../linked\n")
	write("program/main.go", "package main\n\nimport _ \"example.com/linked/sub\"\n\nfunc main() {}\n")
	write("linked/go.mod", "module example.com/linked\n\ngo 1.26\n")
	write("linked/sub/sub.go", "package sub\n")
	for name, text := range files {
		write("linked/"+name, text)
	}
	var out strings.Builder
	err = run(strings.NewReader(fmt.Sprintf("program\t%s\t-\t.\n", filepath.Join(folder, "program"))), &out)
	return out.String(), err
}

func TestOnlyWhatIsLinkedUnderAPermittedLicencePasses(t *testing.T) {
	for name, of := range map[string]struct {
		files   map[string]string
		refused string
	}{
		"a permissive licence passes":        {map[string]string{"LICENSE": mit}, ""},
		"what isn't linked doesn't count":    {map[string]string{"LICENSE": mit, "other/LICENSE": agpl, "other/o.go": "package other"}, ""},
		"a copyleft licence fails":           {map[string]string{"LICENSE": agpl}, "AGPL-3.0-or-later (LICENSE) is not permitted"},
		"one of two licences fails":          {map[string]string{"LICENSE": mit, "COPYING": agpl}, "AGPL-3.0-or-later (COPYING) is not permitted"},
		"the licence of a folder fails":      {map[string]string{"LICENSE": mit, "sub/LICENSE.txt": agpl}, "AGPL-3.0-or-later (sub/LICENSE.txt) is not permitted"},
		"a licence of somebody's own fails":  {map[string]string{"LICENSE.md": ours}, "no licence is recognised in LICENSE.md"},
		"a licence with a condition fails":   {map[string]string{"LICENSE": mit + strings.Repeat(ours, 20)}, "no licence is recognised in LICENSE"},
		"a missing licence fails":            {nil, "it has no licence file"},
		"a source file's own licence fails":  {map[string]string{"LICENSE": mit, "sub/a.go": "// SPDX-License-Identifier: AGPL-3.0-only\npackage sub"}, "AGPL-3.0-only (a.go) is not permitted"},
		"a source file's choice passes":      {map[string]string{"LICENSE": mit, "sub/a.go": "// SPDX-License-Identifier: MIT OR Apache-2.0\npackage sub"}, ""},
		"a source file that names one fails": {map[string]string{"LICENSE": mit, "sub/a.go": "// Under the Business Source License.\npackage sub"}, `a.go says "Business Source License"`},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := check(t, of.files)
			switch {
			case of.refused == "" && err != nil:
				t.Fatal(err)
			case of.refused == "" && !strings.Contains(table, "MIT      program"):
				t.Fatal(table)
			case of.refused != "" && err == nil:
				t.Fatalf("passed:\n%s", table)
			}
			expected := "example.com/linked v1.2.3: " + of.refused + "; linked by program"
			if of.refused != "" && !strings.Contains(err.Error(), expected) {
				t.Fatal(err)
			}
		})
	}
}
