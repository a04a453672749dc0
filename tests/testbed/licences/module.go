package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// part is a program of the testbed.
type part struct {
	name, folder, tags, pkg string
}

// module is one that somebody links.
type module struct {
	path, version, folder string
	// linked is the folders of its packages that are linked.
	linked map[string]bool
	parts  []string
}

// link adds the modules that a part is linked from.
func (p part) link(to map[string]*module) error {
	list := exec.Command("go", "list", "-deps", "-json=Dir,Module", "-tags", p.tags, p.pkg)
	list.Dir = p.folder
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w: %s", err, said.Bytes())
	}
	packages := json.NewDecoder(bytes.NewReader(out))
	for {
		var of struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
				Replace            *struct{ Path, Version string }
			}
		}
		if err := packages.Decode(&of); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		if of.Module == nil || of.Module.Main {
			continue // Go's own, or ours.
		}
		path, version := of.Module.Path, of.Module.Version
		// A folder that stands for a module has no name of its own.
		if by := of.Module.Replace; by != nil && by.Version != "" {
			path, version = by.Path, by.Version
		}
		known := to[path+"@"+version]
		if known == nil {
			known = &module{path: path, version: version, folder: of.Module.Dir, linked: map[string]bool{}}
			to[path+"@"+version] = known
		}
		known.linked[of.Dir] = true
		known.parts = append(known.parts, p.name)
	}
}
