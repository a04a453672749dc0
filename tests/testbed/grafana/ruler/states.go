package ruler

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"alertwright.testbed/grafana/engine"
	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

type stateAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
	ActiveAt    *time.Time        `json:"activeAt"`
	Value       string            `json:"value"`
}

type stateRule struct {
	State          string                      `json:"state"`
	Name           string                      `json:"name"`
	UID            string                      `json:"uid,omitempty"`
	FolderUID      string                      `json:"folderUid,omitempty"`
	Query          string                      `json:"query"`
	Duration       float64                     `json:"duration,omitempty"`
	KeepFiringFor  float64                     `json:"keepFiringFor,omitempty"`
	Annotations    map[string]string           `json:"annotations,omitempty"`
	ActiveAt       *time.Time                  `json:"activeAt,omitempty"`
	Alerts         []stateAlert                `json:"alerts,omitempty"`
	Totals         map[string]int              `json:"totals,omitempty"`
	TotalsFiltered map[string]int              `json:"totalsFiltered,omitempty"`
	Labels         map[string]string           `json:"labels,omitempty"`
	IsPaused       *bool                       `json:"isPaused,omitempty"`
	Notification   *store.NotificationSettings `json:"notificationSettings,omitempty"`
	Sources        []string                    `json:"queriedDatasourceUIDs,omitempty"`
	Health         string                      `json:"health"`
	LastError      string                      `json:"lastError,omitempty"`
	Type           string                      `json:"type"`
	LastEvaluation time.Time                   `json:"lastEvaluation"`
	EvaluationTime float64                     `json:"evaluationTime"`
}

type stateGroup struct {
	Name           string         `json:"name"`
	File           string         `json:"file"`
	FolderUID      string         `json:"folderUid,omitempty"`
	Rules          []*stateRule   `json:"rules"`
	Totals         map[string]int `json:"totals"`
	Interval       float64        `json:"interval"`
	LastEvaluation time.Time      `json:"lastEvaluation"`
	EvaluationTime float64        `json:"evaluationTime"`
}

// withoutInternal takes the labels away that the server added itself; a rule's own are shown, whatever they are called
// (api_prometheus.go).
func withoutInternal(of map[string]string) map[string]string {
	out := make(map[string]string, len(of))
	for name, value := range of {
		if name != "__alert_rule_uid__" && name != "__alert_rule_namespace_uid__" {
			out[name] = value
		}
	}
	return out
}

func (s *api) listStates(c *server.Call) {
	engine, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.JSON(500, map[string]any{"status": "error", "errorType": "server_error", "error": err.Error()})
		return
	}
	options, mistake := s.stateOptions(c)
	if mistake != "" {
		s.badQuestion(c, mistake)
		return
	}
	v := s.Cfg.Version
	rules := map[place][]*store.Rule{}
	intervals := map[place]int64{}
	var all []place
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	if o.Folders[options.folder] == nil {
		// A folder that isn't there is no filter (api_prometheus.go).
		options.folder = ""
	}
	for key, g := range o.Groups {
		f := o.Folders[key.Folder]
		if f == nil || len(g.Rules) == 0 || !c.Who.MayReadRules(o, f.UID) {
			continue
		}
		one := place{folder: f.UID, path: f.Title, group: g.Name}
		if v.PathsInStates() {
			one.path = o.Path(f)
		}
		for _, r := range g.Sorted(v.NewUIDsInGroupPut()) {
			if options.wants(r) {
				rules[one] = append(rules[one], r)
			}
		}
		if len(rules[one]) > 0 {
			intervals[one] = int64(g.Interval)
			all = append(all, one)
		}
	}
	s.Store.Mu.RUnlock()
	pages := s.pages(c)
	slices.SortFunc(all, pages.compare)
	groups := []*stateGroup{}
	totals := map[string]int{}
	next, count := "", 0
	for at := pages.begin(all); at < len(all); at++ {
		if pages.isFull(len(groups), count) {
			next = pages.token(all, at)
			break
		}
		one := all[at]
		group := &stateGroup{Name: one.group, File: one.path, Interval: float64(intervals[one]), Rules: []*stateRule{}, Totals: map[string]int{}}
		if v.UIDsInStates() {
			group.FolderUID = one.folder
		}
		for _, r := range rules[one] {
			rule := s.stateOf(engine.State(r.UID), r, &options)
			if len(options.states) > 0 && !options.states[rule.State] || len(options.health) > 0 && !options.health[rule.Health] {
				continue
			}
			group.Totals[rule.State]++
			if rule.Health == "error" || rule.Health == "nodata" {
				group.Totals[rule.Health]++
			}
			if options.limitRules >= 0 && len(group.Rules) >= options.limitRules {
				continue
			}
			if rule.LastEvaluation.After(group.LastEvaluation) {
				group.LastEvaluation = rule.LastEvaluation
			}
			group.EvaluationTime = max(group.EvaluationTime, rule.EvaluationTime)
			group.Rules = append(group.Rules, rule)
		}
		for name, n := range group.Totals {
			totals[name] += n
		}
		if len(group.Rules) > 0 {
			groups = append(groups, group)
			count += len(group.Rules)
		}
	}
	slices.SortStableFunc(groups, func(a, b *stateGroup) int {
		return byPath(place{path: a.File, group: a.Name}, place{path: b.File, group: b.Name})
	})
	data := map[string]any{"groups": groups}
	if !pages.areCut() {
		data["totals"] = totals
	}
	if next != "" {
		data["groupNextToken"] = next
	}
	c.JSON(http.StatusOK, map[string]any{"status": "success", "data": data})
}

