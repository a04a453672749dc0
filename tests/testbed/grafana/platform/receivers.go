package platform

import (
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// receivers are contact points, each whole with its integrations.
//
// Source: pkg/registry/apps/alerting/notifications/receiver/{conversions,legacy_storage}.go; pkg/services/ngalert/notifier/receiver_svc.go.
type receivers struct{ *api }

type receiverSpec struct {
	Title        string                `json:"title"`
	Integrations []receiverIntegration `json:"integrations"`
}

type receiverIntegration struct {
	UID      string         `json:"uid,omitempty"`
	Type     string         `json:"type"`
	Version  string         `json:"version"`
	Quiet    bool           `json:"disableResolveMessage"`
	Settings map[string]any `json:"settings"`
	// The secrets that are stored. In a write of an integration with a uid, those that are to be kept.
	Secure map[string]bool `json:"secureFields,omitempty"`
}

// version of integrations that aren't imported from elsewhere.
const integrationVersion = "v1"

// shown is a contact point's spec: without its secrets.
func (s receivers) shown(title string, all []*store.Integration) receiverSpec {
	spec := receiverSpec{Title: title, Integrations: []receiverIntegration{}}
	for _, i := range all {
		one := receiverIntegration{
			UID: i.UID, Type: i.Type, Version: integrationVersion, Quiet: i.Quiet, Settings: contact.DeepCopy(i.Settings).(map[string]any), Secure: map[string]bool{},
		}
		for _, path := range contact.Secrets(s.Cfg.Version, i.Type) {
			if inner, last := contact.At(one.Settings, path); inner != nil && inner[last] != nil && inner[last] != "" {
				one.Secure[path] = true
				delete(inner, last)
			}
		}
		spec.Integrations = append(spec.Integrations, one)
	}
	return spec
}

// object makes one of a contact point. Its version is a fingerprint of all that is stored, secrets too, so that it changes when and
// only when somebody stored something else.
func (s receivers) object(r *kube.Request, o *store.Org, title string) *kube.Object {
	all := o.Alerting.Of(title)
	object := (&kube.Object{ObjectMeta: metav1.ObjectMeta{Name: nameOf(title), ResourceVersion: fingerprint(title, all)}}).WithSpec(s.shown(title, all))
	object.UID = uid(r, object.Name)
	s.sign(r, object, receiverOrigin(o.Alerting, title))
	return object
}

func fingerprint(title string, all []*store.Integration) string {
	contents := []any{title}
	for _, i := range all {
		contents = append(contents, i.UID, i.Type, i.Quiet, i.Settings)
	}
	return store.Fingerprint(contents)
}

// receiverOrigin is that of its integrations, or of the contact point itself where it has none.
func receiverOrigin(a *store.AlertingConfig, title string) origin {
	for _, i := range a.Of(title) {
		if i.Provenance != "" || i.Manager.Kind != "" {
			return origin{i.Provenance, i.Manager}
		}
	}
	if bare := a.Bare[title]; bare != nil {
		return origin{bare.Provenance, bare.Manager}
	}
	return origin{}
}

// annotate adds what only a read tells: who uses it, and what the caller may do with it.
//
// Source: receiver_ext.go, SetInUse, SetAccessControl, SetCanUse. Unconfirmed: canUse since 13.0.
func (s receivers) annotate(r *kube.Request, o *store.Org, title string, object *kube.Object) *kube.Object {
	uses := 0
	count := func(route *store.Route) {
		if route.Receiver == title {
			uses++
		}
	}
	store.Walk(o.Alerting.Route, count)
	for _, tree := range o.Alerting.Trees {
		store.Walk(tree.Route, count)
	}
	object.Annotate(inUse+"routes", strconv.Itoa(uses))
	object.Annotate(inUse+"rules", strconv.Itoa(len(o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == title }))))
	caller := who(r)
	for right, any := range map[string]need{
		"canWrite": {"alert.notifications.receivers:write", "alert.notifications:write"}, "canDelete": {"alert.notifications.receivers:delete", "alert.notifications:write"},
		"canReadSecrets": {"alert.notifications.receivers.secrets:read"}, "canAdmin": {"receivers.permissions:write"},
		"canModifyProtected": {"alert.notifications.receivers.protected:write"}, "canTest": {"alert.notifications.receivers:test", "alert.notifications:write"},
	} {
		if caller.HasAny(any...) {
			object.Annotate(access+right, "true")
		}
	}
	if s.release.since(13, 0) {
		object.Annotate(canUse, "true")
	}
	return object
}

// List gives an empty list to who may not read any.
func (s receivers) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	if !who(r).HasAny("alert.notifications.receivers:read", "alert.notifications:read") {
		return list, nil
	}
	s.read(r, func(o *store.Org) {
		for _, title := range o.Alerting.Receivers() {
			list = append(list, *s.annotate(r, o, title, s.object(r, o, title)))
		}
	})
	return list, nil
}

func (s receivers) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if title, ok := titleOf(o.Alerting, name); ok {
			found = s.annotate(r, o, title, s.object(r, o, title))
		}
	})
	if found == nil {
		return nil, kube.Identified(404, "alerting.notifications.receivers.notFound", "Receiver not found", nil)
	}
	return found, nil
}

// titleOf finds the contact point that has this name here.
func titleOf(a *store.AlertingConfig, name string) (string, bool) {
	for _, title := range a.Receivers() {
		if nameOf(title) == name {
			return title, true
		}
	}
	return "", false
}

func invalidReceiver(why any) *refusal.Refused {
	return identified(400, "alerting.notifications.receivers.invalid", "Invalid receiver: '%v'", why)
}

func (s receivers) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if sent.Name != "" {
		return nil, named()
	}
	return s.put(r, sent, "")
}

