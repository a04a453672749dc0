package server

import (
	"sync"

	"github.com/prometheus/alertmanager/silence"

	"alertwright.testbed/grafana/engine/routing"
)

// What may be wrong with an Alertmanager.
const (
	// AlertmanagerReady is that nothing is.
	AlertmanagerReady = "ready"
	// AlertmanagerNotReady is how it is while its first configuration is being taken up.
	AlertmanagerNotReady = "notReady"
	// AlertmanagerMissing is how it is before an organisation's Alertmanager has been made.
	AlertmanagerMissing = "missing"
	// AlertmanagerFailing is any other failure.
	AlertmanagerFailing = "failing"
	// AlertmanagerUnavailable is what a proxy or a remote Alertmanager makes of it.
	AlertmanagerUnavailable = "unavailable"
)

// Faults are those that a test asks for; the zero value has none.
type Faults struct {
	mu           sync.RWMutex
	alertmanager string
	database     bool
}

// SetDatabase makes the database fail, or work again.
func (f *Faults) SetDatabase(fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.database = fails
}

// DatabaseFails says whether it does.
func (f *Faults) DatabaseFails() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.database
}

// SetAlertmanager makes the Alertmanagers of all organisations have a fault.
func (f *Faults) SetAlertmanager(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alertmanager = state
}

// Alertmanager is what is wrong with it.
func (f *Faults) Alertmanager() string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.alertmanager == "" {
		return AlertmanagerReady
	}
	return f.alertmanager
}

// WithAlertmanager finds the caller's Alertmanager. What is answered where there is none, or it isn't ready, is what AlertmanagerFor in
// pkg/services/ngalert/api/api_alertmanager.go makes of it.
func (s *Server) WithAlertmanager(handler func(c *Call, am *routing.Alertmanager)) Handler {
	return func(c *Call) {
		switch s.Faults.Alertmanager() {
		case AlertmanagerNotReady:
			c.Message(409, "Alertmanager is not ready yet")
			return
		case AlertmanagerMissing:
			c.Message(404, "Alertmanager does not exist for this organization")
			return
		case AlertmanagerFailing:
			c.Message(500, "unable to obtain org's Alertmanager")
			return
		case AlertmanagerUnavailable:
			c.Message(503, "Service Unavailable")
			return
		}
		s.Store.Mu.RLock()
		missing := s.Store.Orgs[c.Who.Org].Alerting.Route == nil
		s.Store.Mu.RUnlock()
		if missing {
			c.Message(404, "Alertmanager does not exist for this organization")
			return
		}
		found, err := s.Orgs.Of(c.Who.Org)
		if err != nil {
			c.Message(500, "unable to obtain org's Alertmanager")
			return
		}
		handler(c, found.Am)
	}
}

// SilencesOf are the silences that a read shows: those of the Alertmanager, or an older state's.
func (s *Server) SilencesOf(am *routing.Alertmanager) (*silence.Silences, error) {
	if s.IsView {
		return routing.SilencesOf(s.Store, am.Org, s.Log)
	}
	return am.Silences, nil
}