func (s *api) stateOf(state *engine.RuleState, r *store.Rule, options *stateOptions) *stateRule {
	v := s.Cfg.Version
	rule := &stateRule{
		State: "inactive", Name: r.Title, Query: queryText(r), Duration: time.Duration(r.For).Seconds(), Annotations: r.Annotations, Health: "ok",
		Type: "alerting", Labels: r.Labels,
	}
	if v.UIDsInStates() {
		rule.UID, rule.FolderUID = r.UID, r.Folder
	}
	if v.PausedInStates() {
		paused := r.Paused
		rule.IsPaused, rule.Notification, rule.KeepFiringFor = &paused, r.Notification, time.Duration(r.KeepFiringFor).Seconds()
		for _, q := range r.Data {
			if !store.IsExpression(q.DatasourceUID) && !slices.Contains(rule.Sources, q.DatasourceUID) {
				rule.Sources = append(rule.Sources, q.DatasourceUID)
			}
		}
	}
	if r.Record != nil {
		rule.Type, rule.State = "recording", ""
	}
	if state == nil || state.Seen.Load() != r && r.Paused {
		return rule
	}
	sum := state.Summary()
	rule.LastEvaluation, rule.EvaluationTime = sum.LastEval, sum.Took.Seconds()
	if sum.Err != nil {
		rule.Health, rule.LastError = "error", sum.Err.Error()
	}
	rule.Totals, rule.TotalsFiltered = map[string]int{}, map[string]int{}
	engine.SortInstances(sum.Instances)
	for at := range sum.Instances {
		i := &sum.Instances[at]
		name := map[engine.State]string{
			engine.StateNormal: "normal", engine.StatePending: "pending", engine.StateAlerting: "alerting", engine.StateNoData: "nodata", engine.StateError: "error", engine.StateRecovering: "recovering",
		}[i.State]
		rule.Totals[name]++
		switch i.State {
		case engine.StatePending:
			if rule.State == "inactive" {
				rule.State = "pending"
			}
		case engine.StateRecovering:
			if rule.State != "firing" {
				rule.State = "recovering"
			}
		case engine.StateAlerting:
			rule.State = "firing"
		case engine.StateError:
			rule.Health = "error"
		case engine.StateNoData:
			rule.Health = "nodata"
		}
		if (i.State == engine.StateAlerting || i.State == engine.StateRecovering) && (rule.ActiveAt == nil || i.StartsAt.Before(*rule.ActiveAt)) {
			started := i.StartsAt
			rule.ActiveAt = &started
		}
		if i.Err != nil {
			rule.Health, rule.LastError = "error", i.Err.Error()
		}
		if !matchAll(options.matchers, i.Labels) {
			continue
		}
		rule.TotalsFiltered[name]++
		if options.limitAlerts >= 0 && len(rule.Alerts) >= options.limitAlerts {
			continue
		}
		rule.Alerts = append(rule.Alerts, s.stateAlert(i, options.internal))
	}
	return rule
}

func matchAll(matchers []*labels.Matcher, of map[string]string) bool {
	for _, m := range matchers {
		if !m.Matches(of[m.Name]) {
			return false
		}
	}
	return true
}

func (s *api) stateAlert(i *engine.Instance, internal bool) stateAlert {
	started := i.StartsAt
	shown := map[string]string(i.Labels)
	if !internal {
		shown = withoutInternal(shown)
	}
	return stateAlert{Labels: shown, Annotations: i.Annotations, State: i.Text(), ActiveAt: &started, Value: templating.ValueString(i.Values)}
}

func queryText(r *store.Rule) string {
	for _, q := range r.Data {
		if expr, ok := q.Model["expr"].(string); ok {
			return expr
		}
	}
	text, err := json.Marshal(r.Data)
	if err != nil {
		return ""
	}
	return string(text)
}

func (s *api) listInstances(c *server.Call) {
	found, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.JSON(500, map[string]any{"status": "error", "errorType": "server_error", "error": err.Error()})
		return
	}
	internal := c.Flag("includeInternalLabels", false)
	found.Mu.RLock()
	var states []*engine.RuleState
	for _, state := range found.States {
		states = append(states, state)
	}
	found.Mu.RUnlock()
	alerts := []stateAlert{}
	for _, state := range states {
		for _, i := range state.Summary().Instances {
			alerts = append(alerts, s.stateAlert(&i, internal))
		}
	}
	c.JSON(200, map[string]any{"status": "success", "data": map[string]any{"alerts": alerts}})
}
