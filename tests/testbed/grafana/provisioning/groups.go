package provisioning

import (
	"encoding/json"
	"time"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

func (s *api) group(c *server.Call) (*store.Org, *store.Group, string, string) {
	folder, name := c.R.PathValue("folder"), c.R.PathValue("group")
	o := s.Store.Orgs[c.Who.Org]
	g := o.Groups[store.GroupKey{Folder: folder, Name: name}]
	if g != nil && len(g.Rules) == 0 {
		g = nil
	}
	return o, g, folder, name
}

func (s *api) groupMissing(c *server.Call) {
	if !s.Cfg.Version.ClientErrors() {
		c.Empty(404)
		return
	}
	c.Refuse(refusal.New(404, "alerting.alert-rule.notFound", "Failed to get alert rule group: rule group not found"))
}

func (s *api) getGroup(c *server.Call) {
	s.Store.Mu.RLock()
	_, g, folder, name := s.group(c)
	if g == nil {
		s.Store.Mu.RUnlock()
		s.groupMissing(c)
		return
	}
	found := store.ProvisionedGroup{Title: name, FolderUID: folder, Interval: g.Interval}
	for _, r := range g.Sorted(s.Cfg.Version.NewUIDsInGroupPut()) {
		found.Rules = append(found.Rules, store.Provisioned(s.Cfg.Version, r, g, false))
	}
	s.Store.Mu.RUnlock()
	c.JSON(200, found)
}

func (s *api) putGroup(c *server.Call) {
	var sent struct {
		store.ProvisionedGroup
		Rules []json.RawMessage `json:"rules"`
	}
	if !c.Read(&sent) {
		return
	}
	group := sent.ProvisionedGroup
	group.FolderUID, group.Title = c.R.PathValue("folder"), c.R.PathValue("group")
	base := int64(s.Cfg.Interval / time.Second)
	if base < 1 {
		base = 1
	}
	if group.Interval <= 0 || group.Interval%base != 0 {
		c.Refuse(refusal.New(400, "", "invalid alert rule: interval (%v) should be non-zero and divided exactly by scheduler interval: %v",
			time.Duration(group.Interval)*time.Second, s.Cfg.Interval))
		return
	}
	for i, raw := range sent.Rules {
		var p store.ProvisionedRule
		if err := json.Unmarshal(raw, &p); err != nil {
			c.Refuse(refusal.New(400, "", "bad request data: rule %d: %v", i, err))
			return
		}
		p.FolderUID, p.RuleGroup = group.FolderUID, group.Title
		if refused := s.Store.CheckSentinel(c.Who.Org, p.UID, group.Title); refused != nil {
			c.Refuse(refused)
			return
		}
		group.Rules = append(group.Rules, p)
	}
	if refused := s.mayPutGroup(c, &group); refused != nil {
		c.Refuse(refused)
		return
	}
	if refused := s.Store.PutGroup(c.Who.Org, &group, c.Provenance()); refused != nil {
		c.Refuse(refused)
		return
	}
	c.JSON(200, group)
}

func (s *api) deleteGroup(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o, g, _, _ := s.group(c)
	if g == nil {
		s.groupMissing(c)
		return
	}
	provenance := c.Provenance()
	for _, r := range g.Rules {
		if refused := store.MayDelete(s.Cfg.Version, r, provenance); refused != nil {
			c.Refuse(refused)
			return
		}
	}
	var change store.Change
	for _, r := range g.Rules {
		o.RemoveRule(r)
		change.Remove(store.RuleRecord(r))
	}
	s.Store.DropGroup(&change, o, g)
	o.RuleGen++
	s.Store.Journal.Commit(&change)
	c.W.WriteHeader(204)
}
