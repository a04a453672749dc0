//! Writing the Silence of a window.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde_json::{Map, Value};

use crate::api::silence::SilenceSpec;
use crate::api::{FIELD_MANAGER, Silence};
use crate::controller::context::Context;
use crate::domain::maintenance::held::Written;
use crate::domain::maintenance::window::Window;

/// An error that ended a pass.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused it, or didn't answer.
    #[error("cannot write the maintenance silence")]
    Kube(#[from] kube::Error),
    /// A Silence of that name is being deleted: what is written onto it goes with it.
    #[error("Silence {0} is being deleted; it is written anew when it is gone")]
    Going(String),
}

impl Error {
    /// What the API server says, if trying again won't help.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Kube(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 404 | 422) => {
                Some(&status.message)
            }
            _ => None,
        }
    }
}

/// The workload as the owner of its Silences: it doesn't wait for them, and they aren't part of it.
pub(super) fn owner<K: Resource<DynamicType = ()>>(object: &K) -> OwnerReference {
    OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        ..OwnerReference::default()
    }
}

/// Writes the Silence, and remembers it: the store shows it a little later.
pub(super) async fn write(
    uid: &str,
    silence: Silence,
    window: &Window,
    context: &Context,
) -> Result<(), Error> {
    let name = silence.name_any();
    let namespace = silence.namespace().unwrap_or_default();
    let there = ObjectRef::<Silence>::new(&name).within(&namespace);
    let there = context.stores.silences.get(&there);
    if there.is_some_and(|silence| silence.metadata.deletion_timestamp.is_some()) {
        return Err(Error::Going(name));
    }
    let api: Api<Silence> = Api::namespaced(context.client.clone(), &namespace);
    let ours = PatchParams::apply(FIELD_MANAGER).force();
    let mut stored = api.patch(&name, &ours, &Patch::Apply(&silence)).await?;
    context.metrics.kubernetes_write("Silence", "apply");
    let added = added_by_others(&stored.spec, &silence.spec);
    if !added.is_empty() && stored.metadata.deletion_timestamp.is_none() {
        let without = Patch::Merge(serde_json::json!({ "spec": added }));
        stored = api.patch(&name, &PatchParams::default(), &without).await?;
        context.metrics.kubernetes_write("Silence", "patch");
    }
    if stored.metadata.deletion_timestamp.is_some() {
        return Err(Error::Going(name));
    }
    let written = Written {
        window: window.clone(),
        asked: silence.spec,
        stored,
    };
    let key = (uid.to_owned(), name);
    context.workloads.written.lock().insert(key, written);
    Ok(())
}

/// Fields that somebody else has set beside ours and that mustn't be there; an apply leaves them.
fn added_by_others(stored: &SilenceSpec, asked: &SilenceSpec) -> Map<String, Value> {
    let added = [
        ("suspend", stored.suspend.is_some() && asked.suspend.is_none()),
        (
            "deletionPolicy",
            stored.deletion_policy.is_some() && asked.deletion_policy.is_none(),
        ),
        (
            "ttlAfterExpiry",
            stored.ttl_after_expiry.is_some() && asked.ttl_after_expiry.is_none(),
        ),
    ];
    added
        .into_iter()
        .filter(|(_, is_added)| *is_added)
        .map(|(field, _)| (field.to_owned(), Value::Null))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_trying_again_will_not_help_is_a_refusal_and_a_race_is_none() {
        let of = |code: u16| {
            let status = kube::core::Status {
                code,
                message: "no".into(),
                ..kube::core::Status::default()
            };
            Error::Kube(kube::Error::Api(Box::new(status)))
        };
        for code in [400, 403, 404, 422] {
            assert_eq!(of(code).refusal(), Some("no"), "{code}");
        }
        for code in [409, 429, 500, 503] {
            assert_eq!(of(code).refusal(), None, "{code}");
        }
        assert_eq!(Error::Going("s".into()).refusal(), None);
    }

    #[test]
    fn what_somebody_adds_to_a_silence_is_taken_away_again() {
        let asked: SilenceSpec = serde_json::from_value(serde_json::json!({"comment": "why"})).unwrap();
        let stored: SilenceSpec = serde_json::from_value(
            serde_json::json!({"comment": "why", "suspend": true, "deletionPolicy": "Orphan", "ttlAfterExpiry": "1s"}),
        )
        .unwrap();
        let added = added_by_others(&stored, &asked);
        assert_eq!(
            added.keys().collect::<Vec<_>>(),
            ["deletionPolicy", "suspend", "ttlAfterExpiry"]
        );
        assert!(added_by_others(&asked, &asked).is_empty());
    }
}
