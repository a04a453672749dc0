use jiff::Timestamp;
use serde_json::{Value, json};

use super::alert;
use super::answer::{Answer, Roads, Said, Stop};
use super::inhibited::Inhibited;
use super::trees::World;
use super::walk::Labels;
use crate::domain::lint::object::Object;
use crate::domain::ownership::{Owner, Owners};

const NOON: &str = "2026-11-25T12:00:00Z";

fn object(kind: &str, path: &str, spec: Value) -> Object {
    let (namespace, name) = path.split_once('/').unwrap();
    let mut value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "annotations": {"alerting.letsrevel.io/shared-with": "*"}},
    });
    value["spec"] = spec;
    let object = Object::new(value, "");
    assert!(object.typed.is_some(), "{path}");
    object
}

fn policy(path: &str, spec: Value) -> Object {
    object("NotificationPolicy", path, spec)
}

fn labels(all: &[(&str, &str)]) -> Labels {
    all.iter()
        .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
        .collect()
}

fn with<T>(objects: &[Object], at: &str, look: impl FnOnce(&World<'_>, &Roads<'_>) -> T) -> T {
    let world = World::new(objects, "default", Owners::new(Owner::parse("any").unwrap(), &[]));
    let (trees, _) = world.trees();
    let roads = Roads::new(&world, &trees, at.parse::<Timestamp>().unwrap(), &|_| None).unwrap();
    look(&world, &roads)
}

fn of_labels(objects: &[Object], namespace: &str, all: &[(&str, &str)]) -> Answer {
    with(objects, NOON, |world, roads| {
        roads
            .answer(&alert::of_labels(world, &labels(all), Some(namespace)))
            .unwrap()
    })
}

fn of_rule(objects: &[Object], name: &str, given: &[(&str, &str)]) -> Answer {
    let rule = objects
        .iter()
        .find(|object| object.kind == "AlertRule" && object.name == name)
        .unwrap();
    with(objects, NOON, |world, roads| {
        roads
            .answer(&alert::of_rule(world, rule, &labels(given)).unwrap())
            .unwrap()
    })
}

fn told(answer: &Answer) -> Vec<String> {
    let told = answer.contact_points.iter();
    told.map(|told| format!("{} by {} {}", told.contact_point, told.by.resource, told.by.field))
        .collect()
}

fn tree() -> Vec<Object> {
    vec![
        policy(
            "ops/root",
            json!({"receiver": "mail", "routes": [
                {"receiver": "pager", "matchers": ["severity=critical"], "continue": true},
                {"receiver": "team", "matchers": ["team=~\"web|api\""], "routes": [{"receiver": "web", "matchers": ["team=web"], "groupWait": "1m"}]},
            ]}),
        ),
        policy(
            "shop/late",
            json!({"parentRef": {"name": "root", "namespace": "ops"}, "receiver": "shop-late", "matchers": ["x!=y"]}),
        ),
        policy(
            "shop/first",
            json!({"parentRef": {"name": "root", "namespace": "ops"}, "receiver": "shop", "priority": 5}),
        ),
    ]
}

#[test]
fn branches_stand_before_the_roots_own_routes_and_each_route_is_told_with_its_field() {
    let objects = tree();
    let answer = of_labels(&objects, "shop", &[("severity", "critical"), ("team", "web")]);
    assert_eq!(
        told(&answer),
        [
            "shop by NotificationPolicy shop/first spec",
            "shop-late by NotificationPolicy shop/late spec",
            "pager by NotificationPolicy ops/root spec.routes[0]",
            "web by NotificationPolicy ops/root spec.routes[1].routes[0]",
        ]
    );
    let last = answer.contact_points.last().unwrap();
    assert_eq!(
        (last.group_wait.as_str(), last.group_interval.as_str()),
        ("1m", "5m")
    );
    assert_eq!(last.matchers, [["team=~\"web|api\""], ["team=\"web\""]]);
}

#[test]
fn a_branch_gets_the_alerts_of_its_own_namespace_alone_unless_that_is_unrestricted() {
    let mut objects = tree();
    let of_others = ["mail by NotificationPolicy ops/root spec"];
    assert_eq!(told(&of_labels(&objects, "other", &[])), of_others);
    // No namespace is the beginning of another.
    assert_eq!(told(&of_labels(&objects, "shop-2", &[])), of_others);
    objects.push(object("GrafanaInstance", "system/default", json!({
        "url": "http://grafana", "auth": {"token": {"secretKeyRef": {"name": "a", "key": "b"}}}, "unrestrictedNamespaces": {"names": ["shop"]},
    })));
    assert_eq!(told(&of_labels(&objects, "other", &[])).len(), 2);
}

