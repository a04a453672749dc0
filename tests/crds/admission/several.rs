//! What may be said of the instances of a resource, and how they may change.

use serde_json::{Value, json};

use super::{accepted, immutable, mutable, object, refused, with};
use crate::control_plane;

/// What has nothing in Grafana itself, and says where its silences open.
fn policy() -> (&'static str, Value) {
    let target = json!({"targets": [{"kind": "Deployment"}]});
    ("MaintenancePolicy", target)
}

/// A good resource of each kind that can be in several Grafanas.
fn kinds() -> [(&'static str, Value); 8] {
    [
        ("AlertRule", json!({"query": "up"})),
        (
            "ContactPoint",
            json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
        ),
        ("NotificationPolicy", json!({"receiver": "team"})),
        ("Silence", json!({"matchers": ["a=b"], "duration": "1h"})),
        (
            "TimeInterval",
            json!({"timeIntervals": [{"weekdays": ["sunday"]}]}),
        ),
        ("NotificationTemplate", json!({"template": "text"})),
        (
            "InhibitionRule",
            json!({"sourceMatchers": ["a=b"], "targetMatchers": ["c=d"]}),
        ),
        ("PrometheusRuleImport", json!({})),
    ]
}

#[tokio::test]
async fn instances_are_named_once_each_and_stand_in_the_place_of_one() {
    for (kind, good) in kinds().into_iter().chain([policy()]) {
        let of = |instances: Value| with(&good, json!({"instances": instances}));
        let both = with(&good, json!({"instance": "a", "instances": ["a", "b"]}));
        let many: Vec<String> = (0..17).map(|i| format!("i{i}")).collect();
        let table = [
            (both, "give instance or instances, not both"),
            (
                of(json!(["a", "b", "a"])),
                "each GrafanaInstance can be named once",
            ),
            (of(json!(["A"])), "each is the name of one GrafanaInstance"),
            (of(json!([])), "at least 1 items"),
            (of(json!(many)), "at most 16 items"),
        ];
        refused(kind, &table).await;
        let mut null = with(&good, json!({"instance": "a"}));
        null["instances"] = Value::Null;
        accepted(kind, &[of(json!(["a", "b.c-d"])), null]).await;
    }
}

#[tokio::test]
async fn a_maintenance_policy_may_name_other_instances_at_any_time() {
    let (kind, good) = policy();
    let of = |instances: Value| with(&good, json!({"instances": instances}));
    mutable(kind, "other", &of(json!(["a", "b"])), &of(json!(["c"]))).await;
    mutable(kind, "order", &of(json!(["a", "b"])), &of(json!(["b", "a"]))).await;
    let one = with(&good, json!({"instance": "a"}));
    mutable(kind, "from-one", &one, &of(json!(["b", "c"]))).await;
    mutable(kind, "to-one", &of(json!(["b", "c"])), &one).await;
}

#[tokio::test]
async fn a_resource_may_come_into_more_grafanas_and_its_first_one_stays_until_it_is_known_where_it_is() {
    let fixed = "instance is immutable: to move the ";
    for (kind, good) in kinds() {
        let of = |instances: Value| with(&good, json!({"instances": instances}));
        let table = [
            (of(json!(["a"])), of(json!(["b"])), fixed),
            (of(json!(["a"])), of(json!(["b", "a"])), fixed),
            (of(json!(["a", "b"])), of(json!(["c"])), fixed),
            (good.clone(), of(json!(["a", "b"])), fixed),
        ];
        immutable(kind, &table).await;
        let one = with(&good, json!({"instance": "a"}));
        mutable(kind, "more", &one, &of(json!(["a", "b"]))).await;
        mutable(kind, "as-a-list", &good, &of(json!(["default"]))).await;
    }
}

#[tokio::test]
async fn once_the_status_names_its_grafanas_a_resource_may_leave_any_of_them() {
    let plane = control_plane().await;
    let ns = plane.namespace("leaves").await;
    for (kind, good) in kinds() {
        let of = |instances: Value| object(kind, "r", &with(&good, json!({"instances": instances})));
        plane.apply(&of(json!(["a", "b"])), &ns).await;
        if kind == "PrometheusRuleImport" {
            // Its AlertRules say what may be left.
            plane.apply(&of(json!(["b"])), &ns).await;
            continue;
        }
        let leaves = plane.try_apply(&of(json!(["b"])), &ns).await;
        let error = format!("{:?}", leaves.expect_err("nothing says what is in a"));
        assert!(error.contains("status.instances"), "{kind}: {error}");
        let status = json!({"status": {"instances": [{"instance": "a"}, {"instance": "b"}]}}).to_string();
        let patch = [
            "patch",
            kind,
            "r",
            "-n",
            &ns,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        plane.kubectl(patch).await.ok();
        plane.apply(&of(json!(["b"])), &ns).await;
        plane.apply(&of(json!(["c", "b"])), &ns).await;
    }
}
