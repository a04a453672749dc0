package templating

import (
	"encoding/json"
	"text/template"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"

	"alertwright.testbed/grafana/store"
)

// The default notification templates: our own words, in the shape of Grafana's.
const standardTemplates = `
{{ define "__subject" }}[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ if gt (.Alerts.Resolved | len) 0 }}, RESOLVED:{{ .Alerts.Resolved | len }}{{ end }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }} {{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}{{ end }}
{{ define "default.title" }}{{ template "__subject" . }}{{ end }}
{{ define "__alerts" }}{{ range . }}
Value: {{ or .ValueString "[no value]" }}
Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Annotations:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ if gt (len .GeneratorURL) 0 }}Source: {{ .GeneratorURL }}
{{ end }}{{ if gt (len .SilenceURL) 0 }}Silence: {{ .SilenceURL }}
{{ end }}{{ end }}{{ end }}
{{ define "default.message" }}{{ if gt (len .Alerts.Firing) 0 }}**Firing**
{{ template "__alerts" .Alerts.Firing }}{{ if gt (len .Alerts.Resolved) 0 }}

{{ end }}{{ end }}{{ if gt (len .Alerts.Resolved) 0 }}**Resolved**
{{ template "__alerts" .Alerts.Resolved }}{{ end }}{{ end }}
{{ define "teams.default.message" }}{{ template "default.message" . }}{{ end }}
`

var notificationFunctions = func() template.FuncMap {
	all := template.FuncMap{}
	for name, f := range amtemplate.DefaultFuncs {
		all[name] = f
	}
	delete(all, "safeUrl")
	all["safeHtml"] = func(text string) string { return text }
	return all
}()

// notificationTemplate parses the standard templates and an organisation's own.
func Notification(own map[string]*store.Template, externalURL string) (*template.Template, error) {
	t, err := template.New("").Option("missingkey=zero").Funcs(notificationFunctions).Parse(standardTemplates)
	if err != nil {
		return nil, err
	}
	for _, name := range store.SortedKeys(own) {
		if _, err := t.New(name).Parse(own[name].Text); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Notice is what notification templates see, and what a webhook sends.
type Notice struct {
	Receiver          string        `json:"receiver"`
	Status            string        `json:"status"`
	Alerts            NoticeAlerts  `json:"alerts"`
	GroupLabels       amtemplate.KV `json:"groupLabels"`
	CommonLabels      amtemplate.KV `json:"commonLabels"`
	CommonAnnotations amtemplate.KV `json:"commonAnnotations"`
	ExternalURL       string        `json:"externalURL"`
	TruncatedAlerts   *int          `json:"-"`
}

// NoticeAlert is one alert of it.
type NoticeAlert struct {
	Status       string             `json:"status"`
	Labels       amtemplate.KV      `json:"labels"`
	Annotations  amtemplate.KV      `json:"annotations"`
	StartsAt     time.Time          `json:"startsAt"`
	EndsAt       time.Time          `json:"endsAt"`
	GeneratorURL string             `json:"generatorURL"`
	Fingerprint  string             `json:"fingerprint"`
	SilenceURL   string             `json:"silenceURL"`
	DashboardURL string             `json:"dashboardURL"`
	PanelURL     string             `json:"panelURL"`
	Values       map[string]float64 `json:"values"`
	ValueString  string             `json:"valueString"`
	OrgID        *int64             `json:"orgId,omitempty"`
}

// NoticeAlerts can be asked for some of them.
type NoticeAlerts []NoticeAlert

func (a NoticeAlerts) only(status string) NoticeAlerts {
	found := NoticeAlerts{}
	for _, each := range a {
		if each.Status == status {
			found = append(found, each)
		}
	}
	return found
}

// Firing are those that fire.
func (a NoticeAlerts) Firing() NoticeAlerts { return a.only("firing") }

// Resolved are those that don't any more.
func (a NoticeAlerts) Resolved() NoticeAlerts { return a.only("resolved") }

// ParseValues reads the values that an alert carries in an annotation.
func ParseValues(text string) map[string]float64 {
	var values map[string]float64
	if json.Unmarshal([]byte(text), &values) != nil {
		return nil
	}
	return values
}
