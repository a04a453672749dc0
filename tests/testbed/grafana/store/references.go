package store

func (a *AlertingConfig) HasReceiver(name string) bool {
	for _, i := range a.Integrations {
		if i.Receiver == name {
			return true
		}
	}
	return a.Bare[name] != nil
}

// Receivers lists the names of contact points, sorted.
func (a *AlertingConfig) Receivers() []string {
	all := map[string]bool{}
	for _, i := range a.Integrations {
		all[i.Receiver] = true
	}
	for name := range a.Bare {
		all[name] = true
	}
	return Names(all)
}

func (a *AlertingConfig) Of(receiver string) []*Integration {
	var found []*Integration
	for _, i := range a.Integrations {
		if i.Receiver == receiver {
			found = append(found, i)
		}
	}
	return found
}

// UsedByRoute says whether a policy sends to a receiver.
func (a *AlertingConfig) UsedByRoute(receiver string) bool {
	used := false
	visit := func(r *Route) { used = used || r.Receiver == receiver }
	Walk(a.Route, visit)
	for _, t := range a.Trees {
		Walk(t.Route, visit)
	}
	return used
}

// RenameReceiver follows a contact point that was renamed. To be called with the lock.
func (s *Store) RenameReceiver(change *Change, o *Org, from, to string) {
	if o.Alerting.UsedByRoute(from) {
		next := Reread(o.Alerting.Route)
		Walk(next, func(r *Route) {
			if r.Receiver == from {
				r.Receiver = to
			}
		})
		o.Alerting.SetRoute(change, o.ID, next, o.Alerting.RouteProvenance)
	}
	for uid, r := range o.Rules {
		if r.Notification == nil || r.Notification.Receiver != from {
			continue
		}
		next := r.copy()
		settings := *r.Notification
		settings.Receiver = to
		next.Notification = &settings
		next.Ver++
		o.Rules[uid] = next
		o.Groups[GroupKey{r.Folder, r.Group}].Rules[uid] = next
		change.Put(RuleRecord(next), next)
		o.RuleGen++
	}
}
