//! Contact points and trees, of which both go through the newer API, or none.

use super::*;
use crate::grafana::api::Provenance;
use crate::grafana::api::notifications::ContactPointWrite;

const VERSION: &str = "/apis/notifications.alerting.grafana.app/v1beta1";
const VERBS: [&str; 5] = ["create", "delete", "get", "list", "update"];
const ALL: [&str; 4] = ["receivers", "routingtrees", "timeintervals", "templategroups"];

/// A Grafana with these kinds, one contact point by each API, and what counts the calls for kinds.
fn with_kinds(plurals: &[&str], receivers: &[&str]) -> (Router, Arc<AtomicUsize>) {
    with_verbs(plurals, receivers, |_| &VERBS)
}

/// The same with these verbs of each kind.
fn with_verbs(
    plurals: &[&str],
    receivers: &[&str],
    verbs: impl Fn(&str) -> &'static [&'static str],
) -> (Router, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let kind = |plural: &&str| json!({"name": plural, "verbs": verbs(plural)});
    let kinds = json!({"resources": plurals.iter().map(kind).collect::<Value>()}).to_string();
    let receiver = |title: &&str| json!({"metadata": {"name": "x", "resourceVersion": "1"}, "spec": {"title": title, "integrations": []}});
    let receivers = json!({"items": receivers.iter().map(receiver).collect::<Value>()}).to_string();
    let older = json!([{"uid": "u", "name": "older", "type": "email", "settings": {}}]).to_string();
    let router = Router::new()
        .route(
            VERSION,
            get(async move || {
                counted.fetch_add(1, Ordering::Relaxed);
                kinds
            }),
        )
        .route(&at("receivers"), get(async move || receivers))
        .route("/api/v1/provisioning/contact-points", get(async move || older))
        .route(
            "/api/v1/provisioning/policies",
            get(async || r#"{"receiver": "older"}"#),
        );
    (router, asked)
}

fn at(plural: &str) -> String {
    format!("{VERSION}/namespaces/org-2/{plural}")
}

fn trees() -> String {
    json!({"items": [{"metadata": {"name": "user-defined", "resourceVersion": "1"}, "spec": {"defaults": {"receiver": "newer"}, "routes": []}}]})
        .to_string()
}

async fn names(grafana: &Grafana) -> Vec<String> {
    let found = grafana.contact_points.list().await.unwrap();
    found.items.into_iter().map(|found| found.object.name).collect()
}

async fn receiver_of_the_tree(grafana: &Grafana) -> Option<String> {
    let found = grafana.trees.list().await.unwrap();
    found.items.into_iter().next()?.1.object.receiver
}

fn api(grafana: &Grafana) -> String {
    grafana.apis.capabilities().apis[&Concern::Notifications].to_string()
}

#[tokio::test]
async fn notifications_go_through_the_newer_api_once_it_has_listed_contact_points_and_trees() {
    let (router, asked) = with_kinds(&ALL, &["newer"]);
    let grafana = serve(router.route(&at("routingtrees"), get(async || trees()))).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    assert_eq!(names(&grafana).await, ["newer"]);
    assert_eq!(api(&grafana), "provisioning", "trees may be refused");
    assert_eq!(receiver_of_the_tree(&grafana).await.as_deref(), Some("newer"));
    assert_eq!(api(&grafana), "notifications.alerting.grafana.app/v1beta1");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one call for all kinds");
    assert!(grafana.apis.capabilities().fallbacks.is_empty());
}

#[tokio::test]
async fn where_one_kind_is_missing_none_goes_through_the_newer_api() {
    let (router, _) = with_kinds(&ALL[..3], &["newer"]);
    let grafana = serve(router.route(&at("routingtrees"), get(async || trees()))).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    assert_eq!(names(&grafana).await, ["older"]);
    assert_eq!(receiver_of_the_tree(&grafana).await.as_deref(), Some("older"));
    assert!(grafana.apis.capabilities().fallbacks.is_empty());
}

#[tokio::test]
async fn a_kind_that_can_be_read_and_not_written_is_not_used() {
    const NO_CREATE: [&str; 4] = ["delete", "get", "list", "update"];
    const NO_UPDATE: [&str; 4] = ["create", "delete", "get", "list"];
    const NO_DELETE: [&str; 4] = ["create", "get", "list", "update"];
    for kind in ALL {
        for verbs in [&NO_CREATE, &NO_UPDATE, &NO_DELETE] {
            let (router, _) = with_verbs(&ALL, &["newer"], |of| if of == kind { verbs } else { &VERBS });
            let grafana = serve(router.route(&at("routingtrees"), get(async || trees()))).await;
            grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
            // The tree is always there, so nobody makes it.
            let expected = if kind == "routingtrees" && verbs == &NO_CREATE {
                "newer"
            } else {
                "older"
            };
            assert_eq!(names(&grafana).await, [expected], "{kind}: {verbs:?}");
        }
    }
}

#[tokio::test]
async fn where_trees_are_refused_contact_points_go_through_the_older_api_too() {
    let (router, _) = with_kinds(&ALL, &["newer"]);
    let refusal = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no trees for you"});
    let refused = any(async move || (StatusCode::FORBIDDEN, refusal.to_string()));
    let grafana = serve(router.route(&at("routingtrees"), refused)).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    names(&grafana).await;
    assert_eq!(receiver_of_the_tree(&grafana).await.as_deref(), Some("older"));
    assert_eq!(names(&grafana).await, ["older"]);
    let fallback = &grafana.apis.capabilities().fallbacks[&Concern::Notifications];
    assert!(
        matches!(fallback, Fallback::Refused(why) if why.contains("no trees for you")),
        "{fallback:?}"
    );
}

#[tokio::test]
async fn who_is_shown_no_contact_point_may_see_none() {
    let (router, _) = with_kinds(&ALL, &[]);
    let grafana = serve(router.route(&at("routingtrees"), get(async || trees()))).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    receiver_of_the_tree(&grafana).await;
    assert_eq!(names(&grafana).await, ["older"]);
    assert_eq!(api(&grafana), "provisioning");
    let fallback = &grafana.apis.capabilities().fallbacks[&Concern::Notifications];
    assert!(
        matches!(fallback, Fallback::Refused(why) if why.contains("no contact point")),
        "{fallback:?}"
    );
}

#[tokio::test]
async fn what_the_older_api_has_found_is_written_through_it_though_the_newer_one_is_used_by_then() {
    let (router, _) = with_kinds(&ALL, &["newer"]);
    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let written_by_older = any(async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        "{}"
    });
    let router = router
        .route(&at("routingtrees"), get(async || trees()))
        .route("/api/v1/provisioning/contact-points/{uid}", written_by_older);
    let grafana = serve(router).await;
    let found = grafana.contact_points.get("older").await.unwrap().unwrap();
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    names(&grafana).await;
    receiver_of_the_tree(&grafana).await;
    assert_eq!(api(&grafana), "notifications.alerting.grafana.app/v1beta1");
    let write = ContactPointWrite {
        wish: &found.object,
        found: Some(&found),
        changed: &["u".to_owned()],
        kept: &[],
        provenance: Provenance::Api,
    };
    let sent = grafana.contact_points.put(write).await;
    assert!(sent.failure.is_none(), "{:?}", sent.failure);
    let sent = grafana.contact_points.remove(&found, &["u".to_owned()]).await;
    assert!(sent.failure.is_none(), "{:?}", sent.failure);
    assert_eq!(written.load(Ordering::Relaxed), 2);
}
