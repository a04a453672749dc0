package expression

import (
	"fmt"
	"math"
	"strings"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

// Node is one of a compiled rule.
type Node struct {
	Query store.Query
	Needs []string
	// What an expression does with what it needs; nil for a query of a data source.
	Apply func(env map[string]Values) (Values, error)
}

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
		n.Apply = parsed.eval
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
		n.Apply = func(env map[string]Values) (Values, error) {
			return reduceAll(env[ref], reducer, mode, replacement), nil
		}
	case "threshold":
		evaluator, params, err := evaluatorOf(q.Model)
		if err != nil {
			return nil, err
		}
		test, err := comparison(evaluator, params, v)
		if err != nil {
			return nil, err
		}
		n.Needs = []string{ref}
		n.Apply = func(env map[string]Values) (Values, error) { return env[ref].apply(test), nil }
	case "resample":
		n.Needs = []string{ref}
		n.Apply = func(env map[string]Values) (Values, error) { return env[ref], nil }
	case "classic_conditions":
		return compileClassic(n, v)
	default:
		return nil, fmt.Errorf("unknown expression type '%s'", kind)
	}
	return n, nil
}

func evaluatorOf(model map[string]any) (string, []float64, error) {
	conditions, _ := model["conditions"].([]any)
	if len(conditions) != 1 {
		return "", nil, fmt.Errorf("threshold expression requires exactly one condition")
	}
	condition, _ := conditions[0].(map[string]any)
	evaluator, _ := condition["evaluator"].(map[string]any)
	kind, params := readEvaluator(evaluator)
	return kind, params, nil
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
		if math.IsNaN(*x) {
			return Ptr(math.NaN())
		}
		return Ptr(boolean(test(*x)))
	}, nil
}
