#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Map, Value, from_value, json};

use super::*;
use crate::domain::notification::contact_point::{self, Secrets};

fn owner() -> Owner {
    Owner::parse("prod").unwrap()
}

fn integration(uid: &str, settings: Value, secret_fields: &[&str]) -> Integration {
    Integration {
        contact_point: ContactPoint {
            uid: uid.into(),
            name: "on-call".into(),
            r#type: "webhook".into(),
            settings: settings.as_object().cloned().unwrap(),
            ..ContactPoint::default()
        },
        secret_fields: secret_fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

fn steps(plan: &Plan) -> Vec<(&'static str, &str)> {
    plan.steps
        .iter()
        .map(|step| match step {
            Step::Create(i) => ("create", i.contact_point.uid.as_str()),
            Step::Update(i) => ("update", i.contact_point.uid.as_str()),
            Step::Delete(uid) => ("delete", uid.as_str()),
        })
        .collect()
}

#[test]
fn what_is_there_as_it_was_sent_is_left_alone() {
    let wish = [integration("a", json!({"url": "secret", "title": "T"}), &["url"])];
    let found = [as_found(&wish[0])];
    let plan = decide(&wish, &found, false, |_| true, |_| true);
    assert!(plan.steps.is_empty() && plan.foreign.is_empty());
}

#[test]
fn what_is_missing_is_created_before_what_is_too_much_is_removed() {
    let wish = [integration("new", json!({}), &[])];
    let found = [integration("old", json!({}), &[]).contact_point];
    let plan = decide(&wish, &found, false, |_| true, |_| true);
    assert_eq!(steps(&plan), [("create", "new"), ("delete", "old")]);
}

#[test]
fn a_setting_that_differs_is_updated() {
    let wish = [integration("a", json!({"url": "secret", "title": "T"}), &["url"])];
    for (change, expected) in [
        (json!({"title": "other"}), true),
        (json!({"more": 1}), true),
        (json!({"url": "[REDACTED]"}), false),
        // Grafana 10.0 shows some secrets, such as the URL of Discord and of webhooks.
        (json!({"url": "another"}), true),
    ] {
        let mut found = as_found(&wish[0]);
        found.settings.extend(change.as_object().cloned().unwrap());
        let plan = decide(&wish, &[found], false, |_| true, |_| true);
        let expected: &[_] = if expected { &[("update", "a")] } else { &[] };
        assert_eq!(steps(&plan), expected, "{change}");
    }
}

#[test]
fn a_value_that_grafana_hides_of_itself_is_no_difference() {
    let wish = [integration("a", json!({"url": "in the clear"}), &[])];
    let found = ContactPoint {
        settings: json!({"url": REDACTED}).as_object().cloned().unwrap(),
        ..as_found(&wish[0])
    };
    assert!(
        decide(&wish, std::slice::from_ref(&found), false, |_| true, |_| true)
            .steps
            .is_empty()
    );
    // But it is sent again when what was sent last was another.
    assert_eq!(
        steps(&decide(&wish, &[found], false, |_| true, |_| false)),
        [("update", "a")]
    );
}

#[test]
fn a_changed_secret_is_sent_again() {
    let wish = [
        integration("a", json!({"url": "secret"}), &["url"]),
        integration("b", json!({"url": "secret"}), &["url"]),
    ];
    let found = [as_found(&wish[0]), as_found(&wish[1])];
    let plan = decide(&wish, &found, false, |_| true, |i| i.contact_point.uid == "a");
    assert_eq!(steps(&plan), [("update", "b")]);
}

#[test]
fn what_grafana_shows_whole_is_sent_again_only_on_demand() {
    let wish = [integration("a", json!({"addresses": "a@example.com"}), &[])];
    let found = [as_found(&wish[0])];
    let unsent = |again| steps(&decide(&wish, &found, again, |_| true, |_| false)).len();
    assert_eq!((unsent(false), unsent(true)), (0, 1));
}

#[test]
fn where_one_integration_is_not_as_it_was_sent_the_hidden_ones_beside_it_are_sent_too() {
    let wish = [
        integration("changed", json!({"url": "secret", "title": "T"}), &["url"]),
        integration("hiding", json!({"url": "secret"}), &["url"]),
        integration("shown", json!({"title": "T"}), &[]),
    ];
    let mut found: Vec<ContactPoint> = wish.iter().map(as_found).collect();
    let decided = |found: &[ContactPoint], sent: &[&str]| {
        let is_sent = |i: &Integration| sent.contains(&i.contact_point.uid.as_str());
        let plan = decide(&wish, found, false, |_| true, is_sent);
        let steps = steps(&plan).into_iter();
        steps
            .map(|(verb, uid)| format!("{verb} {uid}"))
            .collect::<Vec<_>>()
    };
    let all = ["changed", "hiding", "shown"];
    assert_eq!(decided(&found, &all), [""; 0]);
    found[0].settings.insert("title".to_owned(), json!("other"));
    assert_eq!(decided(&found, &all), ["update changed", "update hiding"]);
    // It is our own change that isn't there yet.
    assert_eq!(decided(&found, &["hiding", "shown"]), ["update changed"]);
    assert_eq!(decided(&found[1..], &all), ["create changed", "update hiding"]);
}

#[test]
fn what_somebody_else_made_is_reported_and_is_no_step() {
    let wish = [integration("a", json!({}), &[])];
    let found = [
        as_found(&wish[0]),
        integration("theirs", json!({}), &[]).contact_point,
    ];
    let plan = decide(&wish, &found, false, |found| found.uid == "a", |_| true);
    assert!(plan.is_ours, "it has joined what is ours");
    assert!(plan.steps.is_empty());
    assert_eq!(plan.foreign, ["theirs"]);
}

#[test]
fn after_the_writes_nothing_is_left_to_do() {
    let wish = [
        integration("a", json!({"x": 1}), &["x"]),
        integration("b", json!({"y": 2}), &[]),
    ];
    let mut found = vec![
        integration("b", json!({"y": 1}), &[]).contact_point,
        integration("old", json!({}), &[]).contact_point,
    ];
    for step in decide(&wish, &found, false, |_| true, |_| true).steps {
        match step {
            Step::Create(i) => found.push(as_found(&i)),
            Step::Update(i) => {
                found.retain(|c| c.uid != i.contact_point.uid);
                found.push(as_found(&i));
            }
            Step::Delete(uid) => found.retain(|c| c.uid != uid),
        }
    }
    assert!(decide(&wish, &found, false, |_| true, |_| true).steps.is_empty());
}

#[test]
fn a_read_shows_no_secret_and_who_wrote_it() {
    let settings = json!({"url": "s1", "auth": {"deep": {"token": "s2", "kept": "k"}}, "title": "T"});
    let found = as_found(&integration("a", settings, &["url", "auth.deep.token"]));
    let expected = json!({"url": REDACTED, "auth": {"deep": {"token": REDACTED, "kept": "k"}}, "title": "T"});
    assert_eq!(Value::Object(found.settings), expected);
    assert_eq!(found.provenance.as_deref(), Some("api"));
}

#[test]
fn what_is_remembered_changes_with_every_part_of_what_was_sent() {
    let base = integration("a", json!({"url": "secret"}), &["url"]);
    assert_eq!(message(&base), message(&base.clone()));
    let changes: [fn(&mut ContactPoint); 5] = [
        |point| point.uid = "b".into(),
        |point| point.name = "other".into(),
        |point| point.r#type = "slack".into(),
        |point| point.disable_resolve_message = true,
        |point| point.settings = Map::from_iter([("url".to_owned(), json!("changed"))]),
    ];
    for change in changes {
        let mut other = base.clone();
        change(&mut other.contact_point);
        assert_ne!(message(&other), message(&base));
    }
}

#[test]
fn uids_are_the_same_with_and_without_the_secrets() {
    let hook = json!({"value": "h"});
    let spec: ContactPointSpec = from_value(json!({"integrations": [
        {"email": {"addresses": ["a@x.org"]}}, {"slack": {"url": hook}}, {"discord": {"url": hook}}, {"webhook": {"url": hook}},
        {"custom": {"type": "slack"}}, {"email": {"addresses": ["b@x.org"]}}, {"slack": {"url": hook}}, {"custom": {"type": "line"}},
    ]}))
    .unwrap();
    let made = contact_point::integrations(&spec, &owner(), "shop", "on-call", &Secrets::new())
        .ok()
        .unwrap();
    let made: Vec<_> = made.into_iter().map(|i| i.contact_point.uid).collect();
    let known = uids(&spec, &owner(), "shop", "on-call");
    assert_eq!(known, made);
    let distinct: std::collections::BTreeSet<_> = known.iter().collect();
    assert_eq!(distinct.len(), known.len());
}

#[test]
fn a_setting_that_grafana_does_not_keep_is_no_difference() {
    let settings = json!({"url": "https://x", "password": "", "title": "", "tlsConfig": {"clientKey": "", "insecureSkipVerify": true}, "token": 5});
    let wish = [integration("a", settings, &[])];
    let of = |found: Value| {
        let found = integration("a", found, &[]).contact_point;
        steps(&decide(&wish, &[found], false, |_| true, |_| true)).len()
    };
    let kept = json!({"url": "https://x", "tlsConfig": {"insecureSkipVerify": true}});
    assert_eq!(of(kept.clone()), 0);
    let and = |more: Value| {
        let mut all = kept.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        all
    };
    // Where it is kept it counts, and so does whatever else is missing.
    assert_eq!(of(and(json!({"title": "other"}))), 1);
    assert_eq!(of(and(json!({"tlsConfig": {}}))), 1);
    assert_eq!(of(json!({"tlsConfig": {"insecureSkipVerify": true}})), 1);
}

#[test]
fn an_integration_without_a_uid_is_out_of_reach() {
    let found = integration("", json!({"addresses": "<example@email.com>"}), &[]).contact_point;
    let wish = [integration("a", json!({}), &[])];
    assert!(decide(&wish, &[found], false, |_| false, |_| true).is_out_of_reach());
    let named = integration("b", json!({}), &[]).contact_point;
    assert!(!decide(&wish, &[named], false, |_| false, |_| true).is_out_of_reach());
}

#[test]
fn an_integration_was_made_for_the_resource_that_its_uid_is_derived_from() {
    let owner = |id: &str| Owner::parse(id).unwrap();
    let owners = Owners::new(owner("now"), &["before".to_owned()]);
    let found = |id: &str, name: &str, type_: &str, ordinal: usize| ContactPoint {
        uid: owner(id).integration_uid("shop", name, "slack", ordinal),
        r#type: type_.to_owned(),
        ..ContactPoint::default()
    };
    let is_made = |found: &ContactPoint| is_made_for(found, &owners, ("shop", "team"));
    for (id, ordinal) in [("now", 0), ("now", 99), ("before", 1)] {
        assert!(is_made(&found(id, "team", "slack", ordinal)), "{id} {ordinal}");
    }
    for other in [
        found("else", "team", "slack", 0),
        found("now", "another", "slack", 0),
        found("now", "team", "webhook", 0),
        ContactPoint::default(),
    ] {
        assert!(!is_made(&other), "{other:?}");
    }
}
