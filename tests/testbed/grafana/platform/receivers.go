package platform

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Receivers.

type receiverSpec struct {
	Title        string                `json:"title"`
	Integrations []receiverIntegration `json:"integrations"`
}

type receiverIntegration struct {
	UID      string          `json:"uid,omitempty"`
	Type     string          `json:"type"`
	Version  string          `json:"version"`
	Quiet    bool            `json:"disableResolveMessage"`
	Settings map[string]any  `json:"settings"`
	Secure   map[string]bool `json:"secureFields,omitempty"`
}

func (s *api) receiverObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[c.Who.Org]
	a := o.Alerting
	list := []object{}
	for _, name := range a.Receivers() {
		spec := receiverSpec{Title: name, Integrations: []receiverIntegration{}}
		provenance := ""
		for _, i := range a.Of(name) {
			one := receiverIntegration{i.UID, i.Type, "v1", i.Quiet, contact.DeepCopy(i.Settings).(map[string]any), map[string]bool{}}
			for _, path := range contact.Secrets(s.Cfg.Version, i.Type) {
				if inner, last := contact.At(one.Settings, path); inner != nil && inner[last] != nil && inner[last] != "" {
					one.Secure[path] = true
					delete(inner, last)
				}
			}
			if i.Provenance != "" {
				provenance = i.Provenance
			}
			spec.Integrations = append(spec.Integrations, one)
		}
		meta := metadata{Name: nameOf(name), UID: nameOf(name), Annotations: notes(provenance), ResourceVersion: store.Fingerprint([]any{spec, a.Of(name)})}
		uses := 0
		store.Walk(a.Route, func(r *store.Route) {
			if r.Receiver == name {
				uses++
			}
		})
		meta.Annotations["grafana.com/inUse/routes"] = strconv.Itoa(uses)
		meta.Annotations["grafana.com/inUse/rules"] = strconv.Itoa(len(o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == name })))
		for _, right := range []string{"canWrite", "canDelete", "canReadSecrets", "canTest", "canModifyProtected"} {
			meta.Annotations["grafana.com/access/"+right] = "true"
		}
		list = append(list, object{Metadata: meta, Spec: mustJSON(spec)})
	}
	return list
}

func (s *api) putReceiver(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec receiverSpec
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("alerting.notifications.receivers.invalid", err)
	}
	if spec.Title == "" {
		return "", refusal.New(400, "alerting.notifications.receivers.invalid", "title is required")
	}
	provenance := provenanceOf(sent)
	refused := s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		before, title := map[string]*store.Integration{}, ""
		if old != nil {
			for _, name := range a.Receivers() {
				if nameOf(name) == old.Metadata.Name {
					title = name
				}
			}
			for _, i := range a.Of(title) {
				before[i.UID] = i
			}
		}
		if title != spec.Title && a.HasReceiver(spec.Title) {
			return refusal.New(409, "alerting.notifications.receivers.exists", "Receiver with name '%s' already exists", spec.Title)
		}
		var next []*store.Integration
		for _, one := range spec.Integrations {
			i := &store.Integration{
				Org: c.Who.Org, UID: one.UID, Receiver: spec.Title, Name: spec.Title, Type: one.Type, Quiet: one.Quiet, Settings: one.Settings, Provenance: provenance,
			}
			if i.Settings == nil {
				i.Settings = map[string]any{}
			}
			if stored := before[i.UID]; stored != nil {
				i.ID = stored.ID
				for path, keep := range one.Secure {
					inner, last := contact.At(i.Settings, path)
					from, _ := contact.At(stored.Settings, path)
					if keep && inner != nil && from != nil && inner[last] == nil {
						inner[last] = from[last]
					}
				}
			} else if i.UID != "" {
				for _, other := range a.Integrations {
					if other.UID == i.UID {
						return refusal.New(409, "alerting.notifications.receivers.conflict", "integration UID '%s' is used by another receiver", i.UID)
					}
				}
			} else {
				i.UID = store.NewUID()
			}
			if err := contact.Check(s.Cfg.Version, i); err != nil {
				return refusal.New(400, "alerting.notifications.receivers.invalid", "Invalid receiver: %v", err)
			}
			next = append(next, i)
		}
		kept := map[int64]bool{}
		for _, i := range next {
			if i.ID == 0 {
				i.ID = s.Store.NextID()
			}
			kept[i.ID] = true
		}
		for _, i := range before {
			if !kept[i.ID] {
				a.Remove(change, i)
			}
		}
		for _, i := range next {
			a.Put(change, i)
		}
		if old != nil && title != spec.Title {
			s.Store.RenameReceiver(change, o, title, spec.Title)
		}
		return nil
	})
	return nameOf(spec.Title), refused
}

