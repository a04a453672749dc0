package engine

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/alert"

	"alertwright.testbed/grafana/engine/datasource"
	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// Trials: rules and queries that are evaluated once, and leave nothing behind.

// Node is what one node of a trial yields.
type Node struct {
	Status int                `json:"status"`
	Error  string             `json:"error,omitempty"`
	Frames []datasource.Frame `json:"frames"`
}

// Try evaluates nodes at a time; what is wrong with a query or an expression stands at its node (pkg/services/ngalert/api/api_testing.go,
// RouteEvalQueries), what is wrong with them all is the error.
func (e *Engine) Try(ctx context.Context, data []store.Query, at time.Time) (map[string]Node, error) {
	r := &store.Rule{UID: "trial", Data: data}
	if len(data) > 0 {
		r.Condition = data[0].RefID
	}
	c := compiled(r, e.cfg.Version)
	if c.err != nil {
		return nil, c.err
	}
	run := &expression.Run{At: at, Values: map[string]expression.Values{}}
	all := map[string]Node{}
	for _, n := range c.nodes {
		failed := ""
		for _, need := range n.Needs {
			if all[need].Error != "" {
				failed = "[sse.dependencyError] did not execute expression [" + n.Query.RefID + "] due to a failure of the dependent expression or query [" + need + "]"
			}
		}
		if failed == "" {
			values, err := e.evaluateNode(ctx, n, run)
			if err == nil {
				run.Values[n.Query.RefID] = values
				all[n.Query.RefID] = Node{200, "", datasource.Frames(n.Query.RefID, values)}
				continue
			}
			failed = err.Error()
		}
		all[n.Query.RefID] = Node{500, failed, []datasource.Frame{}}
	}
	return all, nil
}

// Query asks one query of a data source for a stretch of time.
func (e *Engine) Query(ctx context.Context, q store.Query, from, to time.Time) ([]datasource.Frame, error) {
	// Both count back from the end.
	q.Range = store.RelativeRange{From: int64(to.Sub(from) / time.Second)}
	values, err := e.query(ctx, q, &expression.Run{At: to})
	if err != nil {
		return nil, err
	}
	return datasource.Frames(q.RefID, values), nil
}

// TryRule evaluates a rule once, as if it were new, and gives all of its alerts.
func (e *Engine) TryRule(ctx context.Context, r *store.Rule, folder string, interval time.Duration, at time.Time) []*alert.Alert {
	// Its engine has no Alertmanager, so nobody is notified.
	apart := &Engine{cfg: e.cfg, store: e.store, org: e.org, log: e.log, States: map[string]*RuleState{}}
	state := &RuleState{engine: apart, instances: map[string]*Instance{}}
	state.Seen.Store(r)
	apart.run(ctx, due{state, r, folder, interval}, at)
	alerts := []*alert.Alert{}
	for _, i := range state.instances {
		alerts = append(alerts, apart.alert(i, at, false))
	}
	return alerts
}
