//! What the settings of Alertmanager's receivers are called in Grafana's integrations.
//!
//! From Alertmanager's documentation of its configuration and Grafana's of its contact points. What isn't in here Grafana has no setting for.

/// How a setting is carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// As it is.
    Itself(&'static str),
    /// As a text, also where it is a number.
    Text(&'static str),
    /// As a text with the number of seconds of a length of time.
    Seconds(&'static str),
    /// As a reference to a Secret; also from the setting of the same name that ends in `_file`.
    Secret(&'static str),
    /// Texts by their names, which resources write as a list of keys and values.
    Texts(&'static str),
    /// It is looked at elsewhere.
    Elsewhere,
}

/// One type of integration.
pub(super) struct Type {
    /// What it is called in a receiver.
    pub(super) theirs: &'static str,
    /// What Grafana calls it.
    pub(super) ours: &'static str,
    /// Whether it says that an alert is resolved where nothing is said of that.
    pub(super) sends_resolved: bool,
    pub(super) settings: &'static [(&'static str, As)],
    /// Settings that the global ones of these names stand for where they are left out.
    pub(super) global: &'static [(&'static str, &'static str)],
}

use As::{Elsewhere, Itself, Seconds, Secret, Text, Texts};

const TITLE: (&str, As) = ("title", Itself("title"));
const MESSAGE: (&str, As) = ("message", Itself("message"));

/// Types that Grafana doesn't have.
pub(super) const UNKNOWN: [&str; 3] = ["incidentio_configs", "mattermost_configs", "rocketchat_configs"];

pub(super) const TYPES: [Type; 14] = [
    Type {
        theirs: "email_configs",
        ours: "email",
        sends_resolved: false,
        settings: &[
            ("to", Elsewhere),
            ("headers", Elsewhere),
            ("text", Itself("message")),
        ],
        global: &[],
    },
    Type {
        theirs: "slack_configs",
        ours: "slack",
        sends_resolved: false,
        settings: &[
            ("api_url", Secret("url")),
            ("app_token", Secret("token")),
            ("app_url", Itself("endpointUrl")),
            ("channel", Itself("recipient")),
            ("username", Itself("username")),
            ("icon_emoji", Itself("icon_emoji")),
            ("icon_url", Itself("icon_url")),
            ("color", Itself("color")),
            TITLE,
            ("text", Itself("text")),
            ("footer", Itself("footer")),
        ],
        global: &[
            ("api_url", "slack_api_url"),
            ("app_token", "slack_app_token"),
            ("app_url", "slack_app_url"),
        ],
    },
    Type {
        theirs: "pagerduty_configs",
        ours: "pagerduty",
        sends_resolved: true,
        settings: &[
            ("routing_key", Secret("integrationKey")),
            ("service_key", Elsewhere),
            ("url", Itself("url")),
            ("client", Itself("client")),
            ("client_url", Itself("client_url")),
            ("description", Itself("summary")),
            ("details", Texts("details")),
            ("source", Itself("source")),
            ("severity", Itself("severity")),
            ("class", Itself("class")),
            ("component", Itself("component")),
            ("group", Itself("group")),
        ],
        global: &[("url", "pagerduty_url")],
    },
    Type {
        theirs: "opsgenie_configs",
        ours: "opsgenie",
        sends_resolved: true,
        settings: &[
            ("api_key", Secret("apiKey")),
            ("api_url", Elsewhere),
            MESSAGE,
            ("description", Itself("description")),
            ("responders", Itself("responders")),
        ],
        global: &[("api_key", "opsgenie_api_key"), ("api_url", "opsgenie_api_url")],
    },
    Type {
        theirs: "victorops_configs",
        ours: "victorops",
        sends_resolved: true,
        settings: &[
            ("api_key", Elsewhere),
            ("api_url", Elsewhere),
            ("routing_key", Elsewhere),
            ("message_type", Itself("messageType")),
            ("entity_display_name", Itself("title")),
            ("state_message", Itself("description")),
        ],
        global: &[("api_key", "victorops_api_key"), ("api_url", "victorops_api_url")],
    },
    Type {
        theirs: "pushover_configs",
        ours: "pushover",
        sends_resolved: true,
        settings: &[
            ("user_key", Secret("userKey")),
            ("token", Secret("apiToken")),
            TITLE,
            MESSAGE,
            ("device", Itself("device")),
            ("sound", Itself("sound")),
            ("priority", Elsewhere),
            ("retry", Seconds("retry")),
            ("expire", Seconds("expire")),
        ],
        global: &[],
    },
    Type {
        theirs: "webhook_configs",
        ours: "webhook",
        sends_resolved: true,
        settings: &[
            ("url", Secret("url")),
            ("url_secret", Elsewhere),
            ("max_alerts", Text("maxAlerts")),
            ("http_config", Elsewhere),
        ],
        global: &[],
    },
    Type {
        theirs: "telegram_configs",
        ours: "telegram",
        sends_resolved: true,
        settings: &[
            ("bot_token", Secret("bottoken")),
            ("chat_id", Text("chatid")),
            ("message_thread_id", Text("message_thread_id")),
            MESSAGE,
            ("disable_notifications", Itself("disable_notifications")),
            ("parse_mode", Itself("parse_mode")),
        ],
        global: &[("bot_token", "telegram_bot_token")],
    },
    Type {
        theirs: "discord_configs",
        ours: "discord",
        sends_resolved: true,
        settings: &[
            ("webhook_url", Secret("url")),
            ("api_url", Secret("url")),
            TITLE,
            MESSAGE,
            ("avatar_url", Itself("avatar_url")),
        ],
        global: &[],
    },
    Type {
        theirs: "webex_configs",
        ours: "webex",
        sends_resolved: true,
        settings: &[
            ("api_url", Itself("api_url")),
            ("room_id", Itself("room_id")),
            MESSAGE,
            ("http_config", Elsewhere),
        ],
        global: &[("api_url", "webex_api_url")],
    },
    Type {
        theirs: "msteams_configs",
        ours: "teams",
        sends_resolved: true,
        settings: &[("webhook_url", Secret("url")), TITLE, ("text", Itself("message"))],
        global: &[],
    },
    Type {
        theirs: "wechat_configs",
        ours: "wecom",
        sends_resolved: false,
        settings: &[
            ("api_secret", Secret("secret")),
            ("corp_id", Text("corp_id")),
            ("agent_id", Text("agent_id")),
            ("to_user", Itself("touser")),
            MESSAGE,
            ("message_type", Itself("msgtype")),
        ],
        global: &[
            ("api_secret", "wechat_api_secret"),
            ("corp_id", "wechat_api_corp_id"),
        ],
    },
    Type {
        theirs: "sns_configs",
        ours: "sns",
        sends_resolved: true,
        settings: &[
            ("api_url", Itself("api_url")),
            ("topic_arn", Itself("topic_arn")),
            ("target_arn", Itself("target_arn")),
            ("phone_number", Itself("phone_number")),
            ("subject", Itself("subject")),
            MESSAGE,
            ("attributes", Texts("attributes")),
            ("sigv4", Elsewhere),
        ],
        global: &[],
    },
    Type {
        theirs: "jira_configs",
        ours: "jira",
        sends_resolved: true,
        settings: &[
            ("api_url", Itself("api_url")),
            ("project", Itself("project")),
            ("issue_type", Itself("issue_type")),
            ("summary", Elsewhere),
            ("description", Elsewhere),
            ("labels", Itself("labels")),
            ("priority", Itself("priority")),
            ("reopen_transition", Itself("reopen_transition")),
            ("resolve_transition", Itself("resolve_transition")),
            ("wont_fix_resolution", Itself("wont_fix_resolution")),
            ("reopen_duration", Itself("reopen_duration")),
            ("fields", Itself("fields")),
            ("http_config", Elsewhere),
        ],
        global: &[("api_url", "jira_api_url")],
    },
];

/// The type of a receiver's list of settings.
pub(super) fn of(theirs: &str) -> Option<&'static Type> {
    let theirs = if theirs == "msteamsv2_configs" {
        "msteams_configs"
    } else {
        theirs
    };
    TYPES.iter().find(|known| known.theirs == theirs)
}
