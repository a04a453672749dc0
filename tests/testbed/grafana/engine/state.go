package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// State of an alert.
type State string

const (
	StateNormal     State = "Normal"
	StatePending    State = "Pending"
	StateAlerting   State = "Alerting"
	StateRecovering State = "Recovering"
	StateNoData     State = "NoData"
	StateError      State = "Error"
)

const resendDelay = 30 * time.Second

// Instance is an alert of a rule.
type Instance struct {
	Labels      expression.Labels
	Annotations map[string]string
	State       State
	Reason      string
	StartsAt    time.Time
	EndsAt      time.Time
	LastEval    time.Time
	LastSent    time.Time
	Since       time.Time
	Values      map[string]expression.Captured
	Err         error
	missing     int64
	// What the labels of the condition's result were.
	result string
}

// RuleState is what is known of a rule from its evaluations.
type RuleState struct {
	engine  *Engine
	Seen    atomic.Pointer[store.Rule]
	running atomic.Bool

	mu        sync.Mutex
	instances map[string]*Instance
	content   string
	lastEval  time.Time
	took      time.Duration
	// What went wrong with the last evaluation of a recording rule.
	err error
}

// active says which alerts are pending or fire, by the labels of the results that they come from.
func (s *RuleState) active() func(expression.Labels) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]bool{}
	for _, i := range s.instances {
		if i.State == StatePending || i.State == StateAlerting || i.State == StateRecovering {
			found[i.result] = true
		}
	}
	return func(labels expression.Labels) bool { return found[labels.Key()] }
}

// take notes a rule that was written; one that has changed begins anew.
func (s *RuleState) take(r *store.Rule, now time.Time) {
	c := compiled(r, s.engine.cfg.Version)
	s.mu.Lock()
	before := s.content
	s.content = string(c.content)
	if before == "" && !r.Paused {
		s.engine.Mu.Lock()
		saved, ok := s.engine.saved[r.UID]
		delete(s.engine.saved, r.UID)
		s.engine.Mu.Unlock()
		if ok {
			s.restore(saved)
		}
	}
	s.mu.Unlock()
	s.Seen.Store(r)
	if before != "" && before != string(c.content) {
		reason := "Updated"
		if r.Paused {
			reason = "Paused"
		}
		s.end(reason, now)
	}
}

// end resolves all alerts of the rule.
func (s *RuleState) end(reason string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var alerts []*alert.Alert
	for _, i := range s.instances {
		if i.fires() {
			i.State, i.Reason, i.EndsAt = StateNormal, reason, now
			alerts = append(alerts, s.engine.alert(i, now, true))
		}
	}
	s.instances = map[string]*Instance{}
	s.engine.changed.Store(true)
	s.lastEval, s.took = time.Time{}, 0
	s.engine.tell(alerts...)
}

// fires says whether the Alertmanager knows of the alert.
func (i *Instance) fires() bool {
	return i.State == StateAlerting || i.State == StateNoData || i.State == StateError || i.State == StateRecovering
}

// process makes states of an evaluation's results, and sends what is news.
func (s *RuleState) process(d due, results []Result, at time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Seen.Load(); now != d.rule {
		return // It was written meanwhile.
	}
	r, e := d.rule, s.engine
	s.lastEval, s.took = at, took
	defer e.changed.Store(true)
	var alerts []*alert.Alert
	touched := map[string]bool{}
	if e.cfg.Version.SpreadsNoData() && spreads(r, results) && len(s.instances) > 0 {
		// It concerns the alerts there are, not some of its own.
		for key, i := range s.instances {
			touched[key] = true
			result := results[0]
			result.Values = i.Values
			alerts = append(alerts, s.step(d, i, result, at)...)
		}
	} else {
		for _, result := range results {
			labels, key := s.labelsOf(d, result)
			touched[key] = true
			i := s.instances[key]
			if i == nil {
				i = &Instance{Labels: labels, State: StateNormal, Since: at, StartsAt: at}
				s.instances[key] = i
			}
			i.result = result.Labels.Key()
			s.annotate(d, i, result)
			alerts = append(alerts, s.step(d, i, result, at)...)
		}
	}
	for key, i := range s.instances {
		if touched[key] {
			i.missing = 0
			continue
		}
		i.missing++
		// Two intervals, before there was a number for it too (stateIsStale in pkg/services/ngalert/state/manager.go).
		limit := int64(2)
		if r.MissingSeries != nil && e.cfg.Version.KeepFiringFor() {
			limit = *r.MissingSeries
		}
		if e.cfg.Version.ResolvesNoDataAtOnce() && (i.State == StateNoData || i.State == StateError) ||
			e.cfg.Version.NoDataWaits() && i.State == StatePending && (i.Reason == "NoData" || i.Reason == "Error") {
			limit = 1
		}
		if i.missing < limit {
			continue
		}
		if i.fires() {
			note := s.noting(r, i, at)
			i.State, i.Reason, i.EndsAt = StateNormal, "MissingSeries", at
			note()
			alerts = append(alerts, e.alert(i, at, true))
		}
		delete(s.instances, key)
	}
	e.tell(alerts...)
}

