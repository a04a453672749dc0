package platform

import (
	"fmt"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

const (
	provenanceNote = "grafana.com/provenance"
	folderNote     = "grafana.app/folder"
	managedBy      = "grafana.app/managedBy"
	managerID      = "grafana.app/managerId"
	canUse         = "grafana.com/canUse"
	inUse          = "grafana.com/inUse/"
	access         = "grafana.com/access/"
)

// provenances are what each kind of manager means for the older addresses; other kinds mean nothing.
//
// Source: pkg/services/ngalert/models/provisioning.go, ManagerPropertiesToProvenance.
var provenances = map[string]string{
	"classic-api": "api", "terraform": "api", "kubectl": "api",
	"classic-file-provisioning": "file", "repo": "file", "classic-converted-prometheus": "converted_prometheus",
	"plugin": "", "grafana": "",
}

// origin is who an object says it is from.
type origin struct {
	provenance string
	manager    store.Manager
}

// originOf reads an object's annotations. Those of a manager win, but what the provenance says must agree with them.
//
// Source: pkg/registry/apps/alerting/notifications/provenance/provenance.go, FromAnnotations; rules/alertrule/compat.go.
// Unconfirmed: that the provenance "none" is taken by rules.
func (a *api) originOf(r *kube.Request, sent *kube.Object) (origin, error) {
	said := sent.Annotations[provenanceNote]
	if said == "none" {
		said = ""
	}
	if r.Kind.Group != rulesGroup && !a.release.annotationsCount() {
		return origin{}, nil
	}
	if kind := sent.Annotations[managedBy]; kind != "" && a.release.manages(r.Kind.Group) {
		if derived, known := provenances[kind]; known {
			if said != "" && said != derived {
				return origin{}, fmt.Errorf("manager properties (kind=%s) and provenance annotation (%s) are inconsistent: manager properties imply provenance %q", kind, said, derived)
			}
			return origin{derived, store.Manager{Kind: kind, ID: sent.Annotations[managerID]}}, nil
		}
	}
	if said != "" && said != "api" {
		return origin{}, fmt.Errorf("invalid provenance status: %s", said)
	}
	return origin{provenance: said}, nil
}

// sign says of an object whose it is.
//
// Source: provenance.go, SetAnnotations; models/provisioning.go, ProvenanceToManagerProperties: what has a provenance and no manager
// is shown as managed by a classic one.
func (a *api) sign(r *kube.Request, o *kube.Object, from origin) {
	shown := from.provenance
	if shown == "" {
		shown = a.release.noProvenance(r.Kind.Group)
	}
	o.Annotate(provenanceNote, shown)
	if !a.release.manages(r.Kind.Group) {
		return
	}
	manager := from.manager
	if manager.Kind == "" {
		manager.Kind = map[string]string{"api": "classic-api", "file": "classic-file-provisioning", "converted_prometheus": "classic-converted-prometheus"}[from.provenance]
	}
	if manager.Kind != "" {
		o.Annotate(managedBy, manager.Kind)
	}
	if manager.ID != "" {
		o.Annotate(managerID, manager.ID)
	}
}

// guard refuses who may not give an object the provenance that it is sent with, or not change the one that it has. Without the right
// to set one, only what has none can be written, and only without one.
//
// Source: pkg/tests/apis/alerting/notifications/receivers/receiver_test.go, TestIntegrationProvisioning;
// pkg/services/ngalert/provisioning/validation, ValidateProvenanceRelaxed.
func (a *api) guard(r *kube.Request, stored, wanted origin) *refusal.Refused {
	refused := refusal.New(403, "alerting.notifications.invalidProvenance",
		"Resource with provenance status '%s' cannot be managed via API that handles resources with provenance status '%s'. You must use appropriate API to manage this resource",
		stored.provenance, wanted.provenance)
	may := who(r).HasAny(provenanceRight)
	switch {
	case stored.provenance == "" && wanted.provenance == "":
		return nil
	case !may && a.release.annotationsCount():
		return refused
	case stored.provenance == "" || stored.provenance == wanted.provenance:
	case a.release.annotationsCount() && stored.provenance == "api" && wanted.provenance == "":
		// Who may set a provenance may also take "api" off.
	default:
		return refused
	}
	if stored.manager.ID != "" && wanted.manager.ID != "" && stored.manager != wanted.manager {
		// Source: terraform-provider-grafana, appplatform: another manager's id is refused. Unconfirmed: status and id.
		return refusal.New(403, "alerting.notifications.invalidProvenance", "Resource is managed by '%s' and cannot be managed by '%s'",
			stored.manager.ID, wanted.manager.ID)
	}
	return nil
}

// mayRemove refuses the deletion of what has a provenance by who has no right to set one.
func (a *api) mayRemove(r *kube.Request, stored origin) *refusal.Refused {
	if !a.release.annotationsCount() {
		return a.guard(r, stored, origin{})
	}
	return a.guard(r, stored, stored)
}
