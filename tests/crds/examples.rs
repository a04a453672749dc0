//! Everything in deploy/ is accepted by an API server that has our definitions.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use alertwright_testbed::control_plane::Output;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;

use crate::{control_plane, root};

/// The folders below deploy/examples/.
fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("deploy/examples")).expect("deploy/examples");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("kustomization.yaml").exists())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

async fn namespace(name: &str) {
    let yaml = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
    control_plane().await.apply(&yaml, "default").await;
}

/// What an API server says to a kustomization, without keeping it.
async fn dry_run(folder: &Path) -> Output {
    let args = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--force-conflicts",
        "-k",
    ]
    .map(OsStr::new);
    control_plane()
        .await
        .kubectl(args.into_iter().chain([folder.as_os_str()]))
        .await
}

#[tokio::test]
async fn an_api_server_serves_every_kind_and_finds_nothing_to_warn_about() {
    let plane = control_plane().await;
    let output = dry_run(&root().join("crds")).await;
    assert!(!output.stderr.contains("Warning"), "{}", output.stderr);
    output.ok();
    let api: Api<CustomResourceDefinition> = Api::all(plane.admin().await);
    for crd in alertwright::api::crds() {
        let name = crd.metadata.name.expect("a name");
        let status = api
            .get(&name)
            .await
            .expect("an installed definition")
            .status
            .expect("a status");
        for condition in status.conditions.unwrap_or_default() {
            let good = matches!(condition.type_.as_str(), "NamesAccepted" | "Established");
            assert_eq!(condition.status == "True", good, "{name}: {condition:?}");
        }
    }
}

#[tokio::test]
async fn the_definitions_can_be_applied_as_a_folder_and_as_a_kustomization() {
    let crds = root().join("crds").to_string_lossy().into_owned();
    for side in [
        ["--server-side=true", "--force-conflicts=true"],
        ["--server-side=false", "--force-conflicts=false"],
    ] {
        for how in ["-f", "-k"] {
            let args = ["apply", "--dry-run=server", side[0], side[1], how, &crds];
            let output = control_plane().await.kubectl(args).await.ok();
            assert_eq!(
                output.lines().count(),
                alertwright::api::crds().len(),
                "{side:?} {how}"
            );
        }
    }
}

#[tokio::test]
async fn the_base_is_accepted() {
    namespace("alertwright-system").await;
    let base = root().join("deploy");
    dry_run(&base).await.ok();
    let client_side = ["apply", "--dry-run=server", "-k"].map(OsStr::new);
    control_plane()
        .await
        .kubectl(client_side.into_iter().chain([base.as_os_str()]))
        .await
        .ok();
}

#[tokio::test]
async fn every_example_is_accepted() {
    let plane = control_plane().await;
    namespace("revel").await;
    for folder in examples() {
        let built = plane
            .kubectl(["kustomize".into(), folder.clone().into_os_string()])
            .await
            .ok();
        plane
            .kubectl_with_input(["apply", "--dry-run=server", "-f", "-"], &built)
            .await
            .ok();
        for entry in fs::read_dir(&folder).expect("an example") {
            let path = entry.expect("an entry").path();
            if path.to_string_lossy().ends_with(".example.yaml") {
                let yaml = fs::read_to_string(&path).expect("a manifest");
                plane
                    .kubectl_with_input(["apply", "--dry-run=server", "-n", "revel", "-f", "-"], &yaml)
                    .await
                    .ok();
            }
        }
    }
}

#[tokio::test]
async fn what_is_read_back_is_what_was_applied() {
    let plane = control_plane().await;
    let ns = plane.namespace("diff").await;
    for folder in examples() {
        let built = plane
            .kubectl(["kustomize".into(), folder.into_os_string()])
            .await
            .ok();
        let here = built.replace("namespace: revel", &format!("namespace: {ns}"));
        plane.kubectl_with_input(["apply", "-f", "-"], &here).await.ok();
        let diff = plane.kubectl_with_input(["diff", "-f", "-"], &here).await;
        assert_eq!(diff.stdout, "", "the API server changed what was written");
        diff.ok();
    }
}
