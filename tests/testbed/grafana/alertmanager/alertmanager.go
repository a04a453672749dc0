// Package alertmanager is the Alertmanager's API: silences, alerts, its configuration, tests of contact points.
package alertmanager

import "alertwright.testbed/grafana/server"

// The Alertmanager's API v2, its configuration, and tests of contact points.

func (s *api) routeAlertmanager() {
	const v2, config = "/api/alertmanager/grafana/api/v2", "/api/alertmanager/grafana/config/api/v1"
	s.Handle("GET "+v2+"/silences", server.ReadAlerts, s.WithAlertmanager(s.listSilences))
	s.Handle("POST "+v2+"/silences", server.EditAlerts, s.WithAlertmanager(s.putSilence))
	s.Handle("GET "+v2+"/silence/{id}", server.ReadAlerts, s.WithAlertmanager(s.getSilence))
	s.Handle("DELETE "+v2+"/silence/{id}", server.EditAlerts, s.WithAlertmanager(s.expireSilence))
	s.Handle("GET "+v2+"/alerts", server.ReadAlerts, s.WithAlertmanager(s.listAlerts))
	s.Handle("GET "+v2+"/alerts/groups", server.ReadAlerts, s.WithAlertmanager(s.listAlertGroups))
	s.Handle("GET "+v2+"/status", server.ReadConfig, s.status)
	read := server.ReadConfig
	if s.Cfg.Version.ConfigForAdmins() {
		read = server.Admin
	}
	s.Handle("GET "+config+"/alerts", read, s.getConfig)
	if !s.Cfg.Version.ConfigForAdmins() {
		s.Handle("DELETE "+config+"/alerts", server.EditConfig, s.resetConfig)
	}
	s.Handle("GET "+config+"/receivers", server.ReadConfig, s.WithAlertmanager(s.listReceivers))
	if s.Cfg.Version.ReceiversTest() {
		s.Handle("POST "+config+"/receivers/test", server.EditConfig, s.WithAlertmanager(s.testReceivers))
	}
}
