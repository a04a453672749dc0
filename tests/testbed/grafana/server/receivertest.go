package server

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/engine/routing"
	"alertwright.testbed/grafana/engine/sending"
	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/store"
)

// TestedIntegration is an integration in a test of contact points.
type TestedIntegration struct {
	UID      string            `json:"uid"`
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Quiet    bool              `json:"disableResolveMessage"`
	Settings map[string]any    `json:"settings"`
	Secure   map[string]string `json:"secureSettings"`
}

// TestedAlert is the alert in one.
type TestedAlert struct {
	Labels      model.LabelSet `json:"labels"`
	Annotations model.LabelSet `json:"annotations"`
}

// NewTest makes the alert that a test sends.
func NewTest(sent *TestedAlert) *alert.Alert {
	a := model.Alert{
		Labels: model.LabelSet{"alertname": "TestAlert", "instance": "Grafana"},
		Annotations: model.LabelSet{
			"summary": "Notification test", "__value_string__": "[ metric='foo' labels={instance=bar} value=10 ]", "__values__": `{"B":22,"C":1}`,
		},
		StartsAt: time.Now(),
	}
	if sent != nil {
		for name, value := range sent.Labels {
			a.Labels[name] = value
		}
		for name, value := range sent.Annotations {
			a.Annotations[name] = value
		}
	}
	return alert.New(a, time.Now(), false)
}

// Try sends a test through one integration.
func (s *Server) Try(ctx context.Context, am *routing.Alertmanager, receiver string, i *store.Integration, a *alert.Alert) error {
	s.Store.Mu.RLock()
	templates := map[string]*store.Template{}
	for name, t := range s.Store.Orgs[am.Org].Alerting.Templates {
		templates[name] = t
	}
	s.Store.Mu.RUnlock()
	parsed, err := templating.Notification(templates, s.Cfg.RootURL())
	if err != nil {
		return err
	}
	ctx = notify.WithGroupKey(ctx, fmt.Sprintf("%s-%s-%d", receiver, a.Fingerprint(), time.Now().Unix()))
	ctx = notify.WithGroupLabels(ctx, a.Labels)
	ctx = notify.WithReceiverName(ctx, receiver)
	n := &sending.Notifier{Cfg: am.Cfg, Org: am.Org, Log: am.Log, Integration: i, Template: parsed, Delivery: &sending.Delivery{}}
	return n.Notify(ctx, a).Err()
}

// Tested makes an integration of what a test names, with the stored secrets where it leaves them out.
func (s *Server) Tested(org int64, receiver string, sent *TestedIntegration) *store.Integration {
	i := &store.Integration{Org: org, UID: sent.UID, Receiver: receiver, Name: sent.Name, Type: sent.Type, Quiet: sent.Quiet, Settings: sent.Settings}
	if i.Settings == nil {
		i.Settings = map[string]any{}
	}
	for name, value := range sent.Secure {
		if object, last := contact.At(i.Settings, name); object != nil {
			object[last] = value
		}
	}
	s.Store.Mu.RLock()
	defer s.Store.Mu.RUnlock()
	for _, stored := range s.Store.Orgs[org].Alerting.Integrations {
		if sent.UID == "" || stored.UID != sent.UID {
			continue
		}
		for _, path := range contact.Secrets(s.Cfg.Version, stored.Type) {
			object, last := contact.At(i.Settings, path)
			old, _ := contact.At(stored.Settings, path)
			if object != nil && old != nil && old[last] != nil && (object[last] == nil || object[last] == store.Redacted) {
				object[last] = old[last]
			}
		}
	}
	return i
}
