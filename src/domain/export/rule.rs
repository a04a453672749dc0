//! A rule → an AlertRule.

use std::collections::BTreeMap;

use super::around::Around;
use super::names::Names;
use super::resource::{Resource, Spec};
use super::{nodes, texts};
use crate::api::alert_rule::{
    AlertRuleSpec, ExecErrState, NoDataState, NotificationSettings, PanelRef, Record,
};
use crate::api::duration::Duration;
use crate::api::reference::DatasourceRef;
use crate::domain::notification::interval::Interval;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::settings::{self, Tree, Way};
use crate::domain::ownership::is_derived;
use crate::domain::refusal::Refusal;
use crate::domain::rule::{self, Surroundings};
use crate::grafana::api::{DEFAULT_INTERVAL, OWNER_LABEL, TREE_LABEL};
use crate::grafana::digest::{RuleDigest, duration};
use crate::grafana::model::{self, AlertRule};
use crate::grafana::wire::DataSource;

/// The field that `query` may change.
const QUERY: &str = "query";

/// Labels that a rule with a contact point of its own always groups by.
const ALWAYS_GROUPED: [&str; 2] = ["alertname", "grafana_folder"];

/// Annotations that link a panel.
const LINK: [&str; 2] = ["__dashboardUid__", "__panelId__"];

/// The resource of a rule, or why there can't be any.
pub(super) fn resource(
    found: &AlertRule,
    names: &mut BTreeMap<String, Names>,
    around: &Around<'_>,
) -> Result<Resource, String> {
    let mark = found.labels.get(OWNER_LABEL);
    let whose = mark.and_then(|mark| mark.split_once('/')?.1.split_once('/'));
    let namespace = around
        .asked
        .namespace
        .as_deref()
        .or(whose.map(|(namespace, _)| namespace));
    let names = names
        .entry(namespace.unwrap_or_default().to_owned())
        .or_insert_with(|| Names::new(&around.asked.prefix));
    let name = match whose {
        Some((_, name)) => names.free(name),
        None => names.of(&found.title, "rule"),
    };
    let folder = around.folder(&found.folder_uid);
    let (mut lost, mut remarks) = (Vec::new(), Vec::new());
    let at = (namespace.unwrap_or(around.namespace()), name.as_str());
    let base = AlertRuleSpec {
        uid: uid(found, whose, at, &mut lost),
        folder_uid: folder.path.is_none().then(|| found.folder_uid.clone()),
        folder: folder.path.clone(),
        ..spec(found, &name, around, &mut lost)
    };
    let (spec, form, changes) = written(found, base, at, around)?;
    if let Some(by) = found
        .provenance
        .as_deref()
        .filter(|by| !matches!(*by, "" | "api"))
    {
        remarks.push(format!(
            "It is provisioned (provenance {by}): take it out of there before it is taken over"
        ));
    }
    let resource = Resource {
        adopts: around.asked.adopts.then(|| "true".to_owned()),
        folder: Some(folder.title).filter(|title| !title.is_empty()),
        form,
        changes: changes.into_iter().map(str::to_owned).collect(),
        lost,
        remarks,
        ..Resource::new(Spec::AlertRule(Box::new(spec)), &name, namespace, &found.title)
    };
    resource.checked(&around.schemas)
}

/// The uid, where a resource may name it. One that is derived is the resource's again only in the namespace and by the name of its mark.
fn uid(
    found: &AlertRule,
    whose: Option<(&str, &str)>,
    at: (&str, &str),
    lost: &mut Vec<String>,
) -> Option<String> {
    if !is_derived(&found.uid) {
        return Some(found.uid.clone());
    }
    match whose {
        Some(of) if of == at => {}
        Some((namespace, name)) => lost.push(format!(
            "uid {}: it is that of AlertRule {namespace}/{name}, so {}/{} makes a rule beside it",
            found.uid, at.0, at.1
        )),
        None => lost.push(format!(
            "uid {}: it has the form of those that an operator derives from a resource, so the AlertRule makes a rule beside it",
            found.uid
        )),
    }
    None
}

/// The specification by `query` where that is the same rule, else by `data`; what was made of it, and what the first pass would change.
fn written(
    found: &AlertRule,
    base: AlertRuleSpec,
    at: (&str, &str),
    around: &Around<'_>,
) -> Result<(AlertRuleSpec, String, Vec<&'static str>), String> {
    let why = match by_query(found, &base, at, around) {
        Ok((spec, changes)) => return Ok((spec, "query".to_owned(), changes)),
        Err(why) => why,
    };
    let spec = AlertRuleSpec {
        data: Some(nodes::data(found)),
        condition: found.record.is_none().then(|| found.condition.clone()),
        ..base
    };
    let changes = changes(found, &spec, at, around).map_err(|refusal| refusal.message)?;
    Ok((spec, format!("data: {why}"), changes))
}

