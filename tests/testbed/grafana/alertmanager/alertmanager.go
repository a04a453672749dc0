// Package alertmanager is the Alertmanager's API: silences, alerts, its configuration, tests of contact points.
package alertmanager

import "alertwright.testbed/grafana/server"

// The Alertmanager's API v2, its configuration, and tests of contact points.

func (s *api) routeAlertmanager() {
	const v2, config = "/api/alertmanager/grafana/api/v2", "/api/alertmanager/grafana/config/api/v1"
	s.Handle("GET "+v2+"/silences", server.ReadSilences, s.WithAlertmanager(s.listSilences))
	s.Handle("POST "+v2+"/silences", server.WriteSilences, s.WithAlertmanager(s.putSilence))
	s.Handle("GET "+v2+"/silence/{id}", server.ReadSilences, s.WithAlertmanager(s.getSilence))
	s.Handle("DELETE "+v2+"/silence/{id}", server.ExpireSilences, s.WithAlertmanager(s.expireSilence))
	s.Handle("GET "+v2+"/alerts", server.ReadInstances, s.WithAlertmanager(s.listAlerts))
	s.Handle("GET "+v2+"/alerts/groups", server.ReadInstances, s.WithAlertmanager(s.listAlertGroups))
	status, history := server.ReadConfig, server.ReadConfig
	if s.Cfg.Version.ConfigForAdmins() {
		history = server.ConfigHistory
	}
	if s.Cfg.Version.StatusRight() {
		status = server.SystemStatus
	}
	s.Handle("GET "+v2+"/status", status, s.status)
	s.Handle("GET "+config+"/alerts", history, s.getConfig)
	if !s.Cfg.Version.ConfigForAdmins() {
		s.Handle("DELETE "+config+"/alerts", server.EditConfig, s.resetConfig)
	}
	s.Handle("GET "+config+"/receivers", server.ReadReceivers, s.WithAlertmanager(s.listReceivers))
	if s.Cfg.Version.ReceiversTest() {
		s.Handle("POST "+config+"/receivers/test", server.TestReceivers, s.WithAlertmanager(s.testReceivers))
	}
}
