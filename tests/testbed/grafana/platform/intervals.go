package platform

import (
	"github.com/prometheus/alertmanager/timeinterval"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// intervals are the mute timings of the older addresses.
//
// Source: pkg/registry/apps/alerting/notifications/timeinterval; pkg/services/ngalert/provisioning/mute_timings.go.
type intervals struct{ *api }

type intervalSpec struct {
	Name      string                      `json:"name"`
	Intervals []timeinterval.TimeInterval `json:"time_intervals"`
}

func (s intervals) object(r *kube.Request, t *store.Timing) *kube.Object {
	spec := intervalSpec{t.Name, t.Intervals}
	if spec.Intervals == nil {
		spec.Intervals = []timeinterval.TimeInterval{}
	}
	meta := metav1.ObjectMeta{Name: nameOf(t.Name), UID: uid(r, nameOf(t.Name)), ResourceVersion: store.Fingerprint(spec)}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(spec)
	s.sign(r, object, origin{t.Provenance, t.Manager})
	if s.release.since(13, 0) {
		object.Annotate(canUse, "true")
	}
	return object
}

func (s intervals) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	s.read(r, func(o *store.Org) {
		for _, t := range o.Alerting.Timings {
			list = append(list, *s.object(r, t))
		}
	})
	return list, nil
}

// Get finds none without an id: this storage refuses as the API server does.
func (s intervals) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if t := timing(o.Alerting, name); t != nil {
			found = s.object(r, t)
		}
	})
	if found == nil {
		return nil, r.Missing(name)
	}
	return found, nil
}

func timing(a *store.AlertingConfig, name string) *store.Timing {
	for _, t := range a.Timings {
		if nameOf(t.Name) == name {
			return t
		}
	}
	return nil
}

func invalidInterval() *refusal.Refused {
	return identified(400, "alerting.notifications.time-intervals.invalidFormat", "Time interval is in invalid format. Correct the payload and try again.")
}

func (s intervals) sent(r *kube.Request, sent *kube.Object) (*store.Timing, origin, error) {
	var spec intervalSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, origin{}, refuse(invalidInterval())
	}
	from, err := s.originOf(r, sent)
	if err != nil || spec.Name == "" {
		return nil, origin{}, refuse(invalidInterval())
	}
	return &store.Timing{Org: who(r).Org, Name: spec.Name, Intervals: spec.Intervals, Provenance: from.provenance, Manager: from.manager}, from, nil
}

func (s intervals) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if sent.Name != "" {
		return nil, named()
	}
	t, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) error {
		if a.Timings[t.Name] != nil {
			return takenInterval()
		}
		if refused := s.guard(r, origin{}, from); refused != nil {
			return refused
		}
		a.PutTiming(change, t)
		return nil
	})
	return s.object(r, t), err
}

// takenInterval is 400, though the name is a conflict.
func takenInterval() *refusal.Refused {
	return identified(400, "alerting.notifications.time-intervals.nameExists", "Time interval with this name already exists. Use a different name or update existing one.")
}

func (s intervals) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	t, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := timing(a, old.Name)
		if stored == nil {
			return r.Missing(old.Name)
		}
		if refused := stale(sent.ResourceVersion, s.object(r, stored).ResourceVersion); refused != nil {
			return refused
		}
		if refused := s.guard(r, origin{stored.Provenance, stored.Manager}, from); refused != nil {
			return refused
		}
		if t.Name != stored.Name {
			switch {
			case !s.release.renamesIntervals():
				return identified(400, "alerting.notifications.time-intervals.invalidFormat", "Time interval is in invalid format. Correct the payload and try again.")
			case a.Timings[t.Name] != nil:
				return takenInterval()
			}
			s.Store.RenameTiming(change, o, stored.Name, t.Name)
		}
		a.PutTiming(change, t)
		return nil
	})
	return s.object(r, t), err
}

func (s intervals) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	return s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := timing(a, old.Name)
		if stored == nil {
			return r.Missing(old.Name)
		}
		if refused := stale(kube.Precondition(options), s.object(r, stored).ResourceVersion); refused != nil {
			return refused
		}
		if refused := s.mayRemove(r, origin{stored.Provenance, stored.Manager}); refused != nil {
			return refused
		}
		if o.UsesTiming(stored.Name) {
			return identified(409, "alerting.notifications.time-intervals.used", "Time interval is used")
		}
		a.RemoveTiming(change, o.ID, stored.Name)
		return nil
	})
}
