package main

import (
	"fmt"
	"strings"
	"testing"
)

// account makes a service account, and gives a token of it. Single rights are those that Grafana Enterprise gives by its API.
func (d *double) account(name, role string, grants ...object) string {
	d.t.Helper()
	id := jsonOf(d.must(201, "POST", "/api/serviceaccounts", object{"name": name, "role": role}).at("id"))
	if len(grants) > 0 {
		uid := d.must(201, "POST", "/api/access-control/roles", object{"name": name, "permissions": grants}).at("uid")
		d.must(200, "POST", "/api/access-control/users/"+id+"/roles", object{"roleUid": uid})
	}
	return d.must(200, "POST", "/api/serviceaccounts/"+id+"/tokens", object{"name": name}).at("key").(string)
}

func grant(action string, scope ...string) object {
	return object{"action": action, "scope": strings.Join(scope, "")}
}

const licensed = "cfg:enterprise.license_path=/licence"

func TestRolesOpenWhatTheReleaseGivesThem(t *testing.T) {
	t.Parallel()
	calls := []struct {
		method, path string
		body         any
	}{
		{"GET", "/api/v1/provisioning/alert-rules", nil},
		{"POST", "/api/v1/provisioning/alert-rules", rule("", "f", "g", "1 > 0")},
		{"GET", "/api/v1/provisioning/policies", nil},
		{"PUT", "/api/v1/provisioning/policies", object{"receiver": "cp"}},
		{"GET", "/api/ruler/grafana/api/v1/rules", nil},
		{"GET", "/api/datasources", nil},
		{"POST", "/api/folders", object{"title": ""}},
		{"GET", "/api/alertmanager/grafana/api/v2/silences", nil},
		{"POST", "/api/alertmanager/grafana/api/v2/silences", silenceOf("a", "b")},
	}
	for version, want := range map[string]map[string]string{
		"10.0.0": {"None": "NNNNNNNNN", "Viewer": "NNNNYYNYN", "Editor": "NNNNYYYYY", "Admin": "YYYYYYYYY"},
		"12.4.0": {"None": "NNNNNNNNN", "Viewer": "YNYNYYNYN", "Editor": "YYYYYYYYY", "Admin": "YYYYYYYYY"},
	} {
		d := start(t, version)
		d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
		d.must(202, "POST", "/api/v1/provisioning/contact-points", object{"uid": "c", "name": "cp", "type": "webhook", "settings": object{"url": "http://127.0.0.1:1"}})
		for role, want := range want {
			token := d.account("a "+role, role)
			got := ""
			for i, call := range calls {
				body := call.body
				if i == 1 {
					body = rule(fmt.Sprintf("r-%s", role), "f", "g", "1 > 0")
				}
				if d.callAs(token, call.method, call.path, body).status == 403 {
					got += "N"
				} else {
					got += "Y"
				}
			}
			if got != want {
				t.Errorf("%s, %s: %s, want %s", version, role, got, want)
			}
		}
	}
}

func TestRightsOnAFolderCountInItAndBelow(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0", licensed)
	d.must(200, "POST", "/api/folders", object{"uid": "own", "title": "Own"})
	d.must(200, "POST", "/api/folders", object{"uid": "below", "title": "Below", "parentUid": "own"})
	d.must(200, "POST", "/api/folders", object{"uid": "other", "title": "Other"})
	token := d.account("a", "None", grant("folders:read", "folders:uid:own"), grant("alert.rules:read", "folders:uid:own"),
		grant("alert.rules:create", "folders:uid:own"), grant("alert.rules:write", "folders:uid:own"), grant("alert.provisioning.provenance:write"))
	for folder, want := range map[string]int{"own": 201, "below": 201, "other": 403} {
		if a := d.callAs(token, "POST", "/api/v1/provisioning/alert-rules", rule("in-"+folder, folder, "g", "1 > 0")); a.status != want {
			t.Errorf("in %s: %d, want %d: %s", folder, a.status, want, a.text)
		}
	}
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("secret", "other", "g", "1 > 0"))
	if a := d.callAs(token, "GET", "/api/v1/provisioning/alert-rules", nil); a.len() != 2 {
		t.Errorf("it sees %s", a.text)
	}
	if a := d.callAs(token, "GET", "/api/ruler/grafana/api/v1/rules", nil); strings.Contains(a.text, "secret") {
		t.Errorf("it sees %s", a.text)
	}
	if a := d.callAs(token, "GET", "/api/v1/provisioning/alert-rules/secret", nil); a.status != 403 || a.at("messageId") != "alerting.unauthorized" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := d.callAs(token, "DELETE", "/api/v1/provisioning/alert-rules/in-own", nil); a.status != 403 {
		t.Errorf("it deletes without the right to: %d", a.status)
	}
	loki := rule("asks", "own", "g", "1 > 0")
	loki["data"] = append(loki["data"].([]object), object{"refId": "A", "datasourceUid": "loki", "relativeTimeRange": object{"from": 600, "to": 0}, "model": object{}})
	if a := d.callAs(token, "POST", "/api/v1/provisioning/alert-rules", loki); a.status != 403 || !strings.Contains(a.text, "datasources") {
		t.Errorf("it names a data source that it can't query: %d %s", a.status, a.text)
	}
}

