// Package platform serves Grafana's kinds below /apis: what newer releases offer in the manner of Kubernetes. Everything is kept in
// the same store as what the older addresses show, so that what is written at one door is read at the other.
//
// Sources are files of grafana/grafana unless they say otherwise. Where nobody could confirm a behaviour, a comment says
// "Unconfirmed", and the double's README lists it.
package platform

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// api answers with what the server knows.
type api struct {
	*server.Server
	release  release
	statuses statuses
}

// Register makes /apis known to the server, if the release has anything there.
func Register(s *server.Server) {
	a := &api{Server: s, release: release{s.Cfg}}
	groups := &kube.Groups{Authorize: a.authorize, Refused: func(r *http.Request, status *metav1.Status) {
		s.Log.Info("refused", "method", r.Method, "path", r.URL.Path, "status", status.Code, "message", status.Message)
	}}
	if s.Cfg.Watches() {
		groups.Watches = &kube.Watches{Now: s.Store.Journal.Now}
	}
	for _, k := range a.kinds() {
		if len(k.Versions) > 0 {
			groups.Kinds = append(groups.Kinds, k)
		}
	}
	if len(groups.Kinds) == 0 {
		return
	}
	serve := func(c *server.Call) {
		groups.ServeHTTP(c.W, c.R.WithContext(context.WithValue(c.R.Context(), caller{}, c.Who)))
	}
	s.Handle("/apis", server.SignedIn, serve)
	s.Handle("/apis/", server.SignedIn, serve)
}

// caller is the key of who calls in a request's context.
type caller struct{}

func who(r *kube.Request) server.Identity {
	identity, _ := r.HTTP.Context().Value(caller{}).(server.Identity)
	return identity
}

// kinds lists what there is in any release, with the versions of this one.
func (a *api) kinds() []*kube.Kind {
	r := a.release
	return []*kube.Kind{
		{
			Group: notificationsGroup, Name: "Receiver", Plural: "receivers", Versions: r.notifications(), Fields: r.notificationFields("spec.title"),
			Field: specField, Store: receivers{a}, Actions: r.receiverActions(a),
		},
		{Group: notificationsGroup, Name: "RoutingTree", Plural: "routingtrees", Versions: r.notifications(), Store: trees{a}},
		{
			Group: notificationsGroup, Name: "TemplateGroup", Plural: "templategroups", Versions: r.notifications(),
			Fields: r.notificationFields("spec.title"), Field: specField, Store: templates{a},
		},
		{
			Group: notificationsGroup, Name: "TimeInterval", Plural: "timeintervals", Versions: r.notifications(),
			Fields: r.notificationFields("spec.name"), Field: specField, Store: intervals{a},
		},
		{Group: notificationsGroup, Name: "InhibitionRule", Plural: "inhibitionrules", Versions: r.inhibitions(), Store: inhibitions{a}},
		{
			Group: rulesGroup, Name: "AlertRule", Plural: "alertrules", Versions: r.rules(), Fields: r.ruleFields(alertFields), Field: specField,
			Labels: r.ruleLabels(), Paged: true, Untyped: true, Store: rules{a, alerting},
		},
		{
			Group: rulesGroup, Name: "RecordingRule", Plural: "recordingrules", Versions: r.rules(), Fields: r.ruleFields(recordFields),
			Field: specField, Labels: r.ruleLabels(), Paged: true, Untyped: true, Store: rules{a, recording},
		},
		{Group: rulesGroup, Name: "RuleSequence", Plural: "rulesequences", Versions: r.sequences(), Paged: true, Untyped: true, Store: sequences{a}},
		{Group: foldersGroup, Name: "Folder", Plural: "folders", Versions: r.folders(), Paged: true, Store: folders{a}},
	}
}

// nameOf makes an object's name of a title: base64 for addresses, without padding.
//
// Source: pkg/services/ngalert/notifier/legacy_storage, NameToUid.
func nameOf(title string) string { return base64.RawURLEncoding.EncodeToString([]byte(title)) }

// clusterUID stands for the hash of kind, namespace and name that Grafana makes an object's uid of.
//
// Source: pkg/services/apiserver/utils, CalculateClusterWideUID. Which hash it is, no client can tell.
func clusterUID(r *kube.Request, name string) string {
	return store.Fingerprint([]string{r.Kind.Group, r.Kind.Name, r.Namespace, name})
}

// refuse makes of a refusal of the older addresses what /apis makes of the same error. Those with an id are rendered with it; those
// without one are plain errors, which become 500 whatever the older address answers.
//
// Source: pkg/apimachinery/errutil/errors.go, Error.Status; k8s.io/apiserver, responsewriters.ErrorToAPIStatus.
func refuse(refused *refusal.Refused) error {
	if refused == nil {
		return nil
	}
	if refused.MessageID == "" || refused.MessageID == "alerting.alert-rule.invalid" {
		return errors.New(refused.Message)
	}
	return kube.Identified(refused.Status, refused.MessageID, refused.Message, refused.Extra)
}

// identified is a refusal from within a write of the notification document.
func identified(code int, id, format string, args ...any) *refusal.Refused {
	return refusal.New(code, id, format, args...)
}

// badRequest is a refusal that carries no id.
type badRequest struct{ error }

// write changes the notification document of the caller's organisation: one lock for all kinds and both doors, with the time in
// which another writer can be faster. An error of the function is answered as it is.
func (a *api) write(r *kube.Request, change func(o *store.Org, d *store.AlertingConfig, c *store.Change) error) error {
	var failed error
	refused := a.WriteAlerting(who(r).Org, func(o *store.Org, d *store.AlertingConfig, c *store.Change) *refusal.Refused {
		failed = change(o, d, c)
		return nil
	})
	if refused != nil {
		return refuse(refused)
	}
	var bad badRequest
	var known *refusal.Refused
	switch {
	case errors.As(failed, &bad):
		return apierrors.NewBadRequest(bad.Error())
	case errors.As(failed, &known):
		return refuse(known)
	}
	return failed
}

// read looks at the caller's organisation.
func (a *api) read(r *kube.Request, look func(o *store.Org)) {
	a.Store.Mu.RLock()
	defer a.Store.Mu.RUnlock()
	look(a.Store.Orgs[who(r).Org])
}
