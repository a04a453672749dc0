package contact

import "alertwright.testbed/grafana/profile"

// kind is a type of integration.
type kind struct {
	// What must be given.
	required []string
	// What is secret, and since which release where not from the start.
	secret map[string]int
	// The release that brought the type, 0 for 10.0.
	since int
	// What else may be wrong, in a release.
	check func(release int, settings map[string]any) error
}

// release makes a number of major and minor for comparison: 1106 for 11.6.
func release(v profile.Version) int { return v.Major*100 + v.Minor }

// The releases that brought a type or a field, as the provider's acceptance tests have them.
const (
	withOnCall     = 1002
	withResponders = 1003
	withTLS        = 1104
	withHMAC       = 1106
	withJira       = 1106
	withHeaders    = 1200
	withHTTPConfig = 1201
	// Unconfirmed: when sns came, which was merged in June 2024; played: 11.1.
	withSNS = 1101
	// Unconfirmed: when mqtt came, which was merged in August 2024; played: 11.2.
	withMQTT = 1102
	// Unconfirmed: when the addresses of dingding, discord, googlechat and victorops became secret; in 10 they are shown; played: 11.6.
	withSecretURLs = 1106
)

type secrets map[string]int

func always(names ...string) secrets { return secrets{}.since(0, names...) }

func (s secrets) since(release int, names ...string) secrets {
	for _, name := range names {
		s[name] = release
	}
	return s
}

var tlsSecrets = []string{"tlsConfig.caCertificate", "tlsConfig.clientCertificate", "tlsConfig.clientKey"}

// allKinds are the types, their required fields and their secrets, as the schemas of github.com/grafana/alerting have them.
var allKinds = map[string]kind{
	"LINE":       {required: []string{"token"}, secret: always("token")},
	"line":       {required: []string{"token"}, secret: always("token")},
	"dingding":   {required: []string{"url"}, secret: secrets{}.since(withSecretURLs, "url"), check: oneOf("msgType", "link", "actionCard")},
	"discord":    {required: []string{"url"}, secret: secrets{}.since(withSecretURLs, "url")},
	"email":      {required: []string{"addresses"}},
	"googlechat": {required: []string{"url"}, secret: secrets{}.since(withSecretURLs, "url")},
	"jira": {
		required: []string{"api_url", "project", "issue_type"}, secret: always("user", "password", "api_token"), since: withJira, check: checkJira,
	},
	"kafka": {required: []string{"kafkaRestProxy", "kafkaTopic"}, secret: always("password"), check: checkKafka},
	"mqtt": {
		required: []string{"brokerUrl", "topic"}, secret: always("password").since(0, tlsSecrets...), since: withMQTT, check: checkMQTT,
	},
	"oncall": {
		required: []string{"url"}, secret: always("password", "authorization_credentials"), since: withOnCall, check: checkAuthorization,
	},
	"opsgenie":                {required: []string{"apiKey"}, secret: always("apiKey"), check: checkOpsgenie},
	"pagerduty":               {required: []string{"integrationKey"}, secret: always("integrationKey")},
	"prometheus-alertmanager": {required: []string{"url"}, secret: always("basicAuthPassword"), check: checkURLs},
	"pushover":                {required: []string{"userKey", "apiToken"}, secret: always("apiToken", "userKey"), check: checkPushover},
	"sensugo":                 {required: []string{"url", "apikey"}, secret: always("apikey")},
	"slack":                   {secret: always("token", "url"), check: checkSlack},
	"sns":                     {secret: always("sigv4.access_key", "sigv4.secret_key"), since: withSNS, check: checkSNS},
	"teams":                   {required: []string{"url"}},
	"telegram": {
		required: []string{"bottoken", "chatid"}, secret: always("bottoken"), check: oneOf("parse_mode", "None", "HTML", "Markdown", "MarkdownV2"),
	},
	"threema":   {required: []string{"gateway_id", "recipient_id", "api_secret"}, secret: always("api_secret"), check: checkThreema},
	"victorops": {required: []string{"url"}, secret: secrets{}.since(withSecretURLs, "url"), check: oneOf("messageType", "CRITICAL", "WARNING")},
	"webex":     {required: []string{"bot_token", "room_id"}, secret: always("bot_token")},
	"webhook": {
		required: []string{"url"}, check: checkWebhook, secret: always("password", "authorization_credentials").since(withTLS, tlsSecrets...).
				since(withHMAC, "hmacConfig.secret").since(withHTTPConfig, "http_config.oauth2.client_secret", "http_config.oauth2.tls_config.caCertificate",
			"http_config.oauth2.tls_config.clientCertificate", "http_config.oauth2.tls_config.clientKey"),
	},
	"wecom": {secret: always("url", "secret"), check: checkWecom},
}
