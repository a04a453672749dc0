//! `alertwright test contact-point`: Grafana sends, with the secrets that it holds, through the endpoint that its release has.

use std::process::Command;

use alertwright::api::ContactPoint;
use alertwright_testbed::trial::{self, Door};
use alertwright_testbed::{apply, every_release};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::alarm::{secret, world};
use crate::world::World;

/// What it prints, what it says besides, and its exit code.
async fn tested(w: &World, token: &str, more: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args([
            "test",
            "contact-point",
            "-n",
            &w.ns,
            "--operator-namespace",
            &w.home,
        ])
        .args(more)
        .env_clear()
        .env("KUBECONFIG", w.plane.kubeconfig())
        .env("GRAFANA_TOKEN", token)
        .env("USER", "ada");
    let output = spawn_blocking(move || command.output().expect("the program"));
    let output = output.await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().expect("a code"),
    )
}

#[apply(every_release)]
async fn a_test_goes_through_what_grafana_holds_and_says_which_integration_fails() {
    let (w, sinks) = world().await;
    let (good, bad) = (
        format!("{}/good", sinks.http.url()),
        format!("{}/bad/s3cret-token", sinks.http.url()),
    );
    secret(&w, "hooks", json!({"bad": bad, "password": "pass-word"})).await;
    let password = json!({"secretKeyRef": {"name": "hooks", "key": "password"}});
    let integrations = json!({"integrations": [
        {"webhook": {"url": {"value": good}, "username": "user", "password": password}},
        {"webhook": {"url": {"secretKeyRef": {"name": "hooks", "key": "bad"}}}},
    ]});
    w.put("ContactPoint", "team", integrations).await;
    w.synced::<ContactPoint>("team").await;
    sinks.http.refuse("/bad");
    // The Secret isn't read: the token is an Editor's.
    let release = w.grafana.version();
    let role = if release.since(11, 0) { "Editor" } else { "Admin" };
    let editor = w.grafana.token_with_role(role).await;
    let writes = w.proxy.requests().writes().len();

    let dry = tested(&w, &editor, &["team", "--dry-run"]).await;
    assert_eq!(
        (dry.0.as_str(), dry.2),
        ("– webhook  not sent\n– webhook  not sent\n", 0),
        "{}",
        dry.1
    );
    assert!(sinks.http.received("/good").is_empty());

    let (printed, said, code) = tested(&w, &editor, &["team", "--labels", "severity=critical"]).await;
    // The older endpoint went with 13.
    if release.since(13, 0) && trial::door() == Some(Door::Provisioning) {
        assert_eq!((printed.as_str(), code), ("", 3), "{said}");
        return;
    }
    assert_eq!(code, 1, "{printed}{said}");
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("✓ webhook  delivered in "), "{printed}");
    assert!(lines[1].starts_with("✗ webhook  "), "{printed}");
    assert!(
        !printed.contains("s3cret") && !said.contains("s3cret"),
        "{printed}{said}"
    );
    let received = sinks.http.received("/good");
    let [one] = received.as_slice() else {
        panic!("{received:?}")
    };
    let basic = one.headers["authorization"].to_str().expect("a text");
    assert_eq!(basic, "Basic dXNlcjpwYXNzLXdvcmQ=", "the stored password is used");
    let alert: &Value = &one.body["alerts"][0];
    assert_eq!(alert["labels"]["severity"], "critical", "{alert:#}");
    let text = alert["annotations"]["description"].as_str().expect("a text");
    assert!(text.contains("Sent by ada"), "{text}");

    let (printed, said, code) = tested(&w, &editor, &["team", "--integration", "1", "-o", "json"]).await;
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(report["kind"], "ContactPointTestReport");
    assert_eq!(report["integrations"][0]["delivered"], true);
    assert_eq!(report["integrations"].as_array().map(Vec::len), Some(1));

    let viewer = w.grafana.token_with_role("Viewer").await;
    let (_, said, code) = tested(&w, &viewer, &["team"]).await;
    assert_eq!(code, 3, "{said}");
    let (_, said, code) = tested(&w, &editor, &["nobody"]).await;
    assert!(code == 3 && said.contains("--in-grafana"), "{said}");
    // Beside the tests themselves, which change nothing, nothing is written.
    let writes_now = w.proxy.requests().writes();
    assert!(
        writes_now
            .0
            .iter()
            .skip(writes)
            .all(|write| write.path.contains("/test")),
        "{writes_now:?}"
    );
}