// Update keeps, replaces or removes secrets as the spec says, and renames where it has another title: the object then has another name.
func (s receivers) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	return s.put(r, sent, old.Name)
}

// put stores a contact point in place of the one of this name, or of none.
func (s receivers) put(r *kube.Request, sent *kube.Object, name string) (*kube.Object, error) {
	var spec receiverSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, decodeError(err)
	}
	from, err := s.originOf(r, sent)
	if err != nil {
		return nil, refuse(invalidReceiver(err))
	}
	var made *kube.Object
	err = s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		title, known := "", false
		if name != "" {
			if title, known = titleOf(a, name); !known {
				return identified(404, "alerting.notifications.receivers.notFound", "Receiver not found")
			}
			// An empty version is a conflict too.
			if current := fingerprint(title, a.Of(title)); sent.ResourceVersion != current {
				return conflict("receivers", "receiver", spec.Title, sent.ResourceVersion, current)
			}
		}
		if refused := s.guard(r, receiverOrigin(a, title), from); refused != nil {
			return refused
		}
		if spec.Title == "" {
			return invalidReceiver("name must not be empty")
		}
		if title != spec.Title && a.HasReceiver(spec.Title) {
			return identified(409, "alerting.notifications.receivers.exists", "Receiver with this name already exists. Use a different name or update an existing one.")
		}
		next, refused := s.integrations(r, a, title, &spec, from)
		if refused != nil {
			return refused
		}
		if known && title != spec.Title {
			if refused := followable(o, title); refused != nil {
				return refused
			}
		}
		a.Replace(change, &store.BareReceiver{Org: o.ID, Name: spec.Title, Provenance: from.provenance, Manager: from.manager}, title, next, s.Store.NextID)
		if known && title != spec.Title {
			s.Store.RenameReceiver(change, o, title, spec.Title)
		}
		made = s.object(r, o, spec.Title)
		return nil
	})
	return made, err
}

// integrations are those that a spec asks for, with the secrets that it keeps.
func (s receivers) integrations(r *kube.Request, a *store.AlertingConfig, title string, spec *receiverSpec, from origin) ([]*store.Integration, *refusal.Refused) {
	stored := map[string]*store.Integration{}
	for _, i := range a.Of(title) {
		stored[i.UID] = i
	}
	next := []*store.Integration{}
	for _, one := range spec.Integrations {
		if one.Version != "" && one.Version != integrationVersion {
			return nil, invalidReceiver("invalid version " + one.Version + " for integration type " + one.Type)
		}
		i := &store.Integration{
			Org: who(r).Org, UID: one.UID, Receiver: spec.Title, Name: spec.Title, Type: one.Type, Quiet: one.Quiet, Settings: one.Settings,
			Provenance: from.provenance, Manager: from.manager,
		}
		if i.Settings == nil {
			i.Settings = map[string]any{}
		}
		if before := stored[i.UID]; before != nil {
			i.ID = before.ID
			keepSecrets(i, before, one.Secure)
		} else if i.UID == "" {
			i.UID = store.NewUID()
		} else if other := a.Integration(i.UID); other != nil {
			// Source: pkg/services/ngalert/notifier/legacy_storage/receivers.go, validateReceiver.
			return nil, invalidReceiver(fmt.Sprintf("integration with UID %q already exists", i.UID))
		}
		if err := contact.Check(s.Cfg.Version, i); err != nil {
			return nil, invalidReceiver(err)
		}
		next = append(next, i)
	}
	return next, nil
}

// keepSecrets copies the stored secrets that a write wants kept and doesn't replace.
func keepSecrets(i, stored *store.Integration, keep map[string]bool) {
	for path, wanted := range keep {
		inner, last := contact.At(i.Settings, path)
		from, _ := contact.At(stored.Settings, path)
		if wanted && inner != nil && from != nil && inner[last] == nil {
			inner[last] = from[last]
		}
	}
}

// followable refuses a new name where rules or policies that must follow it are provisioned.
//
// Source: receiver_svc.go, ErrReceiverDependentResourcesProvenance.
func followable(o *store.Org, title string) *refusal.Refused {
	rules, routes := false, o.Alerting.UsedByRoute(title) && o.Alerting.RouteProvenance != ""
	for _, uid := range o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == title }) {
		rules = rules || o.Rules[uid].Provenance != ""
	}
	if !rules && !routes {
		return nil
	}
	refused := identified(409, "alerting.notifications.receivers.usedProvisioned", "Receiver cannot be renamed because it is used by provisioned %s. You must update those resources first using the original provision method.",
		map[[2]bool]string{{true, false}: "alert rules", {false, true}: "notification policies", {true, true}: "alert rules and notification policies"}[[2]bool{rules, routes}])
	refused.Extra = map[string]any{"UsedByRules": rules, "UsedByRoutes": routes}
	return refused
}

// Delete heeds a resource version, and refuses what is in use.
func (s receivers) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	return s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		title, known := titleOf(a, old.Name)
		if !known {
			return identified(404, "alerting.notifications.receivers.notFound", "Receiver not found")
		}
		current := fingerprint(title, a.Of(title))
		if wanted := kube.Precondition(options); wanted != "" && wanted != current {
			return conflict("receivers", "receiver", title, wanted, current)
		}
		if refused := s.mayRemove(r, receiverOrigin(a, title)); refused != nil {
			return refused
		}
		used := []string{}
		if a.UsedByRoute(title) {
			used = append(used, "policies")
		}
		if len(o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == title })) > 0 {
			used = append(used, "rules")
		}
		if len(used) > 0 {
			refused := identified(409, "alerting.notifications.receivers.used", "Receiver is used by %v", used)
			refused.Extra = map[string]any{"UsedBy": used}
			return refused
		}
		a.RemoveReceiver(change, title)
		return nil
	})
}
