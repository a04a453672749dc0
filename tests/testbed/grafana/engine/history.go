package engine

import (
	"sync"
	"time"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// Change is an alert's change of state.
type Change struct {
	ID     int64
	Rule   *store.Rule
	Labels expression.Labels
	At     time.Time
	Before string
	After  string
}

// History is what is kept of changes, the oldest first. It is forgotten with a restart, which Grafana's isn't.
type History struct {
	mu      sync.RWMutex
	changes []Change
}

// Between is what is kept between two times, the newest first, at most so many; of one rule where its uid is given.
func (h *History) Between(from, to time.Time, limit int, uid string) []Change {
	h.mu.RLock()
	defer h.mu.RUnlock()
	found := []Change{}
	for at := len(h.changes) - 1; at >= 0 && len(found) < limit; at-- {
		c := h.changes[at]
		if c.At.Before(from) || c.At.After(to) || uid != "" && c.Rule.UID != uid {
			continue
		}
		found = append(found, c)
	}
	return found
}

func (h *History) add(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.ID = int64(len(h.changes) + 1)
	h.changes = append(h.changes, c)
}

// words is a state with what made it so.
//
// Source: FormatStateAndReason of pkg/services/ngalert/state.
func (i *Instance) words() string {
	if i.Reason == "" {
		return string(i.State)
	}
	return string(i.State) + " (" + i.Reason + ")"
}

// noting gives what notes the change of an alert since now, if there is one by then.
//
// Source: shouldRecord of pkg/services/ngalert/state/historian: what stays Normal for another reason, and what was only updated, isn't kept.
func (s *RuleState) noting(r *store.Rule, i *Instance, at time.Time) func() {
	state, before := i.State, i.words()
	return func() {
		after := i.words()
		if before == after || state == StateNormal && i.State == StateNormal && (i.Reason == "" || i.Reason == "MissingSeries") {
			return
		}
		s.engine.History.add(Change{Rule: r, Labels: i.Labels, At: at, Before: before, After: after})
	}
}
