package contact

import (
	"testing"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

type object = map[string]any

func TestSettingsAreTakenOrRefusedAsTheReleaseDoes(t *testing.T) {
	for _, c := range []struct {
		version, kind string
		settings      object
		taken         bool
	}{
		{"10.0.0", "email", object{"addresses": "a@example.com"}, true},
		{"10.0.0", "email", object{}, false},
		{"10.0.0", "unknown", object{}, false},
		{"10.0.0", "jira", object{"api_url": "u", "project": "p", "issue_type": "i", "api_token": "t"}, false},
		{"11.6.0", "jira", object{"api_url": "u", "project": "p", "issue_type": "i", "api_token": "t"}, true},
		{"11.6.0", "jira", object{"api_url": "u", "project": "p", "issue_type": "i", "api_token": "t", "user": "x"}, false},
		{"10.0.0", "webhook", object{"url": "u", "headers": object{"Cookie": "c"}}, true},
		{"12.4.0", "webhook", object{"url": "u", "headers": object{"Cookie": "c"}}, false},
		{"12.4.0", "webhook", object{"url": "u", "headers": object{"X-Team": "c"}, "hmacConfig": object{"secret": "s"}}, true},
		{"12.4.0", "webhook", object{"url": "u", "hmacConfig": object{}}, false},
		{"12.4.0", "opsgenie", object{"apiKey": "k", "responders": []any{object{"type": "team", "name": "n"}}}, true},
		{"12.4.0", "opsgenie", object{"apiKey": "k", "responders": []any{object{"type": "team"}}}, false},
		{"12.4.0", "kafka", object{"kafkaRestProxy": "u", "kafkaTopic": "t", "apiVersion": "v3"}, false},
		{"12.4.0", "sns", object{}, false},
		{"12.4.0", "threema", object{"gateway_id": "*1234567", "recipient_id": "12345678", "api_secret": "s"}, true},
		{"12.4.0", "threema", object{"gateway_id": "12345678", "recipient_id": "12345678", "api_secret": "s"}, false},
		{"12.4.0", "telegram", object{"bottoken": "b", "chatid": 5.0, "parse_mode": "XML"}, false},
		{"12.4.0", "wecom", object{"secret": "s", "agent_id": "a", "corp_id": "c"}, true},
		{"12.4.0", "wecom", object{"secret": "s"}, false},
	} {
		v, err := profile.Parse(c.version)
		if err != nil {
			t.Fatal(err)
		}
		err = Check(v, &store.Integration{Name: "cp", Type: c.kind, Settings: c.settings})
		if (err == nil) != c.taken {
			t.Errorf("%s %s %v: %v, want taken %v", c.version, c.kind, c.settings, err, c.taken)
		}
	}
}

func TestSecretsAreHiddenSinceTheReleaseThatHasThemSo(t *testing.T) {
	for version, want := range map[string]string{"10.4.0": "https://discord.example.com", "13.3.0": store.Redacted} {
		v, err := profile.Parse(version)
		if err != nil {
			t.Fatal(err)
		}
		shown := Shown(v, &store.Integration{Type: "discord", Settings: object{"url": "https://discord.example.com"}})
		if shown["url"] != want {
			t.Errorf("%s: %v, want %v", version, shown["url"], want)
		}
	}
}
