package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// got is one notification as it arrived.
type got struct {
	header http.Header
	body   string
}

func TestAWebhookIsSignedAndShapedWhereTheReleaseCan(t *testing.T) {
	t.Parallel()
	for version, can := range map[string]bool{"10.4.0": false, "12.4.0": true} {
		arrived := make(chan got, 100)
		sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			arrived <- got{r.Header.Clone(), string(body)}
		}))
		t.Cleanup(sink.Close)
		d := start(t, version)
		d.must(200, "POST", "/api/folders", object{"uid": "f", "title": "F"})
		d.must(202, "POST", "/api/v1/provisioning/contact-points", object{"uid": "c", "name": "cp", "type": "webhook", "settings": object{
			"url": sink.URL, "headers": object{"X-Team": "db"}, "hmacConfig": object{"secret": "s", "timestampHeader": "X-Time"},
			"payload": object{"template": `{"team":"{{ .Vars.team }}","firing":{{ len .Alerts.Firing }}}`, "vars": object{"team": "db"}},
		}})
		d.must(202, "PUT", "/api/v1/provisioning/policies", object{"receiver": "cp", "group_wait": "0s", "group_interval": "1s"})
		d.must(201, "POST", "/api/v1/provisioning/alert-rules", rule("r", "f", "g", "1 > 0"))
		d.must(200, "PUT", "/api/v1/provisioning/folder/f/rule-groups/g", object{"interval": 1, "rules": []object{rule("r", "f", "g", "1 > 0")}})
		one := <-arrived
		if has := one.header.Get("X-Team") == "db"; has != can {
			t.Errorf("%s: the header is %q", version, one.header.Get("X-Team"))
		}
		if has := one.body == `{"team":"db","firing":1}`; has != can {
			t.Errorf("%s: the body is %s", version, one.body)
		}
		if !can && !strings.Contains(one.body, `"groupKey"`) {
			t.Errorf("%s: the body is %s", version, one.body)
		}
		mac := hmac.New(sha256.New, []byte("s"))
		mac.Write([]byte(one.header.Get("X-Time") + ":" + one.body))
		if signed := one.header.Get("X-Grafana-Alerting-Signature") == hex.EncodeToString(mac.Sum(nil)); signed != can {
			t.Errorf("%s: signed is %v", version, signed)
		}
	}
}
