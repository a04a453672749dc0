package alertmanager

import (
	"github.com/prometheus/alertmanager/silence/silencepb"

	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
)

// maySilence says whether the caller may do something with a silence: read, create or write. The rights alert.instances count for all
// silences, alert.silences for those of rules in a folder (pkg/services/ngalert/accesscontrol/silences.go, from 11.1 on).
func (s *api) maySilence(c *server.Call, what string, sil *silencepb.Silence) bool {
	if c.Who.Has("alert.instances:" + what) {
		return true
	}
	if !s.Cfg.Version.RuleScopedSilences() {
		return false
	}
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	o := s.Store.Orgs[c.Who.Org]
	r := o.Rules[scopeOf(sil)]
	return r != nil && c.Who.HasIn(o, r.Folder, "alert.silences:"+what)
}

func (s *api) unauthorized(what string) *refusal.Refused {
	id := "alerting.unauthorized"
	if !s.Cfg.Version.ClientErrors() {
		id = ""
	}
	return refusal.New(403, id, "user is not authorized to %s silences", what)
}
