package store

import "slices"

// RenameReceiver follows a contact point that was renamed, in all trees and rules. To be called with the lock.
func (s *Store) RenameReceiver(change *Change, o *Org, from, to string) {
	s.renameInRoutes(change, o, func(r *Route) bool {
		if r.Receiver != from {
			return false
		}
		r.Receiver = to
		return true
	})
	s.renameInRules(change, o, func(n *NotificationSettings) bool {
		if n.Receiver != from {
			return false
		}
		n.Receiver = to
		return true
	})
}

// RenameTiming renames a time interval, and follows it in all trees and rules. To be called with the lock.
func (s *Store) RenameTiming(change *Change, o *Org, from, to string) {
	t := *o.Alerting.Timings[from]
	t.Name = to
	o.Alerting.RemoveTiming(change, o.ID, from)
	o.Alerting.PutTiming(change, &t)
	renamed := func(names *[]string) bool {
		if !slices.Contains(*names, from) {
			return false
		}
		next := slices.Clone(*names)
		for at, name := range next {
			if name == from {
				next[at] = to
			}
		}
		*names = next
		return true
	}
	s.renameInRoutes(change, o, func(r *Route) bool {
		muted, active := renamed(&r.MuteIntervals), renamed(&r.ActiveIntervals)
		return muted || active
	})
	s.renameInRules(change, o, func(n *NotificationSettings) bool {
		muted, active := renamed(&n.MuteIntervals), renamed(&n.ActiveIntervals)
		return muted || active
	})
}

// UsesTiming says whether a policy or a rule names a time interval.
func (o *Org) UsesTiming(name string) bool {
	used := false
	visit := func(r *Route) {
		used = used || slices.Contains(r.MuteIntervals, name) || slices.Contains(r.ActiveIntervals, name)
	}
	Walk(o.Alerting.Route, visit)
	for _, t := range o.Alerting.Trees {
		Walk(t.Route, visit)
	}
	return used || len(o.UsedByRules(func(n *NotificationSettings) bool {
		return slices.Contains(n.MuteIntervals, name) || slices.Contains(n.ActiveIntervals, name)
	})) > 0
}

func (s *Store) renameInRoutes(change *Change, o *Org, rename func(*Route) bool) {
	renamed := func(root *Route) (*Route, bool) {
		next, any := Reread(root), false
		Walk(next, func(r *Route) { any = rename(r) || any })
		return next, any
	}
	if next, any := renamed(o.Alerting.Route); any {
		provenance, manager := o.Alerting.RouteProvenance, o.Alerting.RouteManager
		o.Alerting.SetRoute(change, o.ID, next, provenance)
		o.Alerting.SetRouteManager(change, o.ID, manager)
	}
	for _, tree := range o.Alerting.Trees {
		if next, any := renamed(tree.Route); any {
			copied := *tree
			copied.Route = next
			o.Alerting.PutTree(change, &copied)
		}
	}
}

func (s *Store) renameInRules(change *Change, o *Org, rename func(*NotificationSettings) bool) {
	for uid, r := range o.Rules {
		if r.Notification == nil {
			continue
		}
		settings := *r.Notification
		if !rename(&settings) {
			continue
		}
		next := r.copy()
		next.Notification = &settings
		next.Ver++
		o.Rules[uid] = next
		o.Groups[GroupKey{r.Folder, r.Group}].Rules[uid] = next
		change.Put(RuleRecord(next), next)
		o.RuleGen++
	}
}
