package store

import (
	"fmt"

	"alertwright.testbed/grafana/profile"

	"github.com/prometheus/alertmanager/timeinterval"
)

const (
	DefaultReceiver = "grafana-default-email"
	// EmptyReceiver is one without integrations: it takes alerts and tells nobody. No API of contact points shows it.
	EmptyReceiver = "empty"
	Redacted      = "[REDACTED]"
)

// Manager is what manages an object, as /apis knows it; the older addresses only know its provenance.
type Manager struct {
	Kind string `json:",omitempty"`
	ID   string `json:",omitempty"`
}

// AlertingConfig is what the Alertmanager of one organisation is configured with. In Grafana it is one document: every write
// replaces it and fails if it has changed since it was read.
type AlertingConfig struct {
	// Counts the writes, as the document's hash does.
	Version         int64
	Integrations    []*Integration
	Route           *Route
	RouteProvenance string
	RouteManager    Manager
	Trees           map[string]*Tree
	Templates       map[string]*Template
	Timings         map[string]*Timing
	Inhibitions     map[string]*Inhibition
	// Receivers that exist without an integration.
	Bare map[string]*BareReceiver
}

// Integration is one of a contact point.
type Integration struct {
	Org        int64
	ID         int64
	UID        string
	Receiver   string
	Name       string
	Type       string
	Quiet      bool
	Settings   map[string]any
	Provenance string
	Manager    Manager
}

// BareReceiver is a contact point without an integration: the default one from 12.4 on, or one made through /apis.
type BareReceiver struct {
	Org        int64
	Name       string
	Provenance string
	Manager    Manager
}

// Tree is a named tree besides the default one.
type Tree struct {
	Org        int64
	Name       string
	Route      *Route
	Provenance string
	Manager    Manager
}

// Template is a notification template.
type Template struct {
	Org        int64
	Name       string
	Text       string
	Provenance string
	Manager    Manager
}

// Timing is a mute timing.
type Timing struct {
	Org        int64
	Name       string
	Intervals  []timeinterval.TimeInterval
	Provenance string
	Manager    Manager
}

// Inhibition is an inhibition rule.
type Inhibition struct {
	Org        int64
	Name       string
	Source     []ObjectMatcher
	Target     []ObjectMatcher
	Equal      []string
	Provenance string
	Manager    Manager
}

// NewAlertingConfig makes an empty one; it has no tree, so it counts as missing.
func NewAlertingConfig() *AlertingConfig {
	return &AlertingConfig{
		Trees: map[string]*Tree{}, Templates: map[string]*Template{}, Timings: map[string]*Timing{}, Inhibitions: map[string]*Inhibition{},
		Bare: map[string]*BareReceiver{},
	}
}

// SetDefaults makes the configuration that a new organisation has.
func (a *AlertingConfig) SetDefaults(c *Change, org int64, v profile.Version, nextID func() int64) {
	a.ResetRoute(c, org, v, nextID)
}

// ResetRoute puts the default tree back, and the receiver that it names if that is gone.
func (a *AlertingConfig) ResetRoute(c *Change, org int64, v profile.Version, nextID func() int64) {
	if v.EmptyDefault() && !a.HasReceiver(EmptyReceiver) {
		a.PutBare(c, &BareReceiver{Org: org, Name: EmptyReceiver})
	}
	if !v.EmptyDefault() && !a.HasReceiver(DefaultReceiver) {
		a.Put(c, &Integration{
			Org: org, ID: nextID(), Receiver: DefaultReceiver, Name: "email receiver", Type: "email",
			Settings: map[string]any{"addresses": "<example@email.com>"},
		})
	}
	a.SetRoute(c, org, DefaultRoute(v), "")
}

// SetRoute replaces the default tree.
func (a *AlertingConfig) SetRoute(c *Change, org int64, route *Route, provenance string) {
	a.Route, a.RouteProvenance, a.RouteManager = route, provenance, Manager{}
	c.Put(fmt.Sprintf("route/%d", org), storedRoute{org, route, provenance, a.RouteManager})
	a.Version++
}

