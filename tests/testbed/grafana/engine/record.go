package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"alertwright.testbed/grafana/engine/datasource"
	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// record evaluates a recording rule and writes what it yields to a Prometheus, by remote write (pkg/services/ngalert/schedule/recording_rule.go
// and writer/prom.go). A series, or a label set that comes twice, is an error; no data writes nothing.
func (e *Engine) record(ctx context.Context, r *store.Rule, at time.Time) error {
	c := compiled(r, e.cfg.Version)
	if c.err != nil {
		return c.err
	}
	run := &expression.Run{At: at, Values: map[string]expression.Values{}}
	for _, n := range c.nodes {
		values, err := e.evaluateNode(ctx, n, run)
		if err != nil {
			return err
		}
		run.Values[n.Query.RefID] = values
	}
	from, known := run.Values[r.Record.From]
	if !known {
		return fmt.Errorf("no query with refID %s found in rule", r.Record.From)
	}
	var samples []datasource.Sample
	seen := map[string]bool{}
	for _, value := range from {
		if value.Kind == expression.NoDataKind || value.Kind != expression.SeriesKind && value.Num == nil {
			continue
		}
		if value.Kind == expression.SeriesKind {
			return fmt.Errorf("the result of %s is a time series, only reduced data can be recorded", r.Record.From)
		}
		labels := expression.Labels{}
		for name, text := range value.Labels {
			labels[name] = text
		}
		for name, text := range r.Labels {
			labels[name] = text
		}
		labels["__name__"] = r.Record.Metric
		if seen[labels.Key()] {
			return fmt.Errorf("duplicate results with labels {%s}", labels)
		}
		seen[labels.Key()] = true
		samples = append(samples, datasource.Sample{Labels: labels, Value: *value.Num, At: at})
	}
	if len(samples) == 0 {
		return nil
	}
	target, err := e.target(r)
	if err != nil {
		return err
	}
	return datasource.Write(ctx, target, samples)
}

// target is the data source that a recording rule writes to: its own, the default one, or what the settings name as an address.
func (e *Engine) target(r *store.Rule) (*store.DataSource, error) {
	uid := r.Record.Target
	if uid == "" {
		uid = e.cfg.Setting("recording_rules.default_datasource_uid", "")
	}
	if address := e.cfg.Setting("recording_rules.url", ""); uid == "" && address != "" {
		return &store.DataSource{URL: address, Type: datasource.RemoteWrite}, nil
	}
	e.store.Mu.RLock()
	defer e.store.Mu.RUnlock()
	o := e.store.Orgs[e.org]
	if o == nil || o.Sources[uid] == nil {
		return nil, fmt.Errorf("data source not found: %q", uid)
	}
	if !slices.Contains([]string{"prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource"}, o.Sources[uid].Type) {
		return nil, fmt.Errorf("data source %q is not a Prometheus", uid)
	}
	return o.Sources[uid], nil
}

// recorded notes how an evaluation of a recording rule went.
func (s *RuleState) recorded(r *store.Rule, err error, at time.Time, took time.Duration) {
	if err != nil {
		s.engine.log.Warn("a recording rule failed", "rule", r.UID, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Seen.Load() == r {
		s.lastEval, s.took, s.err = at, took, err
	}
}
