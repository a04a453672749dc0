//! What is changed in git: how Argo CD shows what becomes of it, and that what is taken out is gone.

use alertwright_testbed::argocd::Application;
use alertwright_testbed::{any_release, apply};

use crate::site::{REVEL, SOON, Site, of_operator, operator};

const RULES: &str = "deploy/examples/revel/alert-rules.yaml";

#[apply(any_release)]
async fn what_is_wrong_is_degraded_until_it_is_mended_and_what_is_taken_out_is_gone() {
    let site = Site::start().await;
    let fresh = site.grafana.policy_tree().await;
    let own = site.grafana.contact_points().await.len();
    site.deploy("revel.yaml").await;

    // The schema lets it through: only whoever reads the query can see it.
    site.repository.replace(RULES, ")) > 1000000", ")) > \"many\"");
    site.push("Break a rule", REVEL).await;
    let broken = site.is(REVEL, "Synced", "Degraded").await;
    let (health, message) = broken
        .health_of("AlertRule", "high-llm-token-usage")
        .expect("the rule");
    assert_eq!(health, "Degraded");
    assert!(
        message.starts_with("Invalid: ") && message.contains("a text can't be compared"),
        "{message}"
    );
    let others = broken
        .resources()
        .iter()
        .filter(|resource| resource["health"]["status"] == "Healthy");
    assert_eq!(
        others.count(),
        broken.resources().len() - 1,
        "{}",
        broken.summary()
    );
    assert_eq!(
        site.grafana.rules().await.len(),
        10,
        "Grafana keeps the rule as it was"
    );

    site.repository.replace(RULES, ")) > \"many\"", ")) > 1000000");
    let title = "  title: DatabaseErrors\n";
    site.repository
        .replace(RULES, title, &format!("{title}  suspend: true\n"));
    site.push("Mend the rule, suspend another", REVEL).await;
    let suspended = site.is(REVEL, "Synced", "Suspended").await;
    let health = suspended
        .health_of("AlertRule", "database-errors")
        .map(|(health, _)| health);
    assert_eq!(health, Some("Suspended"));

    site.repository
        .replace(RULES, &format!("{title}  suspend: true\n"), title);
    site.push("Resume", REVEL).await;
    site.is(REVEL, "Synced", "Healthy").await;

    site.repository.remove(RULES);
    site.repository.replace(
        "deploy/examples/revel/kustomization.yaml",
        "- alert-rules.yaml\n",
        "",
    );
    site.push("Remove the rules", REVEL).await;
    let pruned = site.is(REVEL, "Synced", "Healthy").await;
    assert_eq!(pruned.resources().len(), 6 + 1 + 2, "{}", pruned.summary());
    assert_eq!(site.kubectl("get alertrules -o name").await, "");
    assert!(site.grafana.rules().await.is_empty());
    assert_eq!(
        site.grafana
            .contact_points()
            .await
            .iter()
            .filter(|point| point["name"] == "discord")
            .count(),
        1
    );

    // Contact points and the tree that refers to them are deleted at once; they find their order.
    site.argo.delete_with_resources(REVEL, SOON).await;
    assert_eq!(site.kubectl("get alerting -o name").await, "");
    let tree = site.grafana.policy_tree().await;
    assert_eq!(tree["receiver"], fresh["receiver"], "{tree}");
    let points = site.grafana.contact_points().await;
    assert_eq!(points.len(), own, "but for Grafana's own: {points:?}");
}

#[apply(any_release)]
async fn applications_can_come_at_once_and_the_operators_leaves_the_types_and_so_everybodys_resources() {
    let mut site = Site::start_with(Some("revel.yaml")).await;
    site.is(REVEL, "Synced", "Healthy").await;

    site.argo.delete_with_resources("alertwright", SOON).await;
    site.operator.terminate().await;
    let types = site.plane.kubectl(["get", "crds", "-o", "name"]).await.ok();
    assert_eq!(
        types.matches("alerting.letsrevel.io").count(),
        alertwright::api::crds().len(),
        "{types}"
    );
    let left = [
        "-n",
        "alertwright-system",
        "get",
        "deployments,grafanainstances,roles,rolebindings",
        "-o",
        "name",
    ];
    assert_eq!(site.plane.kubectl(left).await.ok(), "");
    let rules = site.kubectl("get alertrules -o name").await;
    assert_eq!(rules.lines().count(), 10, "{rules}");
    assert_eq!(site.grafana.rules().await.len(), 10, "they go on alerting");

    // And back again over what was kept.
    site.proxy.reset();
    site.plane
        .apply(&of_operator(&site.repository, &site.proxy).to_string(), "argocd")
        .await;
    let is_back =
        |application: &Application| application.sync() == "Synced" && application.operation() == "Succeeded";
    site.argo.until("is back", "alertwright", SOON, is_back).await;
    site.operator = operator(&site.plane).await;
    site.is("alertwright", "Synced", "Healthy").await;
    site.is(REVEL, "Synced", "Healthy").await;
    let writes = site.proxy.requests();
    assert!(
        writes.writes().is_empty(),
        "nothing had to be written again: {writes}"
    );
}
