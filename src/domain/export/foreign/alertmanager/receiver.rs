//! One receiver of Alertmanager → the integrations of a contact point. Values never get into what is said of them: they may be secret.

use serde_json::{Map, Value};

use super::super::world::{Hidden, World};
use super::parts::{addresses, has_user, says_user, seconds, text, texts};
use super::tables::{self, As, Type, UNKNOWN};
use crate::api::reference::SecretKeyRef;
use crate::grafana::model::{Integration, REDACTED};

/// What a receiver sends to.
pub(super) struct Receiver {
    pub(super) integrations: Vec<Integration>,
    /// What of it Grafana has no words for.
    pub(super) lost: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// Where VictorOps is asked where nothing else is said.
const VICTOROPS: &str = "https://alert.victorops.com/integrations/generic/20131114/alert/";

/// Settings that are looked at by themselves, and may stand in a file.
const IN_FILES: [&str; 2] = ["service_key", "api_key"];

/// One integration that is being put together.
pub(super) struct Made<'a> {
    /// Where it is in its receiver.
    place: String,
    pub(super) given: &'a Map<String, Value>,
    global: &'a Map<String, Value>,
    pub(super) type_: &'static Type,
    settings: Map<String, Value>,
    hidden: Vec<(String, Hidden)>,
    lost: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// The integrations of a receiver. Their uids, which no resource says, begin with `called`.
pub(super) fn receiver(
    called: &str,
    given: &Map<String, Value>,
    global: &Map<String, Value>,
    world: &mut World,
) -> Receiver {
    let mut all = Receiver {
        integrations: Vec::new(),
        lost: Vec::new(),
        remarks: Vec::new(),
    };
    for (theirs, list) in given.iter().filter(|(field, _)| field.ends_with("_configs")) {
        let list = list.as_array().map_or(&[][..], Vec::as_slice);
        let Some(type_) = tables::of(theirs) else {
            if !list.is_empty() {
                let why = if UNKNOWN.contains(&theirs.as_str()) {
                    "Grafana has no integration of that kind"
                } else {
                    "it isn't known"
                };
                all.lost.push(format!("{theirs}: {why}"));
            }
            continue;
        };
        for (nth, given) in list.iter().enumerate() {
            let Some(given) = given.as_object() else {
                all.lost.push(format!("{theirs}[{nth}]: it is no mapping"));
                continue;
            };
            let made = Made {
                place: format!("{theirs}[{nth}]"),
                given,
                global,
                type_,
                settings: Map::new(),
                hidden: Vec::new(),
                lost: Vec::new(),
                remarks: Vec::new(),
            };
            let uid = format!("{called}/{theirs}/{nth}");
            all.take(made.filled(), uid, world);
        }
    }
    all
}

impl Receiver {
    fn take(&mut self, made: Made<'_>, uid: String, world: &mut World) {
        for (field, value) in made.hidden {
            world.hide(&uid, &field, value);
        }
        let sends = made.given.get("send_resolved").and_then(Value::as_bool);
        self.integrations.push(Integration {
            uid,
            r#type: made.type_.ours.to_owned(),
            settings: made.settings,
            disable_resolve_message: !sends.unwrap_or(made.type_.sends_resolved),
            provenance: None,
        });
        let at = |text: String| format!("{}.{text}", made.place);
        self.lost.extend(made.lost.into_iter().map(at));
        self.remarks.extend(made.remarks.into_iter().map(at));
    }
}

impl Made<'_> {
    fn filled(mut self) -> Self {
        for (theirs, how) in self.type_.settings {
            let value = self.value(theirs).cloned();
            match (how, value) {
                (As::Secret(ours), value) => self.secret(theirs, ours, value),
                (As::Elsewhere, _) | (_, None) => {}
                (As::Itself(ours), Some(Value::String(text))) => self.say(ours, text),
                (As::Itself(_) | As::Texts(_), Some(value)) if says_user(&value) => self.lose(
                    theirs,
                    "an address in it says who asks, and only a setting by itself can be in a Secret",
                ),
                (As::Itself(ours), Some(value)) => self.set(ours, value),
                (As::Text(ours), Some(value)) => self.say(ours, text(&value)),
                (As::Seconds(ours), Some(value)) => match seconds(&value) {
                    Some(seconds) => self.set(ours, seconds.to_string().into()),
                    None => self.lose(theirs, "it is no length of time"),
                },
                (As::Texts(ours), Some(value)) => {
                    let texts = texts(&value);
                    self.set(ours, texts);
                }
            }
        }
        match self.type_.ours {
            "email" => self.email(),
            "pagerduty" => self.pagerduty(),
            "opsgenie" => self.opsgenie(),
            "victorops" => self.victorops(),
            "pushover" => self.pushover(),
            "webhook" => self.webhook(),
            "webex" => self.webex(),
            "sns" => self.sns(),
            "jira" => self.jira(),
            _ => {}
        }
        self.others();
        self
    }

