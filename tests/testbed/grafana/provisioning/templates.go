package provisioning

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The provisioning API of notification templates and mute timings.

// definition is what a text without is wrapped in a definition of its own; one that trims the white space before it isn't seen.
var definition = regexp.MustCompile(`\{\{\s*define`)

const (
	templates = "/api/v1/provisioning/templates"
	timings   = "/api/v1/provisioning/mute-timings"
)

func (s *api) routeTemplates() {
	s.Handle("GET "+templates, server.ReadNotify("templates"), s.Old(server.OldTemplates, s.listTemplates))
	s.Handle("GET "+templates+"/{name}", server.ReadNotify("templates"), s.Old(server.OldTemplates, s.getTemplate))
	s.Handle("PUT "+templates+"/{name}", server.WriteNotify("templates", "write"), s.Old(server.OldTemplates, s.putTemplate))
	s.Handle("DELETE "+templates+"/{name}", server.WriteNotify("templates", "delete"), s.Old(server.OldTemplates, s.deleteTemplate))
	s.Handle("GET "+timings, server.ReadNotify("time-intervals"), s.Old(server.OldTimings, s.listTimings))
	s.Handle("POST "+timings, server.WriteNotify("time-intervals", "write"), s.Old(server.OldTimings, s.createTiming))
	s.Handle("GET "+timings+"/{name}", server.ReadNotify("time-intervals"), s.Old(server.OldTimings, s.getTiming))
	s.Handle("PUT "+timings+"/{name}", server.WriteNotify("time-intervals", "write"), s.Old(server.OldTimings, s.putTiming))
	s.Handle("DELETE "+timings+"/{name}", server.WriteNotify("time-intervals", "delete"), s.Old(server.OldTimings, s.deleteTiming))
}

func (s *api) templateBody(t *store.Template) map[string]any {
	body := map[string]any{"name": t.Name, "template": t.Text}
	if t.Provenance != "" {
		body["provenance"] = t.Provenance
	}
	if s.Cfg.Version.ResourceVersions() {
		body["version"] = store.Fingerprint(t.Text)
	}
	return body
}

// templateRead is a template as it is read: 10.0 hides whose it is (recorded).
func (s *api) templateRead(t *store.Template) map[string]any {
	body := s.templateBody(t)
	if !s.Cfg.Version.ClientErrors() {
		delete(body, "provenance")
	}
	return body
}

func (s *api) listTemplates(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, t := range s.Store.Orgs[c.Who.Org].Alerting.Templates {
		list = append(list, s.templateRead(t))
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["name"].(string) < list[j]["name"].(string) })
	c.JSON(200, list)
}

func (s *api) getTemplate(c *server.Call) {
	s.Store.Mu.RLock()
	t := s.Store.Orgs[c.Who.Org].Alerting.Templates[c.R.PathValue("name")]
	s.Store.Mu.RUnlock()
	if t == nil {
		s.notificationObjectMissing(c, "alerting.notifications.templates.notFound", "template not found")
		return
	}
	c.JSON(200, s.templateRead(t))
}

func (s *api) notificationObjectMissing(c *server.Call, id, message string) {
	if !s.Cfg.Version.ClientErrors() {
		c.Empty(404)
		return
	}
	c.Refuse(refusal.New(404, id, "%s", message))
}

func (s *api) putTemplate(c *server.Call) {
	var sent struct{ Template, Version string }
	if !c.Read(&sent) {
		return
	}
	v := s.Cfg.Version
	t := &store.Template{Org: c.Who.Org, Name: c.R.PathValue("name"), Text: strings.TrimSpace(sent.Template), Provenance: c.Provenance()}
	if !definition.MatchString(t.Text) {
		t.Text = fmt.Sprintf("{{ define \"%s\" }}\n  %s\n{{ end }}", t.Name, strings.ReplaceAll(t.Text, "\n", "\n  "))
	}
	if _, err := templating.Notification(map[string]*store.Template{t.Name: t}, s.Cfg.RootURL()); err != nil || sent.Template == "" {
		id := "alerting.notifications.templates.invalidFormat"
		if !v.ClientErrors() {
			id = ""
		}
		c.Refuse(refusal.New(400, id, "invalid object specification: invalid template: %v", err))
		return
	}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if old := a.Templates[t.Name]; old != nil {
			if refused := server.Guarded(v, old.Provenance, t.Provenance); refused != nil {
				return refused
			}
			if refused := server.Stale(v, sent.Version, store.Fingerprint(old.Text)); refused != nil {
				return refused
			}
		} else if sent.Version != "" && v.ResourceVersions() {
			return refusal.New(404, "alerting.notifications.templates.notFound", "template not found")
		}
		a.Templates[t.Name] = t
		a.Version++
		change.Put(fmt.Sprintf("template/%d/%s", t.Org, t.Name), t)
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.JSON(202, s.templateBody(t))
}

func (s *api) deleteTemplate(c *server.Call) {
	name := c.R.PathValue("name")
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		old := a.Templates[name]
		if old == nil {
			return nil
		}
		if refused := server.Guarded(s.Cfg.Version, old.Provenance, c.Provenance()); refused != nil {
			return refused
		}
		if refused := server.Stale(s.Cfg.Version, c.Query("version"), store.Fingerprint(old.Text)); refused != nil {
			return refused
		}
		delete(a.Templates, name)
		a.Version++
		change.Remove(fmt.Sprintf("template/%d/%s", c.Who.Org, name))
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.W.WriteHeader(204)
}
