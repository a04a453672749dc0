package sending

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"alertwright.testbed/grafana/contact"
)

func (n *Notifier) sendSlack(ctx context.Context, t *texts) (bool, error) {
	settings := n.Integration.Settings
	color := "#36a64f"
	if t.notice.Status == "firing" {
		color = "#D63232"
	}
	title := t.expand(contact.Text(settings, "title"), titleTemplate)
	body := map[string]any{
		"channel": t.expand(contact.Text(settings, "recipient"), ""), "username": t.expand(contact.Text(settings, "username"), "Grafana"),
		"icon_emoji": t.expand(contact.Text(settings, "icon_emoji"), ""), "icon_url": t.expand(contact.Text(settings, "icon_url"), ""),
		"attachments": []any{map[string]any{
			"color": color, "title": title, "fallback": title, "text": t.expand(contact.Text(settings, "text"), messageTemplate),
			"title_link": t.notice.ExternalURL + "alerting/list", "footer": "Grafana v" + n.Cfg.Version.Text,
			"footer_icon": "https://grafana.com/static/assets/img/fav32.png", "ts": time.Now().Unix(), "mrkdwn_in": []string{"pretext"},
		}},
	}
	for _, name := range []string{"channel", "icon_emoji", "icon_url"} {
		if body[name] == "" {
			delete(body, name)
		}
	}
	var mentions []string
	if channel := contact.Text(settings, "mentionChannel"); channel != "" {
		mentions = append(mentions, fmt.Sprintf("<!%s|%s>", channel, channel))
	}
	for _, id := range strings.FieldsFunc(contact.Text(settings, "mentionGroups"), func(r rune) bool { return r == ',' || r == ' ' }) {
		mentions = append(mentions, "<!subteam^"+id+">")
	}
	for _, id := range strings.FieldsFunc(contact.Text(settings, "mentionUsers"), func(r rune) bool { return r == ',' || r == ' ' }) {
		mentions = append(mentions, "<@"+id+">")
	}
	if len(mentions) > 0 {
		body["blocks"] = []any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": strings.Join(mentions, " ")}}}
	}
	address := contact.Text(settings, "url")
	if address == "" {
		if address = contact.Text(settings, "endpointUrl"); address == "" {
			address = "https://slack.com/api/chat.postMessage"
		}
	}
	answer, retry, err := n.call(ctx, "POST", address, body, func(r *http.Request) {
		if token := contact.Text(settings, "token"); token != "" && contact.Text(settings, "url") == "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	})
	var said struct {
		OK    *bool
		Error string
	}
	if err == nil && json.Unmarshal(answer, &said) == nil && said.OK != nil && !*said.OK {
		return false, fmt.Errorf("failed to make Slack API request: %s", said.Error)
	}
	return retry, err
}

func (n *Notifier) sendDiscord(ctx context.Context, t *texts) (bool, error) {
	settings := n.Integration.Settings
	color := 0x36a64f
	if t.notice.Status == "firing" {
		color = 0xD63232
	}
	content := []rune(t.expand(contact.Text(settings, "message"), messageTemplate))
	if len(content) > 2000 {
		content = append(content[:1999], '…')
	}
	body := map[string]any{
		"content": string(content),
		"embeds": []any{map[string]any{
			"title": t.expand(contact.Text(settings, "title"), titleTemplate), "type": "rich", "color": color, "url": t.notice.ExternalURL + "alerting/list",
			"footer": map[string]any{"text": "Grafana v" + n.Cfg.Version.Text, "icon_url": "https://grafana.com/static/assets/img/fav32.png"},
		}},
	}
	if !contact.Truth(settings, "use_discord_username") {
		body["username"] = "Grafana"
	}
	if avatar := t.expand(contact.Text(settings, "avatar_url"), ""); avatar != "" {
		body["avatar_url"] = avatar
	}
	return n.post(ctx, "POST", t.expand(contact.Text(settings, "url"), ""), body, nil)
}

func (n *Notifier) sendPagerDuty(ctx context.Context, t *texts) (bool, error) {
	settings := n.Integration.Settings
	groupKey, _ := notify.GroupKey(ctx)
	sum := sha256.Sum256([]byte(groupKey))
	action := "resolve"
	if t.notice.Status == "firing" {
		action = "trigger"
	}
	severity := strings.ToLower(t.expand(contact.Text(settings, "severity"), "critical"))
	switch severity {
	case "critical", "error", "warning", "info":
	default:
		severity = "critical"
	}
	details := map[string]string{
		"firing":     t.expand(`{{ template "__alerts" .Alerts.Firing }}`, ""),
		"resolved":   t.expand(`{{ template "__alerts" .Alerts.Resolved }}`, ""),
		"num_firing": t.expand(`{{ .Alerts.Firing | len }}`, ""), "num_resolved": t.expand(`{{ .Alerts.Resolved | len }}`, ""),
	}
	if own, ok := settings["details"].(map[string]any); ok {
		for name, value := range own {
			details[name] = t.expand(fmt.Sprint(value), "")
		}
	}
	summary := []rune(t.expand(contact.Text(settings, "summary"), titleTemplate))
	if len(summary) > 1024 {
		summary = summary[:1024]
	}
	host, _ := os.Hostname()
	body := map[string]any{
		"routing_key": contact.Text(settings, "integrationKey"), "event_action": action, "dedup_key": hex.EncodeToString(sum[:]),
		"description": t.expand(titleTemplate, ""), "client": t.expand(contact.Text(settings, "client"), "Grafana"),
		"client_url": t.expand(contact.Text(settings, "client_url"), t.notice.ExternalURL),
		"links":      []any{map[string]any{"href": t.notice.ExternalURL, "text": "External URL"}},
		"payload": map[string]any{
			"summary": string(summary), "severity": severity, "source": t.expand(contact.Text(settings, "source"), host),
			"class": t.expand(contact.Text(settings, "class"), "default"), "component": t.expand(contact.Text(settings, "component"), "Grafana"),
			"group": t.expand(contact.Text(settings, "group"), "default"), "timestamp": time.Now().Format(time.RFC3339), "custom_details": details,
		},
	}
	address := n.Cfg.PagerDuty
	if own := contact.Text(settings, "url"); own != "" && n.Cfg.Version.PagerDutyURL() {
		address = own
	}
	return n.post(ctx, "POST", address, body, nil)
}

// forward hands the alerts to another Alertmanager.
func (n *Notifier) forward(ctx context.Context, alerts []*alert.Alert) (bool, error) {
	settings := n.Integration.Settings
	body := []map[string]any{}
	for _, a := range alerts {
		body = append(body, map[string]any{
			"labels": visible(a.Labels), "annotations": visible(a.Annotations), "startsAt": a.StartsAt, "endsAt": a.EndsAt, "generatorURL": a.GeneratorURL,
		})
	}
	for _, base := range strings.Split(contact.Text(settings, "url"), ",") {
		address := strings.TrimSuffix(strings.TrimSpace(base), "/") + "/api/v2/alerts"
		retry, err := n.post(ctx, "POST", address, body, func(r *http.Request) {
			if user := contact.Text(settings, "basicAuthUser"); user != "" {
				r.SetBasicAuth(user, contact.Text(settings, "basicAuthPassword"))
			}
		})
		if err != nil {
			return retry, err
		}
	}
	return false, nil
}