#[test]
fn an_exclusive_branch_keeps_what_it_gets_and_the_rest_is_not_reached() {
    let mut objects = tree();
    objects.push(policy("shop/mine", json!({"parentRef": {"name": "root", "namespace": "ops"}, "receiver": "mine", "priority": 9, "exclusive": true})));
    let answer = of_labels(&objects, "shop", &[("severity", "critical")]);
    assert_eq!(told(&answer), ["mine by NotificationPolicy shop/mine spec"]);
    let root = answer.routes.unwrap();
    let verdicts: Vec<Said> = root.routes.iter().map(|stop| stop.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Said::Takes,
            Said::NotReached,
            Said::NotReached,
            Said::NotReached,
            Said::NotReached
        ]
    );
}

#[test]
fn why_a_route_does_not_match_is_told_and_nothing_of_the_operators_own_labels() {
    let answer = of_labels(&tree(), "other", &[("severity", "high")]);
    let root = answer.routes.unwrap();
    let why: Vec<_> = root
        .routes
        .iter()
        .map(|stop: &Stop| stop.why.clone().unwrap_or_default())
        .collect();
    let of_branch = "the alert is of no rule of this namespace";
    assert_eq!(
        why,
        [of_branch, of_branch, "severity is \"high\"", "no label team"]
    );
    let printed = serde_json::to_string(&root).unwrap() + &serde_json::to_string(&answer.labels).unwrap();
    assert!(!printed.contains("__alertwright"), "{printed}");
}

#[test]
fn a_policy_that_cannot_be_in_the_tree_is_left_out_as_by_the_operator_and_hurts_no_other() {
    let mut objects = tree();
    objects.push(object("ContactPoint", "web/here", json!({"integrations": []})));
    objects.push(policy(
        "web/broken",
        json!({"parentRef": {"name": "root", "namespace": "ops"}, "receiver": "not-here"}),
    ));
    objects.push(policy(
        "web/lost",
        json!({"parentRef": {"name": "nowhere"}, "receiver": "here"}),
    ));
    objects.push(policy(
        "web/below",
        json!({"parentRef": {"name": "first", "namespace": "shop"}, "receiver": "here"}),
    ));
    objects.push(policy("web/second", json!({"receiver": "here"})));
    let world = World::new(
        &objects,
        "default",
        Owners::new(Owner::parse("any").unwrap(), &[]),
    );
    let (trees, left_out) = world.trees();
    assert_eq!(trees.len(), 1);
    let mut why: Vec<String> = left_out
        .iter()
        .map(|out| format!("{}: {}", out.policy.1, out.why))
        .collect();
    why.sort();
    assert_eq!(
        why,
        [
            "below: spec.parentRef: NotificationPolicy shop/first is a branch itself; name the root of its tree, which may be ops/root",
            "broken: spec.receiver: ContactPoint web/not-here is not there",
            "lost: spec.parentRef: NotificationPolicy web/nowhere is not there",
            "second: NotificationPolicy ops/root has the same policy tree, or stands before it",
        ]
    );
}

#[test]
fn a_rule_has_its_own_labels_before_those_of_its_query_and_may_go_past_the_tree() {
    let mut objects = tree();
    objects.push(object("AlertRule", "other/slow", json!({"query": "up == 0", "title": "Slow", "severity": "critical", "labels": {"team": "{{ $labels.team }}"}})));
    objects.push(object(
        "AlertRule",
        "other/direct",
        json!({"query": "up == 0", "notificationSettings": {"receiver": "mine", "repeatInterval": "1h"}}),
    ));
    let answer = of_rule(&objects, "slow", &[("severity", "info"), ("team", "api")]);
    assert_eq!(
        told(&answer),
        [
            "pager by NotificationPolicy ops/root spec.routes[0]",
            "team by NotificationPolicy ops/root spec.routes[1]"
        ]
    );
    let expected = labels(&[
        ("alertname", "Slow"),
        ("grafana_folder", "other"),
        ("severity", "critical"),
        ("team", "api"),
    ]);
    assert_eq!(answer.labels, expected);
    let answer = of_rule(&objects, "direct", &[("severity", "critical")]);
    assert_eq!(
        told(&answer),
        ["mine by AlertRule other/direct spec.notificationSettings"]
    );
    let only = &answer.contact_points[0];
    assert_eq!(
        (
            only.group_by.join(" ").as_str(),
            only.group_wait.as_str(),
            only.repeat_interval.as_str()
        ),
        ("grafana_folder alertname", "30s", "1h")
    );
}

