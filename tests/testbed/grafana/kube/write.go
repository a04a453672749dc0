package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// A body of more than this is refused, as the API server does by default.
const maxBody = 3 << 20

// How often a patch is applied anew after a lost race. Source: k8s.io/apiserver, handlers/patch.go, maxRetryWhenPatchConflicts.
const patchAttempts = 6

func (r *Request) body() ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r.HTTP.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, apierrors.NewBadRequest(err.Error())
	case len(text) > maxBody:
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxBody))
	}
	return text, nil
}

// decode reads an object, and refuses one that is of another kind, version or namespace than its address.
//
// Source: k8s.io/apiserver, handlers/create.go and update.go; rest.EnsureObjectNamespaceMatchesRequestNamespace.
func (r *Request) decode(text []byte) (*Object, error) {
	o := &Object{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", r.Kind.Name, r.Version, r.Kind.Name, err))
	}
	if o.APIVersion != "" && o.APIVersion != r.GroupVersion().String() {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", o.APIVersion, r.GroupVersion()))
	}
	if o.Kind != "" && o.Kind != r.Kind.Name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s", o.Kind, r.Version, r.Kind.Name))
	}
	if o.Namespace != "" && o.Namespace != r.Namespace {
		return nil, apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return r.dress(o), nil
}

func create(r *Request) (int, any, error) {
	text, err := r.body()
	if err != nil {
		return 0, nil, err
	}
	sent, err := r.decode(text)
	if err != nil {
		return 0, nil, err
	}
	made, err := r.Kind.Store.Create(r, sent)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, r.dress(made), nil
}

func update(r *Request) (int, any, error) {
	text, err := r.body()
	if err != nil {
		return 0, nil, err
	}
	sent, err := r.decode(text)
	if err != nil {
		return 0, nil, err
	}
	if err := r.named(sent); err != nil {
		return 0, nil, err
	}
	old, err := r.Kind.Store.Get(r, r.Name)
	if err != nil {
		return 0, nil, err
	}
	return r.updated(old, sent)
}

// named refuses an object of another name than its address.
//
// Source: k8s.io/apiserver, handlers/rest.go, checkName.
func (r *Request) named(sent *Object) error {
	switch sent.Name {
	case r.Name:
		return nil
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", r.Name))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", sent.Name, r.Name))
}

func (r *Request) updated(old, sent *Object) (int, any, error) {
	made, err := r.Kind.Store.Update(r, r.dress(old), sent)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, r.dress(made), nil
}

// patch applies a JSON or a merge patch to the object, and stores what comes of it as an update does. The object's own resource
// version is in it, so that only a patch that names a version can meet a conflict.
//
// Unconfirmed: strategic merge patches and server-side apply are refused here; whether Grafana takes them, nobody tried.
func patch(r *Request) (int, any, error) {
	text, err := r.body()
	if err != nil {
		return 0, nil, err
	}
	kind, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type"))
	apply, err := patcher(types.PatchType(kind), text)
	if err != nil {
		return 0, nil, err
	}
	for attempt := 1; ; attempt++ {
		old, err := r.Kind.Store.Get(r, r.Name)
		if err != nil {
			return 0, nil, err
		}
		version := old.ResourceVersion
		before, err := json.Marshal(r.dress(old))
		if err != nil {
			return 0, nil, err
		}
		after, err := apply(before)
		if err != nil {
			return 0, nil, err
		}
		sent, err := r.decode(after)
		if err != nil {
			return 0, nil, err
		}
		if err := r.named(sent); err != nil {
			return 0, nil, err
		}
		code, made, err := r.updated(old, sent)
		if apierrors.IsConflict(err) && sent.ResourceVersion == version && attempt < patchAttempts {
			continue
		}
		return code, made, err
	}
}

// patcher reads a patch.
//
// Source: k8s.io/apiserver, handlers/patch.go, applyJSPatch: a patch that can't be read is 400, one that can't be applied 422.
func patcher(kind types.PatchType, text []byte) (func([]byte) ([]byte, error), error) {
	refuse := func(err error) error {
		return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	switch kind {
	case types.JSONPatchType:
		patch, err := jsonpatch.DecodePatch(text)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return func(before []byte) ([]byte, error) {
			after, err := patch.Apply(before)
			if err != nil {
				return nil, refuse(err)
			}
			return after, nil
		}, nil
	case types.MergePatchType:
		if !json.Valid(text) {
			return nil, apierrors.NewBadRequest("error decoding patch: invalid JSON")
		}
		return func(before []byte) ([]byte, error) {
			after, err := jsonpatch.MergePatch(before, text)
			if err != nil {
				return nil, refuse(err)
			}
			return after, nil
		}, nil
	}
	return nil, apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, "", schema.GroupResource{}, "",
		fmt.Sprintf("the body of the request was in an unknown format - accepted media types include: %s, %s", types.JSONPatchType, types.MergePatchType), 0, false)
}

// remove deletes an object and answers with it as it was: the storages return it, and the handler sends what they return.
//
// Source: k8s.io/apiserver, handlers/delete.go, DeleteResource; pkg/registry/apps/alerting/**/legacy_storage.go, Delete.
func remove(r *Request) (int, any, error) {
	text, err := r.body()
	if err != nil {
		return 0, nil, err
	}
	options := &metav1.DeleteOptions{}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, options); err != nil {
			return 0, nil, apierrors.NewBadRequest(err.Error())
		}
	}
	old, err := r.Kind.Store.Get(r, r.Name)
	if err != nil {
		return 0, nil, err
	}
	if err := r.Kind.Store.Delete(r, r.dress(old), options); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, old, nil
}

// deleteCollection is refused by all storages that were read.
//
// Source: pkg/registry/apps/alerting/**/legacy_storage.go, DeleteCollection.
func deleteCollection(r *Request) (int, any, error) {
	return 0, nil, apierrors.NewMethodNotSupported(r.Kind.Resource(), "deleteCollection")
}

// Precondition is the resource version that a deletion asks for, empty when it doesn't.
func Precondition(options *metav1.DeleteOptions) string {
	if options.Preconditions == nil || options.Preconditions.ResourceVersion == nil {
		return ""
	}
	return *options.Preconditions.ResourceVersion
}
