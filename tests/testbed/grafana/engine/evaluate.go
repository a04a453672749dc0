package engine

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"alertwright.testbed/grafana/engine/datasource"
	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

type evalState int

const (
	evalNormal evalState = iota
	evalAlerting
	evalNoData
	evalError
)

// Result is one alert's part of an evaluation.
type Result struct {
	Labels expression.Labels
	State  evalState
	Values map[string]expression.Captured
	Err    error
	// The query that failed or had no data.
	RefID, Source string
}

// queryError is an error of a data source.
type queryError struct {
	refID, source string
	err           error
}

func (e *queryError) Error() string {
	return fmt.Sprintf("[sse.dataQueryError] failed to execute query [%s]: %v", e.refID, e.err)
}

// evaluate runs a rule's nodes and gives one result for each label set of its condition.
func (e *Engine) evaluate(ctx context.Context, r *store.Rule, run *expression.Run) []Result {
	c := compiled(r, e.cfg.Version)
	if c.err != nil {
		return []Result{{State: evalError, Err: c.err}}
	}
	run.Values = map[string]expression.Values{}
	env := run.Values
	var emptyIDs, emptySources []string
	for _, n := range c.nodes {
		values, err := e.evaluateNode(ctx, n, run)
		if err != nil {
			result := Result{State: evalError, Err: err}
			if failed, ok := err.(*queryError); ok {
				result.RefID, result.Source = failed.refID, failed.source
			}
			return []Result{result}
		}
		env[n.Query.RefID] = values
		if n.Apply == nil && values.IsNoData() {
			emptyIDs = append(emptyIDs, n.Query.RefID)
			if !slices.Contains(emptySources, n.Query.DatasourceUID) {
				emptySources = append(emptySources, n.Query.DatasourceUID)
			}
		}
	}
	condition := env[r.Condition]
	var results []Result
	seen := map[string]bool{}
	for _, value := range condition {
		if value.Kind == expression.NoDataKind {
			continue
		}
		if value.Kind == expression.SeriesKind {
			return []Result{{State: evalError, Err: fmt.Errorf(
				"invalid format of evaluation results for the alert definition %s: looks like time series data, only reduced data can be alerted on.", r.Condition)}}
		}
		if key := value.Labels.Key(); seen[key] {
			return []Result{{State: evalError, Err: fmt.Errorf(
				"invalid format of evaluation results for the alert definition %s: frame cannot uniquely be identified by its labels: has duplicate results with labels {%s}", r.Condition, value.Labels)}}
		} else {
			seen[key] = true
		}
		result := Result{Labels: value.Labels, Values: capture(env, value.Labels)}
		switch {
		case value.Num == nil:
			result.State = evalNoData
		case *value.Num == 0:
			result.State = evalNormal
		default:
			result.State = evalAlerting
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		sort.Strings(emptyIDs)
		return []Result{{State: evalNoData, RefID: strings.Join(emptyIDs, ","), Source: strings.Join(emptySources, ","), Values: capture(env, nil)}}
	}
	return results
}

func (e *Engine) evaluateNode(ctx context.Context, n *expression.Node, run *expression.Run) (expression.Values, error) {
	if n.Apply != nil {
		values, err := n.Apply(run)
		if err != nil {
			return nil, fmt.Errorf("failed to execute expression [%s]: %w", n.Query.RefID, err)
		}
		if len(values) == 0 {
			values = expression.NoData()
		}
		return values, nil
	}
	ask := e.query
	if e.ask != nil {
		ask = e.ask
	}
	values, err := ask(ctx, n.Query, run)
	if err != nil {
		return nil, &queryError{n.Query.RefID, n.Query.DatasourceUID, err}
	}
	if len(values) == 0 {
		values = expression.NoData()
	}
	return values, nil
}

// capture collects the numbers that belong to an alert of these labels.
func capture(env map[string]expression.Values, labels expression.Labels) map[string]expression.Captured {
	captured := map[string]expression.Captured{}
	for id, values := range env {
		for _, value := range values {
			if value.Kind == expression.SeriesKind || value.Kind == expression.NoDataKind || !labels.Contains(value.Labels) {
				continue
			}
			if had, ok := captured[id]; !ok || len(value.Labels) > len(had.Labels) {
				captured[id] = expression.Captured{Labels: value.Labels, Num: value.Num}
			}
		}
	}
	return captured
}

func (e *Engine) query(ctx context.Context, q store.Query, run *expression.Run) (expression.Values, error) {
	e.store.Mu.RLock()
	var source *store.DataSource
	if o := e.store.Orgs[e.org]; o != nil {
		source = o.Sources[q.DatasourceUID]
	}
	e.store.Mu.RUnlock()
	if source == nil {
		return nil, fmt.Errorf("data source not found")
	}
	from, to := run.Range(q)
	switch {
	case source.Type == "loki":
		return datasource.QueryLoki(ctx, source, q, from, to)
	case strings.Contains(source.Type, "prometheus"):
		return datasource.QueryPrometheus(ctx, source, q, from, to)
	case source.Type == "testdata" || source.Type == "grafana-testdata-datasource":
		return datasource.QueryTestData(q, from, to)
	}
	return nil, fmt.Errorf("plugin %s is not played here", source.Type)
}
