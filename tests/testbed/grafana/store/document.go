package store

import "fmt"

func treeRecord(org int64, name string) string     { return fmt.Sprintf("tree/%d/%s", org, name) }
func templateRecord(org int64, name string) string { return fmt.Sprintf("template/%d/%s", org, name) }
func timingRecord(org int64, name string) string   { return fmt.Sprintf("timing/%d/%s", org, name) }
func inhibitionRecord(org int64, name string) string {
	return fmt.Sprintf("inhibition/%d/%s", org, name)
}

// DropBare forgets that a contact point has no integrations.
func (a *AlertingConfig) DropBare(c *Change, name string) {
	if bare := a.Bare[name]; bare != nil {
		a.RemoveBare(c, bare)
	}
}

// Integration finds one by its uid, whichever contact point it is in.
func (a *AlertingConfig) Integration(uid string) *Integration {
	for _, i := range a.Integrations {
		if i.UID == uid {
			return i
		}
	}
	return nil
}

// Replace puts integrations in place of those of a contact point, which gets another title; "" for one that is new. One without
// integrations stays a contact point.
func (a *AlertingConfig) Replace(c *Change, bare *BareReceiver, title string, next []*Integration, nextID func() int64) {
	kept := map[int64]bool{}
	for _, i := range next {
		if i.ID == 0 {
			i.ID = nextID()
		}
		kept[i.ID] = true
	}
	for _, i := range a.Of(title) {
		if !kept[i.ID] {
			a.Remove(c, i)
		}
	}
	a.DropBare(c, title)
	for _, i := range next {
		a.Put(c, i)
	}
	if len(next) == 0 {
		a.PutBare(c, bare)
	}
}

// RemoveReceiver removes a contact point with its integrations.
func (a *AlertingConfig) RemoveReceiver(c *Change, title string) {
	for _, i := range a.Of(title) {
		a.Remove(c, i)
	}
	a.DropBare(c, title)
}

// SetRouteManager says who manages the tree that was just put in place.
func (a *AlertingConfig) SetRouteManager(c *Change, org int64, manager Manager) {
	a.RouteManager = manager
	c.Put(fmt.Sprintf("route/%d", org), storedRoute{org, a.Route, a.RouteProvenance, manager})
}

// PutTree adds a tree besides the default one, or replaces the one of its name.
func (a *AlertingConfig) PutTree(c *Change, t *Tree) {
	a.Trees[t.Name] = t
	a.Version++
	c.Put(treeRecord(t.Org, t.Name), t)
}

// RemoveTree takes one away.
func (a *AlertingConfig) RemoveTree(c *Change, org int64, name string) {
	delete(a.Trees, name)
	a.Version++
	c.Remove(treeRecord(org, name))
}

// PutTemplate adds a template or replaces the one of its name.
func (a *AlertingConfig) PutTemplate(c *Change, t *Template) {
	a.Templates[t.Name] = t
	a.Version++
	c.Put(templateRecord(t.Org, t.Name), t)
}

// RemoveTemplate takes one away.
func (a *AlertingConfig) RemoveTemplate(c *Change, org int64, name string) {
	delete(a.Templates, name)
	a.Version++
	c.Remove(templateRecord(org, name))
}

// RemoveTiming takes a timing away.
func (a *AlertingConfig) RemoveTiming(c *Change, org int64, name string) {
	delete(a.Timings, name)
	a.Version++
	c.Remove(timingRecord(org, name))
}

// PutInhibition adds an inhibition rule or replaces the one of its name.
func (a *AlertingConfig) PutInhibition(c *Change, i *Inhibition) {
	a.Inhibitions[i.Name] = i
	a.Version++
	c.Put(inhibitionRecord(i.Org, i.Name), i)
}

// RemoveInhibition takes one away.
func (a *AlertingConfig) RemoveInhibition(c *Change, org int64, name string) {
	delete(a.Inhibitions, name)
	a.Version++
	c.Remove(inhibitionRecord(org, name))
}
