//! Rules for Prometheus and Loki, by the decision of PrometheusRuleImports.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::super::names::Names;
use super::super::resource::{Resource, Spec};
use super::asked::{Asked, Document, Import, Made, meta};
use super::format::Format;
use crate::api::prometheus_rule_import::{RecordingRules, SeverityMapping, SourceKind, SourceNamespaces};
use crate::api::reference::DatasourceRef;
use crate::api::{AlertRule, PrometheusRuleImport, PrometheusRuleImportSpec};
use crate::domain::import::source::Source;
use crate::domain::import::{Grafana, in_full};
use crate::domain::lint::schema::Schemas;
use crate::domain::ownership::Owner;
use crate::domain::rule::query::{Split, split};
use crate::domain::version::Version;

/// What a Grafana evaluates at, unless it is told otherwise.
const BASE_INTERVAL: Duration = Duration::from_secs(10);

/// Names of the import that there isn't; nothing that is written says them.
const NOBODY: &str = "import";

/// Where rules are from.
pub(super) struct Place {
    /// The name of the object or file, which the names of groups in Grafana begin with.
    pub(super) name: String,
    /// Whether objects of other namespaces are imported too.
    pub(super) is_one_of_several_namespaces: bool,
}

/// The rules of a document as AlertRules.
pub(super) fn rules(
    document: &Document,
    place: &Place,
    asked: &Asked,
    schemas: &Schemas,
    names: &mut Names,
    import: &mut Import,
) {
    let namespace = meta(&document.value).namespace.unwrap_or_default();
    let mut spec = match document.format {
        Format::PrometheusRule | Format::VmRule => document.value.get("spec").cloned().unwrap_or_default(),
        _ => texts(document.value.clone()),
    };
    if !spec.get("groups").is_some_and(Value::is_array) {
        if spec.get("groups").is_some_and(|groups| !groups.is_null()) {
            import.leave(&place.name, "its groups are no list");
        }
        spec = json!({"groups": []});
    }
    let source = Source {
        kind: match document.format {
            Format::VmRule => SourceKind::VMRule,
            _ => SourceKind::PrometheusRule,
        },
        namespace: &namespace,
        name: &place.name,
        spec: &spec,
    };
    let Some(owner) = Owner::parse(NOBODY) else {
        return;
    };
    let grafana = Grafana {
        version: Version::new(u32::MAX, 0, 0),
        base_interval: BASE_INTERVAL,
        owner: &owner,
        folder_prefix: "",
        titles: &BTreeMap::new(),
        sources: &[],
    };
    let wish = in_full(&asked_of(document, place, asked), vec![source], &grafana);
    for ((rule, losses), remarks) in wish.rules.into_iter().zip(wish.losses).zip(wish.remarks) {
        let source = called(&rule, &place.name);
        let remarks = remarks.into_iter();
        let made = Resource {
            remarks: remarks
                .map(|remark| format!("Carried over as it is: {remark}"))
                .collect(),
            ..resource(rule, &losses, names, (asked, &namespace))
        };
        match made.checked(schemas) {
            Ok(resource) => import.made.push(Made { source, resource }),
            Err(why) => import.leave(source, why),
        }
    }
    for remark in wish.skipped.first {
        let parts = [remark.group, remark.rule].into_iter().flatten();
        let source = parts.collect::<Vec<_>>().join("/");
        let source = if source.is_empty() {
            place.name.clone()
        } else {
            source
        };
        import.leave(source, words(&remark.message));
    }
    if wish.beyond > 0 {
        let most = crate::domain::import::MOST_RULES;
        import.leave(
            &place.name,
            format!("{} more rules: {most} of one object are the most", wish.beyond),
        );
    }
}

/// What a PrometheusRuleImport would ask for.
fn asked_of(document: &Document, place: &Place, asked: &Asked) -> PrometheusRuleImport {
    let of_loki = || DatasourceRef {
        name: None,
        uid: None,
        type_: Some("loki".to_owned()),
    };
    let datasource = asked.datasource.clone();
    PrometheusRuleImport {
        metadata: ObjectMeta {
            name: Some(NOBODY.to_owned()),
            namespace: Some(asked.namespace.clone().unwrap_or_else(|| "default".to_owned())),
            ..ObjectMeta::default()
        },
        spec: PrometheusRuleImportSpec {
            instance: asked.instance.clone(),
            datasource: datasource.or_else(|| (document.format == Format::Loki).then(of_loki)),
            folder: asked.folder.clone(),
            severity_mapping: asked.severity_label.clone().map(|label| SeverityMapping {
                label: Some(label),
                ..SeverityMapping::default()
            }),
            recording_rules: asked.records.then(RecordingRules::default),
            namespaces: place.is_one_of_several_namespaces.then(SourceNamespaces::default),
            ..PrometheusRuleImportSpec::default()
        },
        status: None,
    }
}

/// Group and name, as they are found in what was read.
fn called(rule: &AlertRule, of: &str) -> String {
    let group = rule.spec.group.as_deref().unwrap_or_default();
    let group = group
        .split_once(&format!("{of}: "))
        .map_or(group, |(_, group)| group);
    format!("{group}/{}", rule.spec.title.as_deref().unwrap_or_default())
}

/// The same remark for whoever has no PrometheusRuleImport.
fn words(message: &str) -> String {
    message
        .replace(" is not carried over: ", ": ")
        .replace(
            "which spec.recordingRules would carry over",
            "which --recording-rules carries over",
        )
        .replace("choose one by spec.datasource", "choose one by --datasource")
        .replace("spec.datasource", "--datasource")
}

/// The resource, in the namespace that is asked for, or else in that of what it is from.
fn resource(
    rule: AlertRule,
    losses: &[String],
    names: &mut Names,
    (asked, namespace): (&Asked, &str),
) -> Resource {
    let mut spec = rule.spec;
    let title = spec.title.clone().unwrap_or_default();
    let name = names.of(&title, "rule");
    spec.title = spec.title.filter(|title| *title != name);
    let form = match spec.query.as_deref().map(split) {
        Some(Ok(Split::Whole(_, why))) if spec.record.is_none() => {
            format!("kept whole, fires for each sample: {why}")
        }
        _ => String::new(),
    };
    Resource {
        adopts: asked.adopts.then(|| "true".to_owned()),
        folder: spec.folder.clone(),
        form,
        lost: losses.iter().map(|loss| words(loss)).collect(),
        ..Resource::new(
            Spec::AlertRule(Box::new(spec)),
            &name,
            asked
                .namespace
                .as_deref()
                .or(Some(namespace).filter(|own| !own.is_empty())),
            &title,
        )
    }
}

/// A rule file with the values of labels and annotations as texts, which YAML takes for numbers where they look like these.
fn texts(mut value: Value) -> Value {
    let groups = value.get_mut("groups").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten() {
        in_texts(group.get_mut("labels"));
        let rules = group.get_mut("rules").and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten() {
            in_texts(rule.get_mut("labels"));
            in_texts(rule.get_mut("annotations"));
        }
    }
    value
}

fn in_texts(fields: Option<&mut Value>) {
    for value in fields.and_then(Value::as_object_mut).into_iter().flatten() {
        let value = value.1;
        match value {
            Value::Null => *value = Value::String(String::new()),
            Value::Bool(_) | Value::Number(_) => *value = Value::String(value.to_string()),
            _ => {}
        }
    }
}
