package expression

import (
	"fmt"
	"math"
	"strings"

	"alertwright.testbed/grafana/profile"
)

// compileThreshold makes a threshold node. With an unloadEvaluator it has hysteresis: an alert that is pending or fires goes on until that one
// holds (pkg/expr/hysteresis.go).
func compileThreshold(n *Node, ref string, v profile.Version) (*Node, error) {
	conditions, _ := n.Query.Model["conditions"].([]any)
	if len(conditions) != 1 {
		return nil, fmt.Errorf("threshold expression requires exactly one condition")
	}
	condition, _ := conditions[0].(map[string]any)
	test, err := evaluator(condition["evaluator"], v)
	if err != nil {
		return nil, err
	}
	n.Needs = []string{ref}
	n.Apply = func(run *Run) (Values, error) { return run.Values[ref].apply(test), nil }
	unload, ok := condition["unloadEvaluator"].(map[string]any)
	if !ok || !v.Hysteresis() {
		return n, nil
	}
	ends, err := evaluator(unload, v)
	if err != nil {
		return nil, err
	}
	n.Apply = func(run *Run) (Values, error) {
		values := run.Values[ref]
		out := make(Values, len(values))
		for i, value := range values {
			if !run.isActive(value.Labels) {
				out[i] = value.apply(test)
				continue
			}
			out[i] = value.apply(func(x *float64) *float64 {
				if end := ends(x); end != nil && !math.IsNaN(*end) {
					return Ptr(boolean(*end == 0))
				}
				return ends(x)
			})
		}
		return out, nil
	}
	return n, nil
}

func evaluator(from any, v profile.Version) (func(*float64) *float64, error) {
	fields, _ := from.(map[string]any)
	kind, params := readEvaluator(fields)
	return comparison(kind, params, v)
}

func readEvaluator(evaluator map[string]any) (string, []float64) {
	kind, _ := evaluator["type"].(string)
	list, _ := evaluator["params"].([]any)
	var params []float64
	for _, each := range list {
		number, _ := each.(float64)
		params = append(params, number)
	}
	return kind, params
}

// comparison makes a test of an evaluator: 1 where it holds, else 0.
func comparison(kind string, params []float64, v profile.Version) (func(*float64) *float64, error) {
	at := func(i int) float64 {
		if i < len(params) {
			return params[i]
		}
		return 0
	}
	tests := map[string]func(x float64) bool{
		"gt":            func(x float64) bool { return x > at(0) },
		"lt":            func(x float64) bool { return x < at(0) },
		"within_range":  func(x float64) bool { return x > at(0) && x < at(1) },
		"outside_range": func(x float64) bool { return x < at(0) || x > at(1) },
	}
	if v.MoreThresholds() {
		tests["eq"] = func(x float64) bool { return x == at(0) }
		tests["ne"] = func(x float64) bool { return x != at(0) }
		tests["gte"] = func(x float64) bool { return x >= at(0) }
		tests["lte"] = func(x float64) bool { return x <= at(0) }
		tests["within_range_included"] = func(x float64) bool { return x >= at(0) && x <= at(1) }
		tests["outside_range_included"] = func(x float64) bool { return x <= at(0) || x >= at(1) }
	}
	test := tests[kind]
	if test == nil {
		return nil, fmt.Errorf("expected threshold function to be one of [gt lt within_range outside_range], got %s", kind)
	}
	needed := 1
	if strings.Contains(kind, "range") {
		needed = 2
	}
	if len(params) < needed {
		return nil, fmt.Errorf("incorrect number of arguments for threshold function '%s': got %d but need %d", kind, len(params), needed)
	}
	return func(x *float64) *float64 {
		if x == nil {
			return nil
		}
		if math.IsNaN(*x) && !v.ThresholdPredicates() {
			return Ptr(math.NaN())
		}
		return Ptr(boolean(test(*x)))
	}, nil
}
