package accounts

import (
	"fmt"
	"sort"

	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

func (s *api) orgBody(o *store.Org) map[string]any {
	return map[string]any{"id": o.ID, "name": o.Name}
}

func (s *api) ownOrg(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	body := s.orgBody(s.Store.Orgs[c.Who.Org])
	body["address"] = map[string]any{"address1": "", "address2": "", "city": "", "zipCode": "", "state": "", "country": ""}
	c.JSON(200, body)
}

func (s *api) renameOwnOrg(c *server.Call) {
	var sent struct{ Name string }
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[c.Who.Org]
	o.Name = sent.Name
	var change store.Change
	change.Put(fmt.Sprintf("org/%d", o.ID), map[string]any{"ID": o.ID, "Name": o.Name})
	s.Store.Journal.Commit(&change)
	c.Message(200, "Organization updated")
}

func (s *api) listOrgs(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, o := range s.Store.Orgs {
		list = append(list, s.orgBody(o))
	}
	sort.Slice(list, func(i, j int) bool { return list[i]["id"].(int64) < list[j]["id"].(int64) })
	c.JSON(200, list)
}

func (s *api) createOrg(c *server.Call) {
	var sent struct{ Name string }
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	for _, o := range s.Store.Orgs {
		if o.Name == sent.Name {
			c.Message(409, "Organization name taken")
			return
		}
	}
	var change store.Change
	id := int64(1)
	for s.Store.Orgs[id] != nil {
		id++
	}
	o := s.Store.NewOrg(&change, id, sent.Name)
	if u := s.Store.Users[c.Who.ID]; u != nil && !c.Who.IsRobot {
		next := *u
		next.Roles = map[int64]string{}
		for org, role := range u.Roles {
			next.Roles[org] = role
		}
		next.Roles[o.ID] = "Admin"
		s.Store.Users[u.ID] = &next
		change.Put(fmt.Sprintf("user/%d", u.ID), &next)
	}
	s.Store.Journal.Commit(&change)
	c.JSON(200, map[string]any{"message": "Organization created", "orgId": o.ID})
}

func (s *api) getOrg(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	if o := s.Store.Orgs[c.ID("id")]; o != nil {
		c.JSON(200, s.orgBody(o))
		return
	}
	c.Message(404, "Organization not found")
}

func (s *api) getOrgByName(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	for _, o := range s.Store.Orgs {
		if o.Name == c.R.PathValue("name") {
			c.JSON(200, s.orgBody(o))
			return
		}
	}
	c.Message(404, "Organization not found")
}

func (s *api) deleteOrg(c *server.Call) {
	s.Store.Mu.Lock()
	// pkg/api/org.go.
	// Unconfirmed: that the text for one's own organisation is the same from 12 on; a client's test expects another there.
	o := s.Store.Orgs[c.ID("id")]
	switch {
	case c.ID("id") < 1:
		s.Store.Mu.Unlock()
		c.Message(400, "orgId is invalid")
		return
	case o == nil:
		s.Store.Mu.Unlock()
		c.Message(404, "Failed to delete organization. ID not found")
		return
	case o.ID == c.Who.Org:
		s.Store.Mu.Unlock()
		c.Message(400, "Can not delete org for current user")
		return
	}
	var change store.Change
	change.Remove(fmt.Sprintf("org/%d", o.ID))
	for _, r := range o.Rules {
		change.Remove(store.RuleRecord(r))
	}
	for _, g := range o.Groups {
		change.Remove(store.GroupRecord(g))
	}
	for _, f := range o.Folders {
		change.Remove(store.FolderRecord(f))
	}
	for _, d := range o.Sources {
		change.Remove(store.SourceRecord(d))
	}
	for id := range o.Silences {
		change.Remove(routing.SilenceKey(o.ID, id))
	}
	o.Alerting.RemoveAll(&change, o.ID)
	for _, a := range s.Store.Accounts {
		if a.Org == o.ID {
			s.dropAccount(&change, a)
		}
	}
	delete(s.Store.Orgs, o.ID)
	s.Store.Journal.Commit(&change)
	s.Store.Mu.Unlock()
	c.Message(200, "Organization deleted")
}
