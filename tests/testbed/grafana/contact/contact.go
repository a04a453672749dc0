// Package contact knows the types of contact points' integrations: what they need, and which of their settings are
// secret.
package contact

import (
	"fmt"
	"net/url"
	"strings"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

// kind is a type of integration.
type kind struct {
	// What must be given; names with | between them are alternatives.
	required []string
	// What is secret, and since which release where not from the start.
	secret map[string]int
	// The release that brought the type, 0 for 10.0.
	since int
	check func(settings map[string]any) error
}

// release makes a number of major and minor for comparison.
func release(v profile.Version) int { return v.Major*100 + v.Minor }

func kinds() map[string]kind {
	always := func(names ...string) map[string]int {
		secret := map[string]int{}
		for _, name := range names {
			secret[name] = 0
		}
		return secret
	}
	later := func(secret map[string]int, since int, names ...string) map[string]int {
		for _, name := range names {
			secret[name] = since
		}
		return secret
	}
	tls := []string{"tlsConfig.caCertificate", "tlsConfig.clientCertificate", "tlsConfig.clientKey"}
	return map[string]kind{
		"LINE":       {required: []string{"token"}, secret: always("token")},
		"line":       {required: []string{"token"}, secret: always("token")},
		"dingding":   {required: []string{"url"}, secret: later(always(), 1004, "url")},
		"discord":    {required: []string{"url"}, secret: later(always(), 1004, "url")},
		"email":      {required: []string{"addresses"}},
		"googlechat": {required: []string{"url"}, secret: later(always(), 1004, "url")},
		"jira": {required: []string{"api_url", "project", "issue_type"}, secret: always("user", "password", "api_token"), since: 1106, check: func(settings map[string]any) error {
			if Text(settings, "api_token") == "" && (Text(settings, "user") == "" || Text(settings, "password") == "") {
				return fmt.Errorf("either token or both user and password must be set")
			}
			return nil
		}},
		"kafka":                   {required: []string{"kafkaRestProxy", "kafkaTopic"}, secret: always("password")},
		"mqtt":                    {required: []string{"brokerUrl", "topic"}, secret: later(always("password"), 0, tls...), since: 1101},
		"oncall":                  {required: []string{"url"}, secret: always("password", "authorization_credentials"), since: 1004},
		"opsgenie":                {required: []string{"apiKey"}, secret: always("apiKey")},
		"pagerduty":               {required: []string{"integrationKey"}, secret: always("integrationKey")},
		"prometheus-alertmanager": {required: []string{"url"}, secret: always("basicAuthPassword")},
		"pushover":                {required: []string{"userKey", "apiToken"}, secret: always("apiToken", "userKey")},
		"sensugo":                 {required: []string{"url", "apikey"}, secret: always("apikey")},
		"slack":                   {secret: always("token", "url"), check: checkSlack},
		"sns":                     {secret: always("sigv4.access_key", "sigv4.secret_key"), since: 1101},
		"teams":                   {required: []string{"url"}},
		"telegram":                {required: []string{"bottoken", "chatid"}, secret: always("bottoken")},
		"threema":                 {required: []string{"gateway_id", "recipient_id", "api_secret"}, secret: always("api_secret")},
		"victorops":               {required: []string{"url"}, secret: later(always(), 1004, "url")},
		"webex":                   {required: []string{"bot_token", "room_id"}, secret: always("bot_token")},
		"webhook": {required: []string{"url"}, secret: later(later(always("password", "authorization_credentials"), 1200,
			"hmacConfig.secret", "http_config.oauth2.client_secret"), 1200, tls...), check: checkWebhook},
		"wecom": {required: []string{"url|secret"}, secret: always("url", "secret")},
	}
}

var allKinds = kinds()

// Text is a setting as text.
func Text(settings map[string]any, name string) string {
	switch value := settings[name].(type) {
	case string:
		return value
	case nil:
		return ""
	default:
		return fmt.Sprint(value)
	}
}

// Truth is a setting as a truth value; "true" counts too.
func Truth(settings map[string]any, name string) bool {
	value := settings[name]
	return value == true || value == "true"
}

func checkSlack(settings map[string]any) error {
	address := Text(settings, "url")
	if address == "" {
		if Text(settings, "token") == "" {
			return fmt.Errorf("token must be specified when using the Slack chat API")
		}
		if Text(settings, "recipient") == "" {
			return fmt.Errorf("recipient must be specified when using the Slack chat API")
		}
		address = Text(settings, "endpointUrl")
	}
	if _, err := url.Parse(address); err != nil {
		return fmt.Errorf("invalid URL %q", address)
	}
	switch channel := Text(settings, "mentionChannel"); channel {
	case "", "here", "channel":
	default:
		return fmt.Errorf("invalid value for mentionChannel: %q", channel)
	}
	return nil
}

func checkWebhook(settings map[string]any) error {
	if Text(settings, "username") != "" && Text(settings, "password") != "" && Text(settings, "authorization_credentials") != "" {
		return fmt.Errorf("both HTTP Basic Authentication and Authorization Header are set, only 1 is permitted")
	}
	return nil
}

// checkIntegration says what is wrong with an integration.
func Check(v profile.Version, i *store.Integration) error {
	if i.Type == "" {
		return fmt.Errorf("type should not be an empty string")
	}
	if i.Settings == nil {
		return fmt.Errorf("settings should not be empty")
	}
	k, known := allKinds[i.Type]
	if !known || release(v) < k.since {
		return fmt.Errorf("unknown notifier %q", i.Type)
	}
	fail := func(err error) error {
		return fmt.Errorf("failed to validate integration %q (UID %s) of type %q: %w", i.Name, i.UID, i.Type, err)
	}
	for _, name := range k.required {
		found := false
		for _, alternative := range strings.Split(name, "|") {
			found = found || Text(i.Settings, alternative) != ""
		}
		if !found {
			return fail(fmt.Errorf("required field '%s' is not specified", name))
		}
	}
	if k.check != nil {
		if err := k.check(i.Settings); err != nil {
			return fail(err)
		}
	}
	return nil
}

// Secrets lists the paths of an integration's secret settings.
func Secrets(v profile.Version, kind string) []string {
	var paths []string
	for path, since := range allKinds[kind].secret {
		if release(v) >= since && (!strings.Contains(path, ".") || v.NestedSecrets()) {
			paths = append(paths, path)
		}
	}
	return paths
}

// At finds the object that a path's last name is in.
func At(settings map[string]any, path string) (map[string]any, string) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return settings, path
	}
	inner, ok := settings[first].(map[string]any)
	if !ok {
		return nil, ""
	}
	return At(inner, rest)
}

// DeepCopy copies decoded JSON, so that a copy can be changed.
func DeepCopy(value any) any {
	switch value := value.(type) {
	case map[string]any:
		next := make(map[string]any, len(value))
		for name, each := range value {
			next[name] = DeepCopy(each)
		}
		return next
	case []any:
		next := make([]any, len(value))
		for i, each := range value {
			next[i] = DeepCopy(each)
		}
		return next
	default:
		return value
	}
}

// Shown are the settings as they are read: without secrets.
func Shown(v profile.Version, i *store.Integration) map[string]any {
	settings := DeepCopy(i.Settings).(map[string]any)
	for _, path := range Secrets(v, i.Type) {
		if object, name := At(settings, path); object != nil {
			if value, ok := object[name]; ok && value != "" {
				object[name] = store.Redacted
			}
		}
	}
	return settings
}

// KeepSecrets puts the stored secrets in where an update repeats what reads show of them.
func KeepSecrets(v profile.Version, settings, stored map[string]any, kind string) {
	for _, path := range Secrets(v, kind) {
		object, name := At(settings, path)
		if object == nil || object[name] != store.Redacted {
			continue
		}
		if old, name := At(stored, path); old != nil {
			object[name] = old[name]
		}
	}
}
