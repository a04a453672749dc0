package platform

import (
	"errors"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/store"
)

// folders are those of /api/folders. Lists read the store and no index, so that they show what was just written.
//
// Source: documentation of folder.grafana.app; pkg/registry/apis/folders. Unconfirmed: all refusals, which were only guessed from the
// older address.
type folders struct{ *api }

type folderSpec struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

func (s folders) object(r *kube.Request, f *store.Folder) *kube.Object {
	meta := metav1.ObjectMeta{
		Name: f.UID, UID: uid(r, f.UID), ResourceVersion: strconv.FormatInt(f.Version, 10), Generation: f.Version,
		CreationTimestamp: metav1.NewTime(f.Created),
	}
	object := (&kube.Object{ObjectMeta: meta}).WithSpec(folderSpec{f.Title, f.Description})
	if f.Parent != "" {
		object.Annotate(folderNote, f.Parent)
	}
	object.Annotate("grafana.app/updatedTimestamp", f.Updated.UTC().Format(time.RFC3339))
	return object
}

func (s folders) List(r *kube.Request) ([]kube.Object, error) {
	list := []kube.Object{}
	s.read(r, func(o *store.Org) {
		for _, f := range o.Folders {
			list = append(list, *s.object(r, f))
		}
	})
	return list, nil
}

func (s folders) Get(r *kube.Request, name string) (*kube.Object, error) {
	var found *kube.Object
	s.read(r, func(o *store.Org) {
		if f := o.Folders[name]; f != nil {
			found = s.object(r, f)
		}
	})
	if found == nil {
		return nil, r.Missing(name)
	}
	return found, nil
}

// sent reads a folder and refuses one that can't be where it is to be. To be called with the lock.
func (s folders) sent(o *store.Org, sent *kube.Object) (*store.Folder, error) {
	var spec folderSpec
	if err := sent.ReadSpec(&spec); err != nil {
		return nil, decodeError(err)
	}
	f := &store.Folder{UID: sent.Name, Title: strings.TrimSpace(spec.Title), Description: spec.Description, Parent: sent.Annotations[folderNote]}
	switch {
	case f.Title == "":
		return nil, apierrors.NewBadRequest("folder title cannot be empty")
	case f.Parent != "" && o.Folders[f.Parent] == nil:
		return nil, refuse(refusal.New(404, "folder.parent-not-found", "parent folder not found"))
	case f.Parent != "" && o.Folders[f.UID] != nil && o.Below(f.UID)[f.Parent]:
		return nil, refuse(refusal.New(400, "folder.circular-reference", "circular reference detected"))
	case o.TitleTaken(f.Title, f.Parent, f.UID, false):
		return nil, refuse(refusal.New(409, "folder.name-exists", "a folder with the same name already exists in the current location"))
	}
	return f, nil
}

func (s folders) Create(r *kube.Request, sent *kube.Object) (*kube.Object, error) {
	if err := store.ValidUID(sent.Name); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if sent.Name == "" {
		sent.Name = sent.GenerateName + store.NewUID()
	}
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[who(r).Org]
	if o.Folders[sent.Name] != nil {
		return nil, apierrors.NewAlreadyExists(r.Kind.Resource(), sent.Name)
	}
	f, err := s.sent(o, sent)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	f.ID, f.Org, f.Version, f.Created, f.Updated, f.By = s.Store.NextID(), o.ID, 1, now, now, who(r).Login
	s.Store.SaveFolder(o, f)
	return s.object(r, f), nil
}

func (s folders) Update(r *kube.Request, old, sent *kube.Object) (*kube.Object, error) {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[who(r).Org]
	stored := o.Folders[old.Name]
	switch {
	case stored == nil:
		return nil, r.Missing(old.Name)
	case sent.ResourceVersion != "" && sent.ResourceVersion != strconv.FormatInt(stored.Version, 10):
		return nil, apierrors.NewConflict(r.Kind.Resource(), old.Name, errors.New("requested RV does not match current RV"))
	}
	f, err := s.sent(o, sent)
	if err != nil {
		return nil, err
	}
	next := *stored
	next.Title, next.Description, next.Parent = f.Title, f.Description, f.Parent
	next.Version, next.Updated = stored.Version+1, time.Now().UTC().Truncate(time.Second)
	s.Store.SaveFolder(o, &next)
	return s.object(r, &next), nil
}

// Delete refuses a folder with something in it.
func (s folders) Delete(r *kube.Request, old *kube.Object, _ *metav1.DeleteOptions) error {
	s.Store.Mu.Lock()
	defer s.Store.Mu.Unlock()
	o := s.Store.Orgs[who(r).Org]
	if o.Folders[old.Name] == nil {
		return r.Missing(old.Name)
	}
	all := o.Below(old.Name)
	filled := len(all) > 1
	for key, g := range o.Groups {
		filled = filled || all[key.Folder] && len(g.Rules) > 0
	}
	if filled {
		return refuse(refusal.New(400, "folder.not-empty", "folder is not empty"))
	}
	s.Store.RemoveFolder(o, old.Name)
	return nil
}
