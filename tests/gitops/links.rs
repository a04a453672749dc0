//! The links that are shipped for Argo CD, shown by the real Argo CD.

use alertwright_testbed::{any_release, apply, wait};
use serde_json::{Value, json};

use crate::site::{NAMESPACE, REVEL, SOON, Site, root, words};

#[apply(any_release)]
async fn argo_cd_leads_from_a_resource_to_what_it_is_in_grafana_and_nowhere_where_it_is_nothing_there() {
    let site = Site::start().await;
    site.deploy("revel.yaml").await;
    let patch = root().join("deploy/argocd/links.yaml");
    let configure = words("-n argocd patch configmap argocd-cm --type merge --patch-file");
    let patch = patch.to_string_lossy();
    site.plane.kubectl([configure, vec![&*patch]].concat()).await.ok();
    let server = site.argo.serve().await.expect("its API server starts");

    let rule = "get alertrule database-errors -o jsonpath={.status.url}";
    let address = site.kubectl(rule).await;
    assert!(address.starts_with("http"), "{address}");
    let shown = async |kind: &str, name: &str| {
        let links = server.links(REVEL, kind, NAMESPACE, name).await;
        let each = links.into_iter();
        each.map(|link| json!([link["title"], link["url"]]))
            .collect::<Vec<Value>>()
    };
    // What is in the cluster is known to it before long.
    wait::until("the link of the rule", SOON, async || {
        let links = shown("AlertRule", "database-errors").await;
        if links == [json!(["Grafana", address])] {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(links)
        }
    })
    .await;
    let policies = site.kubectl("get maintenancepolicies -o name").await;
    let policy = policies.lines().next().and_then(|name| name.split_once('/'));
    let (_, policy) = policy.expect("a MaintenancePolicy");
    assert_eq!(shown("MaintenancePolicy", policy).await, Vec::<Value>::new());
}
