package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Sequence is a list of rules that are evaluated one after the other.
type Sequence struct {
	Org        int64
	Name       string
	GUID       string
	Version    int64
	Created    time.Time
	Folder     string
	Interval   string
	Recording  []string
	Alerting   []string
	Provenance string
	Manager    Manager
}

// NewGUID makes one.
func NewGUID() string { return uuid.NewString() }

func sequenceRecord(org int64, name string) string { return fmt.Sprintf("sequence/%d/%s", org, name) }

// PutSequence stores one. To be called with the lock.
func (s *Store) PutSequence(o *Org, q *Sequence) {
	o.Sequences[q.Name] = q
	var change Change
	change.Put(sequenceRecord(o.ID, q.Name), q)
	s.Journal.Commit(&change)
}

// RemoveSequence removes one. To be called with the lock.
func (s *Store) RemoveSequence(o *Org, name string) {
	delete(o.Sequences, name)
	var change Change
	change.Remove(sequenceRecord(o.ID, name))
	s.Journal.Commit(&change)
}
