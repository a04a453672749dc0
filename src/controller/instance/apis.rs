//! Which of Grafana's APIs is used for what: in the instance's status, a condition and a metric.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::Resource;
use kube::runtime::events::EventType;
use tracing::{info, warn};

use crate::api::condition;
use crate::api::grafana_instance::RuleApi;
use crate::api::{GrafanaInstance, GrafanaInstanceStatus};
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

/// What is wished of the choice: what the specification says, and what the status says of the process before.
pub(in crate::controller) fn preference(object: &GrafanaInstance) -> Preference {
    let status = object.status.as_ref();
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
    let before = instance.grafana.apis.capabilities();
    let chosen = instance.grafana.apis.choose(settings).await;
    instance.set_apis_due(chosen.is_err());
    if let Err(error) = chosen {
        warn!(
            instance = instance.name,
            error = chain(&error),
            "which apis grafana has can't be seen"
        );
        return;
    }
    let after = instance.grafana.apis.capabilities();
    for (concern, api) in after.apis {
        if before.apis.get(&concern) != Some(&api) {
            info!(instance = instance.name, concern = concern.as_str(), %api, "api chosen");
        }
    }
}

/// Notes what is chosen, for the status and the metrics.
pub(super) fn note(instance: &Instance, metrics: &Metrics, next: &mut GrafanaInstanceStatus) {
    let capabilities = instance.grafana.apis.capabilities();
    let chosen = capabilities.apis.iter();
    next.apis = chosen
        .map(|(concern, api)| (concern.as_str().to_owned(), api.to_string()))
        .collect();
    metrics.set_apis(&instance.name, &next.apis);
    let watched: BTreeSet<Concern> = instance.watched.all().into_iter().filter_map(concern).collect();
    for concern in watched {
        if let Some(api) = next.apis.get_mut(concern.as_str()) {
            api.push_str(WATCHED);
        }
    }
}

/// What a part goes through the API of.
fn concern(part: Part) -> Option<Concern> {
    match part {
        Part::Folders => Some(Concern::Folders),
        Part::Rules => Some(Concern::Rules),
        Part::ContactPoints | Part::Policy => Some(Concern::Notifications),
        Part::Settings | Part::DataSources | Part::Silences => None,
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
        fallbacks.any(|fallback| matches!(fallback, Fallback::Refused(_)))
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

/// Makes the change of API that was told, once the status that tells it is written. `object` is what was told before.
pub(super) async fn change(
    object: &GrafanaInstance,
    instance: &Instance,
    told: Option<&Change>,
    context: &Context,
) {
    let Some(change) = told.filter(|change| !change.is_made) else {
        return;
    };
    let before = object.status.iter().flat_map(|status| &status.conditions);
    if !before.into_iter().any(|condition| condition.type_ == CHANGE) {
        let (about, note) = (object.object_ref(&()), what_changes(change));
        context
            .event(&about, EventType::Normal, CHANGE, "Connect", &note)
            .await;
    }
    instance.grafana.apis.change();
    info!(instance = instance.name, api = %change.to, "the api of rules changes");
    instance.suspicion.of_everything();
}

fn sentence(concern: Concern, fallback: &Fallback) -> String {
    let (right, lost) = match concern {
        Concern::Folders => ("folders:read for all folders", "nothing is missing"),
        Concern::Notifications => (
            "alert.notifications:read and alert.notifications:write",
            "contact points are written piece by piece then, and a secret that somebody changes in Grafana isn't noticed",
        ),
        Concern::Rules => (
            "alert.rules:read, alert.rules:create, alert.rules:write, alert.rules:delete and alert.provisioning.provenance:write",
            "new rules have a group then",
        ),
    };
    let concern = concern.as_str();
    match fallback {
        Fallback::Refused(why) => format!(
            "{concern} go through Grafana's older API, because it refuses the newer one ({why}); give the service account {right}, or leave it so: {lost}"
        ),
        Fallback::NotServed => format!(
            "{concern} go through Grafana's older API, because this Grafana doesn't serve the newer one that spec.ruleAPI asks for, or not to these credentials; it is there from 13.0 on"
        ),
    }
}

fn reason_of(change: &Change) -> &'static str {
    match change.why {
        Why::Asked => "Asked",
        Why::Gone => "ProvisioningGone",
    }
}

fn what_changes(change: &Change) -> String {
    let why = match change.why {
        Why::Asked => "as spec.ruleAPI asks",
        Why::Gone => "because this Grafana has no provisioning API for rules any more",
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
    fn an_api_that_is_not_used_is_told_with_what_helps() {
        let refused = Fallback::Refused("no access".to_owned());
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
                Concern::Rules,
                Fallback::NotServed,
                "NotServed",
                ["rules go through", "doesn't serve", "13.0"],
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
                Why::Asked,
                "Asked",
                ["API provisioning, as", "keep none"],
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
            assert!(message.len() < 1000, "a condition cuts it");
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