fn by_query(
    found: &AlertRule,
    base: &AlertRuleSpec,
    at: (&str, &str),
    around: &Around<'_>,
) -> Result<(AlertRuleSpec, Vec<&'static str>), &'static str> {
    let asks = nodes::asks(found)?;
    let unwritten = |texts: &BTreeMap<String, String>| {
        let texts = texts.iter();
        texts
            .map(|(key, text)| (key.clone(), texts::unwritten(text)))
            .collect()
    };
    let spec = AlertRuleSpec {
        query: Some(asks.query),
        datasource: Some(by_uid(asks.source)),
        annotations: unwritten(&base.annotations),
        labels: unwritten(&base.labels),
        record: base.record.clone().map(|record| Record { from: None, ..record }),
        ..base.clone()
    };
    let data = AlertRuleSpec {
        data: Some(nodes::data(found)),
        condition: found.record.is_none().then(|| found.condition.clone()),
        ..base.clone()
    };
    let is_known = around.held.sources.iter().any(|source| {
        spec.datasource
            .as_ref()
            .is_some_and(|asked| asked.uid.as_ref() == Some(&source.uid))
    });
    let not_so = |_| {
        if is_known {
            "its data source is neither Loki nor Prometheus"
        } else {
            "of which type its data source is isn't known"
        }
    };
    let by_query = changes(found, &spec, at, around).map_err(not_so)?;
    let by_data = changes(found, &data, at, around).unwrap_or_default();
    let more: Vec<_> = by_query.iter().filter(|field| !by_data.contains(field)).collect();
    match more.as_slice() {
        [] => Ok((spec, by_query)),
        [field] if **field == QUERY && asks.has_names => Ok((spec, by_query)),
        [field] if **field == QUERY && !names_nodes(found) => Ok((spec, by_query)),
        [field] if **field == QUERY => Err("its texts name its nodes"),
        _ => Err("its texts mean more than the number by $value"),
    }
}

/// Whether a text says something of nodes by their names.
fn names_nodes(found: &AlertRule) -> bool {
    let mut texts = found.annotations.values().chain(found.labels.values());
    texts.any(|text| text.contains("$values") || text.contains(".Values"))
}

/// What the first pass would change of the rule, beside its mark and its provenance.
fn changes(
    found: &AlertRule,
    spec: &AlertRuleSpec,
    (namespace, name): (&str, &str),
    around: &Around<'_>,
) -> Result<Vec<&'static str>, Refusal> {
    let source = |asked: Option<&DatasourceRef>| {
        let uid = asked.and_then(|asked| asked.uid.as_deref())?;
        around.held.sources.iter().find(|source| source.uid == uid)
    };
    let named = spec
        .record
        .as_ref()
        .and_then(|record| record.target_datasource.as_ref());
    // Grafana writes to a Prometheus alone, so one that nobody has shown is taken for one.
    let target = source(named).cloned().or_else(|| {
        named.map(|target| DataSource {
            uid: target.uid.clone().unwrap_or_default(),
            r#type: "prometheus".to_owned(),
            ..DataSource::default()
        })
    });
    let way = way(spec, around);
    let notification = settings::settings(spec, way, |interval| {
        Ok(match interval {
            Interval::Grafana { name } => name.clone(),
            Interval::Resource { name, .. } => Around::called(&around.intervals, name)
                .cloned()
                .unwrap_or_default(),
        })
    })?;
    let surroundings = Surroundings {
        owner: around.owners.now(),
        uid: &found.uid,
        namespace,
        name,
        labels: &around.asked.labels,
        source: source(spec.datasource.as_ref()),
        target: target.as_ref(),
        notification: notification.as_ref(),
        external_url: "",
        version: around.version,
        toggles: around.held.toggles,
        min_interval: around.held.min_interval,
    };
    let mut wish = rule::wish(spec, &surroundings)?.rule;
    wish.folder_uid.clone_from(&found.folder_uid);
    wish.group = wish.group.filter(|_| found.group.is_some());
    wish.labels.remove(OWNER_LABEL);
    let mut there = found.clone();
    there.labels.remove(OWNER_LABEL);
    let mut changes = RuleDigest::of(&wish).changed(&RuleDigest::of(&there));
    if wish.interval != there.interval {
        changes.push("interval");
    }
    Ok(changes)
}

/// Where the alerts go past the default tree, by names in Grafana.
fn way(spec: &AlertRuleSpec, around: &Around<'_>) -> Option<Way> {
    match (settings::tree(spec), settings::target(spec)) {
        (Some(Tree::Grafana { name }), _) => Some(Way::Tree(name)),
        (Some(Tree::Policy { name, .. }), _) => Around::called(&around.trees, &name).cloned().map(Way::Tree),
        (None, Some(Target::Grafana { name })) => Some(Way::Receiver(name)),
        (None, Some(Target::ContactPoint { name, .. })) => Around::called(&around.receivers, &name)
            .cloned()
            .map(Way::Receiver),
        (None, None) => None,
    }
}

