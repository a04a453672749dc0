package accounts

import (
	"strings"

	"alertwright.testbed/grafana/server"
)

const commit = "double"

func (s *api) health(c *server.Call) {
	status, body := 200, map[string]any{"database": "ok"}
	if s.Faults.DatabaseFails() {
		status, body["database"] = 503, "failing"
	}
	if !s.Cfg.SettingIsTrue("auth.anonymous.hide_version") {
		body["version"], body["commit"] = s.Cfg.Version.Text, commit
		if s.Cfg.Version.HealthEnterprise() {
			body["enterpriseCommit"] = ""
		}
	}
	if s.Cfg.Version.HealthAPIServer() {
		body["apiserver"] = "ok"
	}
	c.JSON(status, body)
}

func (s *api) settings(c *server.Call) {
	toggles := map[string]bool{"topnav": true}
	for _, name := range strings.FieldsFunc(s.Cfg.Setting("feature_toggles.enable", ""), func(r rune) bool { return r == ',' || r == ' ' }) {
		toggles[name] = true
	}
	if s.Cfg.NestedFolders() && s.Cfg.Version.NestedFoldersToggle() {
		toggles["nestedFolders"] = true
	}
	s.Store.Mu.RLock()
	sources := map[string]any{}
	standard := ""
	for _, d := range s.Store.Orgs[c.Who.Org].Sources {
		sources[d.Name] = map[string]any{"id": d.ID, "uid": d.UID, "name": d.Name, "type": d.Type, "isDefault": d.IsDefault, "jsonData": d.JSON}
		if d.IsDefault {
			standard = d.Name
		}
	}
	s.Store.Mu.RUnlock()
	body := map[string]any{
		"appUrl": s.Cfg.RootURL(), "appSubUrl": "", "defaultDatasource": standard, "datasources": sources, "featureToggles": toggles,
		"buildInfo": map[string]any{
			"version": s.Cfg.Version.Text, "commit": commit, "env": "production", "edition": "Open Source", "buildstamp": 0,
			"latestVersion": "", "hasUpdate": false, "hideVersion": false,
		},
		"unifiedAlerting": map[string]any{"minInterval": s.Cfg.MinInterval().String(), "alertStateHistoryBackend": "annotations"},
		"alertingEnabled": false, "unifiedAlertingEnabled": true,
	}
	if s.Cfg.Version.NamespaceInSettings() {
		body["namespace"] = server.NamespaceOf(c.Who.Org)
	}
	c.JSON(200, body)
}
