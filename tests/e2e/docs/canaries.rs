//! Secrets, in a world where every command is run: none of them is in what is printed, in a file that is written, or in what goes wrong.

use std::path::Path;

use alertwright::api::{ContactPoint, GrafanaInstance};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, wait};
use data_encoding::BASE64;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::json;

use super::filled::{self, Filled, HOME, NS, SOON};
use super::shown::documents;
use super::table;

/// In all secrets that are made here.
const CANARY: &str = "s3cr3t";

/// What writes files, and pages, and how it ends.
const WRITING: [(&str, i32); 6] = [
    ("alertwright report --since 7d --html report.html", 0),
    ("alertwright report --since 7d -o markdown", 0),
    (
        "alertwright backtest -n revel gdpr-export-failures --since 1h --html backtest.html",
        0,
    ),
    ("alertwright export all --include-ours", 4),
    ("alertwright export all --include-ours -d all", 4),
    ("alertwright diff -n revel --reverse -o patch", 1),
];

/// The pages among that.
const PAGES: [&str; 2] = ["report.html", "backtest.html"];

/// What asks Grafana, and says why it can't.
const ASKING: [&str; 4] = [
    "alertwright diff -n revel",
    "alertwright export all",
    "alertwright report --since 1h",
    "alertwright doctor -n revel",
];

/// What belongs to whoever sits at the desk.
const ONES_OWN: [&str; 7] = [
    "bin",
    "deploy",
    "cache",
    "kubeconfig",
    "reader",
    "neighbour",
    "keeper",
];

/// Gives every place that takes a secret one, and says what else of this world is secret.
async fn hide(filled: &Filled) -> Vec<String> {
    let keys = json!({
        "header": "s3cr3t-header", "password": "s3cr3t-password", "key": "-----BEGIN s3cr3t-key-----", "bad": "://s3cr3t-bad-url",
        "token": "s3cr3t-token", "settings": "s3cr3t-settings",
    });
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": keys});
    for namespace in [HOME, NS] {
        filled.plane.apply(&secret.to_string(), namespace).await;
    }
    let from = |key: &str| json!({"secretKeyRef": {"name": "keys", "key": key}});
    let headers = json!({"spec": {"headers": {"X-Access": from("header")}}}).to_string();
    filled
        .plane
        .kubectl([
            "patch",
            "grafanainstance",
            "default",
            "-n",
            HOME,
            "--type=merge",
            "-p",
            &headers,
        ])
        .await
        .ok();
    let instance = async |name: &str, more: serde_json::Value| {
        let mut spec = json!({
            "url": filled.grafana.url(), "auth": {"basic": {"username": {"value": "nobody"}, "password": from("password")}},
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": name}, "spec": spec});
        filled.plane.apply(&object.to_string(), HOME).await;
    };
    instance("stranger", json!({})).await;
    let tls = json!({"tls": {"clientCertificate": {"value": "s3cr3t"}, "clientKey": from("key")}});
    instance("odd", tls).await;
    let integrations = json!([
        {"webhook": {"url": {"value": "http://127.0.0.1:9"}, "username": "u", "password": from("password")}},
        {"custom": {"type": "telegram", "settings": {"chatid": "1"}, "secureSettings": {"bottoken": from("token")}}},
    ]);
    filled
        .put("ContactPoint", "good", json!({"integrations": integrations}))
        .await;
    let bad = json!({"integrations": [{"slack": {"url": from("bad")}}]});
    filled.put("ContactPoint", "bad", bad).await;
    filled.reason::<ContactPoint>("good", "Synced").await;
    filled.reason::<ContactPoint>("bad", "Invalid").await;
    let instances: Api<GrafanaInstance> = Api::namespaced(filled.client().await, HOME);
    for (name, reason) in [
        ("default", "Synced"),
        ("stranger", "Unauthorized"),
        ("odd", "Invalid"),
    ] {
        wait::until(&format!("{name} is {reason}"), SOON, async || {
            let instance = instances.get(name).await.ok()?;
            let ready = instance
                .status?
                .conditions
                .into_iter()
                .find(|c| c.type_ == "Ready")?;
            let is_now = ready.observed_generation == instance.metadata.generation;
            (is_now && ready.reason == reason).then_some(())
        })
        .await;
    }
    let secrets: Api<Secret> = Api::namespaced(filled.client().await, HOME);
    let token = secrets
        .get("grafana")
        .await
        .expect("a token")
        .data
        .unwrap_or_default();
    let token = String::from_utf8(token["token"].0.clone()).expect("a text");
    vec![
        CANARY.to_owned(),
        BASE64.encode(CANARY.as_bytes()),
        BASE64.encode(token.as_bytes()),
        token,
        "R0UT1NGK3Y".to_owned(),
        format!("{}/payments", filled.hooks.url()),
        format!("{}/security", filled.hooks.url()),
        // What somebody has typed in Grafana, which hides it.
        "hooks.slack.com/services/".to_owned(),
    ]
}

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if ONES_OWN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
}

#[apply(any_release)]
async fn no_secret_is_in_what_any_command_prints_or_writes() {
    let filled = filled::with_all().await;
    let secrets = hide(&filled).await;
    let mut told: Vec<(String, String)> = Vec::new();
    let of_table = table::IN_A_CLUSTER.iter().flat_map(|(.., lines)| *lines);
    let of_documents = documents::IN_A_CLUSTER.iter().flat_map(|(_, lines)| *lines);
    for line in of_table.chain(of_documents) {
        told.push(((*line).to_owned(), filled.desk.runs(line).await.0));
    }
    for (line, expected) in WRITING {
        let (printed, code) = filled.desk.runs(line).await;
        assert_eq!(code, Some(expected), "{line}:\n{printed}");
        told.push((line.to_owned(), printed));
    }
    // Whoever refuses may repeat what it was sent.
    let echo = format!("{{\"message\": \"denied to {} with s3cr3t-header\"}}", secrets[3]);
    for status in [400, 500] {
        filled
            .proxy
            .fault(Fault::status(status).body(echo.clone()).on("GET", "/api/"));
        for line in ASKING {
            let (printed, _) = filled.desk.runs(line).await;
            assert!(
                printed.contains("denied to"),
                "{line} tells what Grafana says:\n{printed}"
            );
            told.push((format!("{line}, while Grafana answers {status}"), printed));
        }
        filled.proxy.clear_faults();
    }
    let lines = told.len();
    files(filled.desk.path("").as_path(), &mut told);
    println!("{lines} lines, {} files", told.len() - lines);
    let written = &told[lines..];
    assert!(written.len() > 10, "few files: {written:?}");
    for page in PAGES {
        assert!(written.iter().any(|(path, _)| path.ends_with(page)), "{page}");
    }
    let mut wrong = Vec::new();
    for (place, text) in &told {
        for line in text.lines() {
            if secrets.iter().any(|secret| line.contains(secret.as_str())) {
                wrong.push(format!("{place}:\n  {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
