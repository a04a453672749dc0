package platform

import (
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
)

func uid(r *kube.Request, name string) types.UID { return types.UID(clusterUID(r, name)) }

// named refuses an object with a name where the server makes it.
//
// Source: notifications/{receiver,timeinterval,templategroup}/legacy_storage.go, Create.
func named() error { return apierrors.NewBadRequest("object's metadata.name should be empty") }

// decodeError is what a spec of another shape is answered with: the API server can't make an object of it.
func decodeError(err error) error { return apierrors.NewBadRequest(err.Error()) }

// conflict is what a write for another version than the stored one is answered with.
//
// Source: pkg/services/ngalert/models/errors.go, ErrReceiverVersionConflict and ErrRouteVersionConflict.
func conflict(kinds, kind, name, provided, current string) *refusal.Refused {
	refused := refusal.New(409, "alerting.notifications."+kinds+".conflict", "Provided version '%s' of %s '%s' does not match current version '%s'", provided, kind, name, current)
	refused.Extra = map[string]any{"Version": provided, "CurrentVersion": current, "Name": name}
	return refused
}

// stale refuses a write or a deletion for another version than the stored one; none is no condition.
//
// Source: pkg/services/ngalert/provisioning/{mute_timings,templates}.go, checkOptimisticConcurrency.
func stale(provided, current string) *refusal.Refused {
	if provided == "" || provided == current {
		return nil
	}
	return refusal.New(409, "alerting.notifications.conflict", "Conflict")
}

// specField is the value of a field of the spec for a selector; what is left out is empty, or false.
func specField(o *kube.Object, name string) string {
	var spec any
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		return ""
	}
	for _, step := range strings.Split(strings.TrimPrefix(name, "spec."), ".") {
		inner, _ := spec.(map[string]any)
		spec = inner[step]
	}
	if spec == nil {
		if name == "spec.paused" {
			return "false"
		}
		return ""
	}
	return fmt.Sprint(spec)
}
