package server

import "fmt"

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

// Old adds the headers of deprecation where the release has them.
func (s *Server) Old(d Deprecation, handler Handler) Handler {
	told := s.Cfg.Version.NotificationDeprecation()
	if d == OldRules {
		told = s.Cfg.Version.RuleDeprecation()
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
