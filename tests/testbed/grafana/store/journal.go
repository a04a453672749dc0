package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Journal keeps the state as lines of {"k": key, "v": value}; a line without a value deletes the key. A write is handed to the
// kernel before the caller is answered, so what was answered survives SIGKILL (though not the machine).
type Journal struct {
	mu   sync.Mutex
	file *os.File
	// How many commits there were.
	writes atomic.Uint64
	// What these commits were made to: another one after a start, and when all was replaced.
	history string
}

// Writes counts what was committed since the start: where it is the same, nothing has changed.
func (j *Journal) Writes() uint64 { return j.writes.Load() }

// replace writes the journal anew, with these lines alone.
func (j *Journal) replace(path string, lines []journalLine) error {
	var text bytes.Buffer
	for _, line := range lines {
		encodeLine(&text, line.Key, line.Value)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if j.file != nil {
		_ = j.file.Close()
	}
	j.file = file
	j.history = strconv.FormatInt(time.Now().UnixNano(), 36)
	j.writes.Add(1)
	return nil
}

type journalLine struct {
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v,omitempty"`
}

// openJournal reads the journal and writes it anew without what was overwritten.
func openJournal(path string) (*Journal, []journalLine, error) {
	lines, err := readJournal(path)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{}
	return j, lines, j.replace(path, lines)
}

func readJournal(path string) ([]journalLine, error) {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var (
		order []string
		kept  = map[string]json.RawMessage{}
		in    = bufio.NewReaderSize(file, 1<<20)
	)
	for {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			break // The last line, if there is a part of one, was never answered.
		}
		if err != nil {
			return nil, err
		}
		var line journalLine
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if line.Value == nil {
			delete(kept, line.Key)
			continue
		}
		if _, known := kept[line.Key]; !known {
			order = append(order, line.Key)
		}
		kept[line.Key] = line.Value
	}
	lines := make([]journalLine, 0, len(kept))
	for _, key := range order {
		if value, ok := kept[key]; ok {
			lines = append(lines, journalLine{key, value})
			delete(kept, key)
		}
	}
	return lines, nil
}

func encodeLine(to *bytes.Buffer, key string, value json.RawMessage) {
	line, err := json.Marshal(journalLine{key, value})
	if err != nil {
		panic(err)
	}
	to.Write(line)
	to.WriteByte('\n')
}

// Now names the history of what is kept, which is another one after a start or a replacement, and counts what was written.
func (j *Journal) Now() (history string, writes uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.history, j.writes.Load()
}

// Change collects what one commit writes.
type Change struct{ text bytes.Buffer }

// Put writes a value.
func (c *Change) Put(key string, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	encodeLine(&c.text, key, raw)
}

// Remove deletes one.
func (c *Change) Remove(key string) { encodeLine(&c.text, key, nil) }

// Commit hands a change to the kernel. Without the journal there is no going on.
func (j *Journal) Commit(c *Change) {
	if c.text.Len() == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(c.text.Bytes()); err != nil {
		panic(fmt.Sprintf("the journal cannot be written: %v", err))
	}
	j.writes.Add(1)
}
