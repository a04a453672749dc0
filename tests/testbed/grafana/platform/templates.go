package platform

import (
	"encoding/json"
	"fmt"

	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Templates.

func (s *api) templateObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []object{}
	for _, t := range s.Store.Orgs[c.Who.Org].Alerting.Templates {
		spec := map[string]string{"title": t.Name, "content": t.Text, "kind": "grafana"}
		list = append(list, object{
			Metadata: metadata{Name: nameOf(t.Name), UID: nameOf(t.Name), Annotations: notes(t.Provenance), ResourceVersion: store.Fingerprint(t.Text)}, Spec: mustJSON(spec),
		})
	}
	return list
}

func (s *api) putTemplateObject(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec struct{ Title, Content string }
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("alerting.notifications.templates.invalidFormat", err)
	}
	t := &store.Template{Org: c.Who.Org, Name: spec.Title, Text: spec.Content, Provenance: provenanceOf(sent)}
	if _, err := templating.Notification(map[string]*store.Template{t.Name: t}, s.Cfg.RootURL()); err != nil || t.Name == "" {
		return "", refusal.New(400, "alerting.notifications.templates.invalidFormat", "Invalid format of the submitted template: %v", err)
	}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if stored := a.Templates[t.Name]; stored != nil && (old == nil || old.Metadata.Name != nameOf(t.Name)) {
			return refusal.New(409, "alreadyExists", "template %q already exists", t.Name)
		}
		if old != nil {
			for name := range a.Templates {
				if nameOf(name) == old.Metadata.Name && name != t.Name {
					delete(a.Templates, name)
					change.Remove(fmt.Sprintf("template/%d/%s", t.Org, name))
				}
			}
		}
		a.Templates[t.Name] = t
		a.Version++
		change.Put(fmt.Sprintf("template/%d/%s", t.Org, t.Name), t)
		return nil
	})
	return nameOf(t.Name), refused
}

func (s *api) removeTemplateObject(c *server.Call, old *object) *refusal.Refused {
	return s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		for name := range a.Templates {
			if nameOf(name) == old.Metadata.Name {
				delete(a.Templates, name)
				a.Version++
				change.Remove(fmt.Sprintf("template/%d/%s", c.Who.Org, name))
			}
		}
		return nil
	})
}
