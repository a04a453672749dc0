package server

import (
	"slices"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// Unauthorized refuses who may not do something with alerting (pkg/services/ngalert/accesscontrol/models.go).
func Unauthorized(action string) *refusal.Refused {
	return refusal.New(403, "alerting.unauthorized", "user is not authorized to %s", action)
}

// The names of rights to change rules, by what is done.
var ruleRights = map[string]string{"create": "alert.rules:create", "update": "alert.rules:write", "delete": "alert.rules:delete"}

// MayChangeRules says whether a caller may create, update or delete these rules by rights on their folders: it has to see them, to have the
// right in each folder, and to be allowed to query each data source that a rule names (pkg/services/ngalert/accesscontrol/rules.go).
func (s *Server) MayChangeRules(who Identity, what string, rules ...*store.Rule) *refusal.Refused {
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[who.Org]
	for _, r := range rules {
		if !who.MayReadRules(o, r.Folder) {
			return Unauthorized("access rule group")
		}
		if !who.HasIn(o, r.Folder, ruleRights[what]) {
			return Unauthorized(what + " alert rules that belong to folder " + r.Folder)
		}
		denied := slices.ContainsFunc(r.Data, func(q store.Query) bool {
			return !store.IsExpression(q.DatasourceUID) && !who.Has("datasources:query", "datasources:uid:"+q.DatasourceUID)
		})
		if denied {
			return Unauthorized(what + " rule '" + r.Title + "' because the user does not have read permissions for one or many datasources the rule uses")
		}
	}
	return nil
}
