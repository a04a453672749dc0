use serde_json::{Value, json};

use super::super::tests::{NEW, alert, carried, import, said};
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
