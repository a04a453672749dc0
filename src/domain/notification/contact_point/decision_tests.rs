#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, from_value, json};

use super::*;
use crate::domain::notification::contact_point::{self, Values};
use crate::grafana::model::REDACTED;

fn owner() -> Owner {
    Owner::parse("prod").unwrap()
}

fn integration(uid: &str, settings: Value, secret_fields: &[&str]) -> Integration {
    Integration {
        sent: model::Integration {
            uid: uid.into(),
            r#type: "webhook".into(),
            settings: settings.as_object().cloned().unwrap(),
            ..model::Integration::default()
        },
        secret_fields: secret_fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

/// What a read finds of these.
fn shown(wish: &[Integration]) -> Vec<model::Integration> {
    as_found("on-call", wish, None).object.integrations
}

#[test]
fn what_is_there_as_it_was_sent_is_left_alone() {
    let wish = [integration("a", json!({"url": "secret", "title": "T"}), &["url"])];
    let plan = decide(&wish, &shown(&wish), false, |_| true, |_| true);
    assert!(plan.is_done());
}

#[test]
fn what_is_missing_is_sent_and_what_is_too_much_is_surplus() {
    let wish = [integration("new", json!({}), &[])];
    let found = [integration("old", json!({}), &[]).sent];
    let plan = decide(&wish, &found, false, |_| true, |_| true);
    assert_eq!(
        (plan.changed, plan.surplus),
        (vec!["new".to_owned()], vec!["old".to_owned()])
    );
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
        let mut found = shown(&wish);
        found[0].settings.extend(change.as_object().cloned().unwrap());
        let plan = decide(&wish, &found, false, |_| true, |_| true);
        let expected: &[&str] = if expected { &["a"] } else { &[] };
        assert_eq!(plan.changed, expected, "{change}");
    }
}

#[test]
fn a_value_that_grafana_hides_of_itself_is_no_difference() {
    let wish = [integration("a", json!({"url": "in the clear"}), &[])];
    let mut found = shown(&wish);
    found[0].hide("url");
    assert!(decide(&wish, &found, false, |_| true, |_| true).is_done());
    // But it is sent again when what was sent last was another.
    assert_eq!(decide(&wish, &found, false, |_| true, |_| false).changed, ["a"]);
}

#[test]
fn a_changed_secret_is_sent_again() {
    let wish = [
        integration("a", json!({"url": "secret"}), &["url"]),
        integration("b", json!({"url": "secret"}), &["url"]),
    ];
    let plan = decide(&wish, &shown(&wish), false, |_| true, |i| i.sent.uid == "a");
    assert_eq!(plan.changed, ["b"]);
}

#[test]
fn what_grafana_shows_whole_is_sent_again_only_on_demand() {
    let wish = [integration("a", json!({"addresses": "a@example.com"}), &[])];
    let found = shown(&wish);
    let unsent = |again| decide(&wish, &found, again, |_| true, |_| false).changed.len();
    assert_eq!((unsent(false), unsent(true)), (0, 1));
}

#[test]
fn where_one_integration_is_not_as_it_was_sent_the_hidden_ones_beside_it_are_sent_too() {
    let wish = [
        integration("changed", json!({"url": "secret", "title": "T"}), &["url"]),
        integration("hiding", json!({"url": "secret"}), &["url"]),
        integration("shown", json!({"title": "T"}), &[]),
    ];
    let mut found = shown(&wish);
    let decided = |found: &[model::Integration], sent: &[&str]| {
        let is_sent = |i: &Integration| sent.contains(&i.sent.uid.as_str());
        decide(&wish, found, false, |_| true, is_sent).changed
    };
    let all = ["changed", "hiding", "shown"];
    assert_eq!(decided(&found, &all), [""; 0]);
    found[0].settings.insert("title".to_owned(), json!("other"));
    assert_eq!(decided(&found, &all), ["changed", "hiding"]);
    // It is our own change that isn't there yet.
    assert_eq!(decided(&found, &["hiding", "shown"]), ["changed"]);
    assert_eq!(decided(&found[1..], &all), ["changed", "hiding"]);
}

#[test]
fn what_somebody_else_made_is_reported_and_nothing_to_send() {
    let wish = [integration("a", json!({}), &[])];
    let mut found = shown(&wish);
    found.push(integration("theirs", json!({}), &[]).sent);
    let plan = decide(&wish, &found, false, |found| found.uid == "a", |_| true);
    assert!(plan.is_ours, "it has joined what is ours");
    assert!(plan.changed.is_empty() && plan.surplus.is_empty());
    assert_eq!(plan.foreign, ["theirs"]);
    assert!(!plan.is_done());
}

#[test]
fn after_the_writes_nothing_is_left_to_do() {
    let wish = [
        integration("a", json!({"x": 1}), &["x"]),
        integration("b", json!({"y": 2}), &[]),
    ];
    let mut found = vec![
        integration("b", json!({"y": 1}), &[]).sent,
        integration("old", json!({}), &[]).sent,
    ];
    let plan = decide(&wish, &found, false, |_| true, |_| true);
    assert_eq!(plan.changed, ["a", "b"]);
    found.retain(|c| !plan.changed.contains(&c.uid) && !plan.surplus.contains(&c.uid));
    found.extend(shown(&wish));
    assert!(decide(&wish, &found, false, |_| true, |_| true).is_done());
}

#[test]
fn a_read_shows_no_secret_and_who_wrote_it() {
    let settings = json!({"url": "s1", "auth": {"deep": {"token": "s2", "kept": "k"}}, "title": "T"});
    let wish = [integration("a", settings, &["url", "auth.deep.token"])];
    let found = as_found("on-call", &wish, Some(Revision("r".to_owned())));
    assert_eq!(
        (found.object.name.as_str(), found.provenance.as_deref()),
        ("on-call", Some("api"))
    );
    assert_eq!(found.revision, Some(Revision("r".to_owned())));
    let found = &found.object.integrations[0];
    let expected = json!({"url": REDACTED, "auth": {"deep": {"token": REDACTED, "kept": "k"}}, "title": "T"});
    assert_eq!(Value::Object(found.settings.clone()), expected);
    assert_eq!(found.provenance.as_deref(), Some("api"));
    assert_eq!(as_sent("on-call", &wish).integrations[0].settings["url"], "s1");
}

#[test]
fn what_is_remembered_changes_with_every_part_of_what_was_sent() {
    let base = integration("a", json!({"url": "secret"}), &["url"]);
    let message = |integration: &Integration| message("on-call", integration);
    assert_eq!(message(&base), message(&base.clone()));
    let changes: [fn(&mut model::Integration); 4] = [
        |point| point.uid = "b".into(),
        |point| point.r#type = "slack".into(),
        |point| point.disable_resolve_message = true,
        |point| point.settings = Map::from_iter([("url".to_owned(), json!("changed"))]),
    ];
    for change in changes {
        let mut other = base.clone();
        change(&mut other.sent);
        assert_ne!(message(&other), message(&base));
    }
    assert_ne!(super::message("other", &base), message(&base));
}

#[test]
fn what_is_remembered_is_the_same_in_every_version_of_the_operator() {
    let settings = json!({"url": "secret", "maxAlerts": 5, "a": {"c": 1, "b": null}});
    let message = message("on-call", &integration("a", settings, &["url"]));
    let expected = r#"{"uid":"a","name":"on-call","type":"webhook","settings":{"a":{"b":null,"c":1},"maxAlerts":5,"url":"secret"},"disableResolveMessage":false}"#;
    assert_eq!(String::from_utf8(message).unwrap(), expected);
}

#[test]
fn uids_are_the_same_with_and_without_the_secrets() {
    let hook = json!({"value": "h"});
    let spec: ContactPointSpec = from_value(json!({"integrations": [
        {"email": {"addresses": ["a@x.org"]}}, {"slack": {"url": hook}}, {"discord": {"url": hook}}, {"webhook": {"url": hook}},
        {"custom": {"type": "slack"}}, {"email": {"addresses": ["b@x.org"]}}, {"slack": {"url": hook}}, {"custom": {"type": "line"}},
    ]}))
    .unwrap();
    let made = contact_point::integrations(&spec, &owner(), "shop", "on-call", &Values::default())
        .ok()
        .unwrap();
    let made: Vec<_> = made.into_iter().map(|i| i.sent.uid).collect();
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
        let found = integration("a", found, &[]).sent;
        decide(&wish, &[found], false, |_| true, |_| true).changed.len()
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
    let found = integration("", json!({"addresses": "<example@email.com>"}), &[]).sent;
    let wish = [integration("a", json!({}), &[])];
    assert!(decide(&wish, &[found], false, |_| false, |_| true).is_out_of_reach());
    let named = integration("b", json!({}), &[]).sent;
    assert!(!decide(&wish, &[named], false, |_| false, |_| true).is_out_of_reach());
}

#[test]
fn an_integration_was_made_for_the_resource_that_its_uid_is_derived_from() {
    let owner = |id: &str| Owner::parse(id).unwrap();
    let owners = Owners::new(owner("now"), &["before".to_owned()]);
    let found = |id: &str, name: &str, type_: &str, ordinal: usize| model::Integration {
        uid: owner(id).integration_uid("shop", name, "slack", ordinal),
        r#type: type_.to_owned(),
        ..model::Integration::default()
    };
    let is_made = |found: &model::Integration| is_made_for(found, &owners, ("shop", "team"));
    for (id, ordinal) in [("now", 0), ("now", 99), ("before", 1)] {
        assert!(is_made(&found(id, "team", "slack", ordinal)), "{id} {ordinal}");
    }
    for other in [
        found("else", "team", "slack", 0),
        found("now", "another", "slack", 0),
        found("now", "team", "webhook", 0),
        model::Integration::default(),
    ] {
        assert!(!is_made(&other), "{other:?}");
    }
}

#[test]
fn drift_names_what_was_added_and_no_field_that_grafana_hides() {
    let wish = [integration("a", json!({"url": "secret", "title": "T"}), &["url"])];
    let mut found = shown(&wish);
    found[0].settings.insert("title".to_owned(), json!("other"));
    found.push(integration("b", json!({}), &[]).sent);
    let plan = decide(&wish, &found, false, |_| true, |_| true);
    assert_eq!(drift(&wish, &found, &plan), ["webhook.title", "webhook: added"]);
}

/// The settings of an integration, whether its address is secret, and whether it is quiet about what is over.
type Any = (BTreeMap<&'static str, Value>, bool, bool);

/// What integrations are made of, each with a uid of its own: they aren't shown, for they hold secrets.
fn any_integrations() -> impl Strategy<Value = BTreeMap<&'static str, Any>> {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(""),
        json!("x"),
        json!("[REDACTED]"),
        json!({}),
        json!({"k": "v", "n": null}),
        json!([1, "a"]),
    ];
    let field = prop::sample::select(vec!["url", "title", "more", "nested"]);
    let settings = prop::collection::btree_map(field, prop::sample::select(values.to_vec()), 0..4);
    let uid = prop::sample::select(vec!["a", "b", "c", "theirs"]);
    prop::collection::btree_map(uid, (settings, any::<bool>(), any::<bool>()), 0..4)
}

