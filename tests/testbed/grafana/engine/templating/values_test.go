package templating

import (
	"testing"

	"alertwright.testbed/grafana/engine/expression"
)

func TestValueTemplates(t *testing.T) {
	data := NewValueData(expression.Labels{"x": "1"}, map[string]expression.Captured{"A": {Labels: expression.Labels{"x": "1"}, Num: expression.Ptr(1234567.5)}, "B": {Num: expression.Ptr(2)}})
	for text, want := range map[string]string{
		"{{ with $values.A }}{{ . }}{{ end }} now":  "1234567.5 now",
		"{{ $values.B.Value }}":                     "2",
		"{{ with $values.Z }}{{ . }}{{ end }}":      "",
		"{{ $labels.x }}/{{ $labels.y }}":           "1/[no value]",
		"{{ $value }}":                              "[ var='A' labels={x=1} value=1234567.5 ], [ var='B' labels={} value=2 ]",
		`{{ printf "%.1f" $values.B.Value }}`:       "2.0",
		"{{ humanize $values.A.Value }}":            "1.235M",
		"{{ humanizePercentage 0.5 }}":              "50%",
		"plain":                                     "plain",
		`{{ if gt $values.B.Value 1.0 }}y{{ end }}`: "y",
	} {
		got, err := ParseValue(text).Expand(data)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if got, err := ParseValue("{{ $values.Z.Value").Expand(data); err == nil || got != "{{ $values.Z.Value" {
		t.Errorf("a template that is none: %q, %v", got, err)
	}
}
