//! `alertwright diff`: it says what the operator would do, and does nothing.

use std::io::Write;
use std::process::{Command, Stdio};

use alertwright::api::{
    AlertRule, ContactPoint, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use alertwright_testbed::{apply, every_release};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::alarm::{assert_rests, everything_to};
use crate::drift::{change_by_hand, policy};
use crate::rules::{QUIET, quiet};
use crate::world::{self, World};

/// What it printed, what it said besides, and its exit code.
struct Ended {
    printed: String,
    said: String,
    code: i32,
}

/// Runs the command as the cluster's administrator.
async fn diff(w: &World, more: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(["diff", "-n", &w.ns, "--operator-namespace", &w.home])
        .args(["--watch-namespaces", &w.ns])
        .args(more)
        .env_clear()
        .env("KUBECONFIG", w.plane.kubeconfig())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let ended = spawn_blocking(move || {
        let mut child = command.spawn().expect("the program");
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("an end")
    });
    let ended = ended.await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    Ended {
        printed: text(ended.stdout),
        said: text(ended.stderr),
        code: ended.status.code().expect("an exit code"),
    }
}

#[apply(every_release)]
async fn what_somebody_has_changed_and_what_a_file_would_change_is_told_and_nothing_is_written() {
    let w = world::start().await;
    let token = w.grafana.token().await;
    // So that the operator leaves what is told.
    policy(&w, "Report", &token).await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    let nights = json!({"timeIntervals": [{"weekdays": ["sunday"]}]});
    let texts = json!({"template": "{{ define \"texts\" }}{{ end }}"});
    w.put("AlertRule", "r", quiet()).await;
    w.put("ContactPoint", "team", hook).await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    let silence = json!({"matchers": ["a=b"], "duration": "1h"});
    w.put("Silence", "s", silence).await;
    w.put("TimeInterval", "nights", nights).await;
    w.put("NotificationTemplate", "texts", texts).await;
    w.synced::<AlertRule>("r").await;
    w.synced::<TimeInterval>("nights").await;
    w.synced::<NotificationTemplate>("texts").await;
    w.synced::<ContactPoint>("team").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<Silence>("s").await;
    assert_rests(&w).await;

    let writes = w.proxy.requests().writes().len();
    let equal = diff(&w, &[], "").await;
    assert_eq!((equal.printed.as_str(), equal.code), ("", 0), "{}", equal.said);
    let counts = "0 to create, 0 to change, 0 to delete, 0 refused, 6 equal. Nothing was written.";
    assert!(equal.said.contains(counts), "{}", equal.said);

    let file = format!(
        "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata: {{name: r, namespace: {ns}}}\nspec: {{query: '{QUIET}', for: 7m}}\n---\napiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata: {{name: new, namespace: {ns}}}\nspec: {{query: '{QUIET}'}}\n",
        ns = w.ns
    );
    let applied = diff(&w, &["-f", "-"], &file).await;
    assert_eq!(applied.code, 1, "{}{}", applied.printed, applied.said);
    for line in ["~ AlertRule/r ", "    for ", "→ 7m", "+ AlertRule/new  folder "] {
        assert!(applied.printed.contains(line), "{line}: {}", applied.printed);
    }
    assert!(
        applied.said.contains("1 to create, 1 to change"),
        "{}",
        applied.said
    );
    assert_eq!(w.proxy.requests().writes().len(), writes);

    change_by_hand(&w).await;
    let drifted = diff(&w, &[], "").await;
    assert_eq!(drifted.code, 1, "{}{}", drifted.printed, drifted.said);
    for line in [
        "~ AlertRule/r ",
        "\"by hand\" → ",
        "~ ContactPoint/team",
        "webhook.url",
        "~ NotificationPolicy/tree",
        "7m → 1s",
        "~ TimeInterval/nights",
        "~ NotificationTemplate/texts",
        "+ Silence/s",
    ] {
        assert!(drifted.printed.contains(line), "{line}: {}", drifted.printed);
    }
    let one = diff(&w, &["arule/r", "-o", "json"], "").await;
    let one: Value = serde_json::from_str(&one.printed).expect("JSON");
    assert_eq!(one["counts"]["change"], 1);
    assert_eq!(one["resources"][0]["differences"][0]["field"], "title");
    assert_eq!(one["resources"][0]["differences"][0]["before"], "by hand");
    // Those that the test itself made by hand don't come through the proxy.
    assert_eq!(w.proxy.requests().writes().len(), writes);
}
