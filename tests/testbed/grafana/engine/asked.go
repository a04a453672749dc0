package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sort"
	"strconv"
	"time"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/setup"
	"alertwright.testbed/grafana/store"
)

// asked is a question: which states the alerts of a rule have after each of these evaluations.
type asked struct {
	Version string                `json:"version"`
	Rule    store.ProvisionedRule `json:"rule"`
	// Seconds between evaluations.
	Interval int64 `json:"interval"`
	// What its queries answer at each evaluation, by their refId.
	Ticks []map[string]askedAnswer `json:"ticks"`
}

type askedAnswer struct {
	Error  string        `json:"error"`
	Values []askedNumber `json:"values"`
}

type askedNumber struct {
	Labels expression.Labels `json:"labels"`
	// A number as Go reads it, NaN and infinities among them, or null.
	Number *string `json:"number"`
}

type toldState struct {
	Labels expression.Labels `json:"labels"`
	State  State             `json:"state"`
	Reason string            `json:"reason"`
}

type answered struct {
	Error string        `json:"error,omitempty"`
	Ticks [][]toldState `json:"ticks"`
}

// Answer reads questions, one a line, and answers each by evaluating as for any rule, one a line.
func Answer(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	printed := json.NewEncoder(out)
	for lines.Scan() {
		var question asked
		answer := answered{}
		err := json.Unmarshal(lines.Bytes(), &question)
		if err == nil {
			answer, err = answerTo(&question)
		}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := printed.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answerTo(question *asked) (answered, error) {
	version, err := profile.Parse(question.Version)
	if err != nil {
		return answered{}, err
	}
	p := &question.Rule
	r := &store.Rule{
		UID: "asked", Folder: "folder", Title: "asked", Condition: p.Condition, Data: p.Data, NoDataState: p.NoDataState, ExecErrState: p.ExecErrState,
		For: p.For, MissingSeries: p.MissingSeries, Labels: p.Labels, Annotations: p.Annotations,
	}
	if p.KeepFiringFor != nil {
		r.KeepFiringFor = *p.KeepFiringFor
	}
	var tick map[string]askedAnswer
	e := &Engine{cfg: &setup.Config{Version: version}, log: slog.New(slog.DiscardHandler), States: map[string]*RuleState{}}
	e.ask = func(_ context.Context, q store.Query, _ *expression.Run) (expression.Values, error) {
		return tick[q.RefID].values()
	}
	state := &RuleState{engine: e, instances: map[string]*Instance{}}
	state.Seen.Store(r)
	answer := answered{Ticks: [][]toldState{}}
	interval := time.Duration(question.Interval) * time.Second
	for i := range question.Ticks {
		tick = question.Ticks[i]
		e.run(context.Background(), due{state, r, "folder", interval}, time.Unix(0, 0).Add(time.Duration(i)*interval))
		answer.Ticks = append(answer.Ticks, toldStates(state))
	}
	return answer, nil
}

func (a askedAnswer) values() (expression.Values, error) {
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	var values expression.Values
	for _, each := range a.Values {
		value := expression.Value{Kind: expression.NumberKind, Labels: each.Labels}
		if each.Number != nil {
			number, err := strconv.ParseFloat(*each.Number, 64)
			if err != nil {
				return nil, err
			}
			value.Num = &number
		}
		values = append(values, value)
	}
	return values, nil
}

// toldStates are the alerts that there are, without the labels that Grafana gives every alert of a rule.
func toldStates(state *RuleState) []toldState {
	all := []toldState{}
	for _, i := range state.Summary().Instances {
		labels := expression.Labels{}
		for name, value := range i.Labels {
			switch name {
			case "alertname", "grafana_folder", "__alert_rule_uid__", "__alert_rule_namespace_uid__":
			default:
				labels[name] = value
			}
		}
		all = append(all, toldState{labels, i.State, i.Reason})
	}
	sort.Slice(all, func(a, b int) bool { return all[a].Labels.Key() < all[b].Labels.Key() })
	return all
}
