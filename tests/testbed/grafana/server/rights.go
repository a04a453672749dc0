package server

import "slices"

// SignedIn is whoever has logged in, with any role or none; the endpoint asks for rights itself.
var SignedIn = Permission{right: "signed in"}

// roleRights are the rights that the roles have, as far as an endpoint asks for one by its name. A role has those of the lower ones.
//
// Source: pkg/services/ngalert/accesscontrol.go, the grants of the fixed roles; pkg/tests/apis/alerting/notifications/receivers/receiver_test.go.
var roleRights = map[string][]string{
	"Viewer": {"alert.rules:read", "alert.notifications:read", "folders:read"},
	"Editor": {
		"alert.rules:create", "alert.rules:write", "alert.rules:delete", "alert.notifications:write", "alert.provisioning.provenance:write",
		"folders:create", "folders:write", "folders:delete",
	},
	"Admin": {
		"alert.notifications.receivers.secrets:read", "alert.notifications.receivers.protected:write", "receivers.permissions:write",
		"alert.provisioning:read", "alert.provisioning:write",
	},
}

// HasAny says whether the caller has one of these rights, by its role or by itself.
func (i Identity) HasAny(rights ...string) bool {
	for _, right := range rights {
		if slices.Contains(i.Rights, right) {
			return true
		}
		for role, all := range roleRights {
			if Ranks[i.Role] >= Ranks[role] && slices.Contains(all, right) {
				return true
			}
		}
	}
	return false
}
