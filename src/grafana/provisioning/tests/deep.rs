//! Answers in which somebody has nested something deeper than JSON is read.

use axum::routing::post;

use super::*;
use crate::grafana::model::Route;

fn nested(levels: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
}

fn rule(uid: &str, levels: usize) -> String {
    format!(
        r#"{{"for":"5m","grafana_alert":{{"uid":"{uid}","title":"T","data":[{{"refId":"A","model":{}}}]}}}}"#,
        nested(levels)
    )
}

fn always(path: &'static str, body: String) -> Router {
    Router::new().route(path, get(async move || body))
}

#[tokio::test]
async fn a_rule_that_is_nested_too_deep_keeps_no_other_from_being_read() {
    for levels in [64, 110, 121, 300, 9_000] {
        let rules = [rule("one", 1), rule("deep", levels), rule("two", 1)].join(",");
        let list = format!(r#"{{"Folder":[{{"name":"g","interval":"1m","rules":[{rules}]}}]}}"#);
        let grafana = grafana(always("/api/ruler/grafana/api/v1/rules", list)).await;
        let found = grafana.rules.list().await.unwrap().items;
        let uids: Vec<_> = found.iter().map(|rule| rule.uid.as_str()).collect();
        assert_eq!(uids, ["one", "deep", "two"], "{levels}");
    }
}

#[tokio::test]
async fn a_group_and_a_contact_point_are_read_whoever_nests_what_in_them() {
    let uid = |uid: &str, levels| {
        format!(
            r#"{{"uid":"{uid}","data":[{{"refId":"A","model":{}}}]}}"#,
            nested(levels)
        )
    };
    let group = format!(
        r#"{{"title":"g","folderUid":"f","interval":60,"rules":[{},{}]}}"#,
        uid("deep", 300),
        uid("flat", 1)
    );
    let router = always("/api/v1/provisioning/folder/f/rule-groups/g", group);
    let router = router.route("/api/v1/provisioning/alert-rules", post(async || "{}"));
    let slower = AlertRule {
        interval: 2 * MINUTE,
        ..super::rule("new")
    };
    let stored = put(&grafana(router).await, &slower, None).await.unwrap();
    assert_eq!(stored.kept.unwrap().because_of, "deep");
    let point = |name: &str, levels| {
        format!(
            r#"{{"uid":"{name}","name":"{name}","type":"kafka","settings":{}}}"#,
            nested(levels)
        )
    };
    let points = format!("[{},{}]", point("deep", 300), point("flat", 1));
    let grafana = grafana(always("/api/v1/provisioning/contact-points", points)).await;
    let names: Vec<_> = grafana
        .contact_points
        .list()
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|found| found.object.name)
        .collect();
    assert_eq!(names, ["deep", "flat"]);
}

/// The tree from before ours is put back one day: half of it would not do.
#[tokio::test]
async fn a_policy_tree_is_read_whole_or_not_at_all() {
    let tree = |levels: usize| {
        format!(
            r#"{}{{"receiver":"deepest"}}{}"#,
            r#"{"routes":["#.repeat(levels),
            "]}".repeat(levels)
        )
    };
    let read = async |levels| {
        let grafana = grafana(always("/api/v1/provisioning/policies", tree(levels))).await;
        grafana.trees.get(&TreeName::default()).await
    };
    let mut route: Route = read(40).await.unwrap().unwrap().object;
    while let Some(below) = route.routes.pop() {
        route = below;
    }
    assert_eq!(route.receiver.as_deref(), Some("deepest"));
    assert!(read(51).await.is_err());
}

#[tokio::test]
async fn an_acknowledgement_and_a_refusal_are_understood_whatever_is_nested_in_them() {
    let answered = async |status: StatusCode, body: String| {
        let router = Router::new().fallback(any(async move || (status, body)));
        let write = (super::rule("deep"), found("deep"));
        put(&grafana(router).await, &write.0, Some(&write.1)).await
    };
    answered(StatusCode::OK, rule("deep", 300)).await.unwrap();
    let refusal = format!(r#"{{"message":"no such query","details":{}}}"#, nested(300));
    let error = answered(StatusCode::BAD_REQUEST, refusal).await.unwrap_err();
    assert!(
        error.to_string().ends_with("status 400: no such query"),
        "{error}"
    );
}
