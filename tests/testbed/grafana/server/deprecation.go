package server

import (
	"fmt"
	"net/http"

	"alertwright.testbed/grafana/refusal"
)

// Deprecation is what a release says of an endpoint that it deprecates.
type Deprecation struct {
	// Since is the date that the header names.
	Since string
	// Replacement is the kind in /apis that takes its place: group/version/plural.
	Group, Plural string
}

// What replaces the provisioning API. The headers' names and the date of the notifications are from #121995; exports have none.
// Unconfirmed: the date in the headers of rules, and the exact texts of Warning and X-API-Replacement.
var (
	OldRules     = Deprecation{"2026-03-18", "rules.alerting.grafana.app/v0alpha1", "alertrules"}
	OldReceivers = Deprecation{"2026-04-07", "notifications.alerting.grafana.app/v1beta1", "receivers"}
	OldPolicies  = Deprecation{"2026-04-07", "notifications.alerting.grafana.app/v1beta1", "routingtrees"}
	OldTemplates = Deprecation{"2026-04-07", "notifications.alerting.grafana.app/v1beta1", "templategroups"}
	OldTimings   = Deprecation{"2026-04-07", "notifications.alerting.grafana.app/v1beta1", "timeintervals"}
)

// withConfiguration refuses while an organisation has no alerting configuration. Of 10.0 it was recorded that the policies are 404 then.
// Unconfirmed: what the others were in 10.0, and the release that began with the message id.
func (s *Server) withConfiguration(handler Handler) Handler {
	return func(c *Call) {
		s.Store.Mu.RLock()
		missing := s.Store.Orgs[c.Who.Org].Alerting.Route == nil
		s.Store.Mu.RUnlock()
		if !missing {
			handler(c)
			return
		}
		if s.Cfg.Version.ClientErrors() {
			c.Refuse(refusal.New(500, "alerting.notification.configMissing", "No alertmanager configuration present in this organization"))
			return
		}
		status := 500
		if c.R.Method == http.MethodGet && c.R.URL.Path == "/api/v1/provisioning/policies" {
			status = 404
		}
		c.Refuse(refusal.New(status, "", "could not find an Alertmanager configuration"))
	}
}

// Old adds the headers of deprecation where the release has them.
func (s *Server) Old(d Deprecation, handler Handler) Handler {
	told := s.Cfg.Version.RuleDeprecation()
	if d != OldRules {
		told = s.Cfg.Version.NotificationDeprecation()
		handler = s.withConfiguration(handler)
	}
	if !told {
		return handler
	}
	return func(c *Call) {
		replacement := fmt.Sprintf("/apis/%s/namespaces/%s/%s", d.Group, NamespaceOf(c.Who.Org), d.Plural)
		header := c.W.Header()
		header.Set("Warning", fmt.Sprintf(`299 - "This API is deprecated. Use %s instead."`, replacement))
		header.Set("X-API-Deprecation-Date", d.Since)
		header.Set("X-API-Replacement", replacement)
		handler(c)
	}
}