func TestTheRightToProvisionOpensNothingElse(t *testing.T) {
	t.Parallel()
	d := start(t, "13.3.0", licensed)
	token := d.account("a", "None", grant("alert.provisioning:read"), grant("alert.provisioning:write"))
	for path, want := range map[string]int{
		"/api/v1/provisioning/alert-rules": 200, "/api/v1/provisioning/contact-points": 200, "/api/ruler/grafana/api/v1/rules": 403, "/api/datasources": 403,
		"/api/folders": 403, "/apis/rules.alerting.grafana.app/v0alpha1/namespaces/default/alertrules": 403,
	} {
		if a := d.callAs(token, "GET", path, nil); a.status != want {
			t.Errorf("%s: %d, want %d: %s", path, a.status, want, a.text)
		}
	}
}

func TestWhoMakesAFolderMayWriteRulesInIt(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0", licensed)
	token := d.account("a", "None", grant("folders:create", "folders:uid:general"), grant("alert.provisioning.provenance:write"))
	if a := d.callAs(token, "POST", "/api/folders", object{"uid": "own", "title": "Own"}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := d.callAs(token, "POST", "/api/v1/provisioning/alert-rules", rule("r", "own", "g", "1 > 0")); a.status != 201 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestASilenceForOneRuleNeedsARightOnItsFolderOnly(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0", licensed)
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0"))
	token := d.account("a", "None", grant("alert.silences:read", "folders:uid:f"), grant("alert.silences:create", "folders:uid:f"))
	const path = "/api/alertmanager/grafana/api/v2/silences"
	if a := d.callAs(token, "POST", path, silenceOf("__alert_rule_uid__", "r")); a.status != 202 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := d.callAs(token, "POST", path, silenceOf("team", "x")); a.status != 403 {
		t.Errorf("%d %s", a.status, a.text)
	}
	d.must(202, "POST", path, silenceOf("team", "x"))
	if a := d.callAs(token, "GET", path, nil); a.len() != 1 {
		t.Errorf("it sees %s", a.text)
	}
}

func TestRightsOnAFolderCountBelowAPIsToo(t *testing.T) {
	t.Parallel()
	d := start(t, "13.3.0", licensed)
	d.must(200, "POST", "/api/folders", object{"uid": "own", "title": "Own"})
	d.must(200, "POST", "/api/folders", object{"uid": "other", "title": "Other"})
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("secret", "other", "g", "1 > 0"))
	token := d.account("a", "None", grant("folders:read", "folders:uid:own"), grant("alert.rules:read", "folders:uid:own"),
		grant("alert.rules:create", "folders:uid:own"))
	const path = "/apis/rules.alerting.grafana.app/v0alpha1/namespaces/default/alertrules"
	made := func(name, folder string) int {
		return d.callAs(token, "POST", path, object{
			"apiVersion": "rules.alerting.grafana.app/v0alpha1", "kind": "AlertRule",
			"metadata": object{"name": name, "annotations": object{"grafana.app/folder": folder}},
			"spec": object{
				"title": name, "trigger": object{"interval": "1m"}, "noDataState": "NoData", "execErrState": "Error",
				"expressions": object{"A": object{"source": true, "model": object{"type": "math", "expression": "1 > 0", "refId": "A"}}},
			},
		}).status
	}
	if got := made("mine", "own"); got != 201 {
		t.Errorf("in the own folder: %d", got)
	}
	if got := made("theirs", "other"); got != 403 {
		t.Errorf("in another folder: %d", got)
	}
	if a := d.callAs(token, "GET", path, nil); strings.Contains(a.text, "secret") || !strings.Contains(a.text, "mine") {
		t.Errorf("it sees %s", a.text)
	}
	if a := d.callAs(token, "GET", path+"/secret", nil); a.status != 403 {
		t.Errorf("%d %s", a.status, a.text)
	}
}