/// All but the uid, the folder and what is asked.
fn spec(found: &AlertRule, name: &str, around: &Around<'_>, lost: &mut Vec<String>) -> AlertRuleSpec {
    let is_unusual = |text: &str| duration(text).is_none_or(|length| !length.is_zero());
    let length = |text: &str| {
        duration(text).map_or_else(
            || serde_json::from_value(text.into()).ok(),
            |length| Some(Duration::from(length)),
        )
    };
    let mut labels = found.labels.clone();
    labels.remove(OWNER_LABEL);
    if found
        .notification_settings
        .as_ref()
        .is_some_and(|own| own.policy.is_some())
    {
        labels.remove(TREE_LABEL);
    }
    labels.retain(|label, _| {
        let is_reserved = label.starts_with("__");
        if is_reserved {
            lost.push(format!("label {label}: names that begin with __ are reserved"));
        } else if label == "alertname" {
            lost.push("label alertname: it is the rule's title, whatever its labels say".to_owned());
        }
        !is_reserved && label != "alertname"
    });
    let severity = labels
        .get("severity")
        .filter(|text| (1..=63).contains(&text.chars().count()))
        .cloned();
    if severity.is_some() {
        labels.remove("severity");
    }
    let mut annotations = found.annotations.clone();
    let panel_ref = panel(&annotations);
    if panel_ref.is_some() {
        annotations.retain(|key, _| !LINK.contains(&key.as_str()));
    }
    AlertRuleSpec {
        instance: around.asked.instance.clone(),
        title: Some(found.title.clone()).filter(|title| title != name),
        group: found.group.clone().filter(|group| group != name),
        interval: (found.interval != DEFAULT_INTERVAL).then(|| Duration::from(found.interval)),
        for_: Some(&found.r#for)
            .filter(|text| !text.is_empty() && is_unusual(text))
            .and_then(|text| length(text)),
        keep_firing_for: (found.keep_firing_for.as_deref())
            .filter(|text| !text.is_empty() && is_unusual(text))
            .and_then(length),
        severity,
        labels,
        annotations,
        no_data_state: no_data_state(found),
        exec_err_state: exec_err_state(found),
        missing_series_evals_to_resolve: (found.missing_series_evals_to_resolve)
            .filter(|evaluations| *evaluations != 2)
            .and_then(|evaluations| i32::try_from(evaluations).ok()),
        paused: found.is_paused.then_some(true),
        panel_ref,
        record: found.record.as_ref().map(record),
        notification_settings: found
            .notification_settings
            .as_ref()
            .map(|own| notification(own, around)),
        ..AlertRuleSpec::default()
    }
}

fn no_data_state(found: &AlertRule) -> Option<NoDataState> {
    let state = serde_json::from_value(found.no_data_state.as_str().into()).ok();
    state.filter(|state| found.record.is_none() && *state != NoDataState::default())
}

fn exec_err_state(found: &AlertRule) -> Option<ExecErrState> {
    let state = serde_json::from_value(found.exec_err_state.as_str().into()).ok();
    state.filter(|state| found.record.is_none() && *state != ExecErrState::default())
}

fn panel(annotations: &BTreeMap<String, String>) -> Option<PanelRef> {
    let [dashboard, panel] = LINK;
    let number: &String = annotations.get(panel)?;
    let panel_id = number
        .parse()
        .ok()
        .filter(|id: &i64| *id > 0 && id.to_string() == *number)?;
    let dashboard_uid = annotations.get(dashboard)?.clone();
    Some(PanelRef {
        dashboard_uid,
        panel_id,
    })
}

fn record(own: &model::Record) -> Record {
    Record {
        metric: own.metric.clone(),
        from: Some(own.from.clone()),
        target_datasource: own.target.clone().map(by_uid),
    }
}

fn by_uid(uid: String) -> DatasourceRef {
    DatasourceRef {
        name: None,
        uid: Some(uid),
        type_: None,
    }
}

fn notification(own: &model::NotificationSettings, around: &Around<'_>) -> NotificationSettings {
    if let Some(tree) = own.policy.as_deref().filter(|tree| !tree.is_empty()) {
        let (policy, policy_ref) = around.tree(tree);
        return NotificationSettings {
            policy,
            policy_ref,
            ..NotificationSettings::default()
        };
    }
    let length = |text: &Option<String>| text.as_deref().and_then(duration).map(Duration::from);
    let (receiver, receiver_ref) = around.receiver(&own.receiver);
    let (mute_time_intervals, mute_time_interval_refs) = around.intervals(&own.mute_time_intervals);
    let (active_time_intervals, active_time_interval_refs) = around.intervals(&own.active_time_intervals);
    // Those that are always among them are the whole of it where no other is.
    let others = own
        .group_by
        .iter()
        .filter(|label| !ALWAYS_GROUPED.contains(&label.as_str()));
    let others: Vec<String> = others.cloned().collect();
    NotificationSettings {
        receiver,
        receiver_ref,
        group_by: if others.is_empty() {
            own.group_by.clone()
        } else {
            others
        },
        group_wait: length(&own.group_wait),
        group_interval: length(&own.group_interval),
        repeat_interval: length(&own.repeat_interval),
        mute_time_intervals,
        mute_time_interval_refs,
        active_time_intervals,
        active_time_interval_refs,
        ..NotificationSettings::default()
    }
}
