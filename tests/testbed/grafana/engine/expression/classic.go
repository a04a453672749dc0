package expression

import (
	"fmt"

	"alertwright.testbed/grafana/profile"
)

type classicCondition struct {
	ref     string
	reducer string
	or      bool
	test    func(*float64) *float64
	empty   bool
}

// compileClassic makes the old kind of condition: one result for all series.
func compileClassic(n *Node, v profile.Version) (*Node, error) {
	list, _ := n.Query.Model["conditions"].([]any)
	var all []classicCondition
	for _, each := range list {
		fields, _ := each.(map[string]any)
		query, _ := fields["query"].(map[string]any)
		params, _ := query["params"].([]any)
		if len(params) == 0 {
			return nil, fmt.Errorf("classic condition without a query")
		}
		ref, _ := params[0].(string)
		reducer, _ := fields["reducer"].(map[string]any)
		kind, _ := reducer["type"].(string)
		switch kind {
		case "avg", "":
			kind = "mean"
		}
		operator, _ := fields["operator"].(map[string]any)
		evaluator, _ := fields["evaluator"].(map[string]any)
		name, limits := readEvaluator(evaluator)
		c := classicCondition{ref: ref, reducer: kind, or: operator["type"] == "or", empty: name == "no_value"}
		if !c.empty {
			test, err := comparison(name, limits, v)
			if err != nil {
				return nil, err
			}
			c.test = test
		}
		n.Needs = append(n.Needs, ref)
		all = append(all, c)
	}
	n.Apply = func(run *Run) (Values, error) {
		env := run.Values
		holds, hasData := false, false
		for i, c := range all {
			fires := c.empty && env[c.ref].IsNoData()
			for _, value := range reduceAll(env[c.ref], c.reducer, "dropNN", 0, true) {
				if value.Kind == NoDataKind || value.Num == nil {
					continue
				}
				hasData = true
				if !c.empty && *c.test(value.Num) == 1 {
					fires = true
				}
			}
			switch {
			case i == 0:
				holds = fires
			case c.or:
				holds = holds || fires
			default:
				holds = holds && fires
			}
		}
		if !hasData && !holds {
			return NoData(), nil
		}
		return Values{{Kind: NumberKind, Num: Ptr(boolean(holds))}}, nil
	}
	return n, nil
}
