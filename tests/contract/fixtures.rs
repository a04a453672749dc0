//! What exchanges begin with, as short as it can be said.

use serde_json::{Value, json};

use crate::harness::call::{Call, post, put};

/// Where folders are.
pub const FOLDERS: &str = "/api/folders";
/// Where rules are, for those who provision.
pub const RULES: &str = "/api/v1/provisioning/alert-rules";
/// Where contact points are.
pub const POINTS: &str = "/api/v1/provisioning/contact-points";
/// Where the one tree is.
pub const POLICIES: &str = "/api/v1/provisioning/policies";
/// Where mute timings are.
pub const TIMINGS: &str = "/api/v1/provisioning/mute-timings";
/// Where templates of notifications are.
pub const TEMPLATES: &str = "/api/v1/provisioning/templates";
/// Where all rules are listed, with what each API says of them.
pub const RULER: &str = "/api/ruler/grafana/api/v1/rules";
/// Where the states of rules are.
pub const STATES: &str = "/api/prometheus/grafana/api/v1/rules";
/// Where silences are.
pub const SILENCES: &str = "/api/alertmanager/grafana/api/v2/silences";

/// Makes a folder; its uid and its title are the name.
pub fn folder(name: &str) -> Call {
    let name = format!("<{name}>");
    post(FOLDERS, json!({"uid": name, "title": name}))
}

/// A rule that never fires and asks no data source. Its uid and its title are the name; it is in the group `<group>`.
pub fn rule(folder: &str, name: &str) -> Value {
    let (folder, name) = (format!("<{folder}>"), format!("<{name}>"));
    json!({
        "uid": name, "title": name, "folderUID": folder, "ruleGroup": "<group>", "orgID": "<org>", "condition": "A",
        "for": "5m", "noDataState": "OK", "execErrState": "Error",
        "data": [node("A", "1 == 0")],
    })
}

/// A node of a rule that computes.
pub fn node(id: &str, expression: &str) -> Value {
    json!({
        "refId": id, "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": id, "type": "math", "expression": expression},
    })
}

/// A body with some keys changed; null takes a key out.
pub fn but(mut body: Value, changes: Value) -> Value {
    if let (Some(body), Value::Object(changes)) = (body.as_object_mut(), changes) {
        for (key, value) in changes {
            if value.is_null() {
                body.remove(&key);
            } else {
                body.insert(key, value);
            }
        }
    }
    body
}

/// Stores a rule.
pub fn stored(rule: Value) -> Call {
    post(RULES, rule).is(201)
}

/// Where the group `<group>` of a folder is.
pub fn group_of(folder: &str) -> String {
    format!("/api/v1/provisioning/folder/<{folder}>/rule-groups/<group>")
}

/// The group `<group>` of a folder, which is evaluated each minute.
pub fn group(folder: &str, rules: impl IntoIterator<Item = Value>) -> Value {
    let rules: Vec<_> = rules.into_iter().collect();
    json!({"title": "<group>", "folderUid": format!("<{folder}>"), "interval": 60, "rules": rules})
}

/// Has the group `<group>` of a folder evaluated as often as can be.
pub fn soon(folder: &str) -> Call {
    let folder_uid = format!("<{folder}>");
    let body = json!({"title": "<group>", "folderUid": folder_uid, "interval": "<soon>"});
    put(group_of(folder), body).is(200)
}

/// A contact point that nobody listens behind. Its uid and its name are the name.
pub fn point(name: &str) -> Value {
    let name = format!("<{name}>");
    json!({"uid": name, "name": name, "type": "webhook", "settings": {"url": "http://127.0.0.1:9"}})
}

/// A mute timing.
pub fn timing(name: &str) -> Value {
    let times = json!([{"times": [{"start_time": "06:00", "end_time": "23:59"}]}]);
    json!({"name": format!("<{name}>"), "time_intervals": [{"weekdays": ["monday:friday"], "times": times[0]["times"]}]})
}

/// Writes a template.
pub fn template(name: &str, text: &str) -> Call {
    put(format!("{TEMPLATES}/<{name}>"), json!({"template": text}))
}

/// A silence from now on, for alerts that have the label `x` with the name as its value.
pub fn silence(name: &str) -> Value {
    let name = format!("<{name}>");
    json!({
        "matchers": [{"name": "x", "value": name, "isRegex": false, "isEqual": true}], "createdBy": "contract", "comment": name,
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2199-01-01T00:00:00Z",
    })
}
