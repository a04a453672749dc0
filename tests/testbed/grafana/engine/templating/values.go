// Package templating expands the templates in labels and annotations of rules, and those of notifications.
package templating

import (
	"bytes"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"text/template"

	"alertwright.testbed/grafana/engine/expression"
)

// Templates of rules (labels and annotations) and of notifications: two languages.

// ValueTemplate is the text of an annotation or label.
type ValueTemplate struct {
	text   string
	parsed *template.Template
	err    error
}

const valuePrefix = "{{$labels := .Labels}}{{$values := .Values}}{{$value := .Value}}"

// ParseValue reads a template of a rule's label or annotation. One that doesn't parse stays text.
func ParseValue(text string) *ValueTemplate {
	t := &ValueTemplate{text: text}
	if strings.Contains(text, "{{") {
		t.parsed, t.err = template.New("").Funcs(valueFunctions).Parse(valuePrefix + text)
	}
	return t
}

// templateValue is what $values holds of a node.
type templateValue struct {
	Labels map[string]string
	Value  float64
}

func (v templateValue) String() string { return formatNumber(v.Value) }

func formatNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

type valueData struct {
	Labels templateLabels
	Values map[string]templateValue
	Value  string
}

type templateLabels map[string]string

func (l templateLabels) String() string { return expression.Labels(l).String() }

// NewValueData is what such a template sees (pkg/services/ngalert/state/template).
func NewValueData(labels expression.Labels, values map[string]expression.Captured) valueData {
	data := valueData{Labels: templateLabels(labels), Values: map[string]templateValue{}, Value: ValueString(values)}
	for id, captured := range values {
		x := math.NaN()
		if captured.Num != nil {
			x = *captured.Num
		}
		data.Values[id] = templateValue{captured.Labels, x}
	}
	return data
}

// ValueString is the dump of all nodes that $value is.
func ValueString(values map[string]expression.Captured) string {
	ids := make([]string, 0, len(values))
	for id := range values {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	parts := make([]string, 0, len(ids))
	for _, id := range ids {
		text := "null"
		if num := values[id].Num; num != nil {
			text = formatNumber(*num)
		}
		parts = append(parts, fmt.Sprintf("[ var='%s' labels={%s} value=%s ]", id, values[id].Labels, text))
	}
	return strings.Join(parts, ", ")
}

// Expand runs the template. One that fails leaves its text as it is.
func (t *ValueTemplate) Expand(data valueData) (string, error) {
	if t.parsed == nil {
		return t.text, t.err
	}
	var out bytes.Buffer
	if err := t.parsed.Execute(&out, data); err != nil {
		return t.text, err
	}
	return strings.ReplaceAll(out.String(), "<no value>", "[no value]"), nil
}
