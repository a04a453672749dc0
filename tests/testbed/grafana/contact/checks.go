package contact

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What the constructors of the integrations refuse (github.com/grafana/alerting, receivers/*/config.go). A field that came later is ignored
// by releases before it.

func oneOf(name string, values ...string) func(int, map[string]any) error {
	return func(_ int, settings map[string]any) error {
		if value := Text(settings, name); value != "" && !slices.Contains(values, value) && !strings.Contains(value, "{{") {
			return fmt.Errorf("invalid value for %s: %q", name, value)
		}
		return nil
	}
}

func checkSlack(_ int, settings map[string]any) error {
	address := Text(settings, "url")
	if address == "" {
		if Text(settings, "token") == "" {
			return errors.New("token must be specified when using the Slack chat API")
		}
		if Text(settings, "recipient") == "" {
			return errors.New("recipient must be specified when using the Slack chat API")
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

func checkAuthorization(_ int, settings map[string]any) error {
	if Text(settings, "username") != "" && Text(settings, "password") != "" && Text(settings, "authorization_credentials") != "" {
		return errors.New("both HTTP Basic Authentication and Authorization Header are set, only 1 is permitted")
	}
	return nil
}

// Headers that a webhook can't set itself, as http.CanonicalHeaderKey has them.
var restrictedHeaders = []string{
	"Accept-Charset", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Cookie", "Date", "Expect", "Forwarded",
	"Host", "Keep-Alive", "Max-Forwards", "Origin", "Proxy-Authenticate", "Proxy-Authorization", "Referer", "Set-Cookie", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "User-Agent", "Via", "X-Forwarded-For", "X-Real-Ip",
}

func checkWebhook(release int, settings map[string]any) error {
	if err := checkAuthorization(release, settings); err != nil {
		return err
	}
	if method := Text(settings, "httpMethod"); method != "" && method != "POST" && method != "PUT" {
		return fmt.Errorf("invalid HTTP method %q: must be POST or PUT", method)
	}
	if most := Text(settings, "maxAlerts"); most != "" {
		if _, err := strconv.Atoi(most); err != nil {
			return fmt.Errorf("maxAlerts: %q is no number", most)
		}
	}
	if headers, ok := settings["headers"].(map[string]any); ok && release >= withHeaders {
		for name := range headers {
			if slices.Contains(restrictedHeaders, http.CanonicalHeaderKey(name)) {
				return fmt.Errorf("custom header %q is restricted", name)
			}
		}
	}
	if hmac, ok := settings["hmacConfig"].(map[string]any); ok && release >= withHMAC && Text(hmac, "secret") == "" {
		return errors.New("hmacConfig: secret must be specified")
	}
	if payload, ok := settings["payload"].(map[string]any); ok && release >= withHeaders && Text(payload, "template") == "" {
		return errors.New("payload: template must be specified")
	}
	return nil
}

func checkJira(_ int, settings map[string]any) error {
	token := Text(settings, "api_token") != ""
	login := Text(settings, "user") != "" && Text(settings, "password") != ""
	switch {
	case token && (Text(settings, "user") != "" || Text(settings, "password") != ""):
		return errors.New("provided both token and user/password, only one is allowed at a time")
	case !token && !login:
		return errors.New("either token or both user and password must be set")
	}
	if key := Text(settings, "dedup_key_field"); strings.Trim(key, "0123456789") != "" {
		return fmt.Errorf("dedup_key_field must match the format [0-9]+, got %q", key)
	}
	return nil
}

func checkKafka(_ int, settings map[string]any) error {
	switch version := Text(settings, "apiVersion"); version {
	case "", "v2":
	case "v3":
		if Text(settings, "kafkaClusterId") == "" {
			return errors.New("kafka cluster id must be provided when using api version v3")
		}
	default:
		return fmt.Errorf("unsupported api version: %s", version)
	}
	return nil
}

func checkMQTT(release int, settings map[string]any) error {
	if qos := Text(settings, "qos"); qos != "" && qos != "0" && qos != "1" && qos != "2" {
		return fmt.Errorf("invalid QoS level: %s, must be 0, 1 or 2", qos)
	}
	return oneOf("messageFormat", "json", "text")(release, settings)
}

func checkOpsgenie(release int, settings map[string]any) error {
	if err := oneOf("sendTagsAs", "tags", "details", "both")(release, settings); err != nil {
		return err
	}
	responders, _ := settings["responders"].([]any)
	if release < withResponders {
		return nil
	}
	for i, each := range responders {
		responder, _ := each.(map[string]any)
		kind := Text(responder, "type")
		if !slices.Contains([]string{"team", "teams", "user", "escalation", "schedule"}, kind) && !strings.Contains(kind, "{{") {
			return fmt.Errorf("responder at index [%d] has unsupported type %q", i, kind)
		}
		if Text(responder, "id") == "" && Text(responder, "name") == "" && Text(responder, "username") == "" {
			return fmt.Errorf("responder at index [%d] must have at least one of id, username or name specified", i)
		}
	}
	return nil
}

func checkURLs(_ int, settings map[string]any) error {
	for _, address := range strings.Split(Text(settings, "url"), ",") {
		if parsed, err := url.Parse(strings.TrimSpace(address)); err != nil || parsed.Host == "" {
			return fmt.Errorf("invalid url property in settings: %q", address)
		}
	}
	return nil
}

func checkPushover(_ int, settings map[string]any) error {
	for _, name := range []string{"priority", "okPriority"} {
		if value := Text(settings, name); value != "" {
			if n, err := strconv.Atoi(value); err != nil || n < -2 || n > 2 {
				return fmt.Errorf("failed to convert %s to an integer from -2 to 2: %q", name, value)
			}
		}
	}
	for _, name := range []string{"retry", "expire"} {
		if value := Text(settings, name); value != "" {
			if _, err := strconv.Atoi(value); err != nil {
				return fmt.Errorf("failed to convert %s to integer: %q", name, value)
			}
		}
	}
	return nil
}

func checkSNS(_ int, settings map[string]any) error {
	if Text(settings, "topic_arn") == "" && Text(settings, "target_arn") == "" && Text(settings, "phone_number") == "" {
		return errors.New("must specify topicArn, targetArn, or phone number")
	}
	signing, _ := settings["sigv4"].(map[string]any)
	if (Text(signing, "access_key") == "") != (Text(signing, "secret_key") == "") {
		return errors.New("must specify both access key and secret key")
	}
	return nil
}

func checkThreema(_ int, settings map[string]any) error {
	gateway, recipient := Text(settings, "gateway_id"), Text(settings, "recipient_id")
	switch {
	case !strings.HasPrefix(gateway, "*"):
		return errors.New("invalid Threema Gateway ID: Must start with a *")
	case len(gateway) != 8:
		return errors.New("invalid Threema Gateway ID: Must be 8 characters long")
	case len(recipient) != 8:
		return errors.New("invalid Threema Recipient ID: Must be 8 characters long")
	}
	return nil
}

func checkWecom(_ int, settings map[string]any) error {
	if Text(settings, "url") != "" {
		return nil
	}
	switch {
	case Text(settings, "secret") == "":
		return errors.New("either url or secret is required")
	case Text(settings, "agent_id") == "":
		return errors.New("could not find AgentID in settings")
	case Text(settings, "corp_id") == "":
		return errors.New("could not find CorpID in settings")
	}
	return nil
}