fn made(all: BTreeMap<&str, Any>) -> Vec<Integration> {
    let make = |(uid, (settings, is_secret, is_quiet)): (&str, Any)| {
        let secrets: &[&str] = if is_secret { &["url"] } else { &[] };
        let mut made = integration(uid, json!(settings), secrets);
        made.sent.disable_resolve_message = is_quiet;
        made
    };
    all.into_iter().map(make).collect()
}

proptest! {
    #[test]
    fn nothing_is_left_to_do_once_a_plan_is_carried_out(
        wish in any_integrations(), found in any_integrations(), again in any::<bool>(),
    ) {
        let (wish, found) = (made(wish), made(found));
        let is_ours = |found: &model::Integration| found.uid != "theirs";
        let before = shown(&found);
        let plan = decide(&wish, &before, again, is_ours, |_| false);
        let is_wished = |uid: &String| wish.iter().any(|integration| integration.sent.uid == *uid);
        prop_assert!(plan.changed.iter().all(is_wished), "{plan:?}");
        prop_assert!(!plan.surplus.iter().chain(&plan.foreign).any(is_wished), "{plan:?}");
        let mut after: Vec<_> = before
            .into_iter()
            .filter(|found| !plan.surplus.contains(&found.uid) && !plan.changed.contains(&found.uid))
            .collect();
        after.extend(shown(&wish).into_iter().filter(|sent| plan.changed.contains(&sent.uid)));
        let next = decide(&wish, &after, false, is_ours, |_| true);
        prop_assert!(next.is_done_but_for(&plan.foreign), "{plan:?}, then {next:?}");
        prop_assert_eq!(drift(&wish, &after, &next), [""; 0]);
    }
}

