//! `alertwright import`: whatever comes of its samples an API server takes, strictly, and an Alertmanager's contact points are those that Grafana then has.

use std::process::Command;

use alertwright::api::{ContactPoint, TimeInterval};
use alertwright_testbed::{any_release, apply};

use crate::example::all_ready;
use crate::world;

const SAMPLES: [&str; 8] = [
    "alertmanager",
    "alertmanagerconfig",
    "grafana-file",
    "grafana-operator",
    "loki",
    "prometheus",
    "prometheusrule",
    "vmrule",
];

/// The resources of a sample, with names of its own, and the Secret that they refer to with what was read.
fn import(sample: &str, namespace: &str) -> (String, String) {
    let root = env!("CARGO_MANIFEST_DIR");
    let secrets = std::env::temp_dir().join(format!("alertwright-{namespace}-{sample}.yaml"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command.args(["import", "-f", &format!("{root}/tests/cli/import/{sample}.yaml")]);
    command.args([
        "-n",
        namespace,
        "--prefix",
        sample,
        "--recording-rules",
        "--keep-secrets",
    ]);
    command.arg("--secrets-file").arg(&secrets);
    let output = command.output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 4)), "{said}");
    let kept = std::fs::read_to_string(&secrets).unwrap_or_default();
    let _ = std::fs::remove_file(&secrets);
    (String::from_utf8_lossy(&output.stdout).into_owned(), kept)
}

#[apply(any_release)]
async fn what_comes_of_each_format_is_taken_by_the_api_server() {
    let w = world::start().await;
    for sample in SAMPLES {
        let (made, _) = import(sample, &w.ns);
        assert!(
            made.contains("apiVersion: alerting.letsrevel.io/v1alpha1"),
            "{sample}"
        );
        w.apply(&made).await;
    }
}

#[apply(any_release)]
async fn an_alertmanager_with_its_secrets_is_in_grafana() {
    let w = world::start().await;
    let (made, mut kept) = import("alertmanager", &w.ns);
    // What was nowhere to be read is filled in.
    let empty = "alertmanager-chats.slack-2.url: \"\"";
    assert!(kept.contains(empty), "{empty} isn't there");
    kept = kept.replace(
        empty,
        "alertmanager-chats.slack-2.url: https://hooks.slack.com/services/x",
    );
    w.apply(&kept).await;
    w.apply(&made).await;
    all_ready::<TimeInterval>(&w, 3).await;
    all_ready::<ContactPoint>(&w, 4).await;
}
