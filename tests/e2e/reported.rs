//! `alertwright report`: what it says of rules that have fired here, from both places where Grafana keeps its history.

use std::process::Command;

use alertwright::api::AlertRule;
use alertwright_testbed::{apply, below_12, every_release, grafana, wait};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::alarm::fire;
use crate::rules::quiet;
use crate::world::{self, SOON, World};

/// What it prints, what it says besides, and its exit code.
async fn report(w: &World, more: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    let token = w.grafana.token_with_role("Admin").await;
    command
        .args(["report", "--since", "1h"])
        .args(more)
        .env_clear()
        .env("GRAFANA_URL", w.proxy.url())
        .env("GRAFANA_TOKEN", token);
    let output = spawn_blocking(move || command.output().expect("the program"));
    let output = output.await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().expect("a code"),
    )
}

async fn reported(w: &World, kept_in: &str) {
    w.put("AlertRule", "quiet", quiet()).await;
    fire(w, "loud", json!({"severity": "critical"}), json!({})).await;
    w.synced::<AlertRule>("quiet").await;
    w.synced::<AlertRule>("loud").await;
    let writes = w.proxy.requests().writes().len();
    let row = wait::until("the firing is in the history", SOON, async || {
        let (printed, said, code) = report(w, &["-o", "json"]).await;
        assert_eq!(code, 0, "{said}");
        let document: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!(document["history"]["keptIn"], kept_in);
        assert_eq!(document["rows"].as_array().map(Vec::len), Some(2), "{document:#}");
        let first = document["rows"][0].clone();
        (first["firings"].as_u64() > Some(0)).then_some(first)
    })
    .await;
    assert_eq!(
        (row["name"].as_str(), row["severity"].as_str()),
        (Some("loud"), Some("critical")),
        "{row:#}"
    );
    let (printed, said, code) = report(w, &["--never-fired"]).await;
    assert_eq!(code, 0, "{said}");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(
        lines[0].starts_with("RULE ") && lines[1].starts_with("quiet "),
        "{printed}"
    );
    let (printed, ..) = report(w, &["--by", "namespace", "-o", "csv", "--no-headers"]).await;
    assert!(printed.starts_with(&format!("\"{}\",", w.ns)), "{printed}");
    assert_eq!(w.proxy.requests().writes().len(), writes);
}

#[apply(every_release)]
async fn rules_are_reported_by_the_annotations_in_grafanas_database() {
    reported(&world::start().await, "annotations").await;
}

#[apply(every_release)]
async fn rules_are_reported_by_what_a_loki_keeps() {
    let options = grafana::Options {
        settings: vec!["unified_alerting.state_history.backend=loki".to_owned()],
        ..grafana::Options::default()
    };
    reported(&world::start_with(options).await, "loki").await;
}

#[apply(below_12)]
async fn rules_whose_folder_is_gone_are_counted() {
    let w = world::start().await;
    let data = json!([{"refId": "A", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "1 > 2", "refId": "A"}}]);
    let stray = json!({
        "title": "Stray", "folderUID": "nowhere", "ruleGroup": "g", "orgID": 1, "condition": "A", "data": data, "noDataState": "NoData",
        "execErrState": "Error", "for": "5m",
    });
    let path = "/api/v1/provisioning/alert-rules";
    let made = w.grafana.write_as_frontend(reqwest::Method::POST, path, stray);
    let made = made.await;
    // Newer ones let nobody make such a rule: only work on the database leaves them.
    if w.grafana.version() > grafana::Version::new(10, 4, 0) {
        assert!(!made.status.is_success());
        return;
    }
    made.ok();
    let (_, said, code) = report(&w, &[]).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("1 rule is left out, for its folder isn't there, or may not be seen: Stray"),
        "{said}"
    );
}
