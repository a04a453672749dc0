package main

import (
	"fmt"
	"testing"
)

func TestQueriesAndRulesAreTriedWithoutLeavingAnything(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"10.0.0", "13.3.0"} {
		d, p := start(t, version), startPrometheus(t)
		p.says(map[string]string{"a": "7", "b": "NaN"}, "")
		d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
		d.must(200, "POST", "/api/datasources", object{"uid": "prom", "name": "prom", "type": "prometheus", "access": "proxy", "url": p.URL})
		data := []object{
			{"refId": "A", "datasourceUid": "prom", "relativeTimeRange": object{"from": 60, "to": 0}, "model": object{"expr": "x", "instant": true}},
			{"refId": "C", "datasourceUid": "__expr__", "model": object{"type": "math", "expression": "is_number(1 / ($A > 5))"}},
		}
		eval := d.must(200, "POST", "/api/v1/eval", object{"data": data})
		got := map[string]string{}
		for _, frame := range eval.at("results", "C", "frames").([]any) {
			labels := frame.(object)["schema"].(object)["fields"].([]any)[0].(object)["labels"].(object)
			got[fmt.Sprint(labels["series"])] = fmt.Sprint(frame.(object)["data"].(object)["values"])
		}
		if fmt.Sprint(got) != "map[a:[[1]] b:[[0]]]" {
			t.Errorf("%s: %v", version, got)
		}
		tried := object{"folderUid": "f", "folderTitle": "F", "rule": object{
			"for": "5m", "annotations": object{"summary": "it is {{ $values.A.Value }}"},
			"grafana_alert": object{"title": "t", "condition": "C", "data": data, "no_data_state": "NoData", "exec_err_state": "Error"},
		}}
		if version == "10.0.0" {
			d.must(400, "POST", "/api/v1/rule/test/grafana", tried)
		} else {
			found := false
			for _, alert := range d.must(200, "POST", "/api/v1/rule/test/grafana", tried).body.([]any) {
				found = found || fmt.Sprint(alert.(object)["annotations"].(object)["summary"]) == "it is 7"
			}
			if !found {
				t.Errorf("%s: the annotation isn't rendered", version)
			}
		}
		p.says(nil, "too many samples")
		ask := object{"from": "now-1h", "to": "now", "queries": []object{{"refId": "A", "datasource": object{"uid": "prom"}, "expr": "x", "range": true, "interval": "60s"}}}
		failed := d.must(400, "POST", "/api/ds/query", ask)
		if failed.at("results", "A", "error") != "too many samples" {
			t.Errorf("%s: %v", version, failed.body)
		}
		if rules := d.must(200, "GET", "/api/v1/provisioning/alert-rules", nil); rules.len() != 0 {
			t.Errorf("%s: a trial has left a rule", version)
		}
	}
}
