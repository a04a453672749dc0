package accounts

import (
	"slices"

	"alertwright.testbed/grafana/rights"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// role is a list of rights. It is forgotten with a restart; the rights that accounts got by it aren't.
type role struct {
	org    int64
	rights rights.Held
}

// Single rights of service accounts, which only Grafana Enterprise can give.
//
// Source: documentation, "Role-based access control API".

func (s *api) routeRights() {
	if s.Cfg.Setting("enterprise.license_path", "") == "" {
		return
	}
	s.Handle("POST /api/access-control/roles", server.Admin, s.createRole)
	s.Handle("POST /api/access-control/users/{id}/roles", server.Accounts, s.addRole)
}

// ownPermissions says what whoever asks holds, by actions. A right that counts for the whole organisation has one empty scope.
//
// Source: pkg/services/accesscontrol/api, getUserPermissions; GroupScopesByAction of pkg/services/accesscontrol.
func (s *api) ownPermissions(c *server.Call) {
	held := map[string][]string{}
	for _, grant := range c.Who.Held {
		held[grant.Action] = append(held[grant.Action], grant.Scope)
	}
	c.JSON(200, held)
}

func (s *api) createRole(c *server.Call) {
	var sent struct {
		UID         string         `json:"uid"`
		Name        string         `json:"name"`
		Permissions []rights.Grant `json:"permissions"`
	}
	if !c.Read(&sent) {
		return
	}
	if sent.UID == "" {
		sent.UID = store.NewUID()
	}
	made := role{c.Who.Org, sent.Permissions}
	s.Store.Mu.Lock()
	s.roles[sent.UID] = made
	s.Store.Mu.Unlock()
	c.JSON(201, map[string]any{"uid": sent.UID, "name": sent.Name, "version": 1, "permissions": sent.Permissions})
}

func (s *api) addRole(c *server.Call) {
	var sent struct {
		RoleUID string `json:"roleUid"`
	}
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	given, known := s.roles[sent.RoleUID]
	if !known || given.org != c.Who.Org {
		c.Message(404, "role not found")
		return
	}
	account := s.account(c)
	if account == nil {
		return
	}
	next := *account
	next.Rights = append(slices.Clone(account.Rights), given.rights...)
	s.Store.Accounts[next.ID] = &next
	s.saveAccount(&next)
	c.Message(200, "Role added to the user.")
}
