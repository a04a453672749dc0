//! The end of a Silence.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ApiResource, DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Resource};
use serde_json::{Value, json};

use super::super::common::connect::{Cluster, Scope, wait};
use super::super::common::dns;
use super::super::common::exit::{self, Exit};
use super::super::common::names;
use super::make::MANAGER;
use super::text;
use super::told::{Of, Report, Telling};
use crate::api::Silence;
use crate::api::silence::EXPIRED;
use crate::cluster::answer::chain;
use crate::domain::maintenance::generated::LABEL_WORKLOAD;

/// End Silences now. The resource stays and says when it ended, for as long as its ttlAfterExpiry says; one of a rollout or Job is deleted.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright silence end oncall-7f3k2\n  alertwright silence end -n revel load-test other-test\n  alertwright silence end oncall-7f3k2 --dry-run -o json\n\n{}", exit::HELP_IN_PART_WITHOUT_NO))]
pub(super) struct End {
    /// Which ones.
    #[arg(required = true, value_name = "NAME", value_parser = dns::name, add = names::of("Silence"))]
    names: Vec<String>,
    #[command(flatten)]
    cluster: Cluster,
    /// Say what would be done, as the API server would take it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    telling: Telling,
}

/// What ends one.
#[derive(Debug, PartialEq)]
enum Way {
    /// It has ended.
    Ended,
    /// This change of it.
    Change(Value),
    /// Its deletion: the operator would put a change right.
    Delete,
}

fn way(silence: &Silence, now: Timestamp) -> Way {
    let status = silence.status.as_ref();
    let ends = status.and_then(|status| status.ends_at.as_ref());
    let ends = ends.or(silence.spec.ends_at.as_ref());
    if status.is_some_and(|status| status.state.as_deref() == Some(EXPIRED))
        || ends.is_some_and(|time| time.0 <= now)
    {
        return Way::Ended;
    }
    let labels = silence.metadata.labels.as_ref();
    let owners = silence.metadata.owner_references.as_ref();
    let is_generated = labels.is_some_and(|labels| labels.contains_key(LABEL_WORKLOAD))
        && owners.is_some_and(|owners| !owners.is_empty());
    if is_generated {
        return Way::Delete;
    }
    let mut spec = json!({"endsAt": Time(now), "duration": null});
    // One that is still to start can't end before that, so it never starts.
    let starts = silence.spec.starts_at.as_ref();
    if let (Some(_), Some(fields)) = (starts.filter(|time| time.0 >= now), spec.as_object_mut()) {
        fields.insert("startsAt".to_owned(), Value::Null);
    }
    Way::Change(json!({
        "metadata": {"resourceVersion": silence.metadata.resource_version},
        "spec": spec,
    }))
}

impl End {
    pub(super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let connected = self.cluster.connect(&Scope::default()).await?;
        let api: Api<Silence> = Api::namespaced(connected.client.clone(), &connected.namespace);
        let mut report = Report::new("SilenceEndReport", &self.telling, self.dry_run);
        for name in &self.names {
            let of = Of {
                kind: Silence::kind(&()).into_owned(),
                namespace: connected.namespace.clone(),
                name: name.clone(),
            };
            match self.end(&api, name).await {
                Ok(Some((result, said))) => report.done(&of, result, &said)?,
                Ok(None) => {
                    let namespace = &connected.namespace;
                    let silences = ApiResource::erase::<Silence>(&());
                    let hint = connected.hint(&silences, namespace, name).await;
                    report.failed(&of, &format!("there is none in namespace {namespace}{hint}"));
                }
                Err(why) => report.failed(&of, &why),
            }
        }
        report.end()
    }

    /// What was done, in a word and in words; `None` where there is no such Silence.
    async fn end(&self, api: &Api<Silence>, name: &str) -> Result<Option<(&'static str, String)>, String> {
        let found = api.get_opt(name).await.map_err(|error| chain(&error))?;
        let Some(found) = found else { return Ok(None) };
        let now = Timestamp::now();
        let would = if self.dry_run { "would be " } else { "" };
        let dry = if self.dry_run { " (dry run)" } else { "" };
        match way(&found, now) {
            Way::Ended => Ok(Some(("unchanged", "has ended already".to_owned()))),
            Way::Change(change) => {
                let parameters = PatchParams {
                    dry_run: self.dry_run,
                    field_manager: Some(MANAGER.to_owned()),
                    ..PatchParams::default()
                };
                let changed = api.patch(name, &parameters, &Patch::Merge(change)).await;
                changed.map_err(|error| chain(&error))?;
                let said = format!("{would}ended at {}{dry}", text::moment(now, now));
                Ok(Some(("ended", said)))
            }
            Way::Delete => {
                let parameters = DeleteParams {
                    dry_run: self.dry_run,
                    preconditions: Some(Preconditions {
                        uid: found.metadata.uid.clone(),
                        resource_version: None,
                    }),
                    ..DeleteParams::default()
                };
                api.delete(name, &parameters)
                    .await
                    .map_err(|error| chain(&error))?;
                let said = format!("{would}deleted, which ends it: it is of a rollout or a Job{dry}");
                Ok(Some(("deleted", said)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(more: &Value) -> Silence {
        let mut object =
            json!({"metadata": {"name": "s", "resourceVersion": "7"}, "spec": {"duration": "1h"}});
        for (key, value) in more.as_object().unwrap() {
            object[key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn it_ends_by_its_end_and_what_the_operator_made_by_its_deletion() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let of = |more: Value| way(&silence(&more), now);
        let change = |spec: Value| Way::Change(json!({"metadata": {"resourceVersion": "7"}, "spec": spec}));
        let ended = json!({"endsAt": "2026-11-27T12:00:00Z", "duration": null});
        assert_eq!(of(json!({})), change(ended.clone()));
        let running = json!({"duration": "1h", "startsAt": "2026-11-27T11:59:00Z"});
        assert_eq!(of(json!({"spec": running})), change(ended));
        let to_come = json!({"endsAt": "2026-11-28T12:00:00Z", "startsAt": "2026-11-28T11:00:00Z"});
        let never = json!({"endsAt": "2026-11-27T12:00:00Z", "duration": null, "startsAt": null});
        assert_eq!(of(json!({"spec": to_come})), change(never));
        assert_eq!(of(json!({"status": {"state": "Expired"}})), Way::Ended);
        let past = json!({"endsAt": "2026-11-27T11:59:00Z"});
        assert_eq!(of(json!({"spec": past})), Way::Ended);
        let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1"});
        let generated = json!({"name": "s", "labels": {LABEL_WORKLOAD: "1"}, "ownerReferences": [owner]});
        assert_eq!(of(json!({"metadata": generated})), Way::Delete);
    }
}
