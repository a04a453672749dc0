package server

import "slices"

// Permission is what a caller needs: a role, and the name of the right for the refusal.
type Permission struct {
	role  string
	right string
}

var (
	Anyone           = Permission{}
	Viewer           = Permission{"Viewer", ""}
	ReadRules        = Permission{"Admin", "alert.provisioning:read"}
	WriteRules       = Permission{"Admin", "alert.provisioning:write"}
	ReadNotify       = Permission{"Admin", "alert.provisioning:read"}
	WriteNotify      = Permission{"Admin", "alert.provisioning:write"}
	Admin            = Permission{"Admin", "org:write"}
	ReadStates       = Permission{"Viewer", "alert.rules:read"}
	ReadFolders      = Permission{"Viewer", "folders:read"}
	EditFolders      = Permission{"Editor", "folders:create"}
	ReadSources      = Permission{"Admin", "datasources:read"}
	EditSources      = Permission{"Admin", "datasources:create"}
	AskSources       = Permission{"Viewer", "datasources:query"}
	ReadAlerts       = Permission{"Viewer", "alert.instances:read"}
	EditAlerts       = Permission{"Editor", "alert.instances:write"}
	ReadConfig       = Permission{"Viewer", "alert.notifications:read"}
	EditConfig       = Permission{"Editor", "alert.notifications:write"}
	Accounts         = Permission{"Admin", "serviceaccounts:write"}
	WriteRuleObjects = Permission{"Editor", "alert.rules:write"}
	SuperAdmin       = Permission{"Super", "users:write"}
)

var Ranks = map[string]int{"": 0, "Viewer": 1, "Editor": 2, "Admin": 3, "Super": 4}

func (i Identity) may(p Permission) bool {
	if p.role == "Super" {
		return i.IsAdmin
	}
	return Ranks[i.Role] >= Ranks[p.role] || slices.Contains(i.Rights, p.right)
}
