package platform

import (
	"encoding/json"
	"fmt"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Routing trees.

type treeMatcher struct {
	Type  string `json:"type"`
	Label string `json:"label"`
	Value string `json:"value"`
}

type treeRoute struct {
	Receiver        string          `json:"receiver,omitempty"`
	Matchers        []treeMatcher   `json:"matchers,omitempty"`
	Continue        bool            `json:"continue"`
	GroupBy         []string        `json:"group_by,omitempty"`
	MuteIntervals   []string        `json:"mute_time_intervals,omitempty"`
	ActiveIntervals []string        `json:"active_time_intervals,omitempty"`
	GroupWait       *model.Duration `json:"group_wait,omitempty"`
	GroupInterval   *model.Duration `json:"group_interval,omitempty"`
	RepeatInterval  *model.Duration `json:"repeat_interval,omitempty"`
	Routes          []treeRoute     `json:"routes,omitempty"`
}

type treeSpec struct {
	Defaults treeDefaults `json:"defaults"`
	Routes   []treeRoute  `json:"routes"`
}

type treeDefaults struct {
	Receiver       string          `json:"receiver"`
	GroupBy        []string        `json:"group_by,omitempty"`
	GroupWait      *model.Duration `json:"group_wait,omitempty"`
	GroupInterval  *model.Duration `json:"group_interval,omitempty"`
	RepeatInterval *model.Duration `json:"repeat_interval,omitempty"`
}

func matchersToTree(all []store.ObjectMatcher) []treeMatcher {
	var out []treeMatcher
	for _, m := range all {
		out = append(out, treeMatcher{m[1], m[0], m[2]})
	}
	return out
}

func matchersFromTree(all []treeMatcher) []store.ObjectMatcher {
	var out []store.ObjectMatcher
	for _, m := range all {
		out = append(out, store.ObjectMatcher{m.Label, m.Type, m.Value})
	}
	return out
}

func routesToTree(all []*store.Route) []treeRoute {
	out := []treeRoute{}
	for _, r := range all {
		out = append(out, treeRoute{
			r.Receiver, matchersToTree(r.ObjectMatchers), r.Continue, r.GroupBy, r.MuteIntervals, r.ActiveIntervals, r.GroupWait, r.GroupInterval,
			r.RepeatInterval, routesToTree(r.Routes),
		})
	}
	return out
}

func routesFromTree(all []treeRoute) []*store.Route {
	var out []*store.Route
	for _, r := range all {
		out = append(out, &store.Route{
			Receiver: r.Receiver, ObjectMatchers: matchersFromTree(r.Matchers), Continue: r.Continue, GroupBy: r.GroupBy, MuteIntervals: r.MuteIntervals,
			ActiveIntervals: r.ActiveIntervals, GroupWait: r.GroupWait, GroupInterval: r.GroupInterval, RepeatInterval: r.RepeatInterval,
			Routes: routesFromTree(r.Routes),
		})
	}
	return out
}

func treeObject(name string, root *store.Route, provenance string) object {
	spec := treeSpec{treeDefaults{root.Receiver, root.GroupBy, root.GroupWait, root.GroupInterval, root.RepeatInterval}, routesToTree(root.Routes)}
	return object{Metadata: metadata{Name: name, UID: name, Annotations: notes(provenance), ResourceVersion: store.Fingerprint(spec)}, Spec: mustJSON(spec)}
}

func (s *api) treeObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	a := s.Store.Orgs[c.Who.Org].Alerting
	list := []object{treeObject(defaultTree, store.Reread(a.Route), a.RouteProvenance)}
	for _, t := range a.Trees {
		list = append(list, treeObject(t.Name, store.Reread(t.Route), t.Provenance))
	}
	return list
}

func (s *api) putTree(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec treeSpec
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("alerting.notifications.routes.invalidFormat", err)
	}
	name := sent.Metadata.Name
	if old != nil {
		name = old.Metadata.Name
	}
	d := spec.Defaults
	root := &store.Route{
		Receiver: d.Receiver, GroupBy: d.GroupBy, GroupWait: d.GroupWait, GroupInterval: d.GroupInterval, RepeatInterval: d.RepeatInterval,
		Routes: routesFromTree(spec.Routes),
	}
	if name != defaultTree && !s.Cfg.NamedTrees() {
		return "", refusal.New(501, "alerting.notifications.routes.multipleNotSupported", "multiple routing trees are not supported")
	}
	provenance := provenanceOf(sent)
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if old == nil && (name == defaultTree || a.Trees[name] != nil) {
			return refusal.New(409, "alerting.notifications.routes.exists", "routing tree %q already exists", name)
		}
		if err := store.CheckRoute(s.Cfg.Version, a, root); err != nil {
			return refusal.New(400, "alerting.notifications.routes.invalidFormat", "Invalid format of the submitted route: %v", err)
		}
		if name == defaultTree {
			if refused := server.Guarded(s.Cfg.Version, a.RouteProvenance, provenance); refused != nil {
				return refused
			}
			a.SetRoute(change, c.Who.Org, root, provenance)
			return nil
		}
		t := &store.Tree{Org: c.Who.Org, Name: name, Route: root, Provenance: provenance}
		if stored := a.Trees[name]; stored != nil {
			if refused := server.Guarded(s.Cfg.Version, stored.Provenance, provenance); refused != nil {
				return refused
			}
		}
		a.Trees[name] = t
		a.Version++
		change.Put(fmt.Sprintf("tree/%d/%s", t.Org, t.Name), t)
		return nil
	})
	return name, refused
}

func (s *api) removeTree(c *server.Call, old *object) *refusal.Refused {
	return s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		name := old.Metadata.Name
		if name == defaultTree {
			a.ResetRoute(change, c.Who.Org, s.Cfg.Version, s.Store.NextID)
			return nil
		}
		if len(o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Policy == name })) > 0 {
			return refusal.New(409, "alerting.notifications.routes.used", "routing tree is used by alert rules")
		}
		delete(a.Trees, name)
		a.Version++
		change.Remove(fmt.Sprintf("tree/%d/%s", c.Who.Org, name))
		return nil
	})
}
