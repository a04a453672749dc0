//! Writing the Silence of a window.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde_json::{Map, Value, json};

use crate::api::silence::SilenceSpec;
use crate::api::{FIELD_MANAGER, Silence};
use crate::cluster::answer::is_invalid;
use crate::controller::context::Context;
use crate::domain::maintenance::generated::{ANNOTATIONS, is_of, other_name};
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
    /// Both names that it could have are those of Silences that aren't the workload's.
    #[error(
        "Silences {0} and {1} are there already and aren't this workload's; delete or rename one of them"
    )]
    Taken(String, String),
}

impl Error {
    /// Why, if trying again won't help.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Kube(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 404 | 422) => {
                Some(format!("the API server refuses it: {}", status.message))
            }
            Self::Taken(..) => Some(self.to_string()),
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

/// Gives the Silence another name where somebody else's has the one that it would have. The name that is taken is returned.
fn make_room(
    workload: &OwnerReference,
    silence: &mut Silence,
    context: &Context,
) -> Result<Option<String>, Error> {
    let name = silence.name_any();
    let namespace = silence.namespace().unwrap_or_default();
    let written = context.workloads.written_of(&workload.uid);
    let is_taken = |name: &str| {
        let there = ObjectRef::<Silence>::new(name).within(&namespace);
        let there = context.stores.silences.get(&there);
        // What this process has written stays the workload's, whatever somebody has taken off it since.
        let is_ours = |there: &Silence| {
            is_of(there, workload) || written.iter().any(|own| own.stored.uid() == there.uid())
        };
        there.is_some_and(|there| !is_ours(&there))
    };
    if !is_taken(&name) {
        return Ok(None);
    }
    let other = other_name(&name, workload);
    if is_taken(&other) {
        return Err(Error::Taken(name, other));
    }
    silence.metadata.name = Some(other);
    Ok(Some(name))
}

/// Writes the Silence, and remembers it: the store shows it a little later. Returns its name, and the one that it would have if that weren't
/// somebody else's.
pub(super) async fn write(
    workload: &OwnerReference,
    mut silence: Silence,
    window: &Window,
    context: &Context,
) -> Result<(String, Option<String>), Error> {
    let taken = make_room(workload, &mut silence, context)?;
    let name = silence.name_any();
    let namespace = silence.namespace().unwrap_or_default();
    let there = ObjectRef::<Silence>::new(&name).within(&namespace);
    let there = context.stores.silences.get(&there);
    if there
        .as_ref()
        .is_some_and(|silence| silence.metadata.deletion_timestamp.is_some())
    {
        return Err(Error::Going(name));
    }
    let api: Api<Silence> = Api::namespaced(context.client.clone(), &namespace);
    let ours = PatchParams::apply(FIELD_MANAGER).force();
    let applied = api.patch(&name, &ours, &Patch::Apply(&silence)).await;
    // An apply leaves what somebody else has set beside it, and is refused where the two exclude each other.
    let beside = match (&applied, &there) {
        (Ok(stored), _) if stored.metadata.deletion_timestamp.is_none() => correction(stored, &silence),
        (Err(error), Some(there)) if is_invalid(error) => correction(there, &silence),
        _ => None,
    };
    let stored = match beside {
        None => applied?,
        Some(correction) => {
            let ours = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            api.patch(&name, &ours, &Patch::Merge(correction)).await?
        }
    };
    if stored.metadata.deletion_timestamp.is_some() {
        return Err(Error::Going(name));
    }
    let written = Written {
        window: window.clone(),
        asked: silence.spec,
        stored,
    };
    let key = (workload.uid.clone(), name.clone());
    context.workloads.written.lock().insert(key, written);
    Ok((name, taken))
}

