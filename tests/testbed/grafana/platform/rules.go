package platform

import (
	"errors"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// rules are alert rules or recording rules; one table holds both.
//
// Source: pkg/registry/apps/alerting/rules/{alertrule,recordingrule}/{compat,legacy_storage}.go.
type rules struct {
	*api
	kind ruleKind
}

type ruleKind bool

const (
	alerting  ruleKind = false
	recording ruleKind = true
)

// is says whether a rule is of the kind.
func (k ruleKind) is(r *store.Rule) bool { return (r.Record != nil) == bool(k) }

func (s rules) object(r *kube.Request, g *store.Group, rule *store.Rule) *kube.Object {
	meta := metav1.ObjectMeta{
		Name: rule.UID, UID: uid(r, rule.UID), ResourceVersion: strconv.FormatInt(rule.Version(g), 10), Labels: map[string]string{folderNote: rule.Folder},
	}
	if s.release.guids() {
		meta.UID = types.UID(rule.GUID)
	}
	if !store.IsSentinel(rule.Group) {
		meta.Labels[groupLabel], meta.Labels[indexLabel] = rule.Group, strconv.Itoa(rule.Index)
	}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(s.shownRule(g, rule, r.Version))
	object.Annotate(folderNote, rule.Folder)
	object.Annotate("grafana.app/updatedTimestamp", rule.Updated.UTC().Format(time.RFC3339))
	s.sign(r, object, origin{rule.Provenance, rule.Manager})
	if s.release.ruleStatus() && s.kind == alerting {
		object.Status = s.statuses.of(who(r).Org, rule.UID)
	}
	return object
}

func (s rules) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	err := s.Walk(r, "", func(o *kube.Object) bool {
		list = append(list, *o)
		return true
	})
	return list, err
}

// Walk makes an object of no more rules than are asked for: there may be thousands.
func (s rules) Walk(r *kube.Request, after string, take func(*kube.Object) bool) error {
	if s.release.ruleStatus() {
		s.statuses.run(s.api)
	}
	s.read(r, func(o *store.Org) {
		uids := []string{}
		readable := map[string]bool{}
		for uid, rule := range o.Rules {
			if uid <= after || !s.kind.is(rule) {
				continue
			}
			may, known := readable[rule.Folder]
			if !known {
				may = who(r).MayReadRules(o, rule.Folder)
				readable[rule.Folder] = may
			}
			if may {
				uids = append(uids, uid)
			}
		}
		slices.Sort(uids)
		for _, uid := range uids {
			if rule := o.Rules[uid]; !take(s.object(r, o.GroupOf(rule), rule)) {
				return
			}
		}
	})
	return nil
}

func (s rules) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	if s.release.ruleStatus() {
		s.statuses.run(s.api)
	}
	allowed := true
	s.read(r, func(o *store.Org) {
		if rule := o.Rules[name]; rule != nil && s.kind.is(rule) {
			allowed = who(r).MayReadRules(o, rule.Folder)
			found = s.object(r, o.GroupOf(rule), rule)
		}
	})
	if !allowed {
		return nil, refuse(server.Unauthorized("access rule group"))
	}
	if found == nil {
		return nil, r.Missing(name)
	}
	return found, nil
}

// Create stores a rule without a group. Its name is its uid; without one it gets one.
func (s rules) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	rule, seconds, err := s.sent(r, sent, nil)
	if err != nil {
		return nil, err
	}
	if sent.GenerateName != "" {
		return nil, errors.New("generate-name is not supported in legacy storage mode")
	}
	if rule.UID == "" {
		rule.UID = store.NewUID()
	}
	rule.Group = store.Sentinel(rule.UID)
	if err := asError(s.MayChangeRules(who(r), "create", rule)); err != nil {
		return nil, plain(err)
	}
	wanted := origin{rule.Provenance, rule.Manager}
	err = s.Store.PutObject(rule, seconds, func(old *store.Rule, _ *store.Group) error {
		if old != nil {
			return refusal.New(409, "alerting.alert-rule.conflict", "Failed to save alert rule '%s' due to conflict: rule UID under the same organisation should be unique", rule.UID)
		}
		return asError(s.guardRule(r, origin{}, wanted))
	})
	if err != nil {
		return nil, plain(err)
	}
	return s.Get(r, rule.UID)
}

// asError keeps a refusal that isn't one from becoming an error.
func asError(refused *refusal.Refused) error {
	if refused == nil {
		return nil
	}
	return refused
}

// plain answers an error of the store.
func plain(err error) error {
	var refused *refusal.Refused
	if errors.As(err, &refused) {
		return refuse(refused)
	}
	return err
}

