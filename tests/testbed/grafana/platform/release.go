package platform

import (
	"fmt"
	"net/http"
	"strings"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/setup"
)

const (
	notificationsGroup = "notifications.alerting.grafana.app"
	rulesGroup         = "rules.alerting.grafana.app"
	foldersGroup       = "folder.grafana.app"
)

// release says what one of Grafana's has below /apis, and how it behaves there.
type release struct{ *setup.Config }

func (r release) since(major, minor int) bool { return r.Version.AtLeast(major, minor, 0) }

func (r release) notifications() []string {
	return r.Version.NotificationKinds(r.Toggle("alertingApiServer"))
}

// inhibitions came with 13.0.
//
// Source: apps/alerting/notifications/kinds, documentation of 13.0.
func (r release) inhibitions() []string {
	if !r.since(13, 0) {
		return nil
	}
	return r.notifications()
}

func (r release) rules() []string { return r.Version.RuleKinds(r.Toggle("kubernetesAlertingRules")) }

// sequences came with 13.1.
//
// Source: terraform-provider-grafana, appplatform/rulesequence_resource.go.
// Unconfirmed: that no toggle is needed; Grafana's own tests set one in 13.0.
func (r release) sequences() []string {
	if !r.since(13, 1) {
		return nil
	}
	return r.rules()
}

// folders are served as v1beta1 from 12.0 on, as v1 from 13.0 on.
//
// Source: what's new in 12.0 and 13.0.
func (r release) folders() []string {
	switch {
	case r.since(13, 0):
		return []string{"v1", "v1beta1"}
	case r.since(12, 0):
		return []string{"v1beta1"}
	}
	return nil
}

// notificationFields are what a field selector may name of a notification kind. The first app installer knew none of them: its tests
// are left out "until app installer supports it".
//
// Source: pkg/tests/apis/alerting/notifications/receivers/receiver_test.go, TestIntegrationReceiverListSelector.
// Unconfirmed: in which releases they fail; played from 12.2 to before 13.3.
func (r release) notificationFields(name string) []string {
	if r.since(12, 2) && !r.since(13, 3) {
		return nil
	}
	return []string{name}
}

var (
	ruleFields  = []string{"spec.title", "spec.paused"}
	alertFields = []string{
		"spec.panelRef.dashboardUID", "spec.panelRef.panelID", "spec.notificationSettings.type", "spec.notificationSettings.receiver",
		"spec.notificationSettings.routingTree",
	}
	recordFields = []string{"spec.metric", "spec.targetDatasourceUID"}
)

// ruleFields are what a field selector may name of a rule.
//
// Source: apps/alerting/rules/kinds/alertRule.cue, selectableFields.
// Unconfirmed: that 12 knows none of them; its List hands no selector to the store.
func (r release) ruleFields(own []string) []string {
	if !r.since(13, 0) {
		return nil
	}
	return append(append([]string{}, ruleFields...), own...)
}

// ruleLabels are what a label selector counts for.
//
// Source: pkg/registry/apps/alerting/rules/common/selectors.go.
// Unconfirmed: that 12 ignores all of them, as its List does.
func (r release) ruleLabels() []string {
	if !r.since(13, 0) {
		return nil
	}
	return []string{folderNote, groupLabel}
}

// receiverActions is the test of a receiver.
func (r release) receiverActions(a *api) map[string]func(http.ResponseWriter, *kube.Request) {
	if !r.Version.ReceiverTestKind() {
		return nil
	}
	return map[string]func(http.ResponseWriter, *kube.Request){"test": a.testReceiver}
}

// annotationsCount says whether the provenance and the manager that an object is sent with count. Older storages of notifications
// write everything without a provenance, so that they refuse whatever has one.
//
// Source: pkg/registry/apps/alerting/notifications/*/conversions.go of 2025 and of 2026.
// Unconfirmed: the release; played from 13.0 on.
func (r release) annotationsCount() bool { return r.since(13, 0) }

// manages says whether manager properties are kept: of rules since 13.1, of notifications since 13.3.
//
// Source: pull request #126737; pkg/registry/apps/alerting/notifications/MANAGER_PROPERTIES_MIGRATION.md.
// Unconfirmed: the release of the notifications' part.
func (r release) manages(group string) bool {
	if group == rulesGroup {
		return r.since(13, 1)
	}
	return r.since(13, 3)
}

// noProvenance is how an object without a provenance says so: notifications said "none" and now say nothing, rules always say nothing.
//
// Source: apps/alerting/**/ext.go and *_ext.go, SetProvenanceStatus.
// Unconfirmed: the release of the change; played from 13.0 on.
func (r release) noProvenance(group string) string {
	if group == rulesGroup || r.since(13, 0) {
		return ""
	}
	return "none"
}

// createsTrees says what a POST of a routing tree meets: 405 before 12.4, 501 where only the toggle is off.
//
// Source: pkg/tests/apis/alerting/notifications/routingtree/routing_tree_test.go of 2025; pkg/services/ngalert/notifier/routes/service.go.
func (r release) knowsTrees() bool { return r.since(12, 4) }

// strictTrees says whether a PUT of a routing tree must name the stored version; before, none was no condition.
//
// Source: notifier/routes/service.go, checkOptimisticConcurrency, early and late in 2026.
// Unconfirmed: the release; played from 13.0 on.
func (r release) strictTrees() bool { return r.since(13, 0) }

// renamesIntervals says whether a PUT may change a time interval's name.
//
// Unconfirmed: 2025's code refuses it, later code renames; played from 13.0 on.
func (r release) renamesIntervals() bool { return r.since(13, 0) }

// shipsTemplates says whether the built-in templates are listed as a group.
//
// Source: pkg/registry/apps/alerting/notifications/templategroup/legacy_storage.go, defaultTemplate.
// Unconfirmed: the release; played from 12.4 on.
func (r release) shipsTemplates() bool { return r.since(12, 4) }

// ruleStatus says whether rules have a status.
//
// Source: pkg/registry/apps/alerting/rules/alertrule/status.go; documentation of 13.2 and 13.3.
func (r release) ruleStatus() bool { return r.since(13, 2) }

// guids says whether a rule's metadata.uid is its GUID, and no hash.
//
// Source: pull request #124487.
func (r release) guids() bool { return r.since(13, 1) }

// namespace is what an organisation is called below /apis.
//
// Source: documentation, "namespaces".
func namespace(org int64) string {
	if org == 1 {
		return "default"
	}
	return fmt.Sprintf("org-%d", org)
}

// isAlpha says whether a request is to an alpha version.
func isAlpha(version string) bool { return strings.Contains(version, "alpha") }
