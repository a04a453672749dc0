// Package sending sends notifications in Grafana's shape.
package sending

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/template"

	amtemplate "github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/engine/templating"
	"alertwright.testbed/grafana/setup"
	"alertwright.testbed/grafana/store"
)

// Delivery is how the last notification of an integration went.
type Delivery struct {
	Mu       sync.Mutex
	Receiver string
	Name     string
	Resolved bool
	At       time.Time
	Took     time.Duration
	Err      string
}

// Notifier sends the notifications of one integration.
type Notifier struct {
	Cfg         *setup.Config
	Org         int64
	Log         *slog.Logger
	Integration *store.Integration
	Template    *template.Template
	Delivery    *Delivery
}

var notifyClient = &http.Client{Timeout: 30 * time.Second}

// SendResolved says whether ends of alerts are told too.
func (n *Notifier) SendResolved() bool { return !n.Integration.Quiet }

// Notify tells.
func (n *Notifier) Notify(ctx context.Context, alerts ...*alert.Alert) notify.NotifyVerdict {
	started := time.Now()
	retry, err := n.send(ctx, alerts)
	d := n.Delivery
	d.Mu.Lock()
	d.At, d.Took, d.Err = started, time.Since(started), ""
	if err != nil {
		d.Err = err.Error()
	}
	d.Mu.Unlock()
	if err == nil {
		return notify.Success()
	}
	n.Log.Warn("a notification failed", "receiver", n.Integration.Receiver, "type", n.Integration.Type, "err", err)
	if retry {
		return notify.Retry(0, err, notify.DefaultReason)
	}
	return notify.Unrecoverable(err, notify.DefaultReason)
}

// IsPrivate says whether a label stays inside: one that begins and ends with two underscores. One that only begins so is shown (recorded on
// 10.0).
func IsPrivate(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

func visible(set model.LabelSet) amtemplate.KV {
	kv := amtemplate.KV{}
	for name, value := range set {
		if !IsPrivate(string(name)) {
			kv[string(name)] = string(value)
		}
	}
	return kv
}

// notice makes of alerts what templates see.
func (n *Notifier) notice(ctx context.Context, alerts []*alert.Alert) *templating.Notice {
	groupLabels, _ := notify.GroupLabels(ctx)
	receiver, _ := notify.ReceiverName(ctx)
	root := n.Cfg.RootURL()
	out := &templating.Notice{Receiver: receiver, Status: "resolved", GroupLabels: visible(groupLabels), ExternalURL: root}
	for _, a := range alerts {
		each := templating.NoticeAlert{
			Status: string(a.Status()), Labels: visible(a.Labels), Annotations: visible(a.Annotations), StartsAt: a.StartsAt, EndsAt: a.EndsAt,
			GeneratorURL: a.GeneratorURL, Fingerprint: a.Fingerprint().String(), Values: templating.ParseValues(string(a.Annotations["__values__"])),
			ValueString: string(a.Annotations["__value_string__"]),
		}
		query := url.Values{"alertmanager": {"grafana"}}
		for _, pair := range each.Labels.SortedPairs() {
			query.Add("matcher", pair.Name+"="+pair.Value)
		}
		each.SilenceURL = root + "alerting/silence/new?" + query.Encode()
		if dashboard := a.Annotations["__dashboardUid__"]; dashboard != "" {
			each.DashboardURL = root + "d/" + string(dashboard)
			if panel := a.Annotations["__panelId__"]; panel != "" {
				each.PanelURL = each.DashboardURL + "?viewPanel=" + string(panel)
			}
		}
		if each.Status == "firing" {
			out.Status = "firing"
		}
		out.Alerts = append(out.Alerts, each)
	}
	out.CommonLabels, out.CommonAnnotations = amtemplate.KV{}, amtemplate.KV{}
	for i, a := range out.Alerts {
		if i == 0 {
			for name, value := range a.Labels {
				out.CommonLabels[name] = value
			}
			for name, value := range a.Annotations {
				out.CommonAnnotations[name] = value
			}
			continue
		}
		intersect(out.CommonLabels, a.Labels)
		intersect(out.CommonAnnotations, a.Annotations)
	}
	return out
}

func intersect(common, with amtemplate.KV) {
	for name, value := range common {
		if other, ok := with[name]; !ok || other != value {
			delete(common, name)
		}
	}
}

// texts expands notification templates; the first mistake is kept.
type texts struct {
	n      *Notifier
	notice *templating.Notice
	err    error
}

// expand runs a setting, or what stands in for an empty one.
func (t *texts) expand(text, otherwise string) string {
	if text == "" {
		text = otherwise
	}
	return t.expandWith(text, t.notice)
}

// expandWith expands a template with other data than the notice.
func (t *texts) expandWith(text string, data any) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	clone, err := t.n.Template.Clone()
	if err == nil {
		clone, err = clone.New("").Parse(text)
	}
	var out bytes.Buffer
	if err == nil {
		err = clone.Execute(&out, data)
	}
	if err != nil && t.err == nil {
		t.err = err
		t.n.Log.Warn("a notification template failed", "receiver", t.n.Integration.Receiver, "err", err)
	}
	return out.String()
}