    /// A setting, or the global one that stands for it.
    fn value(&self, field: &str) -> Option<&Value> {
        let global = self.type_.global.iter().find(|(own, _)| *own == field);
        let is_said = |value: &&Value| !is_nothing(value);
        let own = self.given.get(field).filter(is_said);
        // A file of its own stands for the setting, not the global one.
        let has_file = self.given.contains_key(&format!("{field}_file"));
        own.or_else(|| self.global.get(global?.1).filter(is_said).filter(|_| !has_file))
    }

    fn has_file(&self, field: &str) -> bool {
        let global = self.type_.global.iter().find(|(own, _)| *own == field);
        let is_said = |fields: &Map<String, Value>, field: &str| {
            fields
                .get(&format!("{field}_file"))
                .is_some_and(|file| !is_nothing(file))
        };
        is_said(self.given, field) || global.is_some_and(|(_, global)| is_said(self.global, global))
    }

    pub(super) fn set(&mut self, field: &str, value: Value) {
        let mut inner = &mut self.settings;
        let (path, name) = field
            .rsplit_once('.')
            .map_or((None, field), |(path, name)| (Some(path), name));
        for step in path.into_iter().flat_map(|path| path.split('.')) {
            let next = inner.entry(step).or_insert_with(|| Value::Object(Map::new()));
            match next.as_object_mut() {
                Some(next) => inner = next,
                None => return,
            }
        }
        inner.insert(name.to_owned(), value);
    }

    pub(super) fn hide(&mut self, field: &str, value: Hidden) {
        self.set(field, REDACTED.into());
        self.hidden.push((field.to_owned(), value));
    }

    /// Sets a text, unless it is an address that says who asks.
    pub(super) fn say(&mut self, field: &str, text: String) {
        if has_user(&text) {
            self.hide(field, Hidden::Value(text));
        } else {
            self.set(field, text.into());
        }
    }

    fn secret(&mut self, theirs: &str, ours: &str, value: Option<Value>) {
        match value {
            Some(value) => self.hide(ours, hidden(&value)),
            None if self.has_file(theirs) => {
                self.remarks.push(format!(
                    "{theirs}_file: what is in the file belongs into the Secret"
                ));
                self.hide(ours, Hidden::Nowhere);
            }
            None => {}
        }
    }

    pub(super) fn lose(&mut self, field: &str, why: &str) {
        self.lost.push(format!("{field}: {why}"));
    }

    /// What is said that is in no table.
    fn others(&mut self) {
        let how = |field: &str| {
            let mut all = self.type_.settings.iter();
            all.find(|(own, _)| *own == field).map(|(_, how)| *how)
        };
        let known = |field: &str| {
            let is_in_file = |field: &str| match how(field) {
                Some(As::Secret(_)) => true,
                Some(As::Elsewhere) => IN_FILES.contains(&field),
                _ => false,
            };
            field == "send_resolved"
                || how(field).is_some()
                || field.strip_suffix("_file").is_some_and(is_in_file)
        };
        let others: Vec<String> = self
            .given
            .iter()
            .filter(|(field, value)| !known(field) && !is_nothing(value))
            .map(|(field, _)| field.clone())
            .collect();
        for field in others {
            let why = match (self.type_.ours, field.as_str()) {
                ("email", "html") => "Grafana sends mails in its own form; text is carried over",
                ("webhook", "payload") => {
                    "its texts are Alertmanager's: write one in payload.template, for Grafana 12.0 and later"
                }
                ("email", _) => "Grafana sends mail by its own settings",
                (_, "http_config") => "Grafana connects by its own settings",
                (_, field) if field.ends_with("_file") => "what is in the file isn't read",
                _ => "Grafana has no setting for it",
            };
            self.lose(&field, why);
        }
    }