#[test]
fn an_alert_goes_through_the_tree_that_it_names_and_through_the_default_one_if_there_is_none() {
    let mut objects = tree();
    objects.push(policy(
        "ops/batch",
        json!({"tree": "batch", "receiver": "nightly"}),
    ));
    let of = |tree| told(&of_labels(&objects, "other", &[(alert::TREE, tree)]));
    assert_eq!(of("batch"), ["nightly by NotificationPolicy ops/batch spec"]);
    assert_eq!(of("other"), ["mail by NotificationPolicy ops/root spec"]);
    for (name, settings) in [
        ("by-resource", json!({"policy": "batch"})),
        ("by-name", json!({"policyRef": {"grafanaName": "batch"}})),
    ] {
        objects.push(object(
            "AlertRule",
            &format!("ops/{name}"),
            json!({"query": "up == 0", "notificationSettings": settings}),
        ));
        let by_rule = told(&of_rule(&objects, name, &[]));
        assert_eq!(
            by_rule,
            ["nightly by NotificationPolicy ops/batch spec"],
            "{name}"
        );
    }
}

#[test]
fn silences_cover_alerts_of_their_own_namespaces_rules_while_they_are_active() {
    let mut objects = tree();
    for (namespace, name) in [("shop", "a"), ("shop", "a.b"), ("other", "a")] {
        objects.push(object(
            "AlertRule",
            &format!("{namespace}/{name}"),
            json!({"query": "up == 0"}),
        ));
    }
    let silence = |starts: &str, ends: &str, more: Value| {
        let mut spec = json!({"startsAt": starts, "endsAt": ends});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object("Silence", "shop/quiet", spec)
    };
    let (before, after) = ("2026-11-25T11:00:00Z", "2026-11-25T13:00:00Z");
    let of_a = json!({"alertRules": {"names": ["a"]}});
    for (silence, expected) in [
        (silence(before, after, of_a.clone()), [true, false, false]),
        (
            silence(before, after, json!({"alertRules": {"all": true}})),
            [true, true, false],
        ),
        (
            silence(before, after, json!({"matchers": ["alertname=a.b"]})),
            [false, true, false],
        ),
        (silence(after, "2026-11-25T14:00:00Z", of_a.clone()), [false; 3]),
        (silence("2026-11-25T10:00:00Z", NOON, of_a), [false; 3]),
    ] {
        let all = [objects.clone(), vec![silence.clone()]].concat();
        let rules: Vec<&Object> = all.iter().filter(|object| object.kind == "AlertRule").collect();
        let covered: Vec<bool> = with(&all, NOON, |world, roads| {
            let of = |rule: &&Object| {
                roads
                    .answer(&alert::of_rule(world, rule, &Labels::new()).unwrap())
                    .unwrap()
            };
            rules.iter().map(|rule| !of(rule).silenced.is_empty()).collect()
        });
        assert_eq!(covered, expected, "{}", silence.value);
    }
}

#[test]
fn a_route_is_muted_in_one_interval_or_outside_of_all_active_ones_and_nobody_knows_of_what_is_not_there() {
    let day = |name: &str, day: &str| {
        object(
            "TimeInterval",
            &format!("ops/{name}"),
            json!({"timeIntervals": [{"weekdays": [day]}]}),
        )
    };
    let of = |mute: &[&str], active: &[&str], zone: Option<&str>| {
        let mut objects = vec![
            policy(
                "ops/root",
                json!({"receiver": "mail", "routes": [{"muteTimeIntervals": mute, "activeTimeIntervals": active}]}),
            ),
            day("wednesday", "wednesday"),
            day("friday", "friday"),
        ];
        if let Some(zone) = zone {
            objects.push(object(
                "TimeInterval",
                "ops/far",
                json!({"timeIntervals": [{"location": zone, "weekdays": ["friday"]}]}),
            ));
        }
        of_labels(&objects, "ops", &[]).contact_points[0].is_muted
    };
    // NOON is on a Wednesday.
    for (mute, active, zone, expected) in [
        (&[][..], &[][..], None, Some(false)),
        (&["wednesday"], &[], None, Some(true)),
        (&["friday"], &[], None, Some(false)),
        (&[], &["friday"], None, Some(true)),
        (&[], &["friday", "wednesday"], None, Some(false)),
        (&["wednesday"], &["wednesday"], None, Some(true)),
        (&["far"], &[], Some("Mars/Olympus"), None),
        (&["far", "wednesday"], &[], Some("Mars/Olympus"), Some(true)),
        (&[], &["far", "friday"], Some("Mars/Olympus"), None),
        (&[], &["far", "wednesday"], Some("Mars/Olympus"), Some(false)),
    ] {
        assert_eq!(of(mute, active, zone), expected, "{mute:?} {active:?}");
    }
}

