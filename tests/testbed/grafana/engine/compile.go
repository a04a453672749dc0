package engine

import (
	"fmt"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

// compiledRule is a rule made ready for evaluation.
type compiledRule struct {
	nodes []*expression.Node
	// What is wrong with the rule itself.
	err         error
	annotations map[string]*templating.ValueTemplate
	labels      map[string]*templating.ValueTemplate
	content     []byte
}

func compiled(r *store.Rule, v profile.Version) *compiledRule {
	if c, ok := r.Compiled.Load().(*compiledRule); ok {
		return c
	}
	c := compile(r, v)
	r.Compiled.Store(c)
	return c
}

func compile(r *store.Rule, v profile.Version) *compiledRule {
	c := &compiledRule{annotations: map[string]*templating.ValueTemplate{}, labels: map[string]*templating.ValueTemplate{}, content: r.Content()}
	for name, text := range r.Annotations {
		c.annotations[name] = templating.ParseValue(text)
	}
	for name, text := range r.Labels {
		c.labels[name] = templating.ParseValue(text)
	}
	byID := map[string]*expression.Node{}
	var order []string
	for _, q := range r.Data {
		n, err := expression.CompileNode(q, v)
		if err != nil {
			c.err = fmt.Errorf("failed to parse expression [%s]: %w", q.RefID, err)
			return c
		}
		if byID[q.RefID] != nil {
			c.err = fmt.Errorf("refID %q is not unique", q.RefID)
			return c
		}
		byID[q.RefID] = n
		order = append(order, q.RefID)
	}
	if byID[r.Condition] == nil && r.Record == nil {
		c.err = fmt.Errorf("condition %s does not exist, must be one of %v", r.Condition, order)
		return c
	}
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(id string) error
	visit = func(id string) error {
		n := byID[id]
		if n == nil {
			return fmt.Errorf("unable to find dependent node '%s'", id)
		}
		switch state[id] {
		case visiting:
			return fmt.Errorf("failed to parse expressions: cycle through '%s'", id)
		case done:
			return nil
		}
		state[id] = visiting
		for _, other := range n.Needs {
			if err := visit(other); err != nil {
				return err
			}
		}
		state[id] = done
		c.nodes = append(c.nodes, n)
		return nil
	}
	for _, id := range order {
		if err := visit(id); err != nil {
			c.err = err
			return c
		}
	}
	return c
}
