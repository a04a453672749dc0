// Package accounts answers for organisations, users and service accounts, and says how the server is.
package accounts

import "alertwright.testbed/grafana/server"

// Health, settings, organisations, users, service accounts.

func (s *api) routeAdmin() {
	s.Handle("GET /api/health", server.Anyone, s.health)
	s.Handle("GET /healthz", server.Anyone, func(c *server.Call) { c.Raw(200, []byte("Ok")) })
	s.Handle("GET /api/login/ping", server.Viewer, func(c *server.Call) { c.JSON(200, map[string]any{"message": "Logged in"}) })
	s.Handle("GET /metrics", server.Anyone, func(c *server.Call) { c.Raw(200, nil) })
	s.Handle("GET /api/frontend/settings", server.Viewer, s.settings)
	s.Handle("GET /api/user", server.Viewer, s.ownUser)
	s.Handle("GET /api/org", server.Viewer, s.ownOrg)
	s.Handle("PUT /api/org", server.Admin, s.renameOwnOrg)
	s.Handle("GET /api/orgs", server.SuperAdmin, s.listOrgs)
	s.Handle("POST /api/orgs", server.SuperAdmin, s.createOrg)
	s.Handle("GET /api/orgs/{id}", server.SuperAdmin, s.getOrg)
	s.Handle("GET /api/orgs/name/{name}", server.SuperAdmin, s.getOrgByName)
	s.Handle("DELETE /api/orgs/{id}", server.SuperAdmin, s.deleteOrg)
	s.Handle("POST /api/orgs/{id}/users", server.SuperAdmin, s.addOrgUser)
	s.Handle("POST /api/user/using/{id}", server.Viewer, s.useOrg)
	s.Handle("GET /api/users", server.SuperAdmin, s.listUsers)
	s.Handle("GET /api/users/lookup", server.SuperAdmin, s.lookUpUser)
	s.Handle("POST /api/admin/users", server.SuperAdmin, s.createUser)
	s.Handle("DELETE /api/admin/users/{id}", server.SuperAdmin, s.deleteUser)
	s.Handle("GET /api/serviceaccounts/search", server.Accounts, s.searchAccounts)
	s.Handle("POST /api/serviceaccounts", server.Accounts, s.createAccount)
	s.Handle("GET /api/serviceaccounts/{id}", server.Accounts, s.getAccount)
	s.Handle("PATCH /api/serviceaccounts/{id}", server.Accounts, s.patchAccount)
	s.Handle("DELETE /api/serviceaccounts/{id}", server.Accounts, s.deleteAccount)
	s.Handle("GET /api/serviceaccounts/{id}/tokens", server.Accounts, s.listTokens)
	s.Handle("POST /api/serviceaccounts/{id}/tokens", server.Accounts, s.createToken)
	s.Handle("DELETE /api/serviceaccounts/{id}/tokens/{token}", server.Accounts, s.deleteToken)
	s.Handle("GET /api/library-elements", server.Viewer, func(c *server.Call) {
		page, size := c.Number("page", 1), c.Number("perPage", 100)
		c.JSON(200, map[string]any{"result": map[string]any{"totalCount": 0, "elements": []any{}, "page": page, "perPage": size}})
	})
	s.Handle("GET /api/access-control/user/permissions", server.Viewer, s.ownPermissions)
}
