package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// States of alerts outlive an orderly end, and are written down now and then; what is Normal needs no keeping.

// StatesPrefix is how the files begin that keep states.
const StatesPrefix = "states-"

const saveEvery = time.Second

type savedState struct {
	Content   string
	LastEval  time.Time
	Instances []savedInstance
}

type savedInstance struct {
	Labels      expression.Labels
	Annotations map[string]string
	State       State
	Reason      string
	StartsAt    time.Time
	EndsAt      time.Time
	Since       time.Time
	Result      string
}

func (e *Engine) savedPath() string {
	return filepath.Join(e.cfg.Data, fmt.Sprintf("%s%d.json", StatesPrefix, e.org))
}

func (e *Engine) loadStates() {
	text, err := os.ReadFile(e.savedPath())
	if err != nil {
		return
	}
	if err := json.Unmarshal(text, &e.saved); err != nil {
		e.log.Warn("saved states are not understood", "err", err)
	}
}

func (e *Engine) saveStates() {
	if !e.changed.Swap(false) {
		return
	}
	saved := map[string]savedState{}
	e.Mu.RLock()
	states := make(map[string]*RuleState, len(e.States))
	for uid, state := range e.States {
		states[uid] = state
	}
	e.Mu.RUnlock()
	for uid, state := range states {
		if one, any := state.save(); any {
			saved[uid] = one
		}
	}
	text, err := json.Marshal(saved)
	if err == nil {
		temporary := e.savedPath() + ".new"
		if err = os.WriteFile(temporary, text, 0o600); err == nil {
			err = os.Rename(temporary, e.savedPath())
		}
	}
	if err != nil {
		e.log.Error("states cannot be saved", "err", err)
	}
}

func (s *RuleState) save() (savedState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := savedState{Content: store.Fingerprint(s.content), LastEval: s.lastEval}
	for _, i := range s.instances {
		if i.State != StateNormal {
			out.Instances = append(out.Instances, savedInstance{i.Labels, i.Annotations, i.State, i.Reason, i.StartsAt, i.EndsAt, i.Since, i.result})
		}
	}
	return out, len(out.Instances) > 0
}

// restore gives a rule its alerts back if it is still the same. To be called with the state's lock.
func (s *RuleState) restore(saved savedState) {
	if saved.Content != store.Fingerprint(s.content) {
		return
	}
	for _, i := range saved.Instances {
		s.instances[i.Labels.Key()] = &Instance{
			Labels: i.Labels, Annotations: i.Annotations, State: i.State, Reason: i.Reason, StartsAt: i.StartsAt, EndsAt: i.EndsAt, Since: i.Since, result: i.Result,
			LastEval: saved.LastEval,
		}
	}
}