    fn email(&mut self) {
        let to = self.given.get("to").map(text).unwrap_or_default();
        let (addresses, has_names) = addresses(&to);
        self.set("addresses", addresses.join(";").into());
        if has_names {
            self.remarks
                .push("to: addresses are without the names before them".to_owned());
        }
        // Alertmanager sends one mail to all.
        self.set("singleEmail", true.into());
        let headers = self.given.get("headers").map(texts);
        for (name, value) in headers.iter().filter_map(Value::as_object).flatten() {
            if name.eq_ignore_ascii_case("subject") {
                self.set("subject", value.clone());
            } else {
                self.lose(
                    &format!("headers.{name}"),
                    "Grafana sends mail with its own headers",
                );
            }
        }
    }

    fn pagerduty(&mut self) {
        if let Some(key) = self.given.get("service_key").filter(|key| !is_nothing(key)) {
            self.hide("integrationKey", hidden(key));
            self.lose("service_key", "Grafana speaks the Events API v2 alone, which wants another key: fill in that of an integration \"Events API v2\"");
        } else if self.has_file("service_key") {
            self.hide("integrationKey", Hidden::Nowhere);
        }
        if self.value("severity").is_none() {
            // Alertmanager's default; Grafana's is another one.
            self.set("severity", "error".into());
        }
    }

    fn opsgenie(&mut self) {
        if let Some(url) = self.value("api_url").map(text) {
            self.say("apiUrl", format!("{}/v2/alerts", url.trim_end_matches('/')));
        }
    }

    fn victorops(&mut self) {
        let url = self.value("api_url").map_or_else(|| VICTOROPS.to_owned(), text);
        let route = self.given.get("routing_key").map(text).unwrap_or_default();
        let key = self.value("api_key");
        let value = match key {
            Some(Value::String(key)) => Hidden::Value(format!("{}/{key}/{route}", url.trim_end_matches('/'))),
            _ => Hidden::Nowhere,
        };
        if matches!(value, Hidden::Nowhere) {
            self.remarks.push(
                "api_key: Grafana wants the whole address, with the API key and the routing key at its end"
                    .to_owned(),
            );
        }
        self.hide("url", value);
    }

    fn pushover(&mut self) {
        let priority = self
            .given
            .get("priority")
            .map(text)
            .filter(|text| !text.is_empty());
        match priority {
            // Alertmanager's default.
            None => {
                for (field, value) in [("priority", "2"), ("okPriority", "0")] {
                    self.set(field, value.into());
                }
                for (field, value) in [("retry", "60"), ("expire", "3600")] {
                    if !self.settings.contains_key(field) {
                        self.set(field, value.into());
                    }
                }
            }
            Some(number) if number.parse::<i64>().is_ok() => self.set("priority", number.into()),
            Some(_) => self.lose(
                "priority",
                "it is a template, and Grafana wants a number: set priority and okPriority",
            ),
        }
    }

    fn webhook(&mut self) {
        if let Some(url) = self.given.get("url_secret").filter(|url| !is_nothing(url)) {
            self.hide("url", hidden(url));
        }
        self.credentials("username", "password", "authorization_credentials");
    }

    fn webex(&mut self) {
        self.credentials("", "", "bot_token");
    }

    fn jira(&mut self) {
        self.credentials("user", "password", "api_token");
        for field in ["summary", "description"] {
            let given = self.given.get(field).filter(|value| !is_nothing(value));
            let template = given.map(|value| value.get("template").unwrap_or(value).clone());
            match template {
                Some(Value::String(text)) => self.say(field, text),
                Some(template) => self.set(field, template),
                None => {}
            }
        }
    }

    fn sns(&mut self) {
        let Some(config) = self.given.get("sigv4").and_then(Value::as_object) else {
            return;
        };
        for (field, value) in config.iter().filter(|(_, value)| !is_nothing(value)) {
            match field.as_str() {
                "access_key" | "secret_key" => self.hide(&format!("sigv4.{field}"), hidden(value)),
                "region" | "profile" | "role_arn" => self.set(&format!("sigv4.{field}"), value.clone()),
                other => self.lose(&format!("sigv4.{other}"), "Grafana has no setting for it"),
            }
        }
    }
}

/// Whether a value says nothing.
pub(in super::super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// What is known of a secret: its value, or the key of a Secret that a resource names.
pub(super) fn hidden(value: &Value) -> Hidden {
    let part = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    match (value, part("name"), part("key")) {
        (Value::Object(_), Some(name), Some(key)) => Hidden::Reference(SecretKeyRef { name, key }),
        (Value::Object(_), ..) => Hidden::Nowhere,
        _ => Hidden::Value(text(value)),
    }
}
