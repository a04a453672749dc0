package platform

import (
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// defaultTree is the one that the older addresses show; the others stand beside it where the release or a toggle lets them.
const defaultTree = "user-defined"

// otherDefaultTree is what it is to be called one day; no tree may be called so.
const otherDefaultTree = "default"

// trees are the notification policies.
//
// Source: pkg/registry/apps/alerting/notifications/routingtree; pkg/services/ngalert/notifier/routes/service.go.
type trees struct{ *api }

func noTree() *refusal.Refused {
	return refusal.New(404, "alerting.notifications.routes.notFound", "Route not found")
}

// tree finds one by its name, as it is read from the database. Where there are no named ones, those that are stored are hidden.
//
// Source: pkg/services/ngalert/notifier/legacy_storage/v1/compat.go, ToModel, which is given what definitions.ObjectMatchers has read.
func (s trees) tree(a *store.AlertingConfig, name string) (*store.Tree, bool) {
	if name == defaultTree {
		return &store.Tree{Name: defaultTree, Route: store.Reread(a.Route), Provenance: a.RouteProvenance, Manager: a.RouteManager}, true
	}
	if !s.Cfg.NamedTrees() {
		return nil, false
	}
	tree, ok := a.Trees[name]
	if !ok {
		return nil, false
	}
	read := *tree
	read.Route = store.Reread(tree.Route)
	return &read, true
}

func (s trees) object(r *kube.Request, tree *store.Tree) *kube.Object {
	meta := metav1.ObjectMeta{Name: tree.Name, UID: uid(r, tree.Name), ResourceVersion: store.Fingerprint(tree.Route)}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(shownTree(tree.Route))
	s.sign(r, object, origin{tree.Provenance, tree.Manager})
	return object
}

func (s trees) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	s.read(r, func(o *store.Org) {
		own, _ := s.tree(o.Alerting, defaultTree)
		list = append(list, *s.object(r, own))
		for name := range o.Alerting.Trees {
			if tree, ok := s.tree(o.Alerting, name); ok {
				list = append(list, *s.object(r, tree))
			}
		}
	})
	return list, nil
}

func (s trees) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if tree, ok := s.tree(o.Alerting, name); ok {
			found = s.object(r, tree)
		}
	})
	if found == nil {
		return nil, refuse(noTree())
	}
	return found, nil
}

// Create makes a named tree.
func (s trees) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if !s.release.knowsTrees() {
		return nil, apierrors.NewMethodNotSupported(r.Kind.Resource(), "create")
	}
	root, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	if !s.Cfg.NamedTrees() {
		return nil, kube.Identified(501, "alerting.notifications.routes.multipleNotSupported",
			`Multiple routes are not supported, see feature toggle "alertingMultiplePolicies"`, nil)
	}
	var made *kube.Object
	err = s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		if why := badTreeName(sent.Name); why != "" {
			return invalidRoute(why)
		}
		if sent.Name == otherDefaultTree {
			return identified(409, "alerting.notifications.routes.exists", "Route with this name already exists. Use a different name or update an existing one.")
		}
		if _, taken := s.tree(a, sent.Name); taken {
			return identified(409, "alerting.notifications.routes.exists", "Route with this name already exists. Use a different name or update an existing one.")
		}
		if err := store.CheckRoute(s.Cfg.Version, a, root); err != nil {
			return invalidRoute(err.Error())
		}
		if refused := s.guard(r, origin{}, from); refused != nil {
			return refused
		}
		tree := &store.Tree{Org: o.ID, Name: sent.Name, Route: root, Provenance: from.provenance, Manager: from.manager}
		a.PutTree(change, tree)
		made = s.object(r, tree)
		return nil
	})
	return made, err
}

// badTreeName says what is wrong with the name of a new tree.
//
// Source: pkg/services/ngalert/notifier/legacy_storage/routes.go of 2026, validateManagedRouteName.
// Unconfirmed: the release; played from 12.4 on, as trees can be made.
func badTreeName(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "route name is required"
	case strings.Contains(name, ":"):
		return "managed route name cannot contain invalid character ':'"
	case len(name) > 40:
		return "managed route name cannot be longer than 40 characters"
	}
	if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
		return "managed route name must be a valid DNS subdomain: " + strings.Join(errs, ", ")
	}
	return ""
}

func invalidRoute(why string) *refusal.Refused {
	return identified(400, "alerting.notifications.routes.invalidFormat", "Invalid format of the submitted route: %s. Correct the payload and try again.", why)
}

// sent reads a tree and whose it is to be.
func (s trees) sent(r *kube.Request, sent *kube.Object) (*store.Route, origin, error) {
	var spec treeSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, origin{}, decodeError(err)
	}
	root, err := storedTree(&spec)
	if err != nil {
		return nil, origin{}, err
	}
	from, err := s.originOf(r, sent)
	if err != nil {
		return nil, origin{}, apierrors.NewBadRequest(err.Error())
	}
	return root, from, nil
}

// Update replaces a tree. The version that is sent must be the stored one; before 13, none was no condition.
func (s trees) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	root, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	var made *kube.Object
	err = s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored, ok := s.tree(a, old.Name)
		if !ok {
			return noTree()
		}
		current := store.Fingerprint(stored.Route)
		if sent.ResourceVersion != current && (sent.ResourceVersion != "" || s.release.strictTrees()) {
			return conflict("routes", "route", old.Name, sent.ResourceVersion, current)
		}
		if refused := s.guard(r, origin{stored.Provenance, stored.Manager}, from); refused != nil {
			return refused
		}
		if err := store.CheckRoute(s.Cfg.Version, a, root); err != nil {
			return invalidRoute(err.Error())
		}
		tree := &store.Tree{Org: o.ID, Name: old.Name, Route: root, Provenance: from.provenance, Manager: from.manager}
		if old.Name == defaultTree {
			a.SetRoute(change, o.ID, root, from.provenance)
			a.SetRouteManager(change, o.ID, from.manager)
		} else {
			a.PutTree(change, tree)
		}
		made = s.object(r, tree)
		return nil
	})
	return made, err
}

// Delete removes a named tree, whatever uses it, and resets the default one, which then has no provenance.
//
// Source: notifier/routes/service.go, DeleteManagedRoute, which looks for no rules that name the tree.
func (s trees) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	return s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored, ok := s.tree(a, old.Name)
		if !ok {
			return noTree()
		}
		current := store.Fingerprint(stored.Route)
		if wanted := kube.Precondition(options); wanted != "" && wanted != current {
			return conflict("routes", "route", old.Name, wanted, current)
		}
		if refused := s.mayRemove(r, origin{stored.Provenance, stored.Manager}); refused != nil {
			return refused
		}
		if old.Name != defaultTree {
			a.RemoveTree(change, o.ID, old.Name)
			return nil
		}
		a.ResetRoute(change, o.ID, s.Cfg.Version, s.Store.NextID)
		return nil
	})
}
