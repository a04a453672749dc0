package alertmanager

import (
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

func (s *api) status(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	a := s.Store.Orgs[c.Who.Org].Alerting
	c.JSON(200, map[string]any{
		"cluster": map[string]any{"status": "disabled", "peers": []any{}}, "uptime": time.Now().UTC().Format(timeFormat),
		"versionInfo": map[string]string{}, "config": s.configBody(a)["alertmanager_config"],
	})
}

// configBody is the whole configuration as the frontend reads it.
func (s *api) configBody(a *store.AlertingConfig) map[string]any {
	receivers := []map[string]any{}
	for _, name := range a.Receivers() {
		integrations := []map[string]any{}
		for _, i := range a.Of(name) {
			settings := contact.DeepCopy(i.Settings).(map[string]any)
			secure := map[string]bool{}
			for _, path := range contact.Secrets(s.Cfg.Version, i.Type) {
				if object, last := contact.At(settings, path); object != nil && object[last] != nil && object[last] != "" {
					secure[path] = true
					delete(object, last)
				}
			}
			body := map[string]any{
				"uid": i.UID, "name": i.Name, "type": i.Type, "disableResolveMessage": i.Quiet, "settings": settings, "secureFields": secure,
			}
			if i.Provenance != "" {
				body["provenance"] = i.Provenance
			}
			integrations = append(integrations, body)
		}
		receivers = append(receivers, map[string]any{"name": name, "grafana_managed_receiver_configs": integrations})
	}
	files := map[string]string{}
	for name, t := range a.Templates {
		files[name] = t.Text
	}
	intervals := []map[string]any{}
	for _, name := range store.SortedKeys(a.Timings) {
		intervals = append(intervals, map[string]any{"name": name, "time_intervals": a.Timings[name].Intervals})
	}
	route := *store.Reread(a.Route)
	route.Provenance = a.RouteProvenance
	return map[string]any{
		"template_files": files,
		"alertmanager_config": map[string]any{
			"route": &route, "receivers": receivers, "templates": store.SortedKeys(files), "mute_time_intervals": intervals,
		},
	}
}

func (s *api) getConfig(c *server.Call) {
	if s.Cfg.Version.ConfigForAdmins() {
		c.W.Header().Set("Warning", `299 - "this endpoint is deprecated"`)
	}
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	c.JSON(200, s.configBody(s.Store.Orgs[c.Who.Org].Alerting))
}

func (s *api) resetConfig(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	var change store.Change
	o.Alerting.RemoveAll(&change, o.ID)
	version := o.Alerting.Version
	o.Alerting = store.NewAlertingConfig()
	o.Alerting.Version = version + 1
	o.Alerting.SetDefaults(&change, o.ID, s.Cfg.Version, s.Store.NextID)
	s.Store.Journal.Commit(&change)
	c.Message(202, "configuration deleted; the default is applied")
}

func (s *api) listReceivers(c *server.Call, am *routing.Alertmanager) {
	am.Mu.RLock()
	byName := map[string][]map[string]any{}
	for _, key := range store.SortedKeys(am.Deliveries) {
		d := am.Deliveries[key]
		d.Mu.Lock()
		byName[d.Receiver] = append(byName[d.Receiver], map[string]any{
			"name": d.Name, "sendResolved": d.Resolved, "lastNotifyAttempt": d.At, "lastNotifyAttemptDuration": model.Duration(d.Took.Truncate(time.Millisecond)).String(),
			"lastNotifyAttemptError": d.Err,
		})
		d.Mu.Unlock()
	}
	am.Mu.RUnlock()
	s.Store.Mu.RLock()
	a := s.Store.Orgs[c.Who.Org].Alerting
	list := []map[string]any{}
	for _, name := range a.Receivers() {
		integrations := byName[name]
		if integrations == nil {
			integrations = []map[string]any{}
		}
		list = append(list, map[string]any{"name": name, "active": a.UsedByRoute(name), "integrations": integrations})
	}
	s.Store.Mu.RUnlock()
	c.JSON(200, list)
}
