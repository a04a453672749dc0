package provisioning

import (
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The provisioning API of notification policies: one tree for each organisation.

const policies = "/api/v1/provisioning/policies"

func (s *api) routePolicies() {
	s.Handle("GET "+policies, server.ReadNotify("routes"), s.Old(server.OldPolicies, s.getPolicies))
	s.Handle("PUT "+policies, server.WriteNotify("routes", "write"), s.Old(server.OldPolicies, s.putPolicies))
	s.Handle("DELETE "+policies, server.WriteNotify("routes", "write"), s.Old(server.OldPolicies, s.resetPolicies))
}

func (s *api) getPolicies(c *server.Call) {
	s.Store.Mu.RLock()
	a := s.Store.Orgs[c.Who.Org].Alerting
	route := *store.Reread(a.Route)
	route.Provenance = a.RouteProvenance
	s.Store.Mu.RUnlock()
	c.JSON(200, &route)
}

func (s *api) putPolicies(c *server.Call) {
	root := &store.Route{}
	if !c.Read(root) {
		return
	}
	v := s.Cfg.Version
	root.Provenance = ""
	if !v.ActiveIntervals() {
		store.Walk(root, func(r *store.Route) { r.ActiveIntervals = nil })
	}
	provenance := c.Provenance()
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if err := store.CheckRoute(v, a, root); err != nil {
			if v.RoutesInvalidFormat() {
				return refusal.New(400, "alerting.notifications.routes.invalidFormat", "Invalid format of the submitted route: %v", err)
			}
			return refusal.New(400, "", "invalid object specification: %v", err)
		}
		if refused := server.Guarded(v, a.RouteProvenance, provenance); refused != nil {
			return refused
		}
		a.SetRoute(change, c.Who.Org, root, provenance)
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.Message(202, "policies updated")
}

func (s *api) resetPolicies(c *server.Call) {
	refused := s.WriteAlerting(c.Who.Org, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) *refusal.Refused {
		if s.Cfg.Version.NotificationDeprecation() {
			if refused := server.Guarded(s.Cfg.Version, a.RouteProvenance, c.Provenance()); refused != nil {
				return refused
			}
		}
		a.ResetRoute(change, c.Who.Org, s.Cfg.Version, s.Store.NextID)
		return nil
	})
	if refused != nil {
		c.Refuse(refused)
		return
	}
	c.JSON(202, store.DefaultRoute(s.Cfg.Version))
}
