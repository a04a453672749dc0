//! Objects as the API server has them, read as our types.
//!
//! An API server may hold what our types can't read: it has its own idea of what a schema says, and what was stored under an older one stays. Such
//! an object must still be told what is wrong with it, keep what it has in Grafana, and be deletable. So one is made in its place of all that can be
//! read, with a mark, and nothing is done for it but that.

use std::borrow::Cow;

use kube::core::ObjectMeta;
use kube::core::object::HasSpec;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use tracing::warn;

use super::kinds::Watched;
use crate::controller::engine::managed::{ALL_FIELDS, Managed, UNREAD, UNREAD_FIELDS};

/// What client-side apply leaves on an object: all of it, once more.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What nobody reads of the annotations, or nobody else can say.
const NOT_READ: [&str; 3] = [LAST_APPLIED, UNREAD, UNREAD_FIELDS];

/// What is made of an object that can't be read.
pub type InPlace<K> = fn(&Value) -> Option<K>;

/// An object as the API server has it: read, or where it can't be as it is. What nobody reads of it is dropped first, and all but the object itself as
/// soon as it is read: a page has a hundred of them.
#[derive(Debug, Clone)]
pub struct Read<K>(Result<K, Unread>);

impl<K> Read<K> {
    /// The object, if it could be read.
    pub fn object(self) -> Option<K> {
        self.0.ok()
    }
}

#[derive(Debug, Clone)]
struct Unread {
    metadata: ObjectMeta,
    object: Value,
    error: String,
}

impl<'de, K: Watched> Deserialize<'de> for Read<K> {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(text)?;
        let Some(fields) = object.as_object_mut() else {
            return Err(D::Error::custom("it is no object"));
        };
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.retain(|name, _| !NOT_READ.contains(&name.as_str()));
            }
        }
        let error = match K::deserialize(&object) {
            Ok(object) => return Ok(Self(Ok(object))),
            Err(error) => unquoted(&error.to_string()),
        };
        let metadata = object.get("metadata").map(ObjectMeta::deserialize).transpose();
        Ok(Self(Err(Unread {
            metadata: metadata.map_err(D::Error::custom)?.unwrap_or_default(),
            object,
            error,
        })))
    }
}

impl<K: Watched> Resource for Read<K> {
    type DynamicType = ();
    type Scope = k8s_openapi::NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => object.meta(),
            Err(unread) => &unread.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => object.meta_mut(),
            Err(unread) => &mut unread.metadata,
        }
    }
}

/// Reads what a watch tells. What can't be read is `in_place`, or left out with a warning: it mustn't stop the others.
pub(super) fn decode<K: Watched>(event: Event<Read<K>>, in_place: InPlace<K>) -> Option<Event<K>> {
    let decoded = |object| made(object, in_place);
    match event {
        Event::Apply(object) => decoded(object).map(Event::Apply),
        Event::Delete(object) => decoded(object).map(Event::Delete),
        Event::InitApply(object) => decoded(object).map(Event::InitApply),
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
    }
}

fn made<K: Watched>(read: Read<K>, in_place: InPlace<K>) -> Option<K> {
    let (namespace, name) = (read.namespace(), read.name_any());
    let unread = match read.0 {
        Ok(object) => return Some(object),
        Err(unread) => unread,
    };
    let made = in_place(&unread.object);
    if made.is_none() {
        let error = unread.error;
        warn!(kind = %K::kind(&()), namespace, name, error, "object left out: it cannot be decoded");
    }
    made
}

/// Nothing: the object is left out.
pub fn left_out<K>(_: &Value) -> Option<K> {
    None
}

/// An object with all fields of this one that can be read, marked where some of the specification can't.
pub fn readable<K>(object: &Value) -> Option<K>
where
    K: Managed + HasSpec,
    K::Spec: Default + Serialize,
{
    let mut made = json!({
        "apiVersion": object.get("apiVersion"),
        "kind": object.get("kind"),
        "metadata": object.get("metadata"),
        "spec": K::Spec::default(),
        "status": {},
    });
    let mut unread = Vec::new();
    for part in ["spec", "status"] {
        for (field, value) in object.get(part).and_then(Value::as_object).into_iter().flatten() {
            let fields = made.get_mut(part).and_then(Value::as_object_mut)?;
            let before = fields.insert(field.clone(), value.clone());
            let Err(error) = K::deserialize(&made) else {
                continue;
            };
            let fields = made.get_mut(part).and_then(Value::as_object_mut)?;
            match before {
                Some(before) => fields.insert(field.clone(), before),
                None => fields.remove(field),
            };
            // A status is written anew.
            if part == "spec" {
                unread.push((field.clone(), unquoted(&error.to_string())));
            }
        }
    }
    // It may be wrong as a whole: what it needs isn't there, and must not be taken for what it asks for.
    if unread.is_empty() {
        let mut whole = made.clone();
        let fields = whole.as_object_mut()?;
        fields.insert("spec".to_owned(), object.get("spec").cloned().unwrap_or_default());
        if let Err(error) = K::deserialize(&whole) {
            // What is no specification at all says nothing of any field.
            let field = if object.get("spec").is_some_and(Value::is_object) {
                ""
            } else {
                ALL_FIELDS
            };
            unread.push((field.to_owned(), unquoted(&error.to_string())));
        }
    }
    let mut made = K::deserialize(&made).ok()?;
    let said: Vec<String> = unread
        .iter()
        .map(|(field, error)| {
            let is_whole = field.is_empty() || field == ALL_FIELDS;
            let field = if is_whole { String::new() } else { format!(".{field}") };
            let place = format!("{}.spec{field}", K::KIND.to_lowercase());
            format!("spec{field}: can't be read ({error}), so nothing is done for this resource; write it as kubectl explain {place} says")
        })
        .collect();
    if !said.is_empty() {
        let annotations = made.meta_mut().annotations.get_or_insert_default();
        annotations.insert(UNREAD.to_owned(), said.join("; "));
        let fields: Vec<_> = unread.into_iter().map(|(field, _)| field).collect();
        annotations.insert(UNREAD_FIELDS.to_owned(), fields.join(","));
    }
    Some(made)
}

