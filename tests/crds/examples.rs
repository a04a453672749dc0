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

/// The namespaces that examples are for.
async fn namespaces_of_examples() {
    for name in ["revel", "platform", "payments", "search"] {
        namespace(name).await;
    }
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
    namespaces_of_examples().await;
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
    namespaces_of_examples().await;
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

/// The fields of a schema that an object of an example lacks. Where a value may be given in several ways, one of them is enough.
fn unsaid(path: &str, schema: &serde_json::Value, written: &[&serde_json::Value], found: &mut Vec<String>) {
    let fields = schema["properties"].as_object();
    let is_source = fields
        .is_some_and(|fields| fields.contains_key("secretKeyRef") || fields.contains_key("configMapKeyRef"));
    for (name, inner) in fields.into_iter().flatten().filter(|_| !is_source) {
        let values: Vec<_> = written.iter().filter_map(|object| object.get(name)).collect();
        let path = format!("{path}.{name}");
        let other = name
            .strip_suffix("From")
            .map_or_else(|| format!("{name}From"), str::to_owned);
        let is_said_otherwise = written.iter().any(|object| object.get(&other).is_some());
        if values.is_empty() && !is_said_otherwise {
            found.push(path);
        } else {
            unsaid(&path, inner, &values, found);
        }
    }
}

#[test]
fn the_example_of_integrations_says_every_field_of_every_type() {
    let crds = alertwright::api::crds();
    let point = crds.iter().find(|crd| crd.spec.names.kind == "ContactPoint");
    let point = serde_json::to_value(point.expect("the kind")).expect("JSON");
    let schema = &point["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let types = &schema["properties"]["spec"]["properties"]["integrations"]["items"]["properties"];
    let yaml = fs::read_to_string(root().join("deploy/examples/integrations/contact-points.yaml"));
    let points: Vec<serde_json::Value> = serde_saphyr::from_multiple(&yaml.expect("a file")).expect("YAML");
    let integrations: Vec<_> = (points.iter())
        .flat_map(|point| point["spec"]["integrations"].as_array().into_iter().flatten())
        .collect();
    let mut found = Vec::new();
    for (type_, schema) in types.as_object().expect("types") {
        if type_ != "disableResolveMessage" {
            let written: Vec<_> = integrations.iter().filter_map(|one| one.get(type_)).collect();
            assert!(!written.is_empty(), "there is no {type_}");
            unsaid(type_, schema, &written, &mut found);
        }
    }
    // They exclude what the example shows.
    let excluded = [
        "pagerduty.severity",
        "webhook.httpConfig.oauth2.proxyConfig.proxyFromEnvironment",
        "webhook.httpConfig.oauth2.tlsConfig.clientCertificate",
        "webhook.httpConfig.oauth2.tlsConfig.clientKey",
    ];
    assert_eq!(found, excluded);
}
