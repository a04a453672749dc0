package store

import (
	"os"
	"path/filepath"
	"testing"
)

func TestJournalSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.jsonl")
	journal, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Change
	c.Put("a", 1)
	c.Put("b", 2)
	c.Put("a", 3)
	c.Remove("b")
	journal.Commit(&c)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// A write that was cut off.
	if _, err := file.WriteString(`{"k":"c","v":`); err != nil {
		t.Fatal(err)
	}
	_, lines, err := openJournal(path)
	if err != nil || len(lines) != 1 || lines[0].Key != "a" || string(lines[0].Value) != "3" {
		t.Fatalf("%v, %v", lines, err)
	}
}
