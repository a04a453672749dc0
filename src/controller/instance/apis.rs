//! Which of Grafana's APIs is used for what: in the instance's status, a condition and a metric.

use jiff::Timestamp;
use kube::Resource;
use kube::runtime::events::EventType;
use tracing::{info, warn};

use crate::api::condition;
use crate::api::grafana_instance::RuleApi;
use crate::api::{GrafanaInstance, GrafanaInstanceSpec, GrafanaInstanceStatus};
use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::grafana::api::{Api, Capabilities, Change, Concern, Fallback, Preference, Why};
use crate::grafana::mirror::Part;
use crate::grafana::wire::Settings;
use crate::metrics::Metrics;

/// The condition that is there while an older API is used in the place of a newer one.
const FALLBACK: &str = "APIFallback";
/// The condition that is there from before rules change to another API until they have been read through it.
const CHANGE: &str = "RuleAPIChange";

/// What is wished of the choice: what the specification says, and what the status says of before, unless that is of another Grafana.
pub(in crate::controller) fn preference(
    object: &GrafanaInstance,
    before: Option<&GrafanaInstanceSpec>,
) -> Preference {
    let is_same =
        |before: &GrafanaInstanceSpec| (&before.url, before.org_id) == (&object.spec.url, object.spec.org_id);
    let status = object.status.as_ref().filter(|_| before.is_none_or(is_same));
    let before = status.and_then(|status| status.apis.get(Concern::Rules.as_str()));
    Preference {
        platform_rules: object.spec.rule_api == Some(RuleApi::Platform),
        rules_before: before.map(|api| Api::from(api.strip_suffix(WATCHED).unwrap_or(api))),
    }
}

/// What is said after the API of what Grafana tells the changes of.
const WATCHED: &str = ", watched";

/// Chooses anew. Where what there is can't be seen now, the next read of everything tries again.
pub(super) async fn choose(instance: &Instance, settings: &Settings) {
    let chosen = instance.grafana.apis.choose(settings).await;
    instance.set_apis_due(chosen.is_err());
    if let Err(error) = chosen {
        warn!(
            instance = instance.name,
            error = chain(&error),
            "which apis grafana has can't be seen"
        );
    }
}

/// Notes what is chosen, for the status and the metrics.
pub(super) fn note(instance: &Instance, metrics: &Metrics, next: &mut GrafanaInstanceStatus) {
    let capabilities = instance.grafana.apis.capabilities();
    let chosen = capabilities.apis.iter();
    let before = std::mem::take(&mut next.apis);
    next.apis = chosen
        .map(|(concern, api)| (concern.as_str().to_owned(), api.to_string()))
        .collect();
    metrics.set_apis(&instance.name, &next.apis);
    for (concern, api) in &next.apis {
        let before = before
            .get(concern)
            .map(|api| api.strip_suffix(WATCHED).unwrap_or(api));
        if before != Some(api) {
            info!(instance = instance.name, concern, api, before, "api used");
        }
    }
    let watched = instance.watched.shown();
    for concern in capabilities.apis.keys() {
        let mut parts = Part::ALWAYS
            .into_iter()
            .filter(|part| self::concern(*part) == Some(*concern));
        if parts.all(|part| watched.contains(&part))
            && let Some(api) = next.apis.get_mut(concern.as_str())
        {
            api.push_str(WATCHED);
        }
    }
}

/// The API that a part goes through.
pub(super) fn used_for(instance: &Instance, part: Part) -> Option<Api> {
    let mut apis = instance.grafana.apis.capabilities().apis;
    apis.remove(&concern(part)?)
}

/// What a part goes through the API of.
fn concern(part: Part) -> Option<Concern> {
    match part {
        Part::Folders => Some(Concern::Folders),
        Part::Rules => Some(Concern::Rules),
        Part::ContactPoints | Part::Policy | Part::TimeIntervals | Part::Templates => {
            Some(Concern::Notifications)
        }
        Part::Settings | Part::DataSources | Part::Silences | Part::InhibitionRules => None,
    }
}

