package provisioning

import (
	"fmt"
	"slices"
	"sort"

	"github.com/prometheus/alertmanager/timeinterval"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// SentTiming is a mute timing as it is sent.
type SentTiming struct {
	Name      string                      `json:"name"`
	Version   string                      `json:"version"`
	Intervals []timeinterval.TimeInterval `json:"time_intervals"`
}

func (s *api) timingBody(t *store.Timing) map[string]any {
	body := map[string]any{"name": t.Name, "time_intervals": t.Intervals}
	if t.Provenance != "" {
		body["provenance"] = t.Provenance
	}
	if s.Cfg.Version.ResourceVersions() {
		body["version"] = store.Fingerprint(t.Intervals)
	}
	return body
}

// timingRead is a mute timing as it is read: 10.0 hides whose it is (recorded).
func (s *api) timingRead(t *store.Timing) map[string]any {
	body := s.timingBody(t)
	if !s.Cfg.Version.ClientErrors() {
		delete(body, "provenance")
	}
	return body
}

func (s *api) listTimings(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, t := range s.Store.Orgs[c.Who.Org].Alerting.Timings {
		list = append(list, s.timingRead(t))
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["name"].(string) < list[j]["name"].(string) })
	c.JSON(200, list)
}

func (s *api) timingMissing(c *server.Call) {
	if !s.Cfg.Version.ClientErrors() {
		// Word for word (recorded on 10.0).
		c.Raw(404, []byte("null"))
		return
	}
	s.notificationObjectMissing(c, "alerting.notifications.time-intervals.notFound", "Time interval not found")
}

func (s *api) getTiming(c *server.Call) {
	s.Store.Mu.RLock()
	t := s.Store.Orgs[c.Who.Org].Alerting.Timings[c.R.PathValue("name")]
	s.Store.Mu.RUnlock()
	if t == nil {
		s.timingMissing(c)
		return
	}
	c.JSON(200, s.timingRead(t))
}

func (s *api) createTiming(c *server.Call) {
	var sent SentTiming
	if !c.Read(&sent) {
		return
	}
	v := s.Cfg.Version
	t := &store.Timing{Org: c.Who.Org, Name: sent.Name, Intervals: sent.Intervals, Provenance: c.Provenance()}
	if t.Name == "" {
		c.Refuse(refusal.New(400, id(v, "alerting.notifications.time-intervals.invalidFormat"), "invalid object specification: missing name"))
		return
	}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if a.Timings[t.Name] != nil {
			return refusal.New(400, id(v, "alerting.notifications.time-intervals.nameExists"), "invalid object specification: a mute timing with this name already exists")
		}
		a.PutTiming(change, t)
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.JSON(201, s.timingBody(t))
}

// id leaves an error's name out where the release has none.
func id(v profile.Version, name string) string {
	if v.ClientErrors() {
		return name
	}
	return ""
}

func (s *api) putTiming(c *server.Call) {
	var sent SentTiming
	if !c.Read(&sent) {
		return
	}
	v := s.Cfg.Version
	t := &store.Timing{Org: c.Who.Org, Name: c.R.PathValue("name"), Intervals: sent.Intervals, Provenance: c.Provenance()}
	missing := false
	refused := s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		old := a.Timings[t.Name]
		if old == nil {
			missing = true
			return nil
		}
		if refused := server.Guarded(v, old.Provenance, t.Provenance); refused != nil {
			return refused
		}
		if refused := server.Stale(v, sent.Version, store.Fingerprint(old.Intervals)); refused != nil {
			return refused
		}
		renamed := v.TimingRenames() && sent.Name != "" && sent.Name != t.Name
		if renamed && a.Timings[sent.Name] != nil {
			return refusal.New(400, id(v, "alerting.notifications.time-intervals.nameExists"), "invalid object specification: a mute timing with this name already exists")
		}
		a.PutTiming(change, t)
		if renamed {
			s.Store.RenameTiming(change, o, t.Name, sent.Name)
			t = a.Timings[sent.Name]
		}
		return nil
	})
	switch {
	case refused != nil:
		c.Refuse(refused)
	case missing:
		s.timingMissing(c)
	default:
		c.JSON(202, s.timingBody(t))
	}
}

func (s *api) deleteTiming(c *server.Call) {
	v := s.Cfg.Version
	name := c.R.PathValue("name")
	refused := s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		old := a.Timings[name]
		if old == nil {
			return nil
		}
		usedByRoutes := false
		store.Walk(a.Route, func(r *store.Route) {
			usedByRoutes = usedByRoutes || slices.Contains(r.MuteIntervals, name) || slices.Contains(r.ActiveIntervals, name)
		})
		usedByRules := o.UsedByRules(func(n *store.NotificationSettings) bool {
			return slices.Contains(n.MuteIntervals, name) || slices.Contains(n.ActiveIntervals, name)
		})
		if usedByRoutes || len(usedByRules) > 0 {
			if !v.ClientErrors() {
				return refusal.New(500, "", "mute time '%s' is currently used by a notification policy", name)
			}
			refused := refusal.New(409, "alerting.notifications.time-intervals.used", "Time interval is used by a notification policy or alert rules")
			refused.Extra = map[string]any{"UsedByRoutes": usedByRoutes, "UsedByRules": usedByRules}
			return refused
		}
		if refused := server.Guarded(v, old.Provenance, c.Provenance()); refused != nil {
			return refused
		}
		if refused := server.Stale(v, c.Query("version"), store.Fingerprint(old.Intervals)); refused != nil {
			return refused
		}
		delete(a.Timings, name)
		a.Version++
		change.Remove(fmt.Sprintf("timing/%d/%s", c.Who.Org, name))
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.W.WriteHeader(204)
}