/// An error without what it quotes of the object, which may be secret. What is missing is a name of ours.
fn unquoted(error: &str) -> String {
    let mut text = error.to_owned();
    if text.starts_with("missing field") {
        return text;
    }
    for quote in ['"', '`'] {
        if let (Some(first), Some(last)) = (text.find(quote), text.rfind(quote)) {
            text.replace_range(first..=last, "…");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ContactPoint, Silence};

    fn silence(spec: &Value, status: &Value) -> Value {
        json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence",
            "metadata": {
                "name": "s", "namespace": "team", "uid": "u", "generation": 2,
                "annotations": {UNREAD: "forged", LAST_APPLIED: "{}", "kept": "here"},
                "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
            },
            "spec": spec, "status": status,
        })
    }

    fn read<K: Watched>(object: Value, in_place: InPlace<K>) -> Option<K> {
        made(serde_json::from_value(object).unwrap(), in_place)
    }

    #[test]
    fn what_can_be_read_is_as_it_is_whatever_it_says_of_itself() {
        let spec = json!({"matchers": ["a=b"], "duration": "1h"});
        let read: Silence = read(silence(&spec, &json!({"id": "i"})), readable).unwrap();
        assert_eq!(read.unread(), None);
        let annotations: Vec<_> = read.annotations().keys().map(String::as_str).collect();
        assert_eq!(
            (annotations, read.metadata.managed_fields.as_ref()),
            (vec!["kept"], None)
        );
        assert_eq!(read.status.unwrap().id.as_deref(), Some("i"));
    }

    #[test]
    fn of_what_cannot_be_read_all_else_is_there_and_it_says_which_field_it_is() {
        let spec = json!({"matchers": ["a=b"], "endsAt": "2030-01-01T00:00:00!5Z", "instance": "prod"});
        let object = silence(&spec, &json!({"id": "i", "matchesRules": "many"}));
        let made: Silence = read(object.clone(), readable).unwrap();
        assert_eq!(made.spec.instance.as_deref(), Some("prod"));
        assert_eq!((made.spec.matchers.len(), made.spec.ends_at.is_none()), (1, true));
        assert_eq!(made.metadata.uid.as_deref(), Some("u"));
        assert_eq!(
            made.unread()
                .map(|said| said.starts_with("spec.endsAt: can't be read")),
            Some(true)
        );
        assert_eq!(made.status.unwrap().id.as_deref(), Some("i"));
        assert_eq!(read::<Silence>(object, left_out), None);
    }

    #[test]
    fn what_has_no_metadata_that_can_be_read_is_no_object() {
        for object in [json!([]), json!({"metadata": {"name": 1}, "spec": {}})] {
            assert!(serde_json::from_value::<Read<Silence>>(object).is_err());
        }
    }

    #[test]
    fn a_status_that_cannot_be_read_is_no_mistake_of_the_specification() {
        let spec = json!({"matchers": ["a=b"], "duration": "1h"});
        let made: Silence = read(silence(&spec, &json!({"matchesRules": "many"})), readable).unwrap();
        assert_eq!((made.unread(), made.spec.duration.is_some()), (None, true));
    }

    #[test]
    fn what_lacks_what_it_needs_is_marked_and_not_taken_for_asking_for_nothing() {
        for spec in [json!({"name": "team"}), json!(null)] {
            let object = json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint",
                "metadata": {"name": "c", "namespace": "team"}, "spec": spec, "status": {"name": "team"},
            });
            let made: ContactPoint = readable(&object).unwrap();
            let said = made.unread().unwrap_or_default();
            assert!(
                said.starts_with("spec: can't be read (missing field `integrations`")
                    || said.starts_with("spec: can't be read (invalid type"),
                "{said}"
            );
            let is_nothing = object["spec"].is_null();
            assert_eq!(made.unread_whereabouts().is_some(), is_nothing, "{said}");
        }
    }

    #[test]
    fn what_an_error_quotes_is_told_nowhere() {
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint",
            "metadata": {"name": "c", "namespace": "team"},
            "spec": {"integrations": [{"webhook": "https://example.com/s\"3cret"}]},
        });
        let made: ContactPoint = readable(&object).unwrap();
        let said = made.unread().unwrap();
        assert!(
            said.contains("spec.integrations") && !said.contains("3cret"),
            "{said}"
        );
    }
}