/// Tells people of an API that isn't used though it should be, and of a change before it is made.
pub(super) fn tell(
    capabilities: Option<&Capabilities>,
    next: &mut GrafanaInstanceStatus,
    generation: Option<i64>,
    now: Timestamp,
) {
    let fallbacks = capabilities.into_iter().flat_map(|found| &found.fallbacks);
    let all: Vec<String> = fallbacks
        .map(|(concern, fallback)| sentence(*concern, fallback))
        .collect();
    let message = all.join("; ");
    let is_refused = capabilities.is_some_and(|found| {
        let mut fallbacks = found.fallbacks.values();
        fallbacks.any(|fallback| matches!(fallback, Fallback::Refused(_) | Fallback::WritesRefused(_)))
    });
    let reason = if is_refused { "Refused" } else { "NotServed" };
    let told = (!message.is_empty()).then_some((reason, message.as_str()));
    condition::note(&mut next.conditions, FALLBACK, told, generation, now);

    let change = capabilities.and_then(|found| found.change.as_ref());
    let change = change.map(|change| (reason_of(change), what_changes(change)));
    let told = change
        .as_ref()
        .map(|(reason, message)| (*reason, message.as_str()));
    condition::note(&mut next.conditions, CHANGE, told, generation, now);
}

/// Goes on with what waited until it was told, once the status that tells it is written. `object` is what was told before.
pub(super) async fn told(
    object: &GrafanaInstance,
    instance: &Instance,
    capabilities: &Capabilities,
    context: &Context,
) {
    let due = capabilities.change.as_ref().filter(|change| !change.is_made);
    if let Some(change) = due {
        let before = object.status.iter().flat_map(|status| &status.conditions);
        if !before.into_iter().any(|condition| condition.type_ == CHANGE) {
            let (about, note) = (object.object_ref(&()), what_changes(change));
            context
                .event(&about, EventType::Normal, CHANGE, "Connect", &note)
                .await;
        }
    }
    instance.grafana.apis.told(capabilities);
    if let Some(change) = due {
        info!(instance = instance.name, api = %change.to, "the api of rules changes");
        instance.suspicion.of_everything();
    }
}

/// What is to be said of a concern.
struct Words {
    /// The rights that the newer API takes, and those of them that are to write.
    rights: &'static str,
    to_write: &'static str,
    /// What the older one lacks, and of that what concerns writes.
    lost: &'static str,
    lost_by_writes: &'static str,
}

impl Words {
    fn of(concern: Concern) -> Self {
        match concern {
            Concern::Folders => Self {
                rights: "folders:read for all folders",
                to_write: "folders:write",
                lost: "nothing is missing",
                lost_by_writes: "nothing is missing",
            },
            Concern::Notifications => Self {
                rights: "alert.notifications:read, alert.notifications:write and alert.provisioning.provenance:write",
                to_write: "alert.notifications:write and alert.provisioning.provenance:write",
                lost: "contact points are written piece by piece then, and a secret that somebody changes in Grafana isn't noticed",
                lost_by_writes: "contact points are written piece by piece then",
            },
            Concern::Rules => Self {
                rights: "alert.rules:read, alert.rules:create, alert.rules:write, alert.rules:delete and alert.provisioning.provenance:write",
                to_write: "alert.provisioning.provenance:write and, for the rule's folder and its data sources, folders:read, alert.rules:read, alert.rules:create, alert.rules:write, alert.rules:delete and datasources:query",
                lost: "new rules have a group then",
                lost_by_writes: "what is made so has a group",
            },
        }
    }
}

