use serde_json::{Value, json};

use super::super::tests::{NEW, OLD, alert, carried, import, names, said};
use super::*;

fn groups(fields: &Value) -> Value {
    let mut group = json!({"name": "g", "rules": [alert("A")]});
    for (name, value) in fields.as_object().unwrap() {
        group[name] = value.clone();
    }
    json!({"groups": [group]})
}

#[test]
fn what_says_nothing_else_than_grafana_does_is_no_loss() {
    for fields in [
        json!({"interval": "0s"}),
        json!({"interval": ""}),
        json!({"partial_response_strategy": "abort"}),
        json!({"partial_response_strategy": "ABORT"}),
    ] {
        let wish = carried(json!({}), &[("web", groups(&fields))], NEW);
        assert_eq!(wish.rules.len(), 1, "{fields}: {wish:?}");
        assert_eq!(wish.rules[0].spec.interval, None, "{fields}");
        assert_eq!(said(&wish.different), [""; 0], "{fields}");
    }
}

#[test]
fn more_labels_or_annotations_than_an_alert_rule_holds_are_told_with_their_number() {
    for (field, most) in [("labels", 64), ("annotations", 64)] {
        for (count, skipped) in [(most, 0), (most + 1, 1)] {
            let texts: BTreeMap<String, &str> = (0..count).map(|i| (format!("t{i}"), "x")).collect();
            let mut rule = alert("A");
            rule[field] = json!(texts);
            let wish = carried(json!({}), &[("web", groups(&json!({"rules": [rule]})))], NEW);
            assert_eq!(wish.skipped.count, skipped, "{field}: {count}");
            let told = format!("A: it has {count} {field}; {most} are the most");
            assert_eq!(said(&wish.skipped), vec![told; skipped]);
        }
    }
    // Those that the import adds count too.
    let texts: BTreeMap<String, &str> = (0..40).map(|i| (format!("t{i}"), "x")).collect();
    let added: BTreeMap<String, &str> = (0..25).map(|i| (format!("a{i}"), "x")).collect();
    let mut rule = alert("A");
    rule["labels"] = json!(texts);
    let adding = import(json!({"labels": added}));
    let wish = carried(
        serde_json::to_value(&adding.spec).unwrap(),
        &[("web", groups(&json!({"rules": [rule]})))],
        NEW,
    );
    assert_eq!(said(&wish.skipped), ["A: it has 65 labels; 64 are the most"]);
}

#[test]
fn a_recording_rule_is_carried_over_where_that_is_asked_for_with_the_labels_of_its_group_and_its_own() {
    let rules = json!([
        {"record": "job:up:sum", "expr": "sum(up) > 1", "labels": {"job": "a", "severity": "page", "none": ""}},
        {"record": "job:up:sum", "expr": "sum(up)", "labels": {"job": "b"}},
        {"record": "", "expr": "up"},
        {"record": "job:up:sum", "expr": "sum(up)", "labels": {"__a__": "x"}},
        {"alert": "Down", "expr": "job:up:sum < 1"},
    ]);
    let group_labels = json!({"cluster": "eu", "job": "all", "gone": ""});
    let spec = json!({
        "datasource": {"name": "Mimir"}, "labels": {"team": "web"}, "severityMapping": {"default": "low"}, "noDataState": "OK",
        "recordingRules": {"targetDatasource": {"name": "Recorded"}},
    });
    let wish = carried(
        spec.clone(),
        &[("web", groups(&json!({"labels": group_labels, "rules": rules})))],
        NEW,
    );
    let written: Vec<_> = wish
        .rules
        .iter()
        .map(|rule| serde_json::to_value(&rule.spec).unwrap())
        .collect();
    assert_eq!(
        written[0],
        json!({
            "title": "job:up:sum", "query": "sum(up) > 1", "datasource": {"name": "Mimir"}, "group": "web: g",
            "labels": {"cluster": "eu", "gone": "", "job": "a", "none": "", "severity": "page"}, "record": {"metric": "job:up:sum", "targetDatasource": {"name": "Recorded"}},
        })
    );
    assert_eq!(
        (&written[1]["labels"], &written[2]["labels"]),
        (
            &json!({"cluster": "eu", "gone": "", "job": "b"}),
            &json!({"cluster": "eu", "gone": "", "job": "all", "team": "web"})
        )
    );
    assert_ne!(names(&wish)[0], names(&wish)[1]);
    let said = said(&wish.skipped);
    assert!(
        said.len() == 2 && said[0].contains("either alert or record") && said[1].contains("labels.__a__"),
        "{said:#?}"
    );
    let old = carried(
        spec,
        &[("web", groups(&json!({"labels": group_labels, "rules": rules})))],
        OLD,
    );
    assert_eq!((old.rules.len(), old.skipped.count), (1, 4), "{:#?}", old.skipped);
}

#[test]
fn a_label_without_a_value_takes_that_of_the_series_away_as_in_prometheus() {
    let labels = json!({"namespace": "", "team": "", "severity": ""});
    let recording = json!({"recordingRules": {}});
    let fields = json!({"labels": {"team": "web"}, "rules": [
        {"alert": "A", "expr": "up == 0", "labels": labels}, {"record": "a:b", "expr": "up", "labels": {"namespace": ""}},
    ]});
    let wish = carried(recording, &[("web", groups(&fields))], NEW);
    let own = |at: usize| serde_json::to_value(&wish.rules[at].spec.labels).unwrap();
    assert_eq!(own(0), labels, "{wish:?}");
    assert_eq!(wish.rules[0].spec.severity, None);
    assert_eq!(own(1), json!({"team": "web", "namespace": ""}));
    // Where it says no severity, what the import says of such rules holds.
    let otherwise = json!({"severityMapping": {"default": "warning"}});
    let wish = carried(
        otherwise,
        &[(
            "web",
            groups(&json!({"rules": [
        {"alert": "A", "expr": "up == 0", "labels": labels}]})),
        )],
        NEW,
    );
    assert_eq!(wish.rules[0].spec.severity.as_deref(), Some("warning"));
    assert_eq!(wish.rules[0].spec.labels.get("severity"), None);
}
