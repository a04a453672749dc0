//! Alert rules.

use serde_json::Value;

use super::{Difference, Facts, compare, flatten, say};
use crate::api::duration;
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::digest::RuleDigest;
use crate::grafana::model::AlertRule;

/// What differs between two rules. `folder` names a folder by its titles.
pub fn rule(
    before: &AlertRule,
    after: &AlertRule,
    folder: impl Fn(&str) -> Option<String>,
) -> Vec<Difference> {
    let titled = |uid: &str| folder(uid).unwrap_or_else(|| uid.to_owned());
    let mut all = Vec::new();
    for field in RuleDigest::of(before).changed(&RuleDigest::of(after)) {
        let facts = |rule: &AlertRule| facts(field, rule, &titled);
        let told = compare(&facts(before), &facts(after));
        // Two folders may have one title.
        if told.is_empty() {
            let is_mark =
                field == "labels" && before.labels.get(OWNER_LABEL) != after.labels.get(OWNER_LABEL);
            all.push(Difference::hidden(if is_mark {
                "(ownership mark)"
            } else {
                field
            }));
        }
        all.extend(told);
    }
    let interval = |rule: &AlertRule| vec![("interval".to_owned(), duration::format(rule.interval).into())];
    all.extend(compare(&interval(before), &interval(after)));
    let editable = |rule: &AlertRule| vec![("editable".to_owned(), rule.provenance.is_none().into())];
    all.extend(compare(&editable(before), &editable(after)));
    all
}

/// What a field of a digest says, in the words of the resource.
fn facts(field: &str, rule: &AlertRule, titled: &dyn Fn(&str) -> String) -> Facts {
    let mut facts = Facts::new();
    match field {
        "title" => say(&mut facts, field, rule.title.clone()),
        "folder" => say(&mut facts, field, titled(&rule.folder_uid)),
        "group" => say(&mut facts, field, rule.group.clone()),
        "query" => query(&mut facts, rule),
        "record" => {
            if let Some(record) = &rule.record {
                say(&mut facts, "record.metric", record.metric.clone());
                say(&mut facts, "record.from", record.from.clone());
                say(&mut facts, "record.targetDatasource", record.target.clone());
            }
        }
        "for" => facts.push((field.to_owned(), or_zero(Some(&rule.r#for)))),
        "keepFiringFor" => facts.push((field.to_owned(), or_zero(rule.keep_firing_for.as_deref()))),
        "missingSeriesEvalsToResolve" => say(&mut facts, field, rule.missing_series_evals_to_resolve),
        "labels" => {
            let shown = rule.labels.iter().filter(|(name, _)| *name != OWNER_LABEL);
            facts.extend(shown.map(|(name, value)| (format!("labels.{name}"), value.clone().into())));
        }
        "annotations" => {
            let all = rule.annotations.iter();
            facts.extend(all.map(|(name, value)| (format!("annotations.{name}"), value.clone().into())));
        }
        "noDataState" => say(&mut facts, field, rule.no_data_state.clone()),
        "execErrState" => say(&mut facts, field, rule.exec_err_state.clone()),
        "paused" => say(&mut facts, field, rule.is_paused),
        "notificationSettings" => notification(&mut facts, rule),
        _ => {}
    }
    facts
}

fn or_zero(text: Option<&str>) -> Value {
    text.filter(|text| !text.is_empty()).unwrap_or("0s").into()
}

fn query(facts: &mut Facts, rule: &AlertRule) {
    say(facts, "condition", rule.condition.clone());
    for node in &rule.data {
        let at = |name: &str| format!("data[{}].{name}", node.ref_id);
        if !node.is_expression() {
            say(facts, &at("datasourceUid"), node.datasource_uid.clone());
        }
        say(
            facts,
            &at("relativeTimeRange.from"),
            node.relative_time_range.from,
        );
        say(facts, &at("relativeTimeRange.to"), node.relative_time_range.to);
        flatten(&at("model"), &node.model, facts);
    }
    // What Grafana adds to each model says nothing.
    facts.retain(|(field, _)| {
        !field.ends_with(".model.intervalMs") && !field.ends_with(".model.maxDataPoints")
    });
}

fn notification(facts: &mut Facts, rule: &AlertRule) {
    let Some(settings) = &rule.notification_settings else {
        return;
    };
    let at = |name: &str| format!("notificationSettings.{name}");
    say(facts, &at("receiver"), settings.receiver.clone());
    say(facts, &at("policy"), settings.policy.clone());
    say(facts, &at("groupBy"), settings.group_by.clone());
    say(facts, &at("groupWait"), settings.group_wait.clone());
    say(facts, &at("groupInterval"), settings.group_interval.clone());
    say(facts, &at("repeatInterval"), settings.repeat_interval.clone());
    say(
        facts,
        &at("muteTimeIntervals"),
        settings.mute_time_intervals.clone(),
    );
    say(
        facts,
        &at("activeTimeIntervals"),
        settings.active_time_intervals.clone(),
    );
}