fn sentence(concern: Concern, fallback: &Fallback) -> String {
    let Words {
        rights,
        to_write,
        lost,
        lost_by_writes,
    } = Words::of(concern);
    let name = concern.as_str();
    match (concern, fallback) {
        (_, Fallback::Refused(why)) => format!(
            "{name} go through Grafana's older API, because it refuses the newer one ({why}); give the service account {rights}, or leave it so: {lost}"
        ),
        (Concern::Rules, Fallback::WritesRefused(why)) => format!(
            "rules that Grafana refuses through its newer API are written through the older one ({why}); give the service account {to_write}, or leave it so: {lost_by_writes}"
        ),
        (_, Fallback::WritesRefused(why)) => format!(
            "{name} are written through Grafana's older API, because it refuses that through the newer one ({why}); give the service account {to_write}, or leave it so: {lost_by_writes}"
        ),
        (Concern::Rules, Fallback::NotServed) => format!(
            "{name} go through Grafana's older API, because this Grafana doesn't serve the newer one that spec.ruleAPI asks for, or not to these credentials; it is there from 13.0 on"
        ),
        (_, Fallback::NotServed) => format!(
            "{name} go through Grafana's older API, because the newer one was there and isn't shown any more; let /apis through to Grafana, or leave it so: {lost}"
        ),
        (_, Fallback::Neither) => format!(
            "{name} go nowhere: this Grafana has no provisioning API for them any more, and the newer one isn't shown or is refused; let /apis through to Grafana, and give the service account {rights}"
        ),
    }
}

fn reason_of(change: &Change) -> &'static str {
    match change.why {
        Why::Asked => "Asked",
        Why::NotAsked => "NotAsked",
        Why::Gone => "ProvisioningGone",
        Why::Unusable => "PlatformUnusable",
    }
}

