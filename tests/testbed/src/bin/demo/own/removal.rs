//! Everything that was made on the user's own goes again, and what was replaced comes back.

use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use super::Own;
use crate::{
    failure::{Failure, Result, until},
    grafana::text,
    report::Ending,
    stage::{Ground, Stage},
};

const STEP: &str = "Everything is as it was";

/// Removes it all, as far as that is possible, and reports it as a step.
pub(crate) async fn remove(stage: &mut Stage) {
    if !stage.is_own() {
        return;
    }
    stage.report.title(STEP);
    let began = Instant::now();
    let mut failures = Vec::new();
    let restored = restore(stage).await;
    failures.extend(restored.err());
    if let Some(mut operator) = stage.operator.take() {
        operator.terminate().await;
    }
    failures.extend(remove_from_cluster(stage).await.err());
    failures.extend(remove_from_grafana(stage).await.err());
    let ending = match failures.first() {
        None => Ending::Done("tree restored; nothing of the demonstration is left".to_owned()),
        Some(failure) => Ending::Failed(failure.to_string()),
    };
    for failure in &failures {
        stage.report.failed(failure, &stage.logs());
    }
    stage.report.ended(STEP, began, ending);
}

/// Deletes the resources while the operator still runs: it takes them out of Grafana.
async fn restore(stage: &Stage) -> Result<()> {
    let Ground::Own(Own { installs_kinds, tree }) = &stage.ground else {
        return Ok(());
    };
    if stage.operator.is_none() && *installs_kinds {
        // Nothing has come as far as Grafana.
        return Ok(());
    }
    let namespace = &stage.namespace;
    let delete = |kinds: &str| format!("delete {kinds} --all -n {namespace} --timeout=120s");
    stage.kubectl.run(&delete("deployments,jobs")).await?;
    stage.kubectl.run(&delete("notificationpolicies")).await?;
    until(
        "the policy tree that was there before",
        stage.pace.soon,
        async || {
            let now = stage.grafana.tree().await?;
            if routing(&now) == routing(tree) {
                Ok(())
            } else {
                Err(now.to_string())
            }
        },
    )
    .await?;
    stage
        .report
        .say("NotificationPolicy deleted: Grafana has the tree again that it had before");
    let others = "alertrules,contactpoints,silences,maintenancepolicies";
    stage.kubectl.run(&delete(others)).await?;
    stage
        .report
        .say("the other resources are deleted, and what they stood for in Grafana");
    Ok(())
}

/// A tree without the note of who wrote it.
fn routing(tree: &Value) -> Value {
    let mut tree = tree.clone();
    if let Some(tree) = tree.as_object_mut() {
        tree.remove("provenance");
    }
    tree
}

async fn remove_from_cluster(stage: &Stage) -> Result<()> {
    let (home, namespace) = (&stage.home, &stage.namespace);
    let delete = |what: &str| format!("delete {what} --ignore-not-found --timeout=180s");
    stage
        .kubectl
        .run(&delete(&format!("namespace {namespace} {home}")))
        .await?;
    stage.kubectl.run(&delete(&format!("clusterrole {home}"))).await?;
    if matches!(&stage.ground, Ground::Own(own) if own.installs_kinds) {
        let crds = crate::root().join("crds");
        stage
            .kubectl
            .run(&delete(&format!("-k {}", crds.display())))
            .await?;
    }
    stage
        .report
        .say("namespaces, rights and kinds are removed from the cluster");
    Ok(())
}

async fn remove_from_grafana(stage: &Stage) -> Result<()> {
    let failed = |seen: String| Failure::new("Grafana to let go of folder and data source", seen);
    let folders = stage.grafana.get("/api/folders").await.map_err(failed)?;
    for folder in folders.as_array().into_iter().flatten() {
        if text(folder, "/title") == stage.namespace {
            let path = format!("/api/folders/{}", text(folder, "/uid"));
            stage
                .grafana
                .call(Method::DELETE, &path, None)
                .await
                .map_err(failed)?;
        }
    }
    let path = format!("/api/datasources/uid/{}", stage.home);
    stage
        .grafana
        .call(Method::DELETE, &path, None)
        .await
        .map_err(failed)?;
    stage
        .report
        .say("folder and data source are removed from Grafana");
    Ok(())
}
