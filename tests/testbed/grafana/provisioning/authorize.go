package provisioning

import (
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// Who may write all that is provisioned isn't asked further. Who writes rules by rights on folders needs them in each folder that is touched.

func readsAll(c *server.Call) bool {
	return c.Who.HasAny("alert.provisioning:read", "alert.provisioning.secrets:read", "alert.rules.provisioning:read")
}

func writesAll(c *server.Call) bool {
	return c.Who.HasAny("alert.provisioning:write", "alert.rules.provisioning:write")
}

// mayChangeRules says whether the caller may create, update or delete these rules.
func (s *api) mayChangeRules(c *server.Call, what string, rules ...*store.Rule) *refusal.Refused {
	if writesAll(c) {
		return nil
	}
	return s.MayChangeRules(c.Who, what, rules...)
}

// mayPutGroup says whether the caller may do all that the PUT of a group comes to.
func (s *api) mayPutGroup(c *server.Call, group *store.ProvisionedGroup) *refusal.Refused {
	if writesAll(c) || len(group.Rules) == 0 {
		return nil
	}
	var created, updated, deleted []*store.Rule
	wanted := map[string]bool{}
	s.Store.Mu.RLock()
	o := s.Store.Orgs[c.Who.Org]
	for _, p := range group.Rules {
		r := &store.Rule{Folder: group.FolderUID, Title: p.Title, Data: p.Data}
		if old := o.Rules[p.UID]; old != nil {
			wanted[p.UID] = true
			updated = append(updated, old, r)
		} else {
			created = append(created, r)
		}
	}
	if g := o.Groups[store.GroupKey{Folder: group.FolderUID, Name: group.Title}]; g != nil {
		for uid, r := range g.Rules {
			if !wanted[uid] {
				deleted = append(deleted, r)
			}
		}
	}
	s.Store.Mu.RUnlock()
	refused := s.mayChangeRules(c, "delete", deleted...)
	if refused == nil {
		refused = s.mayChangeRules(c, "update", updated...)
	}
	if refused == nil {
		refused = s.mayChangeRules(c, "create", created...)
	}
	return refused
}