func (s *api) removeReceiver(c *server.Call, old *object) *refusal.Refused {
	return s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		for _, name := range a.Receivers() {
			if nameOf(name) != old.Metadata.Name {
				continue
			}
			if a.UsedByRoute(name) || len(o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == name })) > 0 {
				return refusal.New(409, "alerting.notifications.receivers.used", "Receiver is used by one or many notification policies or alert rules")
			}
			for _, i := range a.Of(name) {
				a.Remove(change, i)
			}
		}
		return nil
	})
}

func (s *api) testReceiverObject(c *server.Call) {
	engine, err := s.Orgs.Of(c.Who.Org)
	if err != nil {
		c.Message(500, err.Error())
		return
	}
	var sent struct {
		Integration    *receiverIntegration
		IntegrationRef *struct{ UID string }
		Alert          *server.TestedAlert
	}
	if !c.Read(&sent) {
		return
	}
	const invalid = "alerting.notifications.receivers.testing.invalid"
	name := c.R.PathValue("name")
	var one server.TestedIntegration
	receiver := "test"
	switch {
	case sent.Integration != nil && sent.IntegrationRef == nil:
		if name == "-" && sent.Integration.UID != "" {
			statusObject(c, refusal.New(400, invalid, "uid must be empty for a new receiver"), nil, name)
			return
		}
		one = server.TestedIntegration{UID: sent.Integration.UID, Type: sent.Integration.Type, Quiet: sent.Integration.Quiet, Settings: sent.Integration.Settings}
	case sent.IntegrationRef != nil && sent.Integration == nil:
		s.Store.Mu.RLock()
		for _, i := range s.Store.Orgs[c.Who.Org].Alerting.Integrations {
			if i.UID == sent.IntegrationRef.UID && nameOf(i.Receiver) == name {
				receiver = i.Receiver
				one = server.TestedIntegration{UID: i.UID, Name: i.Name, Type: i.Type, Settings: contact.DeepCopy(i.Settings).(map[string]any)}
			}
		}
		s.Store.Mu.RUnlock()
		if one.UID == "" {
			statusObject(c, refusal.New(404, "alerting.notifications.receivers.testing.integrationNotFound", "integration not found"), nil, name)
			return
		}
	default:
		statusObject(c, refusal.New(400, invalid, "give exactly one of integration and integrationRef"), nil, name)
		return
	}
	ctx, cancel := context.WithTimeout(c.R.Context(), 15*time.Second)
	defer cancel()
	i := s.Tested(c.Who.Org, receiver, &one)
	if err := contact.Check(s.Cfg.Version, i); err != nil {
		statusObject(c, refusal.New(400, invalid, "%v", err), nil, name)
		return
	}
	started := time.Now()
	body := map[string]any{"apiVersion": notificationsGroup + "/v1beta1", "kind": "CreateReceiverIntegrationTest", "status": "success"}
	if err := s.Try(ctx, engine.Am, receiver, i, server.NewTest(sent.Alert)); err != nil {
		body["status"], body["error"] = "failure", err.Error()
	}
	body["duration"] = time.Since(started).Truncate(time.Millisecond).String()
	c.JSON(200, body)
}
