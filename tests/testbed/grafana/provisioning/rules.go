// Package provisioning is /api/v1/provisioning: rules, groups, contact points, policies, templates, mute timings.
package provisioning

import (
	"sort"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// The provisioning API of alert rules: /api/v1/provisioning/alert-rules and /folder/{folder}/rule-groups/{group}.

func (s *api) routeRules() {
	const rules, groups = "/api/v1/provisioning/alert-rules", "/api/v1/provisioning/folder/{folder}/rule-groups/{group}"
	s.Handle("GET "+rules, server.ReadRules, s.Old(server.OldRules, s.listRules))
	s.Handle("POST "+rules, server.CreateRules, s.Old(server.OldRules, s.createRule))
	s.Handle("GET "+rules+"/{uid}", server.ReadRules, s.Old(server.OldRules, s.getRule))
	s.Handle("PUT "+rules+"/{uid}", server.UpdateRules, s.Old(server.OldRules, s.updateRule))
	s.Handle("DELETE "+rules+"/{uid}", server.DeleteRules, s.Old(server.OldRules, s.deleteRule))
	s.Handle("GET "+groups, server.ReadGroup, s.Old(server.OldRules, s.getGroup))
	s.Handle("PUT "+groups, server.PutGroup, s.Old(server.OldRules, s.putGroup))
	if s.Cfg.Version.DeleteGroup() {
		s.Handle("DELETE "+groups, server.DeleteGroup, s.Old(server.OldRules, s.deleteGroup))
	}
}

func (s *api) listRules(c *server.Call) {
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	list := make([]store.ProvisionedRule, 0, len(o.Rules))
	everywhere := readsAll(c)
	for _, r := range o.Rules {
		if !everywhere && !c.Who.MayReadRules(o, r.Folder) {
			continue
		}
		list = append(list, store.Provisioned(s.Cfg.Version, r, o.Groups[store.GroupKey{Folder: r.Folder, Name: r.Group}], s.Cfg.Version.ProvenanceInList()))
	}
	s.Store.Mu.RUnlock()
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	c.JSON(200, list)
}

func (s *api) getRule(c *server.Call) {
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	r := o.Rules[c.R.PathValue("uid")]
	if r == nil {
		s.Store.Mu.RUnlock()
		c.Empty(404)
		return
	}
	if !readsAll(c) && !c.Who.MayReadRules(o, r.Folder) {
		s.Store.Mu.RUnlock()
		c.Refuse(server.Unauthorized("access rule group"))
		return
	}
	p := store.Provisioned(s.Cfg.Version, r, o.Groups[store.GroupKey{Folder: r.Folder, Name: r.Group}], true)
	s.Store.Mu.RUnlock()
	c.JSON(200, p)
}

func (s *api) createRule(c *server.Call) {
	var sent store.ProvisionedRule
	if !c.Read(&sent) {
		return
	}
	rule, refused := s.Store.ToRule(&sent, c.Who.Org)
	if refused == nil {
		refused = s.Store.CheckSentinel(c.Who.Org, sent.UID, sent.RuleGroup)
	}
	if refused == nil {
		refused = s.mayChangeRules(c, "create", rule)
	}
	if refused == nil {
		rule, refused = s.Store.CreateRule(rule, c.Provenance())
	}
	if refused != nil {
		c.Refuse(refused)
		return
	}
	s.Store.Mu.RLock()
	p := store.Provisioned(s.Cfg.Version, rule, nil, true)
	s.Store.Mu.RUnlock()
	c.JSON(201, p)
}

func (s *api) updateRule(c *server.Call) {
	var sent store.ProvisionedRule
	if !c.Read(&sent) {
		return
	}
	uid := c.R.PathValue("uid")
	sent.UID = uid
	s.Store.Mu.RLock()
	old := s.Store.Orgs[c.Who.Org].Rules[uid]
	s.Store.Mu.RUnlock()
	if old == nil {
		c.Empty(404)
		return
	}
	rule, refused := s.Store.ToRule(&sent, c.Who.Org)
	if refused == nil {
		refused = s.Store.CheckSentinel(c.Who.Org, uid, sent.RuleGroup)
	}
	if refused == nil {
		refused = s.mayChangeRules(c, "update", old, rule)
	}
	if refused == nil {
		rule, refused = s.Store.UpdateRule(rule, c.Provenance())
	}
	if refused != nil {
		if refused.Status == 404 {
			c.Empty(404)
			return
		}
		c.Refuse(refused)
		return
	}
	c.JSON(200, store.Provisioned(s.Cfg.Version, rule, nil, true))
}

func (s *api) deleteRule(c *server.Call) {
	s.Store.Mu.RLock()
	old := s.Store.Orgs[c.Who.Org].Rules[c.R.PathValue("uid")]
	s.Store.Mu.RUnlock()
	if old != nil {
		if refused := s.mayChangeRules(c, "delete", old); refused != nil {
			c.Refuse(refused)
			return
		}
	}
	if refused := s.Store.DeleteRule(c.Who.Org, c.R.PathValue("uid"), c.Provenance()); refused != nil {
		c.Refuse(refused)
		return
	}
	c.W.WriteHeader(204)
}