// step moves an alert to its next state; what it gives is to be sent.
func (s *RuleState) step(d due, i *Instance, result Result, at time.Time) []*alert.Alert {
	r := d.rule
	defer s.noting(r, i, at)()
	before := i.State
	wasFiring := i.fires()
	i.LastEval = at
	i.Err = nil
	set := func(state State, reason string) {
		if i.State != state {
			i.StartsAt, i.Since = at, at
		}
		i.State, i.Reason = state, reason
	}
	alerting := func(reason string) {
		switch {
		case i.State == StateAlerting:
			i.Reason = reason
		case i.State == StateRecovering:
			// It goes on as if nothing had been.
			i.State, i.Reason = StateAlerting, reason
		case r.For == 0:
			set(StateAlerting, reason)
		case i.State == StatePending:
			i.Reason = reason
			if at.Sub(i.StartsAt) >= time.Duration(r.For) {
				set(StateAlerting, reason)
			}
		default:
			set(StatePending, reason)
		}
	}
	normal := func(reason string) {
		keep := time.Duration(r.KeepFiringFor)
		switch {
		case keep > 0 && i.State == StateAlerting:
			i.State, i.Since, i.Reason = StateRecovering, at, reason
		case keep > 0 && i.State == StateRecovering && at.Sub(i.Since) < keep:
			i.Reason = reason
		default:
			set(StateNormal, reason)
		}
	}
	own := func(state State, reason string) {
		waits := r.For > 0 && s.engine.cfg.Version.NoDataWaits()
		switch {
		case waits && i.State == StateNormal:
			set(StatePending, reason)
		case waits && i.State == StatePending && at.Sub(i.StartsAt) < time.Duration(r.For):
			i.Reason = reason
		default:
			set(state, "")
		}
	}
	switch result.State {
	case evalNormal:
		normal("")
	case evalAlerting:
		alerting("")
	case evalNoData:
		switch r.NoDataState {
		case "Alerting":
			alerting("NoData")
		case "OK":
			normal("NoData")
		case "KeepLast":
			i.keep(alerting, normal, "NoData, KeepLast")
		default:
			own(StateNoData, "NoData")
		}
	case evalError:
		i.Err = result.Err
		switch r.ExecErrState {
		case "Alerting":
			alerting("Error")
		case "OK":
			normal("Error")
			i.Err = nil
		case "KeepLast":
			i.keep(alerting, normal, "Error, KeepLast")
		default:
			own(StateError, "Error")
			if i.Annotations == nil {
				i.Annotations = map[string]string{}
			}
			i.Annotations["Error"] = fmt.Sprint(result.Err)
		}
	}
	e := s.engine
	// What was sent under another name must end under it.
	var alerts []*alert.Alert
	if wasFiring && before != i.State && e.renamed(before) != e.renamed(i.State) {
		old := *i
		old.State, old.EndsAt = before, at
		alerts = append(alerts, e.alert(&old, at, true))
		i.LastSent = time.Time{}
		if !i.fires() {
			return alerts
		}
	}
	if i.fires() {
		i.EndsAt = at.Add(4 * max(resendDelay, d.interval))
		if before != i.State && !(before == StateAlerting && i.State == StateRecovering) || at.Sub(i.LastSent) >= resendDelay {
			i.LastSent = at
			alerts = append(alerts, e.alert(i, at, false))
		}
		return alerts
	}
	if wasFiring && len(alerts) == 0 {
		i.EndsAt = at
		alerts = append(alerts, e.alert(i, at, true))
	}
	return alerts
}

// keep leaves an alert as it is; what is neither normal nor pending nor fires becomes normal (resultKeepLast in state.go of 12).
func (i *Instance) keep(alerting, normal func(string), reason string) {
	switch i.State {
	case StateAlerting, StatePending:
		alerting(reason)
	default:
		normal(reason)
	}
}

// spreads says whether the rule makes another state of what all results say, be it no data or an error, which all of its alerts then take.
//
// Source: setNextStateForRule of pkg/services/ngalert/state/manager.go (12.4), IsNoData and IsError of pkg/services/ngalert/eval.
func spreads(r *store.Rule, results []Result) bool {
	for _, result := range results {
		if result.State != results[0].State {
			return false
		}
	}
	other := ""
	switch {
	case len(results) == 0:
	case results[0].State == evalNoData:
		other = r.NoDataState
	case results[0].State == evalError:
		other = r.ExecErrState
	}
	return other == "Alerting" || other == "OK" || other == "KeepLast"
}
