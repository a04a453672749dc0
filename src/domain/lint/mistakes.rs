//! What is wrong with a resource whatever else there is: Grafana's version, what it holds, and other resources don't matter.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::api::{
    AlertRuleSpec, ContactPointSpec, GrafanaInstanceSpec, InhibitionRuleSpec, NotificationPolicySpec,
    NotificationTemplateSpec, PrometheusRuleImport, SilenceSpec,
};
use crate::domain::import::selection::Selection as Imported;
use crate::domain::notification::contact_point::{self, Values};
use crate::domain::notification::named::inhibition;
use crate::domain::notification::settings::Way;
use crate::domain::notification::{named, policy, settings};
use crate::domain::ownership::Owners;
use crate::domain::refusal::Refusal;
use crate::domain::rule::{self, identity};
use crate::domain::silence::{self, Selection, Surroundings};
use crate::domain::tenancy;

/// What stands for a secret that isn't known: any of them may be this one, also where a URL is expected.
const ANY_SECRET: &str = "https://secret.invalid/";

/// What is wrong with an AlertRule; `prefix` is what its instance puts before folders.
pub fn of_rule(
    spec: &AlertRuleSpec,
    owners: &Owners,
    (namespace, name): (&str, &str),
    prefix: &str,
) -> Result<(), Refusal> {
    identity::check(spec.uid.as_deref(), owners, (namespace, name))?;
    rule::check(spec, owners.now(), (namespace, name), prefix)?;
    // Whichever contact point or tree it is, and whichever time intervals.
    let any = || "any".to_owned();
    let way = match settings::tree(spec) {
        Some(_) => Way::Tree(any()),
        None => Way::Receiver(any()),
    };
    settings::settings(spec, Some(way), |_| Ok(any())).map(drop)
}

/// What is wrong with a ContactPoint, whatever its Secrets and `ConfigMap`s hold.
pub fn of_contact_point(
    spec: &ContactPointSpec,
    owners: &Owners,
    (namespace, name): (&str, &str),
) -> Result<(), Refusal> {
    let (secrets, texts) = contact_point::references(spec);
    let values = Values {
        secrets: secrets
            .into_iter()
            .map(|reference| (reference.clone(), ANY_SECRET.to_owned()))
            .collect(),
        texts: texts
            .into_iter()
            .map(|reference| (reference.clone(), String::new()))
            .collect(),
    };
    contact_point::integrations(spec, owners.now(), namespace, name, &values).map(drop)
}

/// What is wrong with a NotificationPolicy, whoever its receivers and whichever its time intervals are.
pub fn of_policy(spec: &NotificationPolicySpec) -> Result<(), Refusal> {
    let any = || Ok("any".to_owned());
    match spec.parent_ref {
        Some(_) => policy::branch(spec, None, |_| any(), |_| any()),
        None => policy::tree(spec, |_| any(), |_| any()),
    }
    .map(drop)
}

/// What is wrong with an InhibitionRule, whoever's alerts it is for.
pub fn of_inhibition_rule(spec: &InhibitionRuleSpec, name: &str) -> Result<(), Refusal> {
    let called = spec.name.as_deref().unwrap_or(name);
    inhibition::inhibition_rule(spec, called, None).map(drop)
}

/// What is wrong with a NotificationTemplate whose text is written in it.
pub fn of_template(spec: &NotificationTemplateSpec, name: &str) -> Result<(), Refusal> {
    let called = spec.name.as_deref().unwrap_or(name);
    let text = spec.template.as_deref().unwrap_or_default();
    named::text::template(text, called, "spec.template").map(drop)
}

/// What is wrong with a Silence, whichever rules there are.
pub fn of_silence(
    spec: &SilenceSpec,
    owners: &Owners,
    (namespace, name): (&str, &str),
    created: Timestamp,
) -> Result<(), Refusal> {
    let around = Surroundings {
        owners,
        namespace,
        name,
        created,
        unrestricted: false,
    };
    silence::wish(spec, &Selection::Namespace, &around)?;
    time_to_live(spec).map(drop)
}

/// How long a Silence stays after its end, if it goes by itself.
pub fn time_to_live(spec: &SilenceSpec) -> Result<Option<Duration>, Refusal> {
    let text = spec.ttl_after_expiry.as_ref();
    let ttl = text.map(|text| {
        text.checked()
            .map_err(|e| Refusal::invalid("spec.ttlAfterExpiry", e))
    });
    ttl.transpose()
}

/// What is wrong with a PrometheusRuleImport.
pub fn of_import(import: &PrometheusRuleImport) -> Result<(), Refusal> {
    Imported::of(import).map(drop)
}

/// What is wrong with a GrafanaInstance, whatever its Secrets hold.
pub fn of_instance(spec: &GrafanaInstanceSpec) -> Result<(), Refusal> {
    tenancy::check(spec)?;
    Url::parse(&spec.url).map_err(|e| Refusal::invalid("spec.url", e))?;
    if spec.auth.token.is_none() && spec.auth.basic.is_none() {
        return Err(Refusal::invalid(
            "spec.auth",
            "give exactly one of token and basic",
        ));
    }
    Ok(())
}
