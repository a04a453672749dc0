package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const testbed = "/-/testbed/"

func TestWhatWasAnsweredSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0"))
	d.must(202, "POST", "/api/v1/provisioning/contact-points", object{"uid": "c", "name": "cp", "type": "webhook", "settings": object{"url": "http://127.0.0.1:1"}})
	d.must(202, "PUT", "/api/v1/provisioning/policies", object{"receiver": "cp"})
	d.must(202, "POST", "/api/alertmanager/grafana/api/v2/silences", silenceOf("a", "b"))
	d.must(200, "PUT", "/api/v1/provisioning/folder/f/rule-groups/g", object{"interval": 1, "rules": []object{rule("r", "f", "g", "1 > 0")}})
	d.eventually("the rule fires", func() bool { return d.stateOf("title of r") == "firing" })
	d.eventually("that is written down", func() bool {
		text, err := os.ReadFile(filepath.Join(d.data, "states-1.json"))
		return err == nil && strings.Contains(string(text), "Alerting")
	})
	d.must(200, "PUT", "/api/v1/provisioning/folder/f/rule-groups/g", object{"interval": 3600, "rules": []object{rule("r", "f", "g", "1 > 0")}})
	d.end(syscall.SIGKILL)
	d.again()
	for path, want := range map[string]string{"/api/v1/provisioning/alert-rules/r": "title of r", "/api/folders/f": "F"} {
		if got := d.must(200, "GET", path, nil).at("title"); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := d.must(200, "GET", "/api/v1/provisioning/policies", nil).at("receiver"); got != "cp" {
		t.Errorf("the tree goes to %v", got)
	}
	if got := d.must(200, "GET", "/api/alertmanager/grafana/api/v2/silences", nil).at(0, "status", "state"); got != "active" {
		t.Errorf("the silence is %v", got)
	}
	d.eventually("it still fires, long before it is evaluated again", func() bool { return d.stateOf("title of r") == "firing" })
}

func TestAnIndexThatLagsShowsFoldersLaterThanTheStoreDoes(t *testing.T) {
	t.Parallel()
	d := start(t, "13.3.0")
	d.must(200, "PUT", testbed+"index", object{"lag": "300ms"})
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	search := func() int { return d.must(200, "GET", "/api/search?type=dash-folder", nil).len() }
	if search() != 0 {
		t.Error("the search finds the folder at once")
	}
	d.must(200, "GET", "/api/folders/f", nil)
	d.eventually("the search finds the folder", func() bool { return search() == 1 })
	d.must(200, "DELETE", "/api/folders/f", nil)
	if search() != 1 {
		t.Error("the search forgets the folder at once")
	}
	d.eventually("the search forgets the folder", func() bool { return search() == 0 })
}

func TestAReplicaThatLagsReadsAnOlderState(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	d.must(200, "PUT", testbed+"replica", object{"lag": "400ms"})
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0"))
	silence := d.must(202, "POST", "/api/alertmanager/grafana/api/v2/silences", silenceOf("a", "b")).at("silenceID").(string)
	d.must(404, "GET", "/api/v1/provisioning/alert-rules/r", nil)
	d.must(404, "GET", "/api/alertmanager/grafana/api/v2/silence/"+silence, nil)
	status := func(path string) int { return d.call("GET", path, nil).status }
	d.eventually("the rule is seen", func() bool { return status("/api/v1/provisioning/alert-rules/r") == http.StatusOK })
	d.eventually("the silence is seen", func() bool { return status("/api/alertmanager/grafana/api/v2/silence/"+silence) == http.StatusOK })
	d.must(204, "DELETE", "/api/v1/provisioning/alert-rules/r", nil)
	d.must(200, "GET", "/api/v1/provisioning/alert-rules/r", nil)
	d.must(200, "DELETE", testbed+"faults", nil)
	d.must(404, "GET", "/api/v1/provisioning/alert-rules/r", nil)
}

