package expression

import (
	"fmt"
	"strings"
	"time"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

// Node is one of a compiled rule.
type Node struct {
	Query store.Query
	Needs []string
	// What an expression does with what it needs; nil for a query of a data source.
	Apply func(run *Run) (Values, error)
}

// Run is one evaluation of a rule.
type Run struct {
	// At is when.
	At time.Time
	// Values are what the nodes have yielded so far.
	Values map[string]Values
	// Active says whether an alert with these labels, those of the condition's result, is pending or fires; nil for none.
	Active func(labels Labels) bool
}

func (r *Run) isActive(labels Labels) bool { return r.Active != nil && r.Active(labels) }

// Range is the time that a query covers.
func (r *Run) Range(q store.Query) (from, to time.Time) {
	return r.At.Add(-time.Duration(q.Range.From) * time.Second), r.At.Add(-time.Duration(q.Range.To) * time.Second)
}

// CompileNode makes a node ready; what is wrong with its model is the error.
func CompileNode(q store.Query, v profile.Version) (*Node, error) {
	n := &Node{Query: q}
	if !store.IsExpression(q.DatasourceUID) {
		return n, nil
	}
	kind, _ := q.Model["type"].(string)
	expression, _ := q.Model["expression"].(string)
	ref := strings.Trim(strings.TrimSpace(expression), "${}")
	switch kind {
	case "math":
		parsed, err := parseMath(expression)
		if err != nil {
			return nil, err
		}
		needs := map[string]bool{}
		parsed.variables(needs)
		n.Needs = store.Names(needs)
		n.Apply = func(run *Run) (Values, error) { return parsed.eval(run.Values) }
	case "reduce":
		reducer, _ := q.Model["reducer"].(string)
		settings, _ := q.Model["settings"].(map[string]any)
		mode, _ := settings["mode"].(string)
		replacement, _ := settings["replaceWithValue"].(float64)
		if !reducers[reducer] && !(reducer == "median" && v.MoreThresholds()) {
			return nil, fmt.Errorf("reduction %s not implemented", reducer)
		}
		switch mode {
		case "", "dropNN", "replaceNN":
		default:
			return nil, fmt.Errorf("unsupported reduce mode %s", mode)
		}
		n.Needs = []string{ref}
		n.Apply = func(run *Run) (Values, error) {
			return reduceAll(run.Values[ref], reducer, mode, replacement, v.ReduceModesOnNumbers()), nil
		}
	case "threshold":
		return compileThreshold(n, ref, v)
	case "resample":
		return compileResample(n, ref)
	case "classic_conditions":
		return compileClassic(n, v)
	default:
		return nil, fmt.Errorf("unknown expression type '%s'", kind)
	}
	return n, nil
}
