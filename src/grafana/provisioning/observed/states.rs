//! Rule states, from Grafana's Prometheus API.

use std::fmt;

use futures::FutureExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::grafana::api::{AlertState, Answer, OWNER_LABEL, RuleState, RuleStates, StatesPage, Window};
use crate::grafana::error::cut;
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::{Body, Call};

impl RuleStates for Provisioning {
    fn page<'a>(&'a self, window: Window<'a>) -> Answer<'a, StatesPage> {
        // The alerts themselves may be thousands; a rule's labels and totals tell enough.
        let mut call = Call::get("rules.states", "api/prometheus/grafana/api/v1/rules", &[])
            .of_many()
            .query("limit_alerts", "0")
            .query("includeInternalLabels", "true");
        // What a Grafana doesn't know it passes over: groups are counted since 11.4 (#95959), rules since 12.4 (#114055).
        if let Window::Page { from, groups, rules } = window {
            call = call
                .query("group_limit", groups.to_string())
                .query("rule_limit", rules.to_string());
            if let Some(from) = from {
                call = call.query("group_next_token", from);
            }
        }
        self.transport.stream(call, decode).boxed()
    }
}

/// Reads what Prometheus' `/api/v1/rules` answers.
fn decode(body: Body<'_>) -> serde_json::Result<StatesPage> {
    let answer: Whole = serde_json::from_reader(body)?;
    // A failure may come with the status 200.
    if answer.status != "success" {
        return Err(serde_json::Error::custom("not a success"));
    }
    let next = answer.data.next.filter(|token| !token.is_empty());
    let states = answer
        .data
        .groups
        .into_iter()
        .flat_map(|Group { name, file, rules }| {
            rules
                .into_iter()
                .map(move |rule| rule.state(file.clone(), name.clone()))
        })
        .collect();
    Ok(StatesPage { states, next })
}

#[derive(Deserialize)]
struct Whole {
    status: String,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    groups: Vec<Group>,
    #[serde(rename = "groupNextToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    /// The folder.
    file: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: String,
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    health: String,
    #[serde(default)]
    last_error: Option<String>,
    #[serde(default)]
    last_evaluation: Option<Timestamp>,
    #[serde(default)]
    active_at: Option<Timestamp>,
    #[serde(default)]
    is_paused: bool,
    #[serde(default, deserialize_with = "owner")]
    labels: Option<String>,
}

impl Rule {
    fn state(self, folder: String, group: String) -> RuleState {
        RuleState {
            state: self.alert_state(),
            uid: self.uid,
            owner: self.labels,
            folder,
            group,
            title: self.name,
            active_at: self.active_at.filter(is_set),
            last_error: self
                .last_error
                .filter(|error| !error.is_empty())
                .map(|error| cut(&error)),
        }
    }

    /// The more serious of what the rule and what its health say.
    fn alert_state(&self) -> AlertState {
        let by_alerts = match self.state.as_str() {
            "firing" => AlertState::Firing,
            "pending" => AlertState::Pending,
            "recovering" => AlertState::Recovering,
            _ if self.is_paused || !self.last_evaluation.as_ref().is_some_and(is_set) => AlertState::Unknown,
            _ => AlertState::Normal,
        };
        let by_health = match self.health.as_str() {
            "error" => AlertState::Error,
            "nodata" => AlertState::NoData,
            _ => AlertState::Unknown,
        };
        by_alerts.max(by_health)
    }
}

/// Whether this is a time: Go's zero is the year 1.
fn is_set(time: &Timestamp) -> bool {
    *time > Timestamp::UNIX_EPOCH
}

/// Reads labels for the sake of one.
fn owner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Owner;

    impl<'de> Visitor<'de> for Owner {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("labels")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut labels: A) -> Result<Self::Value, A::Error> {
            let mut owner = None;
            while let Some(name) = labels.next_key::<String>()? {
                if name == OWNER_LABEL {
                    owner = Some(labels.next_value()?);
                } else {
                    labels.next_value::<IgnoredAny>()?;
                }
            }
            Ok(owner)
        }
    }

    deserializer.deserialize_any(Owner)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decode_json(body: &Value) -> serde_json::Result<StatesPage> {
        decode(Body::new(&mut body.to_string().as_bytes()))
    }

    fn state_of(rule: &Value) -> RuleState {
        let mut whole = json!({
            "name": "T", "state": "inactive", "health": "ok", "lastEvaluation": "2026-11-23T22:15:35Z", "type": "alerting",
            "labels": {"severity": "high", OWNER_LABEL: "own/ns/name"},
        });
        whole
            .as_object_mut()
            .unwrap()
            .extend(rule.as_object().unwrap().clone());
        let body =
            json!({"status": "success", "data": {"groups": [{"name": "g", "file": "F", "rules": [whole]}]}});
        decode_json(&body).unwrap().states.remove(0)
    }

    #[test]
    fn a_rule_has_the_most_serious_state_of_its_alerts() {
        for (rule, state) in [
            (json!({}), AlertState::Normal),
            (json!({"state": "pending"}), AlertState::Pending),
            (json!({"state": "firing"}), AlertState::Firing),
            (json!({"state": "recovering"}), AlertState::Recovering),
            (json!({"health": "nodata"}), AlertState::NoData),
            (json!({"health": "error"}), AlertState::Error),
            (json!({"state": "pending", "health": "error"}), AlertState::Error),
            (json!({"state": "firing", "health": "error"}), AlertState::Firing),
            (
                json!({"lastEvaluation": "0001-01-01T00:00:00Z"}),
                AlertState::Unknown,
            ),
            (json!({"isPaused": true}), AlertState::Unknown),
        ] {
            assert_eq!(state_of(&rule).state, state, "{rule}");
        }
    }

    #[test]
    fn a_state_says_whose_it_is_and_since_when() {
        let state =
            state_of(&json!({"state": "firing", "activeAt": "2026-11-23T22:15:35Z", "lastError": ""}));
        assert_eq!(state.owner.as_deref(), Some("own/ns/name"));
        assert_eq!(
            (state.folder.as_str(), state.group.as_str(), state.title.as_str()),
            ("F", "g", "T")
        );
        assert_eq!(state.active_at, Some("2026-11-23T22:15:35Z".parse().unwrap()));
        assert_eq!(state.last_error, None);
        assert_eq!(
            state_of(&json!({"labels": null, "activeAt": "0001-01-01T00:00:00Z"})).active_at,
            None
        );
    }

    #[test]
    fn a_failure_with_status_200_is_no_empty_answer() {
        assert!(decode_json(&json!({"status": "error", "error": "no database"})).is_err());
        assert_eq!(
            decode_json(&json!({"status": "success", "data": {"groups": []}})).unwrap(),
            StatesPage::default()
        );
    }

    #[test]
    fn a_page_says_where_the_next_one_begins_and_the_last_one_that_there_is_none() {
        for (token, next) in [
            (json!("Zi9n"), Some("Zi9n")),
            (json!(""), None),
            (Value::Null, None),
        ] {
            let body = json!({"status": "success", "data": {"groups": [], "groupNextToken": token}});
            assert_eq!(decode_json(&body).unwrap().next.as_deref(), next, "{body}");
        }
    }
}
