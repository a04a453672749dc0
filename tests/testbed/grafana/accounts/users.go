package accounts

import (
	"fmt"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

func (s *api) ownUser(c *server.Call) {
	c.JSON(200, map[string]any{
		"id": c.Who.ID, "login": c.Who.Login, "name": c.Who.Name, "email": "", "orgId": c.Who.Org, "isGrafanaAdmin": c.Who.IsAdmin,
		"isDisabled": false, "isExternal": false, "theme": "", "authLabels": []string{},
	})
}

func (s *api) addOrgUser(c *server.Call) {
	var sent struct {
		LoginOrEmail string
		Role         string
	}
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	for _, u := range s.Store.Users {
		if u.Login == sent.LoginOrEmail || u.Email == sent.LoginOrEmail {
			s.setRole(u, c.ID("id"), sent.Role)
			c.JSON(200, map[string]any{"message": "User added to organization", "userId": u.ID})
			return
		}
	}
	c.Message(404, "User not found")
}

func (s *api) setRole(u *store.User, org int64, role string) {
	next := *u
	next.Roles = map[int64]string{org: role}
	for id, had := range u.Roles {
		if id != org {
			next.Roles[id] = had
		}
	}
	s.Store.Users[u.ID] = &next
	var change store.Change
	change.Put(fmt.Sprintf("user/%d", u.ID), &next)
	s.Store.Journal.Commit(&change)
}

func (s *api) useOrg(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	u := s.Store.Users[c.Who.ID]
	if u == nil || c.Who.IsRobot || u.Roles[c.ID("id")] == "" {
		c.Message(401, "Not a valid organization")
		return
	}
	next := *u
	next.Org = c.ID("id")
	s.Store.Users[u.ID] = &next
	var change store.Change
	change.Put(fmt.Sprintf("user/%d", u.ID), &next)
	s.Store.Journal.Commit(&change)
	c.Message(200, "Active organization changed")
}

func (s *api) userBody(u *store.User) map[string]any {
	return map[string]any{"id": u.ID, "login": u.Login, "name": u.Name, "email": u.Email, "orgId": u.Org, "isGrafanaAdmin": u.IsAdmin, "isAdmin": u.IsAdmin, "isDisabled": false}
}

func (s *api) listUsers(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, u := range s.Store.Users {
		list = append(list, s.userBody(u))
	}
	c.JSON(200, list)
}

func (s *api) lookUpUser(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	for _, u := range s.Store.Users {
		if wanted := c.Query("loginOrEmail"); u.Login == wanted || u.Email == wanted {
			c.JSON(200, s.userBody(u))
			return
		}
	}
	c.Message(404, "user not found")
}

func (s *api) createUser(c *server.Call) {
	var sent struct {
		Name, Login, Email, Password string
		OrgID                        int64 `json:"OrgId"`
	}
	if !c.Read(&sent) {
		return
	}
	if sent.Login == "" {
		sent.Login = sent.Email
	}
	if sent.OrgID == 0 {
		sent.OrgID = 1
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	for _, u := range s.Store.Users {
		if u.Login == sent.Login {
			c.Message(412, fmt.Sprintf("User with email '%s' or username '%s' already exists", sent.Email, sent.Login))
			return
		}
	}
	u := &store.User{
		ID: s.Store.NextID(), Login: sent.Login, Name: sent.Name, Email: sent.Email, Password: sent.Password, Org: sent.OrgID,
		Roles: map[int64]string{sent.OrgID: "Viewer"},
	}
	s.Store.Users[u.ID] = u
	var change store.Change
	change.Put(fmt.Sprintf("user/%d", u.ID), u)
	s.Store.Journal.Commit(&change)
	c.JSON(200, map[string]any{"message": "User created", "id": u.ID})
}

func (s *api) deleteUser(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	delete(s.Store.Users, c.ID("id"))
	var change store.Change
	change.Remove(fmt.Sprintf("user/%d", c.ID("id")))
	s.Store.Journal.Commit(&change)
	c.Message(200, "User deleted")
}