func TestALostAlertmanagerAnswersAsTheRealOneDoes(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	for state, want := range map[string]int{"notReady": 409, "missing": 404, "failing": 500, "unavailable": 503, "ready": 200} {
		d.must(200, "PUT", testbed+"alertmanager", object{"state": state})
		d.must(want, "GET", "/api/alertmanager/grafana/api/v2/silences", nil)
		d.must(want, "GET", "/api/alertmanager/grafana/api/v2/alerts", nil)
		d.must(200, "GET", "/api/v1/provisioning/alert-rules", nil)
	}
}

func TestAFailingDatabaseIsToldByTheHealth(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	d.must(200, "PUT", testbed+"database", object{"state": "failing"})
	if got := d.must(503, "GET", "/api/health", nil).at("database"); got != "failing" {
		t.Errorf("the database is %v", got)
	}
	d.must(500, "GET", "/api/folders", nil)
	d.must(200, "DELETE", testbed+"faults", nil)
	d.must(200, "GET", "/api/folders", nil)
}

func TestAnOlderDatabaseIsRestored(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	d.must(200, "PUT", "/api/v1/provisioning/folder/f/rule-groups/g", object{"interval": 1, "rules": []object{rule("old", "f", "g", "1 > 0")}})
	kept := d.must(202, "POST", "/api/alertmanager/grafana/api/v2/silences", silenceOf("a", "b")).at("silenceID").(string)
	d.must(200, "PUT", testbed+"database/snapshots/before", nil)
	d.must(204, "DELETE", "/api/v1/provisioning/alert-rules/old", nil)
	d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("new", "f", "g", "1 > 0"))
	lost := d.must(202, "POST", "/api/alertmanager/grafana/api/v2/silences", silenceOf("c", "d")).at("silenceID").(string)
	d.must(200, "POST", testbed+"database/restore", object{"snapshot": "before"})
	d.must(200, "GET", "/api/v1/provisioning/alert-rules/old", nil)
	d.must(404, "GET", "/api/v1/provisioning/alert-rules/new", nil)
	d.must(200, "GET", "/api/alertmanager/grafana/api/v2/silence/"+kept, nil)
	d.must(404, "GET", "/api/alertmanager/grafana/api/v2/silence/"+lost, nil)
	d.eventually("the old rule fires", func() bool { return d.stateOf("title of old") == "firing" })
	d.end(syscall.SIGKILL)
	d.again()
	d.must(200, "GET", "/api/v1/provisioning/alert-rules/old", nil)
	d.must(400, "POST", testbed+"database/restore", object{"snapshot": "other"})
}

func TestAnEmptiedDatabaseKeepsOnlyWhatItIsToldTo(t *testing.T) {
	t.Parallel()
	d := start(t, "12.4.0")
	account := d.must(201, "POST", "/api/serviceaccounts", object{"name": "a", "role": "Admin"}).at("id")
	token := d.must(200, "POST", "/api/serviceaccounts/"+jsonOf(account)+"/tokens", object{"name": "t"}).at("key").(string)
	d.must(200, "POST", "/api/datasources", object{"uid": "td", "name": "td", "type": "testdata", "access": "proxy"})
	d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
	d.must(200, "POST", testbed+"database/empty", object{"keep": []string{"accounts", "datasources"}})
	d.must(404, "GET", "/api/folders/f", nil)
	if got := d.callAs(token, "GET", "/api/datasources/uid/td", nil).status; got != 200 {
		t.Errorf("what was to be kept is gone: %d", got)
	}
	d.must(200, "POST", testbed+"database/empty", nil)
	if got := d.callAs(token, "GET", "/api/folders", nil).status; got != 401 {
		t.Errorf("a token of the old database answers %d", got)
	}
	d.must(404, "GET", "/api/datasources/uid/td", nil)
	d.must(200, "GET", "/api/v1/provisioning/policies", nil)
}
