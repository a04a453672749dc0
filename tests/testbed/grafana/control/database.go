package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/store"
)

var snapshotName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// What can be kept of the present when the database is replaced, and which records that is.
var keepable = map[string][]string{
	"accounts":    {"org", "user", "account", "token"},
	"datasources": {"source"},
}

func (d *Door) snapshot(name string) string { return filepath.Join(d.cfg.Data, "snapshots", name) }

// isDatabase says whether a file of the data folder is part of what a real Grafana has in its database.
func isDatabase(name string) bool {
	return name == store.JournalFile || strings.HasPrefix(name, engine.StatesPrefix) || strings.HasPrefix(name, routing.LogPrefix)
}

// copyDatabase copies a database from one folder to another, with its journal or without.
func copyDatabase(from, to string, withoutJournal bool) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		if !isDatabase(file.Name()) || withoutJournal && file.Name() == store.JournalFile {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, file.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, file.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (d *Door) takeSnapshot(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !snapshotName.MatchString(name) {
		refuse(w, fmt.Errorf("%q is no name for a snapshot: letters, digits, _ and -", name))
		return
	}
	d.gate.Lock()
	defer d.gate.Unlock()
	err := d.engines.Flush()
	if err == nil {
		err = os.RemoveAll(d.snapshot(name))
	}
	if err == nil {
		err = os.MkdirAll(d.snapshot(name), 0o755)
	}
	if err == nil {
		err = copyDatabase(d.cfg.Data, d.snapshot(name), false)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, map[string]string{"snapshot": name})
}

type replacement struct {
	Snapshot string   `json:"snapshot"`
	Keep     []string `json:"keep"`
}

func (d *Door) restore(w http.ResponseWriter, r *http.Request) {
	var sent replacement
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		refuse(w, err)
		return
	}
	if _, err := os.Stat(d.snapshot(sent.Snapshot)); err != nil || !snapshotName.MatchString(sent.Snapshot) {
		refuse(w, fmt.Errorf("there is no snapshot %q", sent.Snapshot))
		return
	}
	d.replace(w, d.snapshot(sent.Snapshot), sent.Keep)
}

func (d *Door) empty(w http.ResponseWriter, r *http.Request) {
	var sent replacement
	if r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			refuse(w, err)
			return
		}
	}
	d.replace(w, "", sent.Keep)
}

// replace puts another database in place, or an empty one where the folder is "", as after a stop and a start.
func (d *Door) replace(w http.ResponseWriter, folder string, keep []string) {
	kept := map[string]bool{}
	for _, name := range keep {
		if keepable[name] == nil {
			refuse(w, fmt.Errorf("%q can't be kept: accounts or datasources", name))
			return
		}
		for _, kind := range keepable[name] {
			kept[kind] = true
		}
	}
	d.gate.Lock()
	defer d.gate.Unlock()
	err := d.engines.Replace(func() error {
		files, err := os.ReadDir(d.cfg.Data)
		if err != nil {
			return err
		}
		for _, file := range files {
			if isDatabase(file.Name()) && file.Name() != store.JournalFile {
				if err := os.Remove(filepath.Join(d.cfg.Data, file.Name())); err != nil {
					return err
				}
			}
		}
		if folder == "" {
			return d.kept.Replace("", kept)
		}
		// The journal is replaced through the store, which has it open.
		if err := d.kept.Replace(filepath.Join(folder, store.JournalFile), kept); err != nil {
			return err
		}
		return copyDatabase(folder, d.cfg.Data, true)
	})
	d.views.forget()
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, map[string]any{"snapshot": filepath.Base(folder), "kept": keep})
}
