package platform

import (
	"sync"
	"time"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/store"
)

// ruleStatus is how a rule was evaluated last.
//
// Source: apps/alerting/rules/kinds/v0alpha1/alertRule_status.cue; documentation of 13.3.
type ruleStatus struct {
	Health             string     `json:"health,omitempty"`
	State              string     `json:"state,omitempty"`
	LastEvaluationTime *time.Time `json:"lastEvaluationTime,omitempty"`
	EvaluationDuration float64    `json:"evaluationDuration,omitempty"`
	LastError          string     `json:"lastError,omitempty"`
}

// statuses are what the job saw that writes them. It goes through all rules at an interval; between two runs a status is the one of
// the last run, whatever happens to the rule.
//
// Source: pkg/services/ngalert, the syncer that writes alert_rule.k8s_status. Unconfirmed: its interval; it runs here when somebody
// reads and the last run is that long ago.
type statuses struct {
	mu   sync.Mutex
	at   time.Time
	seen map[statusKey]*ruleStatus
}

type statusKey struct {
	org int64
	uid string
}

// run lets the job go through all rules if it is time. Not to be called with the store's lock.
func (s *statuses) run(a *api) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.at) < a.Cfg.StatusInterval() {
		return
	}
	s.at, s.seen = now, map[statusKey]*ruleStatus{}
	rules := map[int64][]*store.Rule{}
	a.Store.Mu.RLock()
	for id, o := range a.Store.Orgs {
		for _, r := range o.Rules {
			rules[id] = append(rules[id], r)
		}
	}
	a.Store.Mu.RUnlock()
	for id, all := range rules {
		runs, err := a.Orgs.Of(id)
		if err != nil {
			a.Log.Warn("no status is written", "org", id, "err", err)
			continue
		}
		for _, r := range all {
			s.seen[statusKey{id, r.UID}] = statusOf(r, runs.State(r.UID))
		}
	}
}

// of is a rule's status at the last run; empty for a rule that the job hasn't met.
func (s *statuses) of(org int64, uid string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen := s.seen[statusKey{org, uid}]; seen != nil {
		return seen
	}
	return struct{}{}
}

func statusOf(r *store.Rule, state *engine.RuleState) *ruleStatus {
	switch {
	case r.Paused:
		return &ruleStatus{Health: "Paused", State: "Inactive"}
	case state == nil:
		return &ruleStatus{Health: "NotScheduled", State: "Inactive"}
	}
	sum := state.Summary()
	if sum.LastEval.IsZero() {
		return &ruleStatus{Health: "Unknown", State: "Inactive"}
	}
	last := sum.LastEval.UTC()
	status := &ruleStatus{Health: "OK", State: "Normal", LastEvaluationTime: &last, EvaluationDuration: sum.Took.Seconds()}
	for _, i := range sum.Instances {
		switch i.State {
		case engine.StateAlerting:
			status.State = "Firing"
		case engine.StateRecovering:
			if status.State != "Firing" {
				status.State = "Recovering"
			}
		case engine.StatePending:
			if status.State == "Normal" {
				status.State = "Pending"
			}
		case engine.StateNoData:
			status.Health = "NoData"
		case engine.StateError:
			status.Health = "Error"
		}
		if i.Err != nil {
			status.Health, status.LastError = "Error", i.Err.Error()
		}
	}
	return status
}
