package accounts

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

func (s *api) accountBody(a *store.ServiceAccount) map[string]any {
	tokens := 0
	for _, t := range s.Store.Tokens {
		if t.Account == a.ID {
			tokens++
		}
	}
	return map[string]any{
		"id": a.ID, "name": a.Name, "login": "sa-" + strings.ToLower(a.Name), "orgId": a.Org, "isDisabled": a.Disabled,
		"role": a.Role, "tokens": tokens, "avatarUrl": "",
	}
}

func (s *api) searchAccounts(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	list := []map[string]any{}
	for _, a := range s.Store.Accounts {
		if a.Org == c.Who.Org && strings.Contains(a.Name, c.Query("query")) {
			list = append(list, s.accountBody(a))
		}
	}
	c.JSON(200, map[string]any{"totalCount": len(list), "serviceAccounts": list, "page": 1, "perPage": 1000})
}

func (s *api) createAccount(c *server.Call) {
	var sent struct {
		Name       string
		Role       string
		IsDisabled bool
	}
	if !c.Read(&sent) {
		return
	}
	if sent.Role == "" {
		sent.Role = "Viewer"
	}
	if sent.Role == "None" {
		sent.Role = ""
	} else if !slices.Contains([]string{"Viewer", "Editor", "Admin"}, sent.Role) {
		c.Message(400, "invalid role value: "+sent.Role)
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	for _, a := range s.Store.Accounts {
		if a.Org == c.Who.Org && a.Name == sent.Name {
			c.Message(400, "service account with name "+sent.Name+" already exists")
			return
		}
	}
	a := &store.ServiceAccount{ID: s.Store.NextID(), Org: c.Who.Org, Name: sent.Name, Role: sent.Role, Disabled: sent.IsDisabled}
	s.Store.Accounts[a.ID] = a
	s.saveAccount(a)
	c.JSON(201, s.accountBody(a))
}

func (s *api) saveAccount(a *store.ServiceAccount) {
	var change store.Change
	change.Put(fmt.Sprintf("account/%d", a.ID), a)
	s.Store.Journal.Commit(&change)
}

// account finds one of the caller's organisation. To be called with the lock.
func (s *api) account(c *server.Call) *store.ServiceAccount {
	if a := s.Store.Accounts[c.ID("id")]; a != nil && a.Org == c.Who.Org {
		return a
	}
	c.Message(404, "service account not found")
	return nil
}

func (s *api) getAccount(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	if a := s.account(c); a != nil {
		c.JSON(200, s.accountBody(a))
	}
}

func (s *api) patchAccount(c *server.Call) {
	var sent struct {
		Name       *string
		Role       *string
		IsDisabled *bool
	}
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	a := s.account(c)
	if a == nil {
		return
	}
	next := *a
	if sent.Name != nil {
		next.Name = *sent.Name
	}
	if sent.Role != nil {
		next.Role = *sent.Role
	}
	if sent.IsDisabled != nil {
		next.Disabled = *sent.IsDisabled
	}
	s.Store.Accounts[a.ID] = &next
	s.saveAccount(&next)
	c.JSON(200, map[string]any{"id": a.ID, "message": "Service account updated", "serviceaccount": s.accountBody(&next)})
}

func (s *api) dropAccount(change *store.Change, a *store.ServiceAccount) {
	for key, t := range s.Store.Tokens {
		if t.Account == a.ID {
			delete(s.Store.Tokens, key)
			change.Remove(fmt.Sprintf("token/%d", t.ID))
		}
	}
	delete(s.Store.Accounts, a.ID)
	change.Remove(fmt.Sprintf("account/%d", a.ID))
}

func (s *api) deleteAccount(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	if a := s.account(c); a != nil {
		var change store.Change
		s.dropAccount(&change, a)
		s.Store.Journal.Commit(&change)
		c.Message(200, "Service account deleted")
	}
}

func (s *api) listTokens(c *server.Call) {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	a := s.account(c)
	if a == nil {
		return
	}
	list := []map[string]any{}
	for _, t := range s.Store.Tokens {
		if t.Account == a.ID {
			list = append(list, map[string]any{"id": t.ID, "name": t.Name, "created": t.Created})
		}
	}
	c.JSON(200, list)
}

func (s *api) createToken(c *server.Call) {
	var sent struct {
		Name          string
		SecondsToLive int64
	}
	if !c.Read(&sent) {
		return
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	a := s.account(c)
	if a == nil {
		return
	}
	for _, t := range s.Store.Tokens {
		if t.Account == a.ID && t.Name == sent.Name {
			c.Message(409, "service account token with given name already exists in the organization")
			return
		}
	}
	t := &store.Token{ID: s.Store.NextID(), Account: a.ID, Name: sent.Name, Key: "glsa_" + store.NewSecret(), Created: time.Now().UTC()}
	if sent.SecondsToLive > 0 {
		t.Expires = t.Created.Add(time.Duration(sent.SecondsToLive) * time.Second)
	}
	s.Store.Tokens[t.Key] = t
	var change store.Change
	change.Put(fmt.Sprintf("token/%d", t.ID), t)
	s.Store.Journal.Commit(&change)
	c.JSON(http.StatusOK, map[string]any{"id": t.ID, "name": t.Name, "key": t.Key})
}

func (s *api) deleteToken(c *server.Call) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	a := s.account(c)
	if a == nil {
		return
	}
	for key, t := range s.Store.Tokens {
		if t.Account == a.ID && t.ID == c.ID("token") {
			delete(s.Store.Tokens, key)
			var change store.Change
			change.Remove(fmt.Sprintf("token/%d", t.ID))
			s.Store.Journal.Commit(&change)
			c.Message(200, "Service account token deleted")
			return
		}
	}
	c.Message(404, "service account token not found")
}
