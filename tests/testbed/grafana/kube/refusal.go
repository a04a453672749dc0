package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reasons of refusals that carry an id; those that Kubernetes has none for are Grafana's own words.
//
// Source: pkg/apimachinery/errutil/status.go.
var reasons = map[int]metav1.StatusReason{
	http.StatusBadRequest: metav1.StatusReasonBadRequest, http.StatusUnauthorized: metav1.StatusReasonUnauthorized,
	http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound,
	http.StatusConflict: metav1.StatusReasonConflict, http.StatusInternalServerError: metav1.StatusReasonInternalError,
	http.StatusUnprocessableEntity: "Unprocessable Entity", http.StatusNotImplemented: "Not implemented",
}

// Identified is a refusal with an id: the id is details.uid, each extra a cause whose message is the value's JSON.
//
// Source: pkg/apimachinery/errutil/errors.go, Error.Status.
func Identified(code int, id, message string, extra map[string]any) error {
	status := metav1.Status{Status: metav1.StatusFailure, Code: int32(code), Reason: reasons[code], Message: message}
	if message == "" {
		status.Message = string(status.Reason)
	}
	if id != "" || len(extra) > 0 {
		status.Details = &metav1.StatusDetails{UID: types.UID(id)}
	}
	names := make([]string, 0, len(extra))
	for name := range extra {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		text, err := json.Marshal(extra[name])
		if err != nil {
			continue
		}
		status.Details.Causes = append(status.Details.Causes, metav1.StatusCause{Field: name, Message: string(text)})
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// Missing says that an object isn't there.
func (r *Request) Missing(name string) error { return apierrors.NewNotFound(r.Kind.Resource(), name) }

// Forbidden is the refusal of an admission: whatever it minds, the answer is 403.
//
// Source: grafana-app-sdk, k8s/apiserver/admission.go; k8s.io/apiserver, admission.NewForbidden.
func (r *Request) Forbidden(sent *Object, format string, args ...any) error {
	name := sent.Name
	if name == "" {
		name = sent.GenerateName
	}
	if name == "" {
		name = "Unknown"
	}
	return apierrors.NewForbidden(r.Kind.Resource(), name, fmt.Errorf(format, args...))
}

// Invalid is the refusal of a schema: 422, with the field in a cause.
func (r *Request) Invalid(name string, problems ...*field.Error) error {
	return apierrors.NewInvalid(r.GroupVersion().WithKind(r.Kind.Name).GroupKind(), name, problems)
}

// statusOf makes a Status of any error. One that isn't an API error is 500, with its text and without a reason.
//
// Source: k8s.io/apiserver, responsewriters.ErrorToAPIStatus.
func statusOf(err error) *metav1.Status {
	status := metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
	var api apierrors.APIStatus
	if errors.As(err, &api) {
		status = api.Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return &status
}
