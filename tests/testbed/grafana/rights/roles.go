package rights

import "alertwright.testbed/grafana/profile"

// What the basic roles hold in Grafana without a licence. Everybody may read and query data sources there (pkg/api/accesscontrol.go:
// "all users should be able to query data sources"); folders give View to viewers and Edit to editors when they are made; the rest
// are the fixed roles of pkg/services/ngalert/accesscontrol.go.

const (
	folders   = "folders:*"
	sources   = "datasources:*"
	receivers = "receivers:*"
	// SetProvenance is the right to write what is provisioned.
	SetProvenance = "alert.provisioning.provenance:write"
)

func grants(scope string, actions ...string) Held {
	held := make(Held, 0, len(actions))
	for _, action := range actions {
		held = append(held, Grant{action, scope})
	}
	return held
}

func viewer() Held {
	held := grants(folders, "folders:read", "dashboards:read", "alert.rules:read", "alert.silences:read")
	held = append(held, grants(sources, "datasources:read", "datasources:query", "alert.rules.external:read")...)
	held = append(held, grants(receivers, "alert.notifications.receivers:read", "alert.notifications.receivers:list")...)
	return append(held, grants("", "alert.instances:read", "alert.notifications:read", "alert.notifications.templates:read",
		"alert.notifications.time-intervals:read", "alert.notifications.routes:read", "alert.notifications.inhibition-rules:read")...)
}

func editor() Held {
	held := append(viewer(), grants(folders, "folders:create", "folders:write", "folders:delete", "alert.rules:create", "alert.rules:write",
		"alert.rules:delete", "alert.silences:create", "alert.silences:write")...)
	held = append(held, grants(receivers, "alert.notifications.receivers:write", "alert.notifications.receivers:delete",
		"alert.notifications.receivers:test")...)
	return append(held, grants("", "alert.instances:create", "alert.instances:write", "alert.notifications:write",
		"alert.notifications.receivers:create", "alert.notifications.receivers.test:create", "alert.notifications.templates:write",
		"alert.notifications.templates:delete", "alert.notifications.templates.test:write", "alert.notifications.time-intervals:write",
		"alert.notifications.time-intervals:delete", "alert.notifications.routes:write", "alert.notifications.inhibition-rules:write",
		"alert.notifications.inhibition-rules:delete", SetProvenance)...)
}

func admin() Held {
	held := append(editor(), grants(folders, "folders.permissions:read", "folders.permissions:write")...)
	held = append(held, grants(sources, "datasources:write", "datasources:delete")...)
	held = append(held, grants(receivers, "alert.notifications.receivers.secrets:read", "alert.notifications.receivers.protected:write",
		"receivers.permissions:read", "receivers.permissions:write")...)
	held = append(held, grants("serviceaccounts:*", "serviceaccounts:read", "serviceaccounts:write", "serviceaccounts:delete")...)
	return append(held, grants("", "datasources:create", "serviceaccounts:create", "orgs:read", "orgs:write", "alert.provisioning:read",
		"alert.provisioning:write", "alert.provisioning.secrets:read", "alert.rules.provisioning:read", "alert.rules.provisioning:write",
		"alert.notifications.provisioning:read", "alert.notifications.provisioning:write", "alert.notifications.config-history:read",
		"alert.notifications.config-history:write", "alert.notifications.system-status:read")...)
}

// OfRole is what a basic role holds: Viewer, Editor, Admin, or nothing for another.
func OfRole(role string, v profile.Version) Held {
	var held Held
	switch role {
	case "Viewer":
		held = viewer()
	case "Editor":
		held = editor()
	case "Admin":
		held = admin()
	}
	if v.FineReads() {
		return held
	}
	// Before, there was but one right for all that is provisioned, and no right to set the provenance.
	kept := held[:0]
	for _, g := range held {
		if g.Action != SetProvenance {
			kept = append(kept, g)
		}
	}
	return kept
}

// OfFolder is what the maker of a folder holds in it.
func OfFolder(uid string) Held {
	return grants("folders:uid:"+uid, "folders:read", "folders:write", "folders:delete", "folders:create", "folders.permissions:read",
		"folders.permissions:write", "dashboards:read", "alert.rules:read", "alert.rules:create", "alert.rules:write", "alert.rules:delete",
		"alert.silences:read", "alert.silences:create", "alert.silences:write")
}
