// Package kube serves objects in the manner of Kubernetes: discovery, lists with selectors and pages, writes with patches and
// preconditions, refusals as Status objects. It knows nothing of Grafana; a Store says what an object is and where it is kept.
//
// Behaviour that isn't a Store's is that of k8s.io/apiserver 0.36, endpoints/handlers, which Grafana's /apis is built on; where it
// was read, the function is named.
package kube

import (
	"encoding/json"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one of any kind. What is in its spec only its Store understands.
type Object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              json.RawMessage `json:"spec"`
	Status            any             `json:"status,omitempty"`
}

// ReadSpec decodes the spec; one that was left out is an empty one.
func (o *Object) ReadSpec(into any) error {
	if len(o.Spec) == 0 {
		return json.Unmarshal([]byte("{}"), into)
	}
	return json.Unmarshal(o.Spec, into)
}

// WithSpec gives the object a spec. What can't be encoded is a mistake of this program.
func (o *Object) WithSpec(spec any) *Object {
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	o.Spec = text
	return o
}

// Annotate sets an annotation.
func (o *Object) Annotate(name, value string) {
	if o.Annotations == nil {
		o.Annotations = map[string]string{}
	}
	o.Annotations[name] = value
}

// Kind is one that a group serves.
type Kind struct {
	Group, Name, Plural string
	// Versions of the group that have the kind, the preferred one first.
	Versions []string
	// Fields that a field selector may name besides metadata.name and metadata.namespace.
	Fields []string
	// Field is the value of one of Fields.
	Field func(o *Object, name string) string
	// Labels that a label selector counts for; it is ignored for the others.
	Labels []string
	// Paged lists heed limit and continue; the others come whole.
	Paged bool
	// Untyped lists don't repeat kind and apiVersion in their items.
	Untyped bool
	Store   Store
	// Actions on one object, POST .../{name}/{action}.
	Actions map[string]func(w http.ResponseWriter, r *Request)
}

// Resource is the kind's name in addresses and refusals.
func (k *Kind) Resource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Plural}
}

// Served says whether the kind is in a version.
func (k *Kind) Served(version string) bool { return slices.Contains(k.Versions, version) }

// Store keeps the objects of a kind. Errors that aren't an APIStatus are answered with 500 and their text.
type Store interface {
	List(r *Request) ([]Object, error)
	Get(r *Request, name string) (*Object, error)
	// Create returns the object as the answer shows it.
	Create(r *Request, sent *Object) (*Object, error)
	// Update returns the object as the answer shows it; its name may be another one.
	Update(r *Request, old, sent *Object) (*Object, error)
	Delete(r *Request, old *Object, options *metav1.DeleteOptions) error
}

// Walker is a Store of so many objects that a page of a list mustn't make all of them. It hands on those whose names come after one,
// in the order of the names, until it is told that it's enough.
type Walker interface {
	Walk(r *Request, after string, take func(*Object) (more bool)) error
}

// Request is one to a kind.
type Request struct {
	HTTP      *http.Request
	Kind      *Kind
	Version   string
	Namespace string
	Name      string
	// Verb is the one that is authorized: get, list, watch, create, update, patch, delete, deletecollection, or an action's name.
	Verb string
	// Caller is what Groups.Authorize left here for the stores.
	Caller any
	// Watches of the groups, if there are any.
	watches *Watches
}

// GroupVersion of the request's address.
func (r *Request) GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: r.Kind.Group, Version: r.Version}
}

// Groups are everything below /apis.
type Groups struct {
	Kinds []*Kind
	// Authorize refuses what the caller may not do, before the store is asked. For discovery the request has no kind.
	Authorize func(r *Request) error
	// Watches let kinds be watched; nil where they can't be.
	Watches *Watches
	// Refused is told of every refusal, for a log.
	Refused func(r *http.Request, status *metav1.Status)
}

// selection is what a list is asked for.
type selection struct {
	labels labels.Selector
	fields fields.Selector
	limit  int64
	next   string
}
