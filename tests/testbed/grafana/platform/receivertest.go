package platform

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/kube"
	"alertwright.testbed/grafana/refusal"
	"alertwright.testbed/grafana/server"
	"alertwright.testbed/grafana/store"
)

// newReceiver stands for a contact point that isn't stored.
const newReceiver = "-"

// How long a delivery may take.
const testTimeout = 15 * time.Second

type receiverTest struct {
	Alert          *server.TestedAlert  `json:"alert"`
	Integration    *receiverIntegration `json:"integration"`
	IntegrationRef *struct {
		UID string `json:"uid"`
	} `json:"integrationRef"`
}

type testOutcome struct {
	Status   string `json:"status"`
	Duration string `json:"duration"`
	Error    string `json:"error,omitempty"`
}

// testReceiver sends a test alert through one integration. A delivery that failed is a success of the call.
//
// Source: pkg/registry/apps/alerting/notifications/receiver/subresource.go.
func (a *api) testReceiver(w http.ResponseWriter, r *kube.Request) {
	engine, err := a.Orgs.Of(who(r).Org)
	if err != nil {
		kube.Refuse(w, err)
		return
	}
	var sent receiverTest
	if err := json.NewDecoder(r.HTTP.Body).Decode(&sent); err != nil {
		kube.Refuse(w, decodeError(err))
		return
	}
	title, i, refused := a.tested(r, &sent)
	if refused != nil {
		kube.Refuse(w, refuse(refused))
		return
	}
	ctx, cancel := context.WithTimeout(r.HTTP.Context(), testTimeout)
	defer cancel()
	started := time.Now()
	outcome := testOutcome{Status: "success"}
	if err := a.Try(ctx, engine.Am, title, i, server.NewTest(sent.Alert)); err != nil {
		outcome.Status, outcome.Error = "failure", err.Error()
	}
	outcome.Duration = time.Since(started).Truncate(time.Millisecond).String()
	kube.Answer(w, http.StatusOK, outcome)
}

// tested is the integration that a test names or brings along, and the title of its contact point.
func (a *api) tested(r *kube.Request, sent *receiverTest) (string, *store.Integration, *refusal.Refused) {
	invalid := func(why string) *refusal.Refused {
		return refusal.New(400, "alerting.notifications.receivers.testing.invalid", "Invalid request to test integration: %s", why)
	}
	if (sent.Integration == nil) == (sent.IntegrationRef == nil) {
		return "", nil, invalid("exactly one of integration and integrationRef must be given")
	}
	title, known := "test", false
	stored := map[string]*store.Integration{}
	a.read(r, func(o *store.Org) {
		if found, ok := titleOf(o.Alerting, r.Name); ok {
			title, known = found, true
		}
		for _, i := range o.Alerting.Of(title) {
			stored[i.UID] = i
		}
	})
	switch {
	case r.Name == newReceiver && sent.IntegrationRef != nil:
		return "", nil, invalid("integrationRef needs a receiver")
	case r.Name == newReceiver && sent.Integration.UID != "":
		return "", nil, invalid("integration UID must be empty for a new receiver")
	case r.Name != newReceiver && !known:
		return "", nil, refusal.New(404, "alerting.notifications.receivers.notFound", "Receiver not found")
	}
	if sent.IntegrationRef != nil {
		i := stored[sent.IntegrationRef.UID]
		if i == nil {
			return "", nil, refusal.New(404, "alerting.notifications.receivers.testing.integrationNotFound", "Integration not found")
		}
		return title, i, nil
	}
	one := sent.Integration
	if one.UID == "" && len(one.Secure) > 0 {
		return "", nil, invalid("secureFields need the UID of a stored integration")
	}
	i := &store.Integration{Org: who(r).Org, UID: one.UID, Receiver: title, Name: title, Type: one.Type, Quiet: one.Quiet, Settings: one.Settings}
	if i.Settings == nil {
		i.Settings = map[string]any{}
	}
	if one.UID != "" {
		before := stored[one.UID]
		if before == nil {
			return "", nil, refusal.New(404, "alerting.notifications.receivers.testing.integrationNotFound", "Integration not found")
		}
		keepSecrets(i, before, one.Secure)
	}
	if err := contact.Check(a.Cfg.Version, i); err != nil {
		return "", nil, invalid(err.Error())
	}
	return title, i, nil
}