// sent makes a rule of an object, after the schema and the admission.
func (s rules) sent(r *kube.Request, sent, old *kube.Object) (*store.Rule, int64, error) {
	var spec ruleSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, 0, decodeError(err)
	}
	if err := invalidSpec(r, sent.Name, &spec, bool(s.kind)); err != nil {
		return nil, 0, err
	}
	if err := s.admitRule(r, sent, old, &spec); err != nil {
		return nil, 0, err
	}
	p, err := storedRule(&spec, bool(s.kind))
	if err != nil {
		return nil, 0, err
	}
	p.UID, p.FolderUID, p.RuleGroup = sent.Name, sent.Annotations[folderNote], sent.Labels[groupLabel]
	if p.RuleGroup == "" {
		p.RuleGroup = store.Sentinel(p.UID)
	}
	rule, refused := s.Store.ToRule(p, who(r).Org)
	if refused != nil {
		return nil, 0, refuse(refused)
	}
	from, err := s.originOf(r, sent)
	if err != nil {
		return nil, 0, err
	}
	rule.Provenance, rule.Manager = from.provenance, from.manager
	rule.Index, _ = strconv.Atoi(sent.Labels[indexLabel])
	return rule, int64(time.Duration(parsed(&spec.Trigger.Interval)) / time.Second), nil
}

// guardRule refuses a change of the provenance, and one that the caller has no right for.
//
// Source: pkg/services/ngalert/provisioning/alert_rules.go, UpdateAlertRule; the right: authorize.go of the rules.
func (s rules) guardRule(r *kube.Request, stored, wanted origin) *refusal.Refused {
	switch {
	case (stored.provenance != "" || wanted.provenance != "") && !who(r).HasAny(provenanceRight):
		return refusal.New(403, "accesscontrol.unauthorized", "user is not authorized to set provenance: required permissions: %s", provenanceRight)
	case stored.provenance != "" && stored.provenance != wanted.provenance:
		return refusal.New(409, "alerting.provenanceMismatch", "cannot change provenance from '%s' to '%s'", stored.provenance, wanted.provenance)
	case stored.manager.ID != "" && wanted.manager.ID != "" && stored.manager != wanted.manager:
		// Source: terraform-provider-grafana, appplatform: another manager's id is refused. Unconfirmed: status and id.
		return refusal.New(409, "alerting.provenanceMismatch", "resource is managed by '%s' and not by '%s'", stored.manager.ID, wanted.manager.ID)
	}
	return nil
}

// Update replaces a rule. A grouped one stays in its group if the labels say so, and gives its siblings its interval; a rule without a
// group gets none. A stale version wins silently, unless the double was told to check it.
//
// Unconfirmed: that a grouped rule which is sent without the labels leaves its group.
func (s rules) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	rule, seconds, err := s.sent(r, sent, old)
	if err != nil {
		return nil, err
	}
	if err := asError(s.MayChangeRules(who(r), "update", rule)); err != nil {
		return nil, plain(err)
	}
	wanted := origin{rule.Provenance, rule.Manager}
	err = s.Store.PutObject(rule, seconds, func(stored *store.Rule, g *store.Group) error {
		if stored == nil {
			return r.Missing(rule.UID)
		}
		version := strconv.FormatInt(stored.Version(g), 10)
		if s.Cfg.ChecksRuleVersions() && sent.ResourceVersion != "" && sent.ResourceVersion != version {
			return apierrors.NewConflict(r.Kind.Resource(), rule.UID, errors.New("the object has been modified; please apply your changes to the latest version and try again"))
		}
		return asError(s.guardRule(r, origin{stored.Provenance, stored.Manager}, wanted))
	})
	if err != nil {
		return nil, plain(err)
	}
	return s.Get(r, rule.UID)
}

// Delete takes the stored provenance by itself and heeds no precondition. A rule of another provenance than none or "api" stays.
//
// Source: alertrule/legacy_storage.go, Delete, which doesn't look at its options.
func (s rules) Delete(r *kube.Request, old *kube.Object, _ *metav1.DeleteOptions) error {
	provenance := old.Annotations[provenanceNote]
	if !slices.Contains([]string{"", "none", "api"}, provenance) {
		return errors.New("invalid provenance status: " + provenance)
	}
	if provenance == "none" {
		provenance = ""
	}
	rule := &store.Rule{Title: old.Name, Folder: old.Annotations[folderNote]}
	if err := asError(s.MayChangeRules(who(r), "delete", rule)); err != nil {
		return plain(err)
	}
	if provenance != "" && !who(r).HasAny(provenanceRight) {
		return refuse(refusal.New(403, "accesscontrol.unauthorized", "user is not authorized to set provenance: required permissions: %s", provenanceRight))
	}
	return plain(asError(s.Store.DeleteRule(who(r).Org, old.Name, provenance)))
}
