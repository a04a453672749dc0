package provisioning

import (
	"fmt"
	"sort"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The provisioning API of contact points: one object for each integration.

const contactPoints = "/api/v1/provisioning/contact-points"

func (s *api) routeContactPoints() {
	s.Handle("GET "+contactPoints, server.ReadNotify("receivers"), s.Old(server.OldReceivers, s.listContactPoints))
	s.Handle("POST "+contactPoints, server.WriteNotify("receivers", "create"), s.Old(server.OldReceivers, s.createContactPoint))
	s.Handle("PUT "+contactPoints+"/{uid}", server.WriteNotify("receivers", "write"), s.Old(server.OldReceivers, s.updateContactPoint))
	s.Handle("DELETE "+contactPoints+"/{uid}", server.WriteNotify("receivers", "delete"), s.Old(server.OldReceivers, s.deleteContactPoint))
}

type contactPoint struct {
	UID        string         `json:"uid"`
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Settings   map[string]any `json:"settings"`
	Quiet      bool           `json:"disableResolveMessage"`
	Provenance string         `json:"provenance,omitempty"`
}

func shownAs(v profile.Version, i *store.Integration) contactPoint {
	return contactPoint{i.UID, i.Name, i.Type, contact.Shown(v, i), i.Quiet, i.Provenance}
}

func (s *api) listContactPoints(c *server.Call) {
	s.Store.Mu.RLock()
	list := []contactPoint{}
	named := c.R.URL.Query().Has("name")
	for _, i := range s.Store.Orgs[c.Who.Org].Alerting.Integrations {
		if !named || i.Name == c.Query("name") {
			list = append(list, shownAs(s.Cfg.Version, i))
		}
	}
	s.Store.Mu.RUnlock()
	sort.Slice(list, func(i, j int) bool {
		if list[i].Name != list[j].Name {
			return list[i].Name < list[j].Name
		}
		return list[i].UID < list[j].UID
	})
	c.JSON(200, list)
}

func (s *api) newIntegration(sent *contactPoint, org int64, provenance string) *store.Integration {
	return &store.Integration{
		Org: org, UID: sent.UID, Receiver: sent.Name, Name: sent.Name, Type: sent.Type, Quiet: sent.Quiet, Settings: sent.Settings,
		Provenance: provenance,
	}
}

func (s *api) invalidContactPoint(sent *contactPoint, i *store.Integration) *refusal.Refused {
	if sent.Name == "" && s.Cfg.Version.ContactPointName() {
		return refusal.New(400, "", "invalid object specification: name is required")
	}
	if err := store.ValidUID(sent.UID); err != nil {
		return refusal.New(400, "", "invalid object specification: %v", err)
	}
	if err := contact.Check(s.Cfg.Version, i); err != nil {
		return refusal.New(400, "", "invalid object specification: %v", err)
	}
	return nil
}

func (s *api) createContactPoint(c *server.Call) {
	var sent contactPoint
	if !c.Read(&sent) {
		return
	}
	v := s.Cfg.Version
	i := s.newIntegration(&sent, c.Who.Org, c.Provenance())
	if refused := s.invalidContactPoint(&sent, i); refused != nil {
		c.Refuse(refused)
		return
	}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		for _, other := range a.Integrations {
			if i.UID == "" || other.UID != i.UID {
				continue
			}
			if v.TakenContactPointIs409() {
				return refusal.New(409, "alerting.notifications.contact-points.uidInUse",
					"Receiver configuration with UID '%s' already exists in contact point '%s'. Please use unique identifiers for receivers across all contact points", i.UID, other.Receiver)
			}
			return refusal.New(500, "", "receiver configuration with UID '%s' already exist in contact point '%s'. Please use unique identifiers for receivers across all contact points", i.UID, other.Receiver)
		}
		if i.UID == "" {
			i.UID = store.NewUID()
		}
		i.ID = s.Store.NextID()
		a.Put(change, i)
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	shown := shownAs(v, i)
	if !v.ClientErrors() {
		// 10.0 shows every secret that the type may have, sent or not (recorded).
		for _, path := range contact.Secrets(v, i.Type) {
			if object, name := contact.At(shown.Settings, path); object != nil {
				object[name] = store.Redacted
			}
		}
	}
	c.JSON(202, shown)
}

func (s *api) updateContactPoint(c *server.Call) {
	var sent contactPoint
	if !c.Read(&sent) {
		return
	}
	v := s.Cfg.Version
	uid := c.R.PathValue("uid")
	sent.UID = uid
	missing := refusal.New(404, "", "object not found: contact point with uid '%s' not found", uid)
	if v.ClientErrors() {
		missing.MessageID = "alerting.notifications.receivers.notFound"
	}
	find := func(a *store.AlertingConfig) *store.Integration {
		for _, i := range a.Integrations {
			if i.UID == uid {
				return i
			}
		}
		return nil
	}
	s.Store.Mu.RLock()
	old := find(s.Store.Orgs[c.Who.Org].Alerting)
	s.Store.Mu.RUnlock()
	if old == nil {
		c.Refuse(missing)
		return
	}
	i := s.newIntegration(&sent, c.Who.Org, c.Provenance())
	contact.KeepSecrets(v, i.Settings, old.Settings, old.Type)
	if refused := s.invalidContactPoint(&sent, i); refused != nil {
		c.Refuse(refused)
		return
	}
	refused := s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		old := find(a)
		if old == nil {
			return missing
		}
		if refused := mayChange(v, old.Provenance, i.Provenance); refused != nil {
			return refused
		}
		i.ID = old.ID
		if old.Name == old.Receiver || old.Receiver != store.DefaultReceiver {
			i.Receiver = i.Name
		} else {
			i.Receiver = old.Receiver
		}
		a.Put(change, i)
		if old.Receiver != i.Receiver && !a.HasReceiver(old.Receiver) {
			s.Store.RenameReceiver(change, o, old.Receiver, i.Receiver)
		}
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.Message(202, "contactpoint updated")
}

// mayChange says whether a contact point may get another provenance.
func mayChange(v profile.Version, stored, provenance string) *refusal.Refused {
	if stored == "" || stored == provenance {
		return nil
	}
	message := fmt.Sprintf("cannot change provenance from '%s' to '%s'", stored, provenance)
	if v.ContactPointMismatchIs403() {
		return refusal.New(403, "alerting.notifications.invalidProvenance", "%s", message)
	}
	return refusal.New(500, "", "%s", message)
}

func (s *api) deleteContactPoint(c *server.Call) {
	v := s.Cfg.Version
	uid := c.R.PathValue("uid")
	refused := s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		for _, i := range a.Integrations {
			if i.UID != uid {
				continue
			}
			if len(a.Of(i.Receiver)) == 1 {
				if a.UsedByRoute(i.Receiver) {
					if v.UsedContactPointIs409() {
						return refusal.New(409, "alerting.notifications.contact-points.referenced", "Contact point is currently referenced by a notification policy.")
					}
					return refusal.New(500, "", "contact point '%s' is currently used by a notification policy", i.Receiver)
				}
				if uids := o.UsedByRules(func(n *store.NotificationSettings) bool { return n.Receiver == i.Receiver }); len(uids) > 0 {
					if !v.UsedContactPointIs409() {
						return refusal.New(500, "", "contact point '%s' is currently used in notification settings by one or many alert rules", i.Receiver)
					}
					refused := refusal.New(409, "alerting.notifications.contact-points.used-by-rule", "Contact point is currently used in the notification settings of one or many alert rules.")
					refused.Extra = map[string]any{"UsedByRules": uids}
					return refused
				}
			}
			a.Remove(change, i)
			return nil
		}
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.Message(202, "contactpoint deleted")
}