fn what_changes(change: &Change) -> String {
    let why = match change.why {
        Why::Asked => "as spec.ruleAPI asks",
        Why::NotAsked => "which is there, and spec.ruleAPI doesn't ask for another",
        Why::Gone => "because this Grafana has no provisioning API for rules any more",
        Why::Unusable => {
            "because it doesn't serve the one that spec.ruleAPI asks for any more, or not to these credentials"
        }
    };
    let means = match &change.to {
        Api::Platform(_) => {
            "The rules that are there stay as they are and keep their groups. What is made from then on has no group in Grafana and can't get one later: spec.group says nothing of it, it is evaluated by itself at its own interval, and whatever refers to groups in Grafana (links, dashboards, exports) doesn't find it"
        }
        Api::Provisioning => {
            "The rules that are there stay as they are; those that were made without a group keep none, since Grafana can't give them one. What is made from then on is in its group. For a rule to get its group, delete it in Grafana: it is made anew, and its alerts begin anew"
        }
    };
    format!("rules change to Grafana's API {}, {why}. {means}", change.to)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn told(capabilities: &Capabilities) -> Vec<(String, String, String)> {
        let mut status = GrafanaInstanceStatus::default();
        let now = Timestamp::from_second(1).unwrap();
        tell(Some(capabilities), &mut status, Some(1), now);
        let told = status.conditions.iter().map(|condition| {
            assert_eq!(condition.status, "True");
            (
                condition.type_.clone(),
                condition.reason.clone(),
                condition.message.clone(),
            )
        });
        let told = told.collect();
        tell(Some(&Capabilities::default()), &mut status, Some(1), now);
        assert!(status.conditions.is_empty(), "it goes when it is over");
        told
    }

    #[test]
    fn what_another_grafana_went_through_is_not_what_was_before() {
        let object = |url: &str, org_id: i64| -> GrafanaInstance {
            from_value(json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
                "spec": {"url": url, "orgID": org_id, "auth": {}},
                "status": {"apis": {"rules": "rules.alerting.grafana.app/v1beta1, watched"}},
            }))
            .unwrap()
        };
        let now = object("http://grafana", 1);
        let newer = Some(Api::Platform("rules.alerting.grafana.app/v1beta1".to_owned()));
        for (before, expected) in [
            (None, newer.clone()),
            (Some(object("http://grafana", 1)), newer),
            (Some(object("http://other", 1)), None),
            (Some(object("http://grafana", 2)), None),
        ] {
            let before = before.as_ref().map(|before| &before.spec);
            assert_eq!(preference(&now, before).rules_before, expected, "{before:?}");
        }
    }

    #[test]
    fn an_api_that_is_not_used_is_told_with_what_helps() {
        let refused = Fallback::Refused("no access".to_owned());
        let writes = Fallback::WritesRefused("no access".to_owned());
        for (concern, fallback, reason, parts) in [
            (
                Concern::Folders,
                refused.clone(),
                "Refused",
                ["folders go through", "no access", "folders:read"],
            ),
            (
                Concern::Notifications,
                refused.clone(),
                "Refused",
                ["notifications go", "no access", "alert.notifications:write"],
            ),
            (
                Concern::Rules,
                refused,
                "Refused",
                ["rules go through", "no access", "alert.rules:create"],
            ),
            (
                Concern::Notifications,
                writes.clone(),
                "Refused",
                [
                    "notifications are written through Grafana's older API",
                    "no access",
                    "give the service account alert.notifications:write and alert.provisioning.provenance:write",
                ],
            ),
            (
                Concern::Rules,
                writes,
                "Refused",
                [
                    "rules that Grafana refuses through its newer API",
                    "alert.provisioning.provenance:write",
                    "has a group",
                ],
            ),
            (
                Concern::Rules,
                Fallback::NotServed,
                "NotServed",
                ["rules go through", "doesn't serve", "13.0"],
            ),
            (
                Concern::Notifications,
                Fallback::NotServed,
                "NotServed",
                ["notifications go through", "was there", "/apis"],
            ),
            (
                Concern::Rules,
                Fallback::Neither,
                "NotServed",
                ["rules go nowhere", "no provisioning API", "alert.rules:read"],
            ),
        ] {
            let capabilities = Capabilities {
                fallbacks: [(concern, fallback)].into(),
                ..Capabilities::default()
            };
            let told = told(&capabilities);
            let [(type_, why, message)] = told.as_slice() else {
                panic!("{told:?}");
            };
            assert_eq!((type_.as_str(), why.as_str()), ("APIFallback", reason));
            let explained = condition::explanation("APIFallback");
            assert!(explained.is_some_and(|page| page.contains(&format!("`{reason}`"))));
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn a_change_of_api_is_told_with_what_it_means_for_groups() {
        let newer = Api::Platform("rules.alerting.grafana.app/v1beta1".to_owned());
        for (to, why, reason, parts) in [
            (
                newer.clone(),
                Why::Asked,
                "Asked",
                [
                    "rules.alerting.grafana.app/v1beta1, as spec.ruleAPI asks",
                    "has no group",
                ],
            ),
            (
                newer,
                Why::Gone,
                "ProvisioningGone",
                ["no provisioning API for rules", "has no group"],
            ),
            (
                Api::Provisioning,
                Why::NotAsked,
                "NotAsked",
                ["API provisioning, which is there", "keep none"],
            ),
            (
                Api::Provisioning,
                Why::Unusable,
                "PlatformUnusable",
                ["API provisioning, because it doesn't serve the one", "keep none"],
            ),
        ] {
            let change = Some(Change {
                to,
                why,
                is_made: false,
            });
            let told = told(&Capabilities {
                change,
                ..Capabilities::default()
            });
            let [(type_, why, message)] = told.as_slice() else {
                panic!("{told:?}");
            };
            assert_eq!((type_.as_str(), why.as_str()), ("RuleAPIChange", reason));
            let explained = condition::explanation("RuleAPIChange");
            assert!(explained.is_some_and(|page| page.contains(&format!("`{reason}`"))));
            assert!(message.len() < 1000, "a condition cuts it");
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
