package platform

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"alertwright.testbed/grafana/kube"
)

// need is one right, or any of several.
type need []string

const provenanceRight = "alert.provisioning.provenance:write"

// needs are the rights that a verb on a kind takes; all of them must be there. What opens /api/v1/provisioning alone,
// alert.provisioning:read and :write, is in none of them.
//
// Source: pkg/registry/apps/alerting/rules/alertrule/authorize.go; .../notifications/{receiver,routingtree,templategroup}/authorize.go;
// pkg/services/ngalert/accesscontrol.
func needs(r *kube.Request) []need {
	general := map[string]string{"read": "alert.notifications:read", "write": "alert.notifications:write"}
	of := func(kind, right string, others ...string) need {
		any := need{fmt.Sprintf("alert.notifications.%s:%s", kind, right)}
		return append(any, others...)
	}
	switch r.Kind.Plural {
	case "alertrules", "recordingrules", "rulesequences":
		read := need{"alert.rules:read"}
		right := map[string]string{"create": "create", "update": "write", "patch": "write", "delete": "delete", "deletecollection": "delete"}[r.Verb]
		if right == "" {
			return []need{read}
		}
		return []need{read, {"alert.rules:" + right}}
	case "folders":
		right := map[string]string{"create": "folders:create", "update": "folders:write", "patch": "folders:write", "delete": "folders:delete"}[r.Verb]
		if right == "" {
			right = "folders:read"
		}
		return []need{{right}}
	case "receivers":
		switch r.Verb {
		case "list", "watch":
			return nil // Who may read none sees an empty list.
		case "get":
			return []need{of("receivers", "read", general["read"])}
		case "create":
			return []need{of("receivers", "create", general["write"])}
		case "delete", "deletecollection":
			return []need{of("receivers", "delete", general["write"])}
		case "test":
			return []need{of("receivers", "test", general["write"], "alert.notifications.receivers.test:create")}
		}
		return []need{of("receivers", "write", general["write"])}
	case "routingtrees":
		return readOrWrite(r, of("routes", "read", general["read"]), of("routes", "write", general["write"]), nil)
	case "templategroups":
		return readOrWrite(r, of("templates", "read", general["read"]), of("templates", "write", general["write"]), of("templates", "delete", general["write"]))
	case "timeintervals":
		return readOrWrite(r, of("time-intervals", "read", general["read"]), of("time-intervals", "write", general["write"]),
			of("time-intervals", "delete", general["write"]))
	default:
		return readOrWrite(r, of("inhibition-rules", "read", general["read"]), of("inhibition-rules", "write", general["write"]),
			of("inhibition-rules", "delete", general["write"]))
	}
}

// readOrWrite is what kinds take that can't be written by who can't read them. A kind without a right to delete takes that to write.
func readOrWrite(r *kube.Request, read, write, remove need) []need {
	switch r.Verb {
	case "get", "list", "watch":
		return []need{read}
	case "delete", "deletecollection":
		if remove != nil {
			return []need{read, remove}
		}
	}
	return []need{read, write}
}

// authorize refuses who isn't of the namespace or lacks a right. It doesn't matter whether what is named is there.
//
// Source: pkg/tests/apis/alerting/notifications/*/*_test.go, TestIntegrationAccessControl.
func (a *api) authorize(r *kube.Request) error {
	if r.Kind == nil {
		return nil
	}
	caller := who(r)
	resource := r.Kind.Resource()
	if r.Namespace != namespace(caller.Org) {
		return forbidden(resource, r.Name, fmt.Sprintf("user is not a member of the namespace %q", r.Namespace))
	}
	for _, any := range needs(r) {
		if !caller.HasAny(any...) {
			return forbidden(resource, r.Name, "required permissions: "+strings.Join(any, " or "))
		}
	}
	return nil
}

func forbidden(resource schema.GroupResource, name, why string) error {
	return apierrors.NewForbidden(resource, name, errors.New(why))
}
