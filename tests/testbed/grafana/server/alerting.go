package server

import (
	"fmt"
	"time"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// NamespaceOf is an organisation's namespace in /apis.
func NamespaceOf(org int64) string {
	if org == 1 {
		return "default"
	}
	return fmt.Sprintf("org-%d", org)
}

// raceLost is what the loser of two writers of the alerting configuration gets.
func raceLost(v profile.Version) *refusal.Refused {
	if v.LostRaceIs409() {
		return refusal.New(409, "alerting.notifications.alertmanager.versionConflict", "could not find object using provided id and hash")
	}
	return refusal.New(500, "", "could not find object using provided id and hash")
}

// WriteAlerting runs a write of the alerting configuration as Grafana does: read, work out, and write if it is still the same.
// The function is called with the lock, after the time in which another writer can be faster.
func (s *Server) WriteAlerting(org int64, write func(o *store.Org, a *store.AlertingConfig, c *store.Change) *refusal.Refused) *refusal.Refused {
	s.Store.Mu.RLock()
	before := s.Store.Orgs[org].Alerting.Version
	s.Store.Mu.RUnlock()
	time.Sleep(s.Cfg.RaceWindow)
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[org]
	if o.Alerting.Version != before {
		return raceLost(s.Cfg.Version)
	}
	if o.Alerting.Route == nil {
		return refusal.New(500, "alerting.notification.configMissing", "No alertmanager configuration present in this organization")
	}
	var change store.Change
	refused := write(o, o.Alerting, &change)
	s.Store.Journal.Commit(&change)
	return refused
}

// Guarded refuses a change of the provenance of what is not a rule nor a contact point.
func Guarded(v profile.Version, stored, provenance string) *refusal.Refused {
	if v.PolicyMismatchIs403() && stored != "" && stored != provenance {
		return refusal.New(403, "alerting.notifications.invalidProvenance",
			"Cannot create resource with provenance status '%s', already exists with provenance status '%s'", provenance, stored)
	}
	return nil
}

// Stale refuses a write that names another version than the stored one. None at all is taken.
func Stale(v profile.Version, sent, stored string) *refusal.Refused {
	if v.ResourceVersions() && sent != "" && sent != stored {
		return refusal.New(409, "alerting.notifications.conflict", "Provided version %s of the resource does not match current version %s", sent, stored)
	}
	return nil
}
