package platform

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// inhibitions are the inhibition rules, which no older address shows. Their names are the client's, and stay.
//
// Source: pkg/registry/apps/alerting/notifications/inhibitionrule and its test.
type inhibitions struct{ *api }

type inhibitionSpec struct {
	Source []treeMatcher `json:"source_matchers,omitempty"`
	Target []treeMatcher `json:"target_matchers,omitempty"`
	Equal  []string      `json:"equal,omitempty"`
}

func (s inhibitions) object(r *kube.Request, i *store.Inhibition) *kube.Object {
	spec := inhibitionSpec{shownMatchers(i.Source), shownMatchers(i.Target), i.Equal}
	object := (&kube.Object{ObjectMeta: metav1.ObjectMeta{Name: i.Name, UID: uid(r, i.Name), ResourceVersion: store.Fingerprint(spec)}}).WithSpec(spec)
	s.sign(r, object, origin{i.Provenance, i.Manager})
	return object
}

func (s inhibitions) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	s.read(r, func(o *store.Org) {
		for _, i := range o.Alerting.Inhibitions {
			list = append(list, *s.object(r, i))
		}
	})
	return list, nil
}

func (s inhibitions) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if i := o.Alerting.Inhibitions[name]; i != nil {
			found = s.object(r, i)
		}
	})
	if found == nil {
		return nil, r.Missing(name)
	}
	return found, nil
}

// longestName is how many characters a name may have.
const longestName = 40

// sent reads a rule; it needs a name that is a DNS subdomain, and matchers on both sides.
//
// Source: pkg/services/ngalert/notifier/legacy_storage, InhibitRuleToInhibitionRule.
func (s inhibitions) sent(r *kube.Request, sent *kube.Object) (*store.Inhibition, origin, error) {
	var spec inhibitionSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, origin{}, decodeError(err)
	}
	invalid := identified(400, "alerting.notifications.inhibition-rules.invalidFormat", "Inhibition rule is in invalid format. Correct the payload and try again.")
	from, err := s.originOf(r, sent)
	isName := len(sent.Name) <= longestName && len(validation.IsDNS1123Subdomain(sent.Name)) == 0
	if err != nil || !isName || len(spec.Source) == 0 || len(spec.Target) == 0 {
		return nil, origin{}, refuse(invalid)
	}
	i := &store.Inhibition{
		Org: who(r).Org, Name: sent.Name, Source: storedMatchers(spec.Source), Target: storedMatchers(spec.Target), Equal: spec.Equal,
		Provenance: from.provenance, Manager: from.manager,
	}
	for _, m := range append(append([]store.ObjectMatcher{}, i.Source...), i.Target...) {
		if _, err := m.Matcher(); err != nil {
			return nil, origin{}, refuse(invalid)
		}
	}
	return i, from, nil
}

func (s inhibitions) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	i, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) error {
		if a.Inhibitions[i.Name] != nil {
			return identified(400, "alerting.notifications.inhibition-rules.nameExists", "Inhibition rule already exists.")
		}
		if refused := s.guard(r, origin{}, from); refused != nil {
			return refused
		}
		a.PutInhibition(change, i)
		return nil
	})
	return s.object(r, i), err
}

func (s inhibitions) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	i, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := a.Inhibitions[old.Name]
		if stored == nil {
			return noInhibition()
		}
		if refused := stale(sent.ResourceVersion, s.object(r, stored).ResourceVersion); refused != nil {
			return refused
		}
		if refused := s.guard(r, origin{stored.Provenance, stored.Manager}, from); refused != nil {
			return refused
		}
		a.PutInhibition(change, i)
		return nil
	})
	return s.object(r, i), err
}

func noInhibition() *refusal.Refused {
	return identified(404, "alerting.notifications.inhibition-rules.notFound", "NotFound")
}

func (s inhibitions) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	return s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := a.Inhibitions[old.Name]
		if stored == nil {
			return noInhibition()
		}
		if refused := stale(kube.Precondition(options), s.object(r, stored).ResourceVersion); refused != nil {
			return refused
		}
		if refused := s.mayRemove(r, origin{stored.Provenance, stored.Manager}); refused != nil {
			return refused
		}
		a.RemoveInhibition(change, o.ID, stored.Name)
		return nil
	})
}