func integrationKey(i *Integration) string { return fmt.Sprintf("integration/%d/%d", i.Org, i.ID) }

// Put adds an integration or replaces the one of the same id.
func (a *AlertingConfig) Put(c *Change, i *Integration) {
	c.Put(integrationKey(i), i)
	a.DropBare(c, i.Receiver)
	a.Version++
	a.insert(i)
}

func (a *AlertingConfig) insert(i *Integration) {
	for at, old := range a.Integrations {
		if old.ID == i.ID {
			a.Integrations[at] = i
			return
		}
	}
	a.Integrations = append(a.Integrations, i)
}

// Remove takes an integration away.
func (a *AlertingConfig) Remove(c *Change, i *Integration) {
	for at, old := range a.Integrations {
		if old.ID == i.ID {
			a.Integrations = append(append([]*Integration{}, a.Integrations[:at]...), a.Integrations[at+1:]...)
			break
		}
	}
	c.Remove(integrationKey(i))
	a.Version++
}

// RemoveAll notes in the journal that all of it is gone.
func (a *AlertingConfig) RemoveAll(c *Change, org int64) {
	for _, i := range a.Integrations {
		c.Remove(integrationKey(i))
	}
	c.Remove(fmt.Sprintf("route/%d", org))
	for name := range a.Templates {
		c.Remove(templateRecord(org, name))
	}
	for name := range a.Timings {
		c.Remove(timingRecord(org, name))
	}
	for name := range a.Trees {
		c.Remove(treeRecord(org, name))
	}
	for name := range a.Inhibitions {
		c.Remove(inhibitionRecord(org, name))
	}
	for name := range a.Bare {
		c.Remove(fmt.Sprintf("bare/%d/%s", org, name))
	}
}

// load takes over one line of the journal, and returns the id in it.
func (a *AlertingConfig) load(kind string, read func(any) error) (int64, error) {
	a.Version++
	switch kind {
	case "integration":
		i := &Integration{}
		err := read(i)
		a.insert(i)
		return i.ID, err
	case "route":
		var stored storedRoute
		err := read(&stored)
		a.Route, a.RouteProvenance, a.RouteManager = stored.Route, stored.Provenance, stored.Manager
		return 0, err
	case "tree":
		t := &Tree{}
		err := read(t)
		a.Trees[t.Name] = t
		return 0, err
	case "template":
		t := &Template{}
		err := read(t)
		a.Templates[t.Name] = t
		return 0, err
	case "timing":
		t := &Timing{}
		err := read(t)
		a.Timings[t.Name] = t
		return 0, err
	case "inhibition":
		i := &Inhibition{}
		err := read(i)
		a.Inhibitions[i.Name] = i
		return 0, err
	case "bare":
		b := &BareReceiver{}
		err := read(b)
		a.Bare[b.Name] = b
		return 0, err
	}
	return 0, fmt.Errorf("unknown kind %q", kind)
}

// PutBare adds a receiver without integrations.
func (a *AlertingConfig) PutBare(change *Change, b *BareReceiver) {
	a.Bare[b.Name] = b
	a.Version++
	change.Put(fmt.Sprintf("bare/%d/%s", b.Org, b.Name), b)
}

// RemoveBare removes one.
func (a *AlertingConfig) RemoveBare(change *Change, b *BareReceiver) {
	delete(a.Bare, b.Name)
	a.Version++
	change.Remove(fmt.Sprintf("bare/%d/%s", b.Org, b.Name))
}

// PutTiming adds a timing or replaces the one of its name.
func (a *AlertingConfig) PutTiming(change *Change, t *Timing) {
	a.Timings[t.Name] = t
	a.Version++
	change.Put(timingRecord(t.Org, t.Name), t)
}
