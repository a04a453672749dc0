package sending

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/notify"

	"alertwright.testbed/grafana/contact"
	"alertwright.testbed/grafana/engine/templating"
)

// webhookBody is what a webhook sends where it has no payload of its own.
type webhookBody struct {
	*templating.Notice
	Version         string         `json:"version"`
	GroupKey        string         `json:"groupKey"`
	TruncatedAlerts int            `json:"truncatedAlerts"`
	OrgID           int64          `json:"orgId"`
	Title           string         `json:"title"`
	State           string         `json:"state"`
	Message         string         `json:"message"`
	Vars            map[string]any `json:"-"`
}

// sendWebhook sends as the documentation of webhook notifications has it: credentials, and from the releases that have them a signature,
// headers and a body of the contact point's own.
func (n *Notifier) sendWebhook(ctx context.Context, t *texts) (bool, error) {
	settings, v := n.Integration.Settings, n.Cfg.Version
	groupKey, _ := notify.GroupKey(ctx)
	notice := *t.notice
	truncated := 0
	if limit, err := strconv.Atoi(contact.Text(settings, "maxAlerts")); err == nil && limit > 0 && len(notice.Alerts) > limit {
		truncated = len(notice.Alerts) - limit
		notice.Alerts = notice.Alerts[:limit]
	}
	state := "ok"
	if notice.Status == "firing" {
		state = "alerting"
	}
	sent := webhookBody{
		Notice: &notice, Version: "1", GroupKey: groupKey, TruncatedAlerts: truncated, OrgID: n.Org,
		Title: t.expand(contact.Text(settings, "title"), titleTemplate), State: state, Message: t.expand(contact.Text(settings, "message"), messageTemplate),
	}
	body, err := json.Marshal(sent)
	if payload, ok := settings["payload"].(map[string]any); ok && v.WebhookPayload() {
		sent.Vars, _ = payload["vars"].(map[string]any)
		body = []byte(t.expandWith(contact.Text(payload, "template"), sent))
	}
	if err != nil {
		return false, err
	}
	method := strings.ToUpper(contact.Text(settings, "httpMethod"))
	if method != http.MethodPut {
		method = http.MethodPost
	}
	return n.post(ctx, method, t.expand(contact.Text(settings, "url"), ""), body, func(r *http.Request) {
		if user := contact.Text(settings, "username"); user != "" {
			r.SetBasicAuth(user, contact.Text(settings, "password"))
		}
		if credentials := contact.Text(settings, "authorization_credentials"); credentials != "" {
			scheme := contact.Text(settings, "authorization_scheme")
			if scheme == "" {
				scheme = "Bearer"
			}
			r.Header.Set("Authorization", scheme+" "+credentials)
		}
		if headers, ok := settings["headers"].(map[string]any); ok && v.WebhookPayload() {
			for name, value := range headers {
				r.Header.Set(name, fmt.Sprint(value))
			}
		}
		if signing, ok := settings["hmacConfig"].(map[string]any); ok && v.WebhookHMAC() {
			sign(r, signing, body, time.Now())
		}
	})
}

// sign adds the signature: HMAC-SHA256 of the body, with "TIME:" before it where a header for the time is named.
func sign(r *http.Request, settings map[string]any, body []byte, now time.Time) {
	mac := hmac.New(sha256.New, []byte(contact.Text(settings, "secret")))
	if name := contact.Text(settings, "timestampHeader"); name != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		r.Header.Set(name, at)
		mac.Write([]byte(at + ":"))
	}
	mac.Write(body)
	name := contact.Text(settings, "header")
	if name == "" {
		name = "X-Grafana-Alerting-Signature"
	}
	r.Header.Set(name, hex.EncodeToString(mac.Sum(nil)))
}
