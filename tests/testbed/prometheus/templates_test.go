package tools

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
)

// What the end-to-end tests expect of Grafana is what Prometheus makes of the same texts. The definitions are those that its rules begin with.
func TestTheTableOfTemplatesIsWhatPrometheusRenders(t *testing.T) {
	file, err := os.ReadFile("../../e2e/imports/templates.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct{ Name, Text, Shown string }
	if err := json.Unmarshal(file, &table); err != nil {
		t.Fatal(err)
	}
	if len(table) < 10 {
		t.Fatalf("only %d texts", len(table))
	}
	const definitions = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	labels := map[string]string{"job": "api:80"}
	data := template.AlertTemplateData(labels, nil, "", promql.Sample{F: 123456.5})
	noQuery := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	for _, row := range table {
		expander := template.NewTemplateExpander(context.Background(), definitions+row.Text, row.Name, data,
			model.Time(0), noQuery, &url.URL{}, nil)
		shown, err := expander.Expand()
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
		} else if shown != row.Shown {
			t.Errorf("%s: %q instead of %q", row.Name, shown, row.Shown)
		}
	}
}