const (
	titleTemplate   = `{{ template "default.title" . }}`
	messageTemplate = `{{ template "default.message" . }}`
)

func (n *Notifier) send(ctx context.Context, alerts []*alert.Alert) (bool, error) {
	settings := n.Integration.Settings
	t := &texts{n: n, notice: n.notice(ctx, alerts)}
	get := func(name string) string { return contact.Text(settings, name) }
	switch n.Integration.Type {
	case "email":
		return n.sendMail(t)
	case "webhook":
		return n.sendWebhook(ctx, t)
	case "slack":
		return n.sendSlack(ctx, t)
	case "discord":
		return n.sendDiscord(ctx, t)
	case "pagerduty":
		return n.sendPagerDuty(ctx, t)
	case "teams":
		card := map[string]any{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"body": []any{
				map[string]any{"type": "TextBlock", "text": t.expand(get("title"), titleTemplate), "weight": "bolder", "size": "large", "wrap": true},
				map[string]any{"type": "TextBlock", "text": t.expand(get("message"), messageTemplate), "wrap": true},
			},
			"actions": []any{map[string]any{"type": "Action.OpenUrl", "title": "View URL", "url": t.notice.ExternalURL + "alerting/list"}},
		}
		body := map[string]any{
			"type": "message", "summary": t.expand(get("title"), titleTemplate),
			"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}},
		}
		return n.post(ctx, "POST", t.expand(get("url"), ""), body, nil)
	case "prometheus-alertmanager":
		return n.forward(ctx, alerts)
	case "googlechat", "dingding", "victorops", "wecom", "sensugo", "oncall":
		// Their shape is not played, only that something arrives.
		body := map[string]any{"title": t.expand(get("title"), titleTemplate), "text": t.expand(get("message"), messageTemplate), "state": t.notice.Status}
		return n.post(ctx, "POST", get("url"), body, nil)
	}
	n.Log.Info("nothing is sent for this type here", "receiver", n.Integration.Receiver, "type", n.Integration.Type)
	return false, nil
}

// post sends JSON.
func (n *Notifier) post(ctx context.Context, method, address string, body any, prepare func(*http.Request)) (bool, error) {
	answer, retry, err := n.call(ctx, method, address, body, prepare)
	_ = answer
	return retry, err
}

func (n *Notifier) call(ctx context.Context, method, address string, body any, prepare func(*http.Request)) ([]byte, bool, error) {
	raw, isRaw := body.([]byte)
	if !isRaw {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, false, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(raw))
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Grafana")
	if prepare != nil {
		prepare(request)
	}
	answer, err := notifyClient.Do(request)
	if err != nil {
		return nil, true, err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if answer.StatusCode/100 != 2 {
		retry := answer.StatusCode/100 == 5 || answer.StatusCode == 429
		return text, retry, fmt.Errorf("webhook response status %s", answer.Status)
	}
	return text, false, nil
}
