//! What a namespace tries with what is another one's: each attempt is refused or confined to its own alerts, and Grafana gets nothing else.

#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "a table, and json!(..) reads better without a borrow"
)]

use super::two::{BANK, attempt, held, of_two};
use crate::controller::tests::*;
use crate::domain::ownership::LABEL;

const END: &str = "2100-01-01T00:00:00Z";

fn rule(settings: Value) -> Value {
    json!({"query": QUERY, "notificationSettings": settings})
}

/// A contact point that somebody has made in Grafana.
fn by_hand() -> Value {
    json!({"grafanaName": "by-hand"})
}

fn branch(field: &str, value: Value) -> Value {
    let mut spec = json!({"parentRef": {"name": "tree", "namespace": BANK}, "receiverRef": by_hand()});
    spec[field] = value;
    spec
}

#[tokio::test]
async fn no_reference_reaches_what_another_namespace_does_not_share() {
    let mut world = Box::pin(of_two(json!({"rootPolicyNamespaces": {"names": [BANK]}}))).await;
    let point = || json!({"name": "team", "namespace": BANK});
    let nights = || json!([{"name": "nights", "namespace": BANK}]);
    let unshared_point = "ContactPoint bank/team isn't shared with namespace revel";
    let unshared_nights = "TimeInterval bank/nights isn't shared with namespace revel";
    let hook = json!({"secretKeyRef": {"name": "hook", "key": "url"}});
    let before = held(&world);
    let mut wrong = Vec::new();
    for (kind, name, spec, reason, words) in [
        (
            "ContactPoint",
            "own",
            json!({"integrations": [{"webhook": {"url": hook}}]}),
            "DependencyMissing",
            "Secret hook is not there in namespace revel",
        ),
        (
            "ContactPoint",
            "own",
            json!({"name": "team", "integrations": [{"webhook": {"url": {"value": "https://evil.example"}}}]}),
            "Conflict",
            "bank/team",
        ),
        (
            "TimeInterval",
            "own",
            json!({"name": "nights", "timeIntervals": [{"weekdays": ["friday"]}]}),
            "Conflict",
            "bank/nights",
        ),
        (
            "NotificationTemplate",
            "own",
            json!({"template": "{{ define \"default.title\" }}x{{ end }}"}),
            "Invalid",
            "may define it",
        ),
        (
            "NotificationTemplate",
            "own",
            json!({"templateFrom": {"configMapKeyRef": {"name": "words", "key": "x"}}}),
            "DependencyMissing",
            "ConfigMap words is not there in namespace revel",
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"receiverRef": point()})),
            "DependencyMissing",
            unshared_point,
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"receiverRef": {"grafanaName": "team"}})),
            "Invalid",
            "bank/team",
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"receiverRef": by_hand(), "muteTimeIntervalRefs": nights()})),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"receiverRef": by_hand(), "activeTimeIntervalRefs": nights()})),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"policyRef": {"name": "beside", "namespace": BANK}})),
            "DependencyMissing",
            "NotificationPolicy bank/beside isn't shared with namespace revel",
        ),
        (
            "AlertRule",
            "r",
            rule(json!({"policyRef": {"grafanaName": "batch"}})),
            "Invalid",
            "batch belongs to NotificationPolicy bank/beside",
        ),
        (
            "NotificationPolicy",
            "own",
            json!({"receiver": "by-hand"}),
            "Invalid",
            "rootPolicyNamespaces",
        ),
        (
            "NotificationPolicy",
            "own",
            json!({"receiver": "by-hand", "tree": "batch"}),
            "Invalid",
            "rootPolicyNamespaces",
        ),
        (
            "NotificationPolicy",
            "own",
            json!({"receiver": "by-hand", "parentRef": {"name": "beside", "namespace": BANK}}),
            "DependencyMissing",
            "bank/beside isn't shared with namespace revel",
        ),
        (
            "NotificationPolicy",
            "own",
            branch("receiverRef", point()),
            "DependencyMissing",
            unshared_point,
        ),
        (
            "NotificationPolicy",
            "own",
            branch("muteTimeIntervalRefs", nights()),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "NotificationPolicy",
            "own",
            branch("activeTimeIntervalRefs", nights()),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "NotificationPolicy",
            "own",
            branch("routes", json!([{"matchers": ["a=b"], "receiverRef": point()}])),
            "DependencyMissing",
            unshared_point,
        ),
        (
            "NotificationPolicy",
            "own",
            branch(
                "routes",
                json!([{"matchers": ["a=b"], "muteTimeIntervalRefs": nights()}]),
            ),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "NotificationPolicy",
            "own",
            branch(
                "routes",
                json!([{"matchers": ["a=b"], "activeTimeIntervalRefs": nights()}]),
            ),
            "DependencyMissing",
            unshared_nights,
        ),
        (
            "Silence",
            "own",
            json!({"alertRules": {"names": ["x"]}, "endsAt": END}),
            "Synced",
            "there is no AlertRule x in this namespace",
        ),
        (
            "PrometheusRuleImport",
            "own",
            json!({"namespaces": {"all": true}}),
            "Invalid",
            "doesn't let namespace revel read others",
        ),
        (
            "PrometheusRuleImport",
            "own",
            json!({"namespaces": {"names": [BANK]}}),
            "Invalid",
            "doesn't let namespace revel read others",
        ),
    ] {
        let tried = format!("{kind} {spec}");
        let (told, message) = attempt(&mut world, kind, name, spec).await;
        let is_untouched = held(&world) == before;
        if told != reason || !message.contains(words) || !is_untouched {
            wrong.push(format!("{tried}: {told}: {message} (untouched: {is_untouched})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_instance_that_does_not_allow_a_namespace_gets_nothing_from_it() {
    let mut world = Box::pin(of_two(json!({"allowedNamespaces": {"names": [BANK]}}))).await;
    let before = held(&world);
    let mut wrong = Vec::new();
    let hook = json!({"value": "https://evil.example"});
    for (kind, spec) in [
        ("AlertRule", json!({"query": QUERY})),
        (
            "ContactPoint",
            json!({"integrations": [{"webhook": {"url": hook}}]}),
        ),
        (
            "TimeInterval",
            json!({"timeIntervals": [{"weekdays": ["friday"]}]}),
        ),
        (
            "NotificationTemplate",
            json!({"template": "{{ define \"a\" }}x{{ end }}"}),
        ),
        ("NotificationPolicy", json!({"receiver": "by-hand"})),
        ("NotificationPolicy", branch("receiver", json!("by-hand"))),
        ("Silence", json!({"matchers": ["a=b"], "endsAt": END})),
        (
            "InhibitionRule",
            json!({"sourceMatchers": ["a=b"], "targetMatchers": ["c=d"]}),
        ),
        ("PrometheusRuleImport", json!({})),
    ] {
        let tried = format!("{kind} {spec}");
        let (told, message) = attempt(&mut world, kind, "own", spec).await;
        let is_untouched = held(&world) == before;
        if told != "Invalid" || !message.contains("doesn't allow namespace revel") || !is_untouched {
            wrong.push(format!("{tried}: {told}: {message} (untouched: {is_untouched})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_silences_holds_back_or_routes_alerts_does_so_with_those_of_its_own_namespace_alone() {
    let mut world = Box::pin(of_two(json!({}))).await;
    let own = world.instance().owners.namespace_pattern("revel");
    for (name, kind, spec) in [
        (
            "all",
            "Silence",
            json!({"matchers": ["alertname=~.+"], "endsAt": END}),
        ),
        (
            "marked",
            "Silence",
            json!({"matchers": [format!("{LABEL}=~.+")], "endsAt": END}),
        ),
        (
            "rules",
            "Silence",
            json!({"alertRules": {"all": true}, "endsAt": END}),
        ),
        (
            "inhibits",
            "InhibitionRule",
            json!({"sourceMatchers": ["alertname=~.+"], "targetMatchers": ["alertname=~.+"]}),
        ),
        (
            "branch",
            "NotificationPolicy",
            branch("matchers", json!(["alertname=~.+"])),
        ),
    ] {
        let before = held(&world);
        let tried = format!("{kind} {spec}");
        let (told, message) = attempt(&mut world, kind, name, spec).await;
        let now = held(&world);
        let is_refused = now == before && told != "Synced";
        let count = |text: &str| text.matches(&own).count();
        assert!(
            is_refused || count(&now) > count(&before),
            "{tried}: {told}: {message}: {now}"
        );
    }
}
