//! The AlertRules as they are written, and whether one is already.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::source::{Group, Source};
use crate::api::prometheus_rule_import::SourceKind;
use crate::api::{
    ANNOTATION_IMPORTED, ANNOTATION_SOURCE, AlertRule, AlertRuleSpec, LABEL_ALERT, LABEL_IMPORT,
    PrometheusRuleImport,
};

/// The longest value of a label.
const LONGEST: usize = 63;

/// The AlertRule of one rule.
pub(super) fn object(
    import: &PrometheusRuleImport,
    source: &Source<'_>,
    group: &Group,
    alert: &str,
    name: String,
    spec: AlertRuleSpec,
) -> AlertRule {
    let mut labels = BTreeMap::from([(LABEL_IMPORT.to_owned(), label_of(&import.name_any()))]);
    if is_label_value(alert) {
        labels.insert(LABEL_ALERT.to_owned(), alert.to_owned());
    }
    let from = format!("{} {}", source.path(), group.name);
    let imported = fingerprint(&spec, &labels, &from);
    let annotations = BTreeMap::from([
        (ANNOTATION_SOURCE.to_owned(), from),
        (ANNOTATION_IMPORTED.to_owned(), imported),
    ]);
    AlertRule {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: import.namespace(),
            labels: Some(labels),
            annotations: Some(annotations),
            owner_references: Some(vec![owner_reference(import)]),
            ..ObjectMeta::default()
        },
        spec,
        status: None,
    }
}

/// Gives an AlertRule another title.
pub(super) fn rename(rule: &mut AlertRule, title: String) {
    rule.spec.title = Some(title);
    let from = rule
        .annotations()
        .get(ANNOTATION_SOURCE)
        .cloned()
        .unwrap_or_default();
    let imported = fingerprint(&rule.spec, rule.labels(), &from);
    rule.annotations_mut()
        .insert(ANNOTATION_IMPORTED.to_owned(), imported);
}

/// The reference that makes an AlertRule an import's own. It carries no `blockOwnerDeletion`, for which some clusters want a right to the
/// import's finalizers.
pub fn owner_reference(import: &PrometheusRuleImport) -> OwnerReference {
    OwnerReference {
        api_version: PrometheusRuleImport::api_version(&()).into_owned(),
        kind: PrometheusRuleImport::kind(&()).into_owned(),
        name: import.name_any(),
        uid: import.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Whether what is stored is all that is asked for. What others have set beside it is left to them.
pub fn is_as_asked(stored: &AlertRule, asked: &AlertRule) -> bool {
    let has_all = |stored: &BTreeMap<String, String>, asked: &BTreeMap<String, String>| {
        asked.iter().all(|(key, value)| stored.get(key) == Some(value))
    };
    let owners = stored.owner_references();
    has_all(stored.labels(), asked.labels())
        && has_all(stored.annotations(), asked.annotations())
        && asked
            .owner_references()
            .iter()
            .all(|owner| owners.contains(owner))
        && match (
            serde_json::to_value(&stored.spec),
            serde_json::to_value(&asked.spec),
        ) {
            (Ok(stored), Ok(asked)) => holds(&stored, &asked),
            _ => false,
        }
}

/// Whether a value has all that another one has.
fn holds(stored: &Value, asked: &Value) -> bool {
    match (stored, asked) {
        (Value::Object(stored), Value::Object(asked)) => asked
            .iter()
            .all(|(field, asked)| stored.get(field).is_some_and(|stored| holds(stored, asked))),
        _ => stored == asked,
    }
}

/// Kind and namespace of the object that an AlertRule is from; `None` where it doesn't say.
pub fn origin(rule: &AlertRule) -> Option<(SourceKind, &str)> {
    let (kind, rest) = rule.annotations().get(ANNOTATION_SOURCE)?.split_once(' ')?;
    let kind = SourceKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some((kind, rest.split_once('/')?.0))
}

/// Tells one wish from another, whatever is stored.
fn fingerprint(spec: &AlertRuleSpec, labels: &BTreeMap<String, String>, from: &str) -> String {
    let mut hash = Sha256::new();
    // What can't be written down is refused elsewhere.
    hash.update(serde_json::to_vec(&(spec, labels, from)).unwrap_or_default());
    let digest: Vec<u8> = hash.finalize().iter().copied().take(10).collect();
    data_encoding::BASE32_DNSSEC.encode(&digest)
}

/// A name as the value of a label: what is too long is cut, and told apart by a hash.
fn label_of(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let digest: Vec<u8> = Sha256::digest(name).iter().copied().take(5).collect();
    let hash = data_encoding::BASE32_DNSSEC.encode(&digest);
    let cut: String = name.chars().take(LONGEST - hash.len() - 1).collect();
    format!("{}-{hash}", cut.trim_end_matches(['-', '.']))
}

fn is_label_value(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    text.len() <= LONGEST
        && text.starts_with(is_edge)
        && text.ends_with(is_edge)
        && text.chars().all(|c| is_edge(c) || matches!(c, '-' | '_' | '.'))
}
