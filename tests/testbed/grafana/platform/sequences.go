package platform

import (
	"errors"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/store"
)

// sequences are rules that are evaluated one after the other. They are kept and not played: the rules run at their own intervals.
//
// Source: apps/alerting/rules/pkg/app/rulesequence/validator.go; pkg/tests/apis/alerting/rules/rulesequence/rulesequence_test.go.
// Unconfirmed: everything about their versions, which unified storage gives; played are counters, checked when they are sent.
type sequences struct{ *api }

type sequenceSpec struct {
	Trigger        trigger    `json:"trigger"`
	RecordingRules []ruleName `json:"recordingRules"`
	// v0alpha1 says alertingRules, v1beta1 alertRules.
	AlertingRules []ruleName `json:"alertingRules,omitempty"`
	AlertRules    []ruleName `json:"alertRules,omitempty"`
}

type ruleName struct {
	Name string `json:"name"`
}

func (s sequences) object(r *kube.Request, q *store.Sequence) *kube.Object {
	spec := sequenceSpec{Trigger: trigger{q.Interval}, RecordingRules: ruleNames(q.Recording)}
	if isAlpha(r.Version) {
		spec.AlertingRules = ruleNames(q.Alerting)
	} else {
		spec.AlertRules = ruleNames(q.Alerting)
	}
	meta := metav1.ObjectMeta{
		Name: q.Name, UID: types.UID(q.GUID), ResourceVersion: strconv.FormatInt(q.Version, 10), CreationTimestamp: metav1.NewTime(q.Created),
		Labels: map[string]string{folderNote: q.Folder},
	}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(spec)
	object.Annotate(folderNote, q.Folder)
	s.sign(r, object, origin{q.Provenance, q.Manager})
	return object
}

func ruleNames(uids []string) []ruleName {
	names := []ruleName{}
	for _, uid := range uids {
		names = append(names, ruleName{uid})
	}
	return names
}

func (s sequences) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	s.read(r, func(o *store.Org) {
		for _, q := range o.Sequences {
			list = append(list, *s.object(r, q))
		}
	})
	return list, nil
}

func (s sequences) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if q := o.Sequences[name]; q != nil {
			found = s.object(r, q)
		}
	})
	if found == nil {
		return nil, r.Missing(name)
	}
	return found, nil
}

func (s sequences) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if sent.Name == "" && sent.GenerateName != "" {
		sent.Name = sent.GenerateName + store.NewUID()
	}
	if sent.Name == "" {
		return nil, apierrors.NewBadRequest("name or generateName is required")
	}
	return s.put(r, nil, sent)
}

func (s sequences) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	return s.put(r, old, sent)
}

func (s sequences) put(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	var spec sequenceSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, decodeError(err)
	}
	from, err := s.originOf(r, sent)
	if err != nil {
		return nil, r.Forbidden(sent, "%v", err)
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[who(r).Org]
	stored := o.Sequences[sent.Name]
	switch {
	case old == nil && stored != nil:
		return nil, apierrors.NewAlreadyExists(r.Kind.Resource(), sent.Name)
	case old != nil && stored == nil:
		return nil, r.Missing(sent.Name)
	case stored != nil && sent.ResourceVersion != "" && sent.ResourceVersion != strconv.FormatInt(stored.Version, 10):
		return nil, apierrors.NewConflict(r.Kind.Resource(), sent.Name, errors.New("requested RV does not match current RV"))
	}
	q := &store.Sequence{
		Org: o.ID, Name: sent.Name, GUID: store.NewGUID(), Version: 1, Created: time.Now().UTC().Truncate(time.Second),
		Folder: sent.Annotations[folderNote], Interval: spec.Trigger.Interval, Provenance: from.provenance, Manager: from.manager,
	}
	if stored != nil {
		q.GUID, q.Version, q.Created = stored.GUID, stored.Version+1, stored.Created
	}
	for _, one := range spec.RecordingRules {
		q.Recording = append(q.Recording, one.Name)
	}
	for _, one := range append(spec.AlertingRules, spec.AlertRules...) {
		q.Alerting = append(q.Alerting, one.Name)
	}
	if why := s.admit(o, q); why != "" {
		return nil, r.Forbidden(sent, "%s", why)
	}
	s.Store.PutSequence(o, q)
	return s.object(r, q), nil
}

// admit says what the admission of a sequence minds.
func (s sequences) admit(o *store.Org, q *store.Sequence) string {
	if why := s.interval(q.Interval); why != "" {
		return why
	}
	switch {
	case len(q.Recording) == 0:
		return "rule sequence requires at least one recording rule"
	case q.Folder == "":
		return `rule sequence must be placed in a folder (set annotation "` + folderNote + `")`
	case o.Folders[q.Folder] == nil:
		return "folder " + strconv.Quote(q.Folder) + " does not exist or is not accessible"
	}
	members := map[string]string{}
	for _, other := range o.Sequences {
		for _, uid := range append(append([]string{}, other.Recording...), other.Alerting...) {
			members[uid] = other.Name
		}
	}
	seen := map[string]bool{}
	for _, uid := range append(append([]string{}, q.Recording...), q.Alerting...) {
		rule := o.Rules[uid]
		switch {
		case uid == "":
			return "rule ref name must not be empty"
		case seen[uid]:
			return "rule " + strconv.Quote(uid) + " appears multiple times in rule sequence"
		case rule == nil:
			return "rule " + strconv.Quote(uid) + " does not exist"
		case rule.Folder != q.Folder:
			return "rule " + strconv.Quote(uid) + " is in folder " + strconv.Quote(rule.Folder) + " but rule sequence is in folder " + strconv.Quote(q.Folder) +
				": all rules must be in the same folder as the sequence"
		case members[uid] != "" && members[uid] != q.Name:
			return "rule " + strconv.Quote(uid) + " already belongs to rule sequence " + strconv.Quote(members[uid])
		}
		seen[uid] = true
	}
	return ""
}

func (s sequences) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[who(r).Org]
	stored := o.Sequences[old.Name]
	if stored == nil {
		return r.Missing(old.Name)
	}
	if wanted := kube.Precondition(options); wanted != "" && wanted != strconv.FormatInt(stored.Version, 10) {
		return apierrors.NewConflict(r.Kind.Resource(), old.Name, errors.New("the ResourceVersion in the precondition does not match the ResourceVersion in record"))
	}
	s.Store.RemoveSequence(o, old.Name)
	return nil
}
