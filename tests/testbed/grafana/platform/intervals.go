package platform

import (
	"encoding/json"
	"fmt"
	"slices"

	"alertwright.testbed/grafana/provisioning"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Time intervals.

func (s *api) timingObjects(c *server.Call) []object {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []object{}
	for _, t := range s.Store.Orgs[c.Who.Org].Alerting.Timings {
		spec := map[string]any{"name": t.Name, "time_intervals": t.Intervals}
		list = append(list, object{
			Metadata: metadata{Name: nameOf(t.Name), UID: nameOf(t.Name), Annotations: notes(t.Provenance), ResourceVersion: store.Fingerprint(t.Intervals)}, Spec: mustJSON(spec),
		})
	}
	return list
}

func (s *api) putTimingObject(c *server.Call, sent, old *object) (string, *refusal.Refused) {
	var spec provisioning.SentTiming
	if err := json.Unmarshal(sent.Spec, &spec); err != nil {
		return "", badSpec("alerting.notifications.time-intervals.invalidFormat", err)
	}
	t := &store.Timing{Org: c.Who.Org, Name: spec.Name, Intervals: spec.Intervals, Provenance: provenanceOf(sent)}
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if a.Timings[t.Name] != nil && (old == nil || old.Metadata.Name != nameOf(t.Name)) {
			return refusal.New(409, "alerting.notifications.time-intervals.nameExists", "Time interval with this name already exists")
		}
		a.PutTiming(change, t)
		return nil
	})
	return nameOf(t.Name), refused
}

func (s *api) removeTimingObject(c *server.Call, old *object) *refusal.Refused {
	return s.WriteAlerting(c.Who.Org, func(o *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		for name := range a.Timings {
			if nameOf(name) != old.Metadata.Name {
				continue
			}
			used := false
			store.Walk(a.Route, func(r *store.Route) {
				used = used || slices.Contains(r.MuteIntervals, name) || slices.Contains(r.ActiveIntervals, name)
			})
			if used {
				return refusal.New(409, "alerting.notifications.time-intervals.used", "Time interval is used by a notification policy or alert rules")
			}
			delete(a.Timings, name)
			a.Version++
			change.Remove(fmt.Sprintf("timing/%d/%s", c.Who.Org, name))
		}
		return nil
	})
}
