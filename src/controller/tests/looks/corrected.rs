//! Changes by hand that are put right are counted, of each kind, and nothing else is.

use super::super::grafana::Held;
use super::drift::{change_named, edit, said, synced, world};
use super::*;
use crate::api::InhibitionRule;
use crate::grafana::mirror::Part;

const KINDS: [&str; 7] = [
    "AlertRule",
    "ContactPoint",
    "NotificationPolicy",
    "Silence",
    "TimeInterval",
    "NotificationTemplate",
    "InhibitionRule",
];

/// How many changes by hand were put right, by kind.
fn counted(world: &World) -> [u64; 7] {
    let text = world.context.metrics.text().unwrap();
    KINDS.map(|kind| {
        let name = format!("alertwright_drift_corrected_total{{kind=\"{kind}\"}} ");
        let count = text.lines().find_map(|line| line.strip_prefix(&name));
        count.map_or(0, |count| count.parse().unwrap())
    })
}

fn hook(url: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": url}}}]})
}

fn text(text: &str) -> Value {
    json!({"template": format!("{{{{ define \"a\" }}}}\n{text}\n{{{{ end }}}}")})
}

/// A resource of each kind, in Grafana.
async fn one_of_each(policy: &str) -> World {
    let mut world = world(policy).await;
    let parts = [Part::TimeIntervals, Part::Templates, Part::InhibitionRules];
    world.instance().suspicion.ask_for(&parts);
    world.poll().await;
    world.rule("r", json!({"query": QUERY}));
    world.contact_point("team", hook("https://example.com/hook"));
    world.policy("tree", json!({"receiver": "team", "groupWait": "1m"}));
    world.silence("s", json!({"matchers": ["a=b"], "duration": "5000d"}));
    world.time_interval("nights", json!({"timeIntervals": [{"weekdays": ["sunday"]}]}));
    world.template("slack", text("1"));
    world.inhibition_rule("quiet", &json!({}));
    assert_eq!(pass_of_each(&world).await, vec![synced().0; 7]);
    world
}

/// Runs a pass over each, and returns their reasons.
async fn pass_of_each(world: &World) -> Vec<String> {
    let said = [
        said::<AlertRule>(world, "alertrules", "r").await,
        said::<ContactPoint>(world, "contactpoints", "team").await,
        said::<NotificationPolicy>(world, "notificationpolicies", "tree").await,
        said::<Silence>(world, "silences", "s").await,
        said::<TimeInterval>(world, "timeintervals", "nights").await,
        said::<NotificationTemplate>(world, "notificationtemplates", "slack").await,
        said::<InhibitionRule>(world, "inhibitionrules", "quiet").await,
    ];
    said.into_iter().map(|(reason, _)| reason).collect()
}

type ByHand = fn(&mut Held);

/// Somebody changes all of it.
fn change(held: &mut Held) {
    for rule in held.rules.values_mut() {
        rule.title = "by hand".to_owned();
    }
    let settings = &mut held.points[0].settings;
    settings.insert("url".to_owned(), json!("https://example.com/other"));
    held.policy.as_mut().unwrap().group_wait = Some("2m".to_owned());
    held.silences[0].comment = "by hand".to_owned();
    change_named(held);
    let rule = held.inhibition_rules.values_mut().next().unwrap();
    rule.object.equal.clear();
}

/// Somebody deletes all of it, but for the tree, of which there is always one.
fn delete(held: &mut Held) {
    change(held);
    held.rules.clear();
    held.points.clear();
    held.silences.clear();
    held.time_intervals.clear();
    held.templates.clear();
    held.inhibition_rules.clear();
}

#[tokio::test]
async fn what_somebody_changes_or_deletes_in_grafana_is_counted_by_kind_where_it_is_put_right() {
    let rounds = [
        ("Report", change as ByHand, "Drifted", 0),
        ("Correct", change, "Synced", 1),
        ("Correct", delete, "Synced", 1),
    ];
    for (policy, by_hand, reason, expected) in rounds {
        let world = one_of_each(policy).await;
        assert_eq!(counted(&world), [0; 7], "all of it was new");
        world.grafana.hold(by_hand);
        world.poll().await;
        for _ in 0..2 {
            assert_eq!(pass_of_each(&world).await, [reason; 7]);
            assert_eq!(counted(&world), [expected; 7], "{policy}: once, and {KINDS:?}");
        }
    }
}

#[tokio::test]
async fn what_is_written_because_a_resource_was_edited_is_no_change_by_hand() {
    let world = one_of_each("Correct").await;
    edit(&world, "alertrules", "r", json!({"query": QUERY, "for": "7m"}));
    edit(&world, "contactpoints", "team", hook("https://example.com/new"));
    let tree = json!({"receiver": "team", "groupWait": "3m"});
    edit(&world, "notificationpolicies", "tree", tree);
    let silence = json!({"matchers": ["a=b"], "duration": "4000d"});
    edit(&world, "silences", "s", silence);
    let nights = json!({"timeIntervals": [{"weekdays": ["monday"]}]});
    edit(&world, "timeintervals", "nights", nights);
    edit(&world, "notificationtemplates", "slack", text("2"));
    let matchers = json!({"sourceMatchers": ["alertname=NodeDown"], "targetMatchers": ["severity=info"], "equal": ["node"]});
    edit(&world, "inhibitionrules", "quiet", matchers);
    assert_eq!(pass_of_each(&world).await, ["Synced"; 7]);
    let wait = world
        .grafana
        .hold(|held| held.policy.as_ref().and_then(|tree| tree.group_wait.clone()));
    assert_eq!(wait.as_deref(), Some("3m"), "it was written");
    assert_eq!(counted(&world), [0; 7]);
}

#[tokio::test]
async fn what_is_written_because_something_else_that_it_is_made_of_has_changed_is_no_change_by_hand() {
    let mut world = one_of_each("Correct").await;
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": "revel"}, "data": {"url": value}});
    let texts = |text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts", "namespace": "revel"}, "data": {"slack": text}});
    let secret_at = "/api/v1/namespaces/revel/secrets/hook";
    let texts_at = "/api/v1/namespaces/revel/configmaps/texts";
    world
        .server
        .set(secret_at, secret("aHR0cHM6Ly9leGFtcGxlLmNvbS9vbmU="));
    world.server.set(texts_at, texts("one"));
    let url = json!({"secretKeyRef": {"name": "hook", "key": "url"}});
    let point = json!({"integrations": [{"webhook": {"url": url}}]});
    edit(&world, "contactpoints", "team", point);
    let template = json!({"templateFrom": {"configMapKeyRef": {"name": "texts", "key": "slack"}}});
    edit(&world, "notificationtemplates", "slack", template);
    assert_eq!(pass_of_each(&world).await, ["Synced"; 7]);

    world
        .server
        .set(secret_at, secret("aHR0cHM6Ly9leGFtcGxlLmNvbS90d28="));
    world.server.set(texts_at, texts("two"));
    let branch = json!({"parentRef": {"name": "tree"}, "receiver": "team", "matchers": ["a=b"]});
    world.policy("branch", branch);
    assert_eq!(pass_of_each(&world).await, ["Synced"; 7]);
    let (url, text, routes) = world.grafana.hold(|held| {
        let routes = held.policy.as_ref().map_or(0, |tree| tree.routes.len());
        let text = held.templates["slack"].object.content.clone();
        (held.points[0].settings["url"].clone(), text, routes)
    });
    assert_eq!(url, "https://example.com/two");
    assert!(text.contains("two") && routes > 1, "{text}, {routes}");
    assert_eq!(counted(&world), [0; 7]);
}
