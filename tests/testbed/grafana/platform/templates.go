package platform

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// templates are the notification templates of the older addresses.
//
// Source: pkg/registry/apps/alerting/notifications/templategroup; pkg/services/ngalert/provisioning/templates.go.
type templates struct{ *api }

type templateSpec struct {
	Title   string `json:"title"`
	Content string `json:"content"`
	Kind    string `json:"kind"`
}

const (
	builtIn      = "__default__"
	builtInTitle = "__default__"
	ownTemplates = "grafana"
)

// shipped are the templates that Grafana brings along. They can be read and not changed.
//
// Unconfirmed: the title and the text, which are our own.
func (s templates) shipped(r *kube.Request) *kube.Object {
	spec := templateSpec{builtInTitle, `{{ define "__text_alert_list" }}{{ range . }}{{ .Labels }}{{ end }}{{ end }}`, ownTemplates}
	object := (&kube.Object{ObjectMeta: metav1.ObjectMeta{Name: builtIn, UID: uid(r, builtIn), ResourceVersion: store.Fingerprint(spec)}}).WithSpec(spec)
	object.Annotate(provenanceNote, "system")
	return object
}

func (s templates) object(r *kube.Request, t *store.Template) *kube.Object {
	spec := templateSpec{t.Name, t.Text, ownTemplates}
	meta := metav1.ObjectMeta{Name: nameOf(t.Name), UID: uid(r, nameOf(t.Name)), ResourceVersion: store.Fingerprint(t.Text)}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(spec)
	s.sign(r, object, origin{t.Provenance, t.Manager})
	return object
}

func (s templates) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	if s.release.shipsTemplates() {
		list = append(list, *s.shipped(r))
	}
	s.read(r, func(o *store.Org) {
		for _, t := range o.Alerting.Templates {
			list = append(list, *s.object(r, t))
		}
	})
	return list, nil
}

func noTemplate() *refusal.Refused {
	return identified(404, "alerting.notifications.templates.notFound", "NotFound")
}

func (s templates) Get(r *kube.Request, name string) (*kube.Object, error) {
	if name == builtIn && s.release.shipsTemplates() {
		if r.Verb == "get" {
			return s.shipped(r), nil
		}
		return nil, refuse(noTemplate())
	}
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if t := template(o.Alerting, name); t != nil {
			found = s.object(r, t)
		}
	})
	if found == nil {
		return nil, refuse(noTemplate())
	}
	return found, nil
}

func template(a *store.AlertingConfig, name string) *store.Template {
	for _, t := range a.Templates {
		if nameOf(t.Name) == name {
			return t
		}
	}
	return nil
}

func (s templates) sent(r *kube.Request, sent *kube.Object) (*store.Template, origin, error) {
	var spec templateSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, origin{}, decodeError(err)
	}
	from, err := s.originOf(r, sent)
	if err != nil {
		return nil, origin{}, apierrors.NewBadRequest(err.Error())
	}
	t := &store.Template{Org: who(r).Org, Name: spec.Title, Text: spec.Content, Provenance: from.provenance, Manager: from.manager}
	invalid := identified(400, "alerting.notifications.templates.invalidFormat", "Template is in invalid format. Correct the payload and try again.")
	if t.Name == "" || t.Text == "" || spec.Kind != "" && spec.Kind != ownTemplates {
		return nil, origin{}, refuse(invalid)
	}
	if _, err := templating.Notification(map[string]*store.Template{t.Name: t}, s.Cfg.RootURL()); err != nil {
		return nil, origin{}, refuse(invalid)
	}
	return t, from, nil
}

// takenTemplate is 400, though the name is a conflict.
func takenTemplate() *refusal.Refused {
	return identified(400, "alerting.notifications.templates.nameExists", "Template file with this name already exists. Use a different name or update existing one.")
}

func (s templates) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if sent.Name != "" {
		return nil, named()
	}
	t, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(_ *store.Org, a *store.AlertingConfig, change *store.Change) error {
		if a.Templates[t.Name] != nil {
			return takenTemplate()
		}
		if refused := s.guard(r, origin{}, from); refused != nil {
			return refused
		}
		a.PutTemplate(change, t)
		return nil
	})
	return s.object(r, t), err
}

// Update renames where the spec has another title.
func (s templates) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	t, from, err := s.sent(r, sent)
	if err != nil {
		return nil, err
	}
	err = s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := template(a, old.Name)
		if stored == nil {
			return noTemplate()
		}
		if refused := stale(sent.ResourceVersion, store.Fingerprint(stored.Text)); refused != nil {
			return refused
		}
		if refused := s.guard(r, origin{stored.Provenance, stored.Manager}, from); refused != nil {
			return refused
		}
		if t.Name != stored.Name {
			if a.Templates[t.Name] != nil {
				return takenTemplate()
			}
			a.RemoveTemplate(change, o.ID, stored.Name)
		}
		a.PutTemplate(change, t)
		return nil
	})
	return s.object(r, t), err
}

func (s templates) Delete(r *kube.Request, old *kube.Object, options *metav1.DeleteOptions) error {
	return s.write(r, func(o *store.Org, a *store.AlertingConfig, change *store.Change) error {
		stored := template(a, old.Name)
		if stored == nil {
			return noTemplate()
		}
		if refused := stale(kube.Precondition(options), store.Fingerprint(stored.Text)); refused != nil {
			return refused
		}
		if refused := s.mayRemove(r, origin{stored.Provenance, stored.Manager}); refused != nil {
			return refused
		}
		a.RemoveTemplate(change, o.ID, stored.Name)
		return nil
	})
}
