package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// permitted is what may be linked into what the tests run, by the names of SPDX (BSL-1.0 is Boost's): permissive licences, and MPL-2.0, which asks
// for nothing while its files are used unchanged. None of it is shipped.
var permitted = map[string]bool{
	"0BSD": true, "Apache-2.0": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "BSL-1.0": true, "CC0-1.0": true, "ISC": true,
	"MIT": true, "MIT-0": true, "MPL-2.0": true, "Unlicense": true, "Zlib": true,
}

// aside is files of licences that don't concern what is linked, by path of the module and name of the file, with the reason.
var aside = map[string]string{
	"github.com/opencontainers/go-digest LICENSE.docs": "CC-BY-SA-4.0, for its documentation",
	"github.com/weaveworks/common COPYING.LGPL-3":      "for tools/integration/assert.sh, a script",
	"sigs.k8s.io/cli-utils LICENSE_TEMPLATE":           "the Apache License's notice, to be filled in",
	"sigs.k8s.io/cli-utils LICENSE_TEMPLATE_GO":        "the Apache License's notice, to be filled in",
}

const (
	// enough is how many per cent of a licence file must be text of licences, as on pkg.go.dev.
	enough = 75
	// header is how many bytes of a source file may say under what licence it is.
	header = 4096
)

var (
	licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying)([-_.].*)?$|^[^.]+[-_.]licen[cs]e(\.(md|txt))?$`)
	identifier  = regexp.MustCompile(`SPDX-License-Identifier:[ \t]*([^\r\n*]+)`)
	forbidden   = regexp.MustCompile(`(?i)affero general public|business source license|server side public license|commons clause`)
)

// licences is those that are found in a module, and what is wrong with them.
func (m *module) licences() (found, wrong []string, err error) {
	all, faults := map[string]bool{}, map[string]bool{}
	files := map[string]bool{}
	for folder := range m.linked {
		if err := sources(folder, faults); err != nil {
			return nil, nil, err
		}
		// A folder can have a licence of its own.
		for ; len(folder) >= len(m.folder); folder = filepath.Dir(folder) {
			if err := licenceFiles(folder, files); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(files) == 0 {
		faults["it has no licence file"] = true
	}
	for file := range files {
		name, err := filepath.Rel(m.folder, file)
		if err != nil {
			return nil, nil, err
		}
		if aside[m.path+" "+name] != "" {
			continue
		}
		ids, err := classify(file)
		if err != nil {
			return nil, nil, err
		}
		if len(ids) == 0 {
			faults["no licence is recognised in "+name] = true
		}
		for _, id := range ids {
			all[id] = true
			if !permitted[id] {
				faults[fmt.Sprintf("%s (%s) is not permitted", id, name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(faults)), nil
}

// licenceFiles adds the licence files of a folder.
func licenceFiles(folder string, to map[string]bool) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.Type().IsRegular() && licenceFile.MatchString(name) && filepath.Ext(name) != ".go" {
			to[filepath.Join(folder, name)] = true
		}
	}
	return nil
}

// classify is the licences that a file is made of; none if much of it is something else.
func classify(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	coverage := licensecheck.Scan(text)
	var ids []string
	for _, match := range coverage.Match {
		// A link to the licence, as in a header that is quoted, adds nothing to it.
		if !match.IsURL || !permitted[match.ID] {
			ids = append(ids, match.ID)
		}
	}
	if coverage.Percent < enough && !slices.ContainsFunc(ids, func(id string) bool { return !permitted[id] }) {
		return nil, nil
	}
	return ids, nil
}

// sources adds what the source files of a folder say against being linked.
func sources(folder string, faults map[string]bool) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := head(file)
		if err != nil {
			return err
		}
		name := filepath.Base(file)
		if said := forbidden.Find(text); said != nil {
			faults[fmt.Sprintf("%s says %q", name, said)] = true
		}
		for _, match := range identifier.FindAllSubmatch(text, -1) {
			for id := range strings.FieldsFuncSeq(string(match[1]), func(r rune) bool { return strings.ContainsRune(" ()\t", r) }) {
				if !permitted[id] && !slices.Contains([]string{"AND", "OR", "WITH"}, id) {
					faults[fmt.Sprintf("%s (%s) is not permitted", id, name)] = true
				}
			}
		}
	}
	return nil
}

func head(file string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	text := make([]byte, header)
	n, err := opened.Read(text)
	if n == 0 && err != nil {
		return nil, nil // An empty file.
	}
	return text[:n], nil
}