#[test]
fn where_no_tree_is_known_the_grafanas_with_one_are_named() {
    let mut stage = policy("ops/stage", json!({"instance": "stage", "receiver": "here"}));
    let both = policy(
        "ops/both",
        json!({"instances": ["b", "stage"], "receiver": "here"}),
    );
    let why = |objects: &[Object]| {
        with(objects, NOON, |world, roads| {
            let alert = alert::of_labels(world, &labels(&[]), Some("ops"));
            roads.answer(&alert).err().unwrap_or_default()
        })
    };
    let unknown = "no NotificationPolicy holds the policy tree of GrafanaInstance default: what Grafana has there isn't known";
    assert_eq!(
        why(&[stage.clone(), both]),
        format!("{unknown}; there are trees of b, stage")
    );
    // A branch is no tree.
    stage = policy(
        "ops/stage",
        json!({"instance": "stage", "parentRef": {"name": "root"}, "receiver": "here"}),
    );
    assert_eq!(why(&[stage]), unknown);
}

#[test]
fn an_inhibition_rule_holds_back_alerts_of_its_own_namespace_that_match_its_target() {
    let mut objects = tree();
    let rule = json!({"sourceMatchers": ["severity=critical"], "targetMatchers": ["severity=~\"info|warning\""], "equal": ["cluster"]});
    objects.push(object("InhibitionRule", "shop/quieter", rule));
    let of = |objects: &[Object], namespace: &str, severity: &str| {
        let answer = of_labels(objects, namespace, &[("severity", severity)]);
        answer.inhibited.iter().map(Inhibited::words).collect::<Vec<_>>()
    };
    let said = "held back by InhibitionRule shop/quieter while another alert fires with severity=\"critical\" and the same cluster";
    assert_eq!(of(&objects, "shop", "info"), [said]);
    assert!(of(&objects, "shop", "critical").is_empty());
    assert!(of(&objects, "other", "info").is_empty());
    let mut instance = object(
        "GrafanaInstance",
        "system/default",
        json!({
            "url": "http://grafana", "auth": {"token": {"secretKeyRef": {"name": "a", "key": "b"}}}, "unrestrictedNamespaces": {"names": ["shop"]},
        }),
    );
    objects.push(instance.clone());
    assert_eq!(of(&objects, "other", "info"), [said]);
    // Grafana has none before 13.0.
    instance.value["status"] = json!({"version": "12.4.1"});
    objects.pop();
    objects.push(Object::new(instance.value, ""));
    assert!(of(&objects, "shop", "info").is_empty());
}

#[test]
fn a_label_that_comes_from_a_template_is_told_where_a_route_on_the_way_asks_for_it() {
    let of = |labels: Value, given: &[(&str, &str)]| {
        let mut all = tree();
        all.push(object(
            "AlertRule",
            "ops/open",
            json!({"query": "up == 0", "labels": labels}),
        ));
        of_rule(&all, "open", given)
    };
    let templated = json!({"team": "{{ $labels.team }}", "pod": "{{ $labels.pod }}"});
    let open = of(templated.clone(), &[]);
    assert_eq!(open.unknown(false), ["team"].into());
    assert_eq!(told(&open), ["mail by NotificationPolicy ops/root spec"]);
    // Whoever says what it is has an answer; and nobody asks for one that decides nothing.
    assert!(of(templated, &[("team", "web")]).unknown(true).is_empty());
    let unasked = json!({"pod": "{{ $labels.pod }}"});
    assert!(of(unasked, &[]).unknown(true).is_empty());
}

#[test]
fn a_silence_that_asks_for_a_label_which_is_not_known_matters_at_a_time_alone() {
    let mut all = tree();
    all.push(object(
        "AlertRule",
        "ops/open",
        json!({"query": "up == 0", "labels": {"pod": "{{ $labels.pod }}"}}),
    ));
    let silence = json!({"matchers": ["pod=a"], "comment": "c", "startsAt": "2026-11-25T00:00:00Z", "endsAt": "2026-11-26T00:00:00Z"});
    all.push(object("Silence", "ops/calm", silence));
    let open = of_rule(&all, "open", &[]);
    assert!(open.unknown(false).is_empty());
    assert_eq!(open.unknown(true), ["pod"].into());
}
