package routing

import (
	"slices"

	"github.com/prometheus/alertmanager/config"

	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/store"
)

func equal(name, value string) *labels.Matcher {
	m, err := labels.NewMatcher(labels.MatchEqual, name, value)
	if err != nil {
		panic(err)
	}
	return m
}

func matchersOf(all []store.ObjectMatcher) labels.Matchers {
	var out labels.Matchers
	for _, each := range all {
		if m, err := each.Matcher(); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// configRoute turns a policy into Alertmanager's.
func configRoute(r *store.Route) *config.Route {
	out := &config.Route{
		Receiver: r.Receiver, GroupByStr: r.GroupBy, Match: r.Match, Continue: r.Continue, MuteTimeIntervals: r.MuteIntervals,
		ActiveTimeIntervals: r.ActiveIntervals, GroupWait: r.GroupWait, GroupInterval: r.GroupInterval, RepeatInterval: r.RepeatInterval,
		Matchers: amcommon.Matchers(matchersOf(r.ObjectMatchers)),
	}
	for label, pattern := range r.MatchRE {
		if m, err := labels.NewMatcher(labels.MatchRegexp, label, pattern); err == nil {
			out.Matchers = append(out.Matchers, m)
		}
	}
	for _, text := range r.Matchers {
		if all, err := labels.ParseMatchers(text); err == nil {
			out.Matchers = append(out.Matchers, all...)
		}
	}
	for _, label := range r.GroupBy {
		if label == "..." {
			out.GroupByAll = true
		} else {
			out.GroupBy = append(out.GroupBy, model.LabelName(label))
		}
	}
	for _, child := range r.Routes {
		out.Routes = append(out.Routes, configRoute(child))
	}
	return out
}

// notificationSettingsOf lists the distinct settings that rules have of their own.
func notificationSettingsOf(o *store.Org) map[string]*store.NotificationSettings {
	found := map[string]*store.NotificationSettings{}
	for _, r := range o.Rules {
		if r.Notification != nil && r.Notification.Receiver != "" {
			found[store.Fingerprint(r.Notification)] = r.Notification
		}
	}
	return found
}

// autoRoute is the part of the tree for rules with settings of their own.
func autoRoute(root *config.Route, own map[string]*store.NotificationSettings) *config.Route {
	if len(own) == 0 {
		return nil
	}
	auto := &config.Route{Receiver: root.Receiver, Matchers: amcommon.Matchers{equal(AutoLabel, "true")}}
	for _, hash := range store.SortedKeys(own) {
		n := own[hash]
		groupBy := n.GroupBy
		if len(groupBy) == 0 {
			groupBy = []string{"grafana_folder", "alertname"}
		}
		if !slices.Contains(groupBy, "...") {
			for _, needed := range []string{"grafana_folder", "alertname"} {
				if !slices.Contains(groupBy, needed) {
					groupBy = append(append([]string{}, groupBy...), needed)
				}
			}
		}
		route := configRoute(&store.Route{
			Receiver: n.Receiver, GroupBy: groupBy, GroupWait: n.GroupWait, GroupInterval: n.GroupInterval,
			RepeatInterval: n.RepeatInterval, MuteIntervals: n.MuteIntervals, ActiveIntervals: n.ActiveIntervals,
		})
		route.Matchers = amcommon.Matchers{equal(ToLabel, n.Receiver), equal(HashLabel, hash)}
		auto.Routes = append(auto.Routes, route)
	}
	return auto
}