#[test]
fn somebody_elses_is_compared_whatever_the_order_and_its_uids() {
    let wish = [
        integration("a", json!({"url": "https://a", "title": "A"}), &[]),
        integration("b", json!({"url": "s3cr3t", "title": "B"}), &["url"]),
    ];
    let theirs = |uid: &str, settings: Value| integration(uid, settings, &[]).sent;
    let hidden = theirs("y", json!({"url": REDACTED, "title": "B"}));
    let equal = [
        hidden.clone(),
        theirs("x", json!({"url": "https://a", "title": "A"})),
    ];
    let (uids, names) = (
        vec!["x".to_owned(), "y".to_owned()],
        vec!["webhook.url".to_owned()],
    );
    assert_eq!(compare(&wish, &equal), Comparison::Equal { uids, hidden: names });
    let others = |found: &[model::Integration]| match compare(&wish, found) {
        Comparison::Other(fields) => fields,
        equal @ Comparison::Equal { .. } => panic!("{equal:?}"),
    };
    let mut quiet = theirs("x", json!({"url": "https://other", "title": "A", "more": 1}));
    quiet.disable_resolve_message = true;
    assert_eq!(
        others(&[hidden.clone(), quiet]),
        ["webhook.more", "webhook.url", "webhook.disableResolveMessage"]
    );
    let mail = model::Integration {
        r#type: "email".to_owned(),
        ..model::Integration::default()
    };
    assert_eq!(
        others(&[hidden, mail]),
        ["webhook: only here", "email: only there"]
    );
}

#[test]
fn what_is_equal_as_it_is_goes_before_what_may_be_behind_what_is_hidden() {
    let wish = |uid: &str, url: &str| integration(uid, json!({"url": url}), &["url"]);
    let theirs = |uid: &str, url: &str| integration(uid, json!({"url": url}), &[]).sent;
    let found = [theirs("x", REDACTED), theirs("y", "https://a")];
    let (uids, hidden) = (
        vec!["y".to_owned(), "x".to_owned()],
        vec!["webhook.url".to_owned()],
    );
    let equal = compare(&[wish("a", "https://a"), wish("b", "https://b")], &found);
    assert_eq!(equal, Comparison::Equal { uids, hidden });
}
