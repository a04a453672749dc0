//! What people may do with our kinds, by Kubernetes' own roles and by ours, as a real API server and its controllers have it.

use std::time::Duration;

use alertwright_testbed::{ControlPlane, wait};
use serde_json::json;

use crate::{control_plane, root};

const SOON: Duration = Duration::from_secs(60);
/// What everybody writes; GrafanaInstances are another matter.
const KINDS: [&str; 3] = ["alertrules", "contactpoints", "silences"];

/// The control plane with the roles of people, made once: of two that create the same object at once, `kubectl apply` fails for one.
async fn with_roles() -> &'static ControlPlane {
    static APPLIED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let plane = control_plane().await;
    let apply = async || {
        let people = std::fs::read_to_string(root().join("deploy/people.yaml")).expect("it is there");
        plane.kubectl_with_input(["apply", "-f", "-"], &people).await.ok();
    };
    APPLIED.get_or_init(apply).await;
    plane
}

/// A namespace in which a group of that name has a role.
async fn bound(plane: &ControlPlane, role: &str) -> String {
    let namespace = plane.namespace("people").await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "people", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": namespace}],
    });
    plane.apply(&binding.to_string(), &namespace).await;
    namespace
}

/// Whether somebody of the namespace's group may do this in it.
async fn may(plane: &ControlPlane, namespace: &str, verb: &str, resource: &str) -> bool {
    let resource = format!("{resource}.alerting.letsrevel.io");
    let args = [
        "auth",
        "can-i",
        verb,
        &resource,
        "-n",
        namespace,
        "--as",
        "somebody",
        "--as-group",
        namespace,
    ];
    plane.kubectl(args).await.stdout.trim() == "yes"
}

async fn until_may(plane: &ControlPlane, namespace: &str, verb: &str, resource: &str) {
    wait::until(&format!("{namespace} may {verb} {resource}"), SOON, async || {
        may(plane, namespace, verb, resource).await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn view_reads_edit_writes_and_admin_alone_has_instances_where_they_are_bound() {
    let plane = with_roles().await;
    let [view, edit, admin] = ["view", "edit", "admin"].map(|role| bound(plane, role));
    let (view, edit, admin) = (view.await, edit.await, admin.await);
    until_may(plane, &view, "watch", "alertrules").await;
    until_may(plane, &edit, "patch", "alertrules").await;
    until_may(plane, &admin, "patch", "alertrules").await;
    until_may(plane, &admin, "create", "grafanainstances").await;
    for kind in KINDS {
        assert!(may(plane, &view, "get", kind).await, "{kind}");
        for verb in ["create", "patch", "delete"] {
            assert!(!may(plane, &view, verb, kind).await, "view may {verb} {kind}");
            assert!(may(plane, &edit, verb, kind).await, "edit may not {verb} {kind}");
            assert!(
                may(plane, &admin, verb, kind).await,
                "admin may not {verb} {kind}"
            );
        }
        assert!(
            !may(plane, "default", "get", kind).await,
            "where nothing is bound"
        );
    }
    for verb in ["get", "list", "create", "patch", "delete"] {
        for who in [&view, &edit] {
            assert!(
                !may(plane, who, verb, "grafanainstances").await,
                "{who} may {verb}"
            );
        }
        assert!(may(plane, &admin, verb, "grafanainstances").await, "{verb}");
    }
}

#[tokio::test]
async fn whoever_is_on_call_has_silences_and_sees_what_fires_and_no_more() {
    let plane = with_roles().await;
    let on_call = bound(plane, "alertwright-silences").await;
    until_may(plane, &on_call, "create", "silences").await;
    assert!(may(plane, &on_call, "delete", "silences").await);
    assert!(may(plane, &on_call, "list", "alertrules").await);
    for (verb, kind) in [
        ("patch", "alertrules"),
        ("create", "alertrules"),
        ("get", "contactpoints"),
        ("patch", "maintenancepolicies"),
        ("get", "grafanainstances"),
    ] {
        assert!(!may(plane, &on_call, verb, kind).await, "{verb} {kind}");
    }
}
