package store

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/profile"
)

// Route is a notification policy as the API has it.
type Route struct {
	Receiver        string            `json:"receiver,omitempty"`
	GroupBy         []string          `json:"group_by,omitempty"`
	Match           map[string]string `json:"match,omitempty"`
	MatchRE         map[string]string `json:"match_re,omitempty"`
	Matchers        []string          `json:"matchers,omitempty"`
	ObjectMatchers  []ObjectMatcher   `json:"object_matchers,omitempty"`
	MuteIntervals   []string          `json:"mute_time_intervals,omitempty"`
	ActiveIntervals []string          `json:"active_time_intervals,omitempty"`
	Continue        bool              `json:"continue,omitempty"`
	Routes          []*Route          `json:"routes,omitempty"`
	GroupWait       *model.Duration   `json:"group_wait,omitempty"`
	GroupInterval   *model.Duration   `json:"group_interval,omitempty"`
	RepeatInterval  *model.Duration   `json:"repeat_interval,omitempty"`
	Provenance      string            `json:"provenance,omitempty"`
}

// ObjectMatcher is label, operator, value.
type ObjectMatcher [3]string

// UnmarshalJSON takes one quote off each end of the value, as Grafana does whenever it reads a matcher.
func (m *ObjectMatcher) UnmarshalJSON(text []byte) error {
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) != 3 {
		return fmt.Errorf("matcher %s: want a label, an operator and a value", text)
	}
	parts[2] = strings.TrimSuffix(strings.TrimPrefix(parts[2], `"`), `"`)
	*m = ObjectMatcher{parts[0], parts[1], parts[2]}
	_, err := m.Matcher()
	return err
}

// Matcher is the same for Alertmanager.
func (m ObjectMatcher) Matcher() (*labels.Matcher, error) {
	kinds := map[string]labels.MatchType{"=": labels.MatchEqual, "!=": labels.MatchNotEqual, "=~": labels.MatchRegexp, "!~": labels.MatchNotRegexp}
	kind, ok := kinds[m[1]]
	if !ok {
		return nil, fmt.Errorf("unsupported match type %q in matcher", m[1])
	}
	return labels.NewMatcher(kind, m[0], m[2])
}

// DefaultTree is the name of the tree that every organisation has.
const DefaultTree = "user-defined"

type storedRoute struct {
	Org        int64
	Route      *Route
	Provenance string
	Manager    Manager
}

// DefaultRoute is the tree that Grafana ships with.
func DefaultRoute(v profile.Version) *Route {
	if v.EmptyDefault() {
		return &Route{Receiver: EmptyReceiver, GroupBy: []string{"grafana_folder", "alertname"}}
	}
	return &Route{Receiver: DefaultReceiver, GroupBy: []string{"grafana_folder", "alertname"}}
}

// Walk visits a route and all below it.
func Walk(r *Route, visit func(*Route)) {
	if r == nil {
		return
	}
	visit(r)
	for _, child := range r.Routes {
		Walk(child, visit)
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// CheckRoute says what is wrong with a tree.
func CheckRoute(v profile.Version, a *AlertingConfig, root *Route) error {
	if root.Receiver == "" {
		return fmt.Errorf("root route must specify a default receiver")
	}
	if len(root.Match)+len(root.MatchRE)+len(root.Matchers)+len(root.ObjectMatchers) > 0 {
		return fmt.Errorf("root route must not have any matchers")
	}
	if len(root.MuteIntervals) > 0 {
		return fmt.Errorf("root route must not have any mute time intervals")
	}
	if len(root.ActiveIntervals) > 0 {
		return fmt.Errorf("root route must not have any active time intervals")
	}
	return checkRouteBelow(v, a, root)
}

func checkRouteBelow(v profile.Version, a *AlertingConfig, r *Route) error {
	if r.Receiver == "" && v.ReceiverInRoutes() || r.Receiver != "" && !a.HasReceiver(r.Receiver) {
		return fmt.Errorf("receiver '%s' does not exist", r.Receiver)
	}
	seen := map[string]bool{}
	for _, label := range r.GroupBy {
		if label == "..." && len(r.GroupBy) > 1 {
			return fmt.Errorf("cannot have wildcard group_by (`...`) and other other labels at the same time")
		}
		if label != "..." && !model.UTF8Validation.IsValidLabelName(label) {
			return fmt.Errorf("invalid label name %q in group_by list", label)
		}
		if seen[label] {
			return fmt.Errorf("duplicated label %q in group_by, %s %v", label, r.Receiver, r.GroupBy)
		}
		seen[label] = true
	}
	if r.GroupInterval != nil && *r.GroupInterval == 0 {
		return fmt.Errorf("group_interval cannot be zero")
	}
	if r.RepeatInterval != nil && *r.RepeatInterval == 0 {
		return fmt.Errorf("repeat_interval cannot be zero")
	}
	for _, name := range append(append([]string{}, r.MuteIntervals...), r.ActiveIntervals...) {
		if a.Timings[name] == nil {
			return fmt.Errorf("mute time interval '%s' does not exist", name)
		}
	}
	for label, pattern := range r.MatchRE {
		if _, err := labels.NewMatcher(labels.MatchRegexp, label, pattern); err != nil {
			return err
		}
	}
	for _, text := range r.Matchers {
		if _, err := labels.ParseMatchers(text); err != nil {
			return err
		}
	}
	for _, child := range r.Routes {
		if err := checkRouteBelow(v, a, child); err != nil {
			return err
		}
	}
	return nil
}

// Reread gives a tree as it is after another reading of the database, which takes quotes off matchers once more.
func Reread(r *Route) *Route {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	again := &Route{}
	if err := json.Unmarshal(text, again); err != nil {
		return r
	}
	return again
}
