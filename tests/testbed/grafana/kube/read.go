package kube

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// List is a list as it is answered.
type List struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []Object `json:"items"`
}

// dress says of an object what its address says.
func (r *Request) dress(o *Object) *Object {
	o.APIVersion, o.Kind = r.GroupVersion().String(), r.Kind.Name
	o.Namespace = r.Namespace
	return o
}

func get(r *Request) (int, any, error) {
	o, err := r.Kind.Store.Get(r, r.Name)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, r.dress(o), nil
}

func (r *Request) isWatch() bool {
	watch, _ := strconv.ParseBool(r.HTTP.URL.Query().Get("watch"))
	return watch
}

func list(r *Request) (int, any, error) {
	if r.isWatch() {
		// Source: k8s.io/apiserver, handlers/get.go, handleWatch, for a storage that isn't a watcher.
		return 0, nil, apierrors.NewMethodNotSupported(r.Kind.Resource(), "watch")
	}
	wanted, err := r.selection()
	if err != nil {
		return 0, nil, err
	}
	// The list has no resource version: storages in front of tables leave it empty.
	found := List{TypeMeta: metav1.TypeMeta{Kind: r.Kind.Name + "List", APIVersion: r.GroupVersion().String()}, Items: []Object{}}
	if r.watches != nil {
		// What is written from here on is told, though the list may show it already.
		if found.ResourceVersion, err = r.watches.version(r); err != nil {
			return 0, nil, err
		}
	}
	err = walk(r, wanted.next, func(o *Object) bool {
		if !wanted.takes(r, r.dress(o)) {
			return true
		}
		if r.Kind.Paged && wanted.limit > 0 && int64(len(found.Items)) == wanted.limit {
			found.Continue = base64.RawURLEncoding.EncodeToString([]byte(found.Items[len(found.Items)-1].Name))
			return false
		}
		if r.Kind.Untyped {
			o.TypeMeta = metav1.TypeMeta{}
		}
		found.Items = append(found.Items, *o)
		return true
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, found, nil
}

// walk hands on the objects whose names come after one, in the order of the names.
func walk(r *Request, after string, take func(*Object) bool) error {
	if walker, ok := r.Kind.Store.(Walker); ok {
		return walker.Walk(r, after, take)
	}
	all, err := r.Kind.Store.List(r)
	if err != nil {
		return err
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	for i := range all {
		if (after == "" || all[i].Name > after) && !take(&all[i]) {
			break
		}
	}
	return nil
}

// selection reads the options of a list.
func (r *Request) selection() (*selection, error) {
	query := r.HTTP.URL.Query()
	wanted := &selection{}
	var err error
	if wanted.labels, err = labels.Parse(query.Get("labelSelector")); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("unable to parse requirement: %v", err))
	}
	if wanted.fields, err = fields.ParseSelector(query.Get("fieldSelector")); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	for _, requirement := range wanted.fields.Requirements() {
		if name := requirement.Field; name != "metadata.name" && name != "metadata.namespace" && !slices.Contains(r.Kind.Fields, name) {
			// Source: k8s.io/apimachinery, runtime.DefaultMetaV1FieldSelectorConversion.
			return nil, apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", name, "metadata.name", "metadata.namespace"))
		}
	}
	if text := query.Get("limit"); text != "" {
		if wanted.limit, err = strconv.ParseInt(text, 10, 64); err != nil || wanted.limit < 0 {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("limit %q is not a number from 0 on", text))
		}
	}
	if text := query.Get("continue"); text != "" && r.Kind.Paged {
		after, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, apierrors.NewBadRequest("invalid continue token")
		}
		wanted.next = string(after)
	}
	return wanted, nil
}

func (s *selection) takes(r *Request, o *Object) bool {
	requirements, _ := s.labels.Requirements()
	for _, requirement := range requirements {
		if slices.Contains(r.Kind.Labels, requirement.Key()) && !requirement.Matches(labels.Set(o.Labels)) {
			return false
		}
	}
	of := fields.Set{"metadata.name": o.Name, "metadata.namespace": o.Namespace}
	for _, requirement := range s.fields.Requirements() {
		if name := requirement.Field; slices.Contains(r.Kind.Fields, name) {
			of[name] = r.Kind.Field(o, name)
		}
	}
	return s.fields.Matches(of)
}
