package routing

import (
	"bufio"
	"encoding/json"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/store"
)

// asked is a question: where these alerts go in this tree, and whether it is the time for these intervals.
type asked struct {
	Tree      *store.Route                           `json:"tree"`
	Alerts    []model.LabelSet                       `json:"alerts"`
	Intervals map[string][]timeinterval.TimeInterval `json:"intervals"`
	Times     []time.Time                            `json:"times"`
}

// told is what Alertmanager says of one alert at one route.
type told struct {
	Receiver       string   `json:"receiver"`
	GroupBy        []string `json:"group_by"`
	GroupWait      string   `json:"group_wait"`
	GroupInterval  string   `json:"group_interval"`
	RepeatInterval string   `json:"repeat_interval"`
	Mute           []string `json:"mute"`
	Active         []string `json:"active"`
}

type answered struct {
	Error string            `json:"error,omitempty"`
	Told  [][]told          `json:"told"`
	Times map[string][]bool `json:"times"`
}

// Answer reads questions, one a line, and answers each by Alertmanager's own dispatcher, one a line.
func Answer(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	printed := json.NewEncoder(out)
	for lines.Scan() {
		var question asked
		answer := answered{}
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			answer.Error = err.Error()
		} else {
			answer = answerTo(&question)
		}
		if err := printed.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answerTo(question *asked) answered {
	answer := answered{Told: [][]told{}, Times: map[string][]bool{}}
	if question.Tree != nil {
		root := dispatch.NewRoute(configRoute(question.Tree), nil)
		for _, alert := range question.Alerts {
			all := []told{}
			for _, route := range root.Match(alert) {
				all = append(all, toldBy(&route.RouteOpts))
			}
			answer.Told = append(answer.Told, all)
		}
	}
	intervener := timeinterval.NewIntervener(question.Intervals)
	for name := range question.Intervals {
		for _, at := range question.Times {
			is, _, err := intervener.Mutes([]string{name}, at)
			if err != nil {
				return answered{Error: err.Error()}
			}
			answer.Times[name] = append(answer.Times[name], is)
		}
	}
	return answer
}

func toldBy(options *dispatch.RouteOpts) told {
	groupBy := []string{}
	for label := range options.GroupBy {
		groupBy = append(groupBy, string(label))
	}
	sort.Strings(groupBy)
	if options.GroupByAll {
		groupBy = []string{"..."}
	}
	period := func(d time.Duration) string { return strings.TrimSpace(model.Duration(d).String()) }
	return told{
		Receiver: options.Receiver, GroupBy: groupBy, GroupWait: period(options.GroupWait), GroupInterval: period(options.GroupInterval),
		RepeatInterval: period(options.RepeatInterval), Mute: append([]string{}, options.MuteTimeIntervals...), Active: append([]string{}, options.ActiveTimeIntervals...),
	}
}
