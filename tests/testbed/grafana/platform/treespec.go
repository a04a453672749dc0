package platform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/store"
)

type treeSpec struct {
	Defaults treeDefaults `json:"defaults"`
	Routes   []treeRoute  `json:"routes"`
}

// treeDefaults are the root of a tree.
type treeDefaults struct {
	Receiver       string   `json:"receiver"`
	GroupBy        []string `json:"group_by,omitempty"`
	GroupWait      *string  `json:"group_wait,omitempty"`
	GroupInterval  *string  `json:"group_interval,omitempty"`
	RepeatInterval *string  `json:"repeat_interval,omitempty"`
}

type treeRoute struct {
	Receiver        string        `json:"receiver,omitempty"`
	Matchers        []treeMatcher `json:"matchers,omitempty"`
	Continue        bool          `json:"continue"`
	GroupBy         []string      `json:"group_by,omitempty"`
	MuteIntervals   []string      `json:"mute_time_intervals,omitempty"`
	ActiveIntervals []string      `json:"active_time_intervals,omitempty"`
	GroupWait       *string       `json:"group_wait,omitempty"`
	GroupInterval   *string       `json:"group_interval,omitempty"`
	RepeatInterval  *string       `json:"repeat_interval,omitempty"`
	Routes          []treeRoute   `json:"routes,omitempty"`
}

type treeMatcher struct {
	Type  string `json:"type"`
	Label string `json:"label"`
	Value string `json:"value"`
}

// shownMatchers are those of a list of triples.
func shownMatchers(all []store.ObjectMatcher) []treeMatcher {
	var out []treeMatcher
	for _, m := range all {
		out = append(out, treeMatcher{m[1], m[0], m[2]})
	}
	return out
}

func storedMatchers(all []treeMatcher) []store.ObjectMatcher {
	var out []store.ObjectMatcher
	for _, m := range all {
		out = append(out, store.ObjectMatcher{m.Label, m.Type, m.Value})
	}
	return out
}

func shownDuration(d *model.Duration) *string {
	if d == nil {
		return nil
	}
	text := d.String()
	return &text
}

// shownTree is a policy tree's spec. Matchers of the older forms are shown with the others, sorted by their labels.
//
// Source: pkg/registry/apps/alerting/notifications/routingtree/conversions.go, convertRouteToK8sSubRoute.
func shownTree(root *store.Route) treeSpec {
	spec := treeSpec{
		Defaults: treeDefaults{
			root.Receiver, root.GroupBy, shownDuration(root.GroupWait), shownDuration(root.GroupInterval), shownDuration(root.RepeatInterval),
		},
		Routes: []treeRoute{},
	}
	for _, child := range root.Routes {
		spec.Routes = append(spec.Routes, shownRoute(child))
	}
	return spec
}

func shownRoute(r *store.Route) treeRoute {
	shown := treeRoute{
		Receiver: r.Receiver, Continue: r.Continue, GroupBy: r.GroupBy, MuteIntervals: r.MuteIntervals, ActiveIntervals: r.ActiveIntervals,
		GroupWait: shownDuration(r.GroupWait), GroupInterval: shownDuration(r.GroupInterval), RepeatInterval: shownDuration(r.RepeatInterval),
	}
	for _, label := range slices.Sorted(maps.Keys(r.Match)) {
		shown.Matchers = append(shown.Matchers, treeMatcher{"=", label, r.Match[label]})
	}
	for _, label := range slices.Sorted(maps.Keys(r.MatchRE)) {
		shown.Matchers = append(shown.Matchers, treeMatcher{"=~", label, r.MatchRE[label]})
	}
	for _, text := range r.Matchers {
		// A text that can't be read was refused when it was sent.
		parsed, _ := labels.ParseMatchers(text)
		for _, m := range parsed {
			shown.Matchers = append(shown.Matchers, treeMatcher{m.Type.String(), m.Name, m.Value})
		}
	}
	shown.Matchers = append(shown.Matchers, shownMatchers(r.ObjectMatchers)...)
	for _, child := range r.Routes {
		shown.Routes = append(shown.Routes, shownRoute(child))
	}
	return shown
}

// storedTree is the policy tree that a spec describes. What it minds carries no id.
//
// Source: conversions.go, convertToDomainModel.
func storedTree(spec *treeSpec) (*store.Route, error) {
	root := &store.Route{Receiver: spec.Defaults.Receiver, GroupBy: spec.Defaults.GroupBy}
	err := durations(".", root, spec.Defaults.GroupWait, spec.Defaults.GroupInterval, spec.Defaults.RepeatInterval)
	if err != nil {
		return nil, err
	}
	root.Routes, err = storedRoutes(".", spec.Routes)
	return root, err
}

func storedRoutes(path string, all []treeRoute) ([]*store.Route, error) {
	var routes []*store.Route
	for at, sent := range all {
		own := fmt.Sprintf("%s[%d]", path, at)
		r := &store.Route{
			Receiver: sent.Receiver, Continue: sent.Continue, GroupBy: sent.GroupBy, MuteIntervals: sent.MuteIntervals,
			ActiveIntervals: sent.ActiveIntervals, ObjectMatchers: storedMatchers(sent.Matchers),
		}
		for _, m := range r.ObjectMatchers {
			if _, err := m.Matcher(); err != nil {
				return nil, fmt.Errorf("route '%s' has illegal matcher: %w", own, err)
			}
		}
		if err := durations(own, r, sent.GroupWait, sent.GroupInterval, sent.RepeatInterval); err != nil {
			return nil, err
		}
		var err error
		if r.Routes, err = storedRoutes(own, sent.Routes); err != nil {
			return nil, err
		}
		routes = append(routes, r)
	}
	return routes, nil
}

func durations(path string, r *store.Route, wait, interval, repeat *string) error {
	for _, one := range []struct {
		name string
		sent *string
		to   **model.Duration
	}{{"groupWait", wait, &r.GroupWait}, {"groupInterval", interval, &r.GroupInterval}, {"repeatInterval", repeat, &r.RepeatInterval}} {
		if one.sent == nil || *one.sent == "" {
			continue
		}
		d, err := model.ParseDuration(*one.sent)
		if err != nil {
			return fmt.Errorf("route '%s' has invalid format of '%s': %w", path, one.name, err)
		}
		*one.to = &d
	}
	return nil
}
