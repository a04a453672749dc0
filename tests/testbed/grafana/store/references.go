package store

// HasReceiver says whether there is a contact point of this name.
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

// Of lists the integrations of a contact point.
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
