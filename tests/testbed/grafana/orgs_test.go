package main

import (
	"fmt"
	"net/http"
	"testing"
)

// inOrg calls as the administrator in an organisation.
func (d *double) inOrg(org any, method, path string, body any) answer {
	d.t.Helper()
	d.org = fmt.Sprint(org)
	defer func() { d.org = "" }()
	return d.call(method, path, body)
}

func TestOrganisationsKnowNothingOfEachOther(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	org := jsonOf(d.must(200, "POST", "/api/orgs", object{"name": "second"}).at("orgId"))
	if a := d.call("POST", "/api/orgs", object{"name": "second"}); a.status != 409 {
		t.Errorf("a name twice: %d", a.status)
	}
	d.eventually("its configuration is made", func() bool {
		return d.inOrg(org, "GET", "/api/v1/provisioning/policies", nil).status == http.StatusOK
	})
	for _, call := range []struct {
		path string
		body object
	}{
		{"/api/folders", object{"uid": "f", "title": "F"}},
		{"/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0")},
		{"/api/alertmanager/grafana/api/v2/silences", silenceOf("a", "b")},
	} {
		if a := d.inOrg(org, "POST", call.path, call.body); a.status/100 != 2 {
			t.Errorf("%s: %d %s", call.path, a.status, a.text)
		}
	}
	d.must(404, "GET", "/api/folders/f", nil)
	d.must(404, "GET", "/api/v1/provisioning/alert-rules/r", nil)
	if n := d.must(200, "GET", "/api/alertmanager/grafana/api/v2/silences", nil).len(); n != 0 {
		t.Errorf("the first organisation has %d silences", n)
	}
	d.must(200, "DELETE", "/api/orgs/"+org, nil)
	if a := d.inOrg(org, "GET", "/api/folders/f", nil); a.status != 404 {
		t.Errorf("after it was deleted: %d %s", a.status, a.text)
	}
}

func TestANewOrganisationHasNoConfigurationBeforeTheNextPoll(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"10.0.0": 404, "12.4.0": 500} {
		d := start(t, version, "-poll", "1h")
		org := d.must(200, "POST", "/api/orgs", object{"name": "second"}).at("orgId")
		if a := d.inOrg(org, "GET", "/api/v1/provisioning/policies", nil); a.status != want {
			t.Errorf("%s: %d %s", version, a.status, a.text)
		}
		if a := d.inOrg(org, "GET", "/api/alertmanager/grafana/api/v2/silences", nil); a.status != 404 {
			t.Errorf("%s: %d %s", version, a.status, a.text)
		}
		if a := d.inOrg(org, "POST", "/api/folders", object{"title": "F"}); a.status != 200 {
			t.Errorf("%s: %d %s", version, a.status, a.text)
		}
	}
}

func TestFoldersGoOnlySoDeep(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	parent := ""
	for i := range 5 {
		uid := fmt.Sprintf("f%d", i)
		d.must(200, "POST", "/api/folders", object{"uid": uid, "title": uid, "parentUid": parent})
		parent = uid
	}
	if a := d.must(400, "POST", "/api/folders", object{"uid": "deep", "title": "deep", "parentUid": parent}); a.at("messageId") != "folder.maximum-depth-reached" {
		t.Errorf("%s", a.text)
	}
	d.must(200, "POST", "/api/folders", object{"uid": "other", "title": "other"})
	d.must(400, "POST", "/api/folders/other/move", object{"parentUid": "f4"})
	d.must(200, "POST", "/api/folders/other/move", object{"parentUid": "f3"})
}

func TestAQuotaOfRulesIsKept(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"10.0.0": 500, "12.4.0": 403} {
		d := start(t, version, "cfg:quota.enabled=true", "cfg:quota.org_alert_rule=1")
		d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
		d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0"))
		d.must(403, "POST", "/api/v1/provisioning/alert-rules", rule("s", "f", "g", "1 > 0"))
		second := rule("", "f", "g", "1 > 0")
		second["title"] = "another"
		if a := d.call("PUT", "/api/v1/provisioning/folder/f/rule-groups/g", object{"interval": 60, "rules": []object{rule("r", "f", "g", "1 > 0"), second}}); a.status != want {
			t.Errorf("%s: %d %s", version, a.status, a.text)
		}
	}
}

func TestItAnswersBelowASubPath(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0", "cfg:server.root_url=http://grafana.example.com/grafana/", "cfg:server.serve_from_sub_path=true")
	d.must(200, "GET", "/grafana/api/health", nil)
	d.must(404, "GET", "/other/api/health", nil)
}
