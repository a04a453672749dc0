package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/store"
)

// labelsOf makes an alert's labels: those of the query, of the rule, and Grafana's own, the later ones going first.
func (s *RuleState) labelsOf(d due, result Result) (expression.Labels, string) {
	r := d.rule
	c := compiled(r, s.engine.cfg.Version)
	labels := expression.Labels{}
	for name, value := range result.Labels {
		labels[name] = value
	}
	reserved := expression.Labels{
		"alertname": r.Title, "grafana_folder": d.folder, "__alert_rule_uid__": r.UID, "__alert_rule_namespace_uid__": r.Folder,
	}
	seen := expression.Labels{}
	for name, value := range result.Labels {
		seen[name] = value
	}
	for name, value := range reserved {
		seen[name] = value
	}
	data := templating.NewValueData(seen, result.Values)
	for name, t := range c.labels {
		value, err := t.Expand(data)
		if err != nil {
			s.engine.log.Warn("a label's template failed", "rule", r.UID, "label", name, "err", err)
		}
		labels[name] = value
	}
	for name, value := range reserved {
		labels[name] = value
	}
	if n := r.Notification; n != nil {
		if n.Receiver != "" {
			labels[routing.AutoLabel], labels[routing.ToLabel], labels[routing.HashLabel] = "true", n.Receiver, store.Fingerprint(n)
		}
		if n.Policy != "" {
			labels[routing.RouteLabel] = n.Policy
		}
	}
	// An error that the rule makes another state of is named in annotations alone (AddErrorInformation in state.go).
	if result.State == evalNoData || result.State == evalError && r.ExecErrState == "Error" {
		if result.RefID != "" {
			labels["ref_id"] = result.RefID
		}
		if result.Source != "" {
			labels["datasource_uid"] = result.Source
		}
	}
	for name, value := range labels {
		if value == "" {
			delete(labels, name)
		}
	}
	return labels, labels.Key()
}

// annotate expands the annotations with the values of now.
func (s *RuleState) annotate(d due, i *Instance, result Result) {
	c := compiled(d.rule, s.engine.cfg.Version)
	seen := expression.Labels{"alertname": d.rule.Title, "grafana_folder": d.folder, "__alert_rule_uid__": d.rule.UID, "__alert_rule_namespace_uid__": d.rule.Folder}
	for name, value := range result.Labels {
		if seen[name] == "" {
			seen[name] = value
		}
	}
	data := templating.NewValueData(seen, result.Values)
	i.Annotations = map[string]string{}
	for name, t := range c.annotations {
		value, err := t.Expand(data)
		if err != nil {
			s.engine.log.Warn("an annotation's template failed", "rule", d.rule.UID, "annotation", name, "err", err)
		}
		i.Annotations[name] = value
	}
	i.Values = result.Values
}

// renamed is the alert's name where Grafana gives it one of its own.
func (e *Engine) renamed(state State) string {
	switch state {
	case StateNoData:
		return "DatasourceNoData"
	case StateError:
		return "DatasourceError"
	}
	return ""
}

// alert makes what the Alertmanager gets.
func (e *Engine) alert(i *Instance, at time.Time, ended bool) *alert.Alert {
	labels := model.LabelSet{}
	for name, value := range i.Labels {
		labels[model.LabelName(name)] = model.LabelValue(value)
	}
	if name := e.renamed(i.State); name != "" {
		labels["rulename"] = labels["alertname"]
		labels["alertname"] = model.LabelValue(name)
	}
	annotations := model.LabelSet{}
	for name, value := range i.Annotations {
		if value != "" {
			annotations[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	if i.Reason != "" {
		annotations["grafana_state_reason"] = model.LabelValue(i.Reason)
	}
	if i.Values != nil {
		values := map[string]float64{}
		for id, captured := range i.Values {
			if captured.Num != nil && !math.IsNaN(*captured.Num) && !math.IsInf(*captured.Num, 0) {
				values[id] = *captured.Num
			}
		}
		if text, err := json.Marshal(values); err == nil && len(values) > 0 {
			annotations["__values__"] = model.LabelValue(text)
		}
		if text := templating.ValueString(i.Values); text != "" {
			annotations["__value_string__"] = model.LabelValue(text)
		}
	}
	annotations["__orgId__"] = model.LabelValue(fmt.Sprint(e.org))
	a := model.Alert{
		Labels: labels, Annotations: annotations, StartsAt: i.StartsAt, EndsAt: i.EndsAt,
		GeneratorURL: fmt.Sprintf("%salerting/grafana/%s/view?orgId=%d", e.cfg.RootURL(), i.Labels["__alert_rule_uid__"], e.org),
	}
	if ended {
		a.EndsAt = at
	}
	return alert.New(a, at, !ended)
}

// tell has the Alertmanager know of alerts; an engine that only answers questions has none.
func (e *Engine) tell(alerts ...*alert.Alert) {
	if e.Am != nil {
		e.Am.Put(alerts...)
	}
}

// Text is how the API names the state.
func (i *Instance) Text() string {
	if i.Reason == "" {
		return string(i.State)
	}
	return fmt.Sprintf("%s (%s)", i.State, i.Reason)
}

// summary is a copy of what is known for the API.
type summary struct {
	LastEval  time.Time
	Took      time.Duration
	Instances []Instance
	// Err is what went wrong with the last evaluation of a recording rule.
	Err error
}

// Summary copies what is known of the rule now.
func (s *RuleState) Summary() summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := summary{LastEval: s.lastEval, Took: s.took, Err: s.err}
	for _, i := range s.instances {
		out.Instances = append(out.Instances, *i)
	}
	return out
}

// SortInstances sorts alerts by their labels.
func SortInstances(all []Instance) {
	sort.Slice(all, func(i, j int) bool {
		return strings.Compare(all[i].Labels.Key(), all[j].Labels.Key()) < 0
	})
}