/// The merge patch (RFC 7396) that makes of a stored Silence the one that is asked for, as far as it is ours to say: all of its specification,
/// and the annotations that the operator reads. None if nothing differs.
fn correction(stored: &Silence, asked: &Silence) -> Option<Value> {
    let annotation = |silence: &Silence, key: &str| silence.annotations().get(key).cloned();
    let annotations: Map<String, Value> = ANNOTATIONS
        .into_iter()
        .filter(|key| annotation(stored, key) != annotation(asked, key))
        .map(|key| (key.to_owned(), annotation(asked, key).into()))
        .collect();
    if stored.spec == asked.spec && annotations.is_empty() {
        return None;
    }
    let of = |spec: &SilenceSpec| serde_json::to_value(spec).unwrap_or_default();
    let spec = with_nulls(of(&asked.spec), &of(&stored.spec));
    Some(json!({ "metadata": { "annotations": annotations }, "spec": spec }))
}

/// A value with null for each field of another one that it doesn't have.
fn with_nulls(mut asked: Value, stored: &Value) -> Value {
    if let (Value::Object(asked), Value::Object(stored)) = (&mut asked, stored) {
        for (field, stored) in stored {
            let own = asked.get_mut(field).map(Value::take).unwrap_or_default();
            asked.insert(field.clone(), with_nulls(own, stored));
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::maintenance::generated::{ANNOTATION_OPENED, ANNOTATION_OUTCOME};

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
            let said = of(code).refusal();
            assert_eq!(said.as_deref(), Some("the API server refuses it: no"), "{code}");
        }
        for code in [409, 429, 500, 503] {
            assert_eq!(of(code).refusal(), None, "{code}");
        }
        assert_eq!(Error::Going("s".into()).refusal(), None);
    }

    fn silence(annotations: &Value, spec: &Value) -> Silence {
        serde_json::from_value(json!({"metadata": {"name": "s", "annotations": annotations}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn a_silence_is_corrected_to_what_is_asked_whatever_somebody_has_put_beside_it() {
        let names = |names: Value| json!({"alertRules": {"names": names}, "endsAt": "2030-01-01T00:00:00Z"});
        let asked = silence(&json!({}), &names(json!(["a"])));
        assert_eq!(correction(&asked, &asked), None);
        for (edited, spec) in [
            (
                json!({"suspend": true, "deletionPolicy": "Orphan", "ttlAfterExpiry": "1s"}),
                json!({"suspend": null, "deletionPolicy": null, "ttlAfterExpiry": null}),
            ),
            (json!({"alertRules": {"names": ["a", "b"]}}), json!({})),
            (
                json!({"alertRules": {"matchLabels": {"app": "web"}}}),
                json!({"alertRules": {"names": ["a"], "matchLabels": null}}),
            ),
            (
                json!({"duration": "1h", "endsAt": null}),
                json!({"duration": null}),
            ),
            (json!({"matchers": ["a=b"]}), json!({"matchers": null})),
        ] {
            let merged = |mut base: Value, patch: &Value| {
                for (field, value) in patch.as_object().into_iter().flatten() {
                    base[field] = value.clone();
                }
                base
            };
            let stored = silence(&json!({}), &merged(names(json!(["a"])), &edited));
            let expected = merged(names(json!(["a"])), &spec);
            assert_eq!(
                correction(&stored, &asked),
                Some(json!({"metadata": {"annotations": {}}, "spec": expected})),
                "{edited}"
            );
        }
    }

    #[test]
    fn an_annotation_that_says_what_the_operator_did_not_is_taken_away_and_others_stay() {
        let spec = json!({"endsAt": "2030-01-01T00:00:00Z"});
        let asked = silence(&json!({ANNOTATION_OPENED: "then"}), &spec);
        let edited = json!({ANNOTATION_OPENED: "then", ANNOTATION_OUTCOME: "Failed", "team": "web"});
        assert_eq!(
            correction(&silence(&edited, &spec), &asked).unwrap()["metadata"],
            json!({"annotations": {ANNOTATION_OUTCOME: null}})
        );
        let harmless = json!({ANNOTATION_OPENED: "then", "team": "web"});
        assert_eq!(correction(&silence(&harmless, &spec), &asked), None);
    }
}
