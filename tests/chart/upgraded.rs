//! A release of a former chart, upgraded to the one that is here.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use super::{CHART, Helm, parts};

/// The rights are what the operator does, and types have a comparison of their own.
const ANEW: [&str; 3] = ["ClusterRole", "Role", "CustomResourceDefinition"];

/// What says which chart it was.
const VERSIONS: [&str; 2] = ["helm.sh/chart", "app.kubernetes.io/version"];

fn released() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chart/released")
}

/// What somebody told each of them.
fn values() -> String {
    released().join("values.yaml").to_string_lossy().into_owned()
}

fn former_charts() -> Vec<String> {
    let files = fs::read_dir(released()).expect("the folder of former charts");
    let files = files.map(|entry| entry.expect("an entry").path());
    let charts: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|end| end == "tgz"))
        .map(|file| file.to_string_lossy().into_owned())
        .collect();
    assert!(!charts.is_empty());
    charts
}

/// What of `before` isn't in `now` any more. In a list the order doesn't count.
fn lost(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match before {
        Value::Object(fields) => {
            for (name, field) in fields
                .iter()
                .filter(|(name, _)| !VERSIONS.contains(&name.as_str()))
            {
                lost(&format!("{path}.{name}"), field, &now[name], found);
            }
        }
        Value::Array(items) => {
            for item in items {
                let is_kept = |other: &Value| {
                    let mut without = Vec::new();
                    lost(path, item, other, &mut without);
                    without.is_empty()
                };
                if !now.as_array().is_some_and(|others| others.iter().any(is_kept)) {
                    found.push(format!("{path} has {item} no longer: {now}"));
                }
            }
        }
        _ if before == now => {}
        _ => found.push(format!("{path} was {before}, is {now}")),
    }
}

impl Helm {
    /// What a revision has had the API server told.
    async fn manifest(&self, revision: &str) -> Vec<Value> {
        let get = ["get", "manifest", "alertwright", "--revision", revision];
        let manifest = self.run(&get).await.ok();
        let objects: Vec<Value> = serde_saphyr::from_multiple(&manifest).expect("YAML");
        objects.into_iter().filter(|object| !object.is_null()).collect()
    }

    async fn object(&self, kind: &str, name: &str) -> Value {
        let json = self.kubectl(&["get", kind, name, "-o", "json"]).await.ok();
        serde_json::from_str(&json).expect("JSON")
    }

    /// What no upgrade may make anew, or otherwise than it was told.
    async fn standing(&self) -> Value {
        let deployment = self.object("deployment", "our-alerting").await;
        let instance = self.object("grafanainstance", "default").await;
        let staging = self.object("grafanainstance", "staging").await;
        json!({
            "deployment": deployment["metadata"]["uid"],
            "image": deployment["spec"]["template"]["spec"]["containers"][0]["image"],
            "selector": deployment["spec"]["selector"],
            "default": [instance["metadata"]["uid"], instance["spec"]],
            "staging": [staging["metadata"]["uid"], staging["spec"]],
        })
    }
}

fn named(objects: &[Value], kind: &Value, name: &Value) -> Option<Value> {
    let mut found = objects.iter().filter(|object| object["kind"] == *kind);
    found.find(|object| object["metadata"]["name"] == *name).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_a_former_chart_is_upgraded_and_keeps_what_it_was_told() {
    for former in former_charts() {
        let helm = Helm::start().await;
        let (values, wait) = (values(), ["--wait", "--timeout", "3m"]);
        let install = ["install", "alertwright", &former, "--values", &values];
        helm.run(&[&install[..], &wait].concat()).await.ok();
        let (told, standing) = (helm.manifest("1").await, helm.standing().await);

        // As docs/upgrading.md has it, and with a file that has every value of the former chart.
        let reused = ["upgrade", "alertwright", CHART, "--reset-then-reuse-values"];
        helm.run(&[&reused[..], &wait].concat()).await.ok();
        let all = helm.run(&["show", "values", &former]).await.ok();
        let all = helm.scratch.write("all.yaml", all).expect("a file");
        let all = all.to_string_lossy();
        let whole = [
            "upgrade",
            "alertwright",
            CHART,
            "--values",
            &all,
            "--values",
            &values,
        ];
        helm.run(&[&whole[..], &wait].concat()).await.ok();
        assert_eq!(helm.standing().await, standing, "{former}");

        for revision in ["2", "3"] {
            let now = helm.manifest(revision).await;
            let mut found = Vec::new();
            for object in &told {
                let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
                if ANEW.iter().any(|anew| kind == anew) {
                    continue;
                }
                let path = format!("{kind} {name}").replace('"', "");
                match named(&now, kind, name) {
                    Some(now) => lost(&path, object, &now, &mut found),
                    None => found.push(format!("{path} is gone")),
                }
            }
            assert!(
                found.is_empty(),
                "{former}, revision {revision}:\n{}",
                found.join("\n")
            );
        }

        let back = ["rollback", "alertwright", "1"];
        helm.run(&[&back[..], &wait].concat()).await.ok();
        assert_eq!(helm.standing().await, standing, "{former}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_called_otherwise_now_is_refused_with_its_new_name() {
    for (value, says) in [
        ("ownerId=prod", "ownerId is called ownerID"),
        ("test.image=busybox", "test.image is gone"),
    ] {
        let output = Command::new(parts::path("helm").expect("helm"))
            .args(["template", "alertwright", CHART, "--set", value])
            .output()
            .await
            .expect("helm runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{value}: {said}");
    }
}
