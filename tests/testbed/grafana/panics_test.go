package main

import (
	"net/http"
	"testing"
)

// Each of these once ended in a panic, which drops the connection.
func TestOddPagesAndAlertGroupsAreAnswered(t *testing.T) {
	d := start(t, "13.3.0")
	for _, path := range []string{
		"/api/alertmanager/grafana/api/v2/alerts/groups",
		"/api/folders?limit=10&page=9223372036854775807",
		"/api/folders?limit=9223372036854775807&page=2",
		"/api/search?type=dash-folder&limit=5000&page=1844674407370955162",
	} {
		if status := d.call(http.MethodGet, path, nil).status; status != http.StatusOK {
			t.Errorf("GET %s: %d, not 200", path, status)
		}
	}
	for path, want := range map[string]int{"/api/orgs/1": 400, "/api/orgs/none": 400, "/api/orgs/99": 404} {
		if status := d.call(http.MethodDelete, path, nil).status; status != want {
			t.Errorf("DELETE %s: %d, not %d", path, status, want)
		}
	}
}
