//! `alertwright status`, `trace`, `events`, `open` and `version`: what the cluster's resources tell, without a call to Grafana.

use std::path::Path;
use std::process::Stdio;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::{any_release, apply, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::alarm::{Sinks, everything_to, fire, world};
use crate::world::{SOON, World};

/// What it printed, what it said besides, and its exit code.
struct Ended {
    printed: String,
    said: String,
    code: Option<i32>,
}

fn command(w: &World, as_whom: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(arguments)
        .args(["--operator-namespace", &w.home])
        .env_clear()
        .env("KUBECONFIG", as_whom)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Versions are of no namespace.
    if !arguments.contains(&"version") {
        command.args(["-n", &w.ns]);
    }
    command
}

async fn run_as(w: &World, as_whom: &Path, arguments: &[&str]) -> Ended {
    let ended = command(w, as_whom, arguments).output().await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    let ended = Ended {
        printed: text(ended.stdout),
        said: text(ended.stderr),
        code: ended.status.code(),
    };
    println!(
        "$ alertwright {}\n{}{}",
        arguments.join(" "),
        ended.printed,
        ended.said
    );
    ended
}

async fn run(w: &World, arguments: &[&str]) -> Ended {
    run_as(w, w.plane.kubeconfig(), arguments).await
}

/// A rule that fires, a contact point that its alerts reach, and one that waits for its Secret.
async fn filled() -> (World, Sinks) {
    let (w, sinks) = world().await;
    let url = format!("{}/hook", sinks.http.url());
    let hook = json!({"integrations": [{"webhook": {"url": {"value": url}}}]});
    let waiting =
        json!({"integrations": [{"webhook": {"url": {"secretKeyRef": {"name": "none", "key": "url"}}}}]});
    w.put("ContactPoint", "team", hook).await;
    w.put("ContactPoint", "lost", waiting).await;
    w.synced::<ContactPoint>("team").await;
    w.reason::<ContactPoint>("lost", "DependencyMissing").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    fire(&w, "boom", json!({"severity": "high"}), json!({})).await;
    wait::until("the rule fires and is sent", SOON, async || {
        let rule = w.synced::<AlertRule>("boom").await.status?;
        let point = w.synced::<ContactPoint>("team").await.status?;
        (rule.state.as_deref() == Some("Firing") && point.delivery.as_deref() == Some("OK")).then_some(())
    })
    .await;
    (w, sinks)
}

#[apply(any_release)]
async fn one_screen_says_what_fires_who_is_told_and_what_waits() {
    let (w, _sinks) = filled().await;
    let ns = &w.ns;
    let calls = w.proxy.requests().writes().len();
    let status = run(&w, &["status", "--watch-namespaces", ns]).await;
    assert_eq!(status.code, Some(0), "{}{}", status.printed, status.said);
    let rows: Vec<Vec<&str>> = status
        .printed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let row = |first: &str| {
        rows.iter()
            .find(|row| row.first() == Some(&first))
            .cloned()
            .unwrap_or_default()
    };
    let firing = row(&format!("{ns}/boom"));
    assert_eq!(
        (firing[1], firing[3], firing[4]),
        ("high", "team", "–"),
        "{}",
        status.printed
    );
    let lost = row(&format!("{ns}/contactpoint/lost"));
    assert_eq!(lost[1], "DependencyMissing", "{}", status.printed);
    assert_eq!(row("default")[3], "yes", "{}", status.printed);
    assert_eq!(row("SILENCES")[..3], ["SILENCES", "0", "active,"]);

    let code = run(
        &w,
        &["status", "--watch-namespaces", ns, "--not-ready", "--exit-code"],
    )
    .await;
    assert_eq!(code.code, Some(1), "{}", code.printed);
    assert!(!code.printed.contains("FIRING"), "{}", code.printed);
    let firing = run(
        &w,
        &["status", "--watch-namespaces", ns, "--firing", "-o", "json"],
    )
    .await;
    let firing: Value = serde_json::from_str(&firing.printed).expect("JSON");
    assert_eq!(firing["apiVersion"], "cli.alerting.letsrevel.io/v1");
    assert_eq!(firing["firing"][0]["to"], json!(["team"]));
    assert_eq!(firing.get("notInSync"), None);

    w.put(
        "Silence",
        "calm",
        json!({"alertRules": {"all": true}, "duration": "1h"}),
    )
    .await;
    w.synced::<Silence>("calm").await;
    wait::until("the silence is active", SOON, async || {
        let silence = w.synced::<Silence>("calm").await.status?;
        (silence.state.as_deref() == Some("Active")).then_some(())
    })
    .await;
    let silenced = run(&w, &["status", "--watch-namespaces", ns]).await;
    let by = format!("by {ns}/calm");
    assert!(silenced.printed.contains(&by), "{}", silenced.printed);
    assert_eq!(
        w.proxy.requests().writes().len(),
        calls + 1,
        "nothing but the silence"
    );
}

#[apply(any_release)]
async fn what_one_may_not_read_is_said_and_the_rest_is_shown() {
    let (w, _sinks) = filled().await;
    let account = w.plane.service_account(&w.ns, "reader").await;
    let status = run_as(&w, &account, &["status"]).await;
    assert_eq!(status.code, Some(3), "nothing may be read: {}", status.printed);
    w.apply(
        &json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"},
            "rules": [{"apiGroups": ["alerting.letsrevel.io"], "resources": ["alertrules"], "verbs": ["get", "list", "watch"]}],
        })
        .to_string(),
    )
    .await;
    w.apply(
        &json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": w.ns}],
        })
        .to_string(),
    )
    .await;
    let status = wait::until("its rights hold", SOON, async || {
        let status = run_as(&w, &account, &["status"]).await;
        (status.code == Some(0)).then_some(status)
    })
    .await;
    let boom = format!("{}/boom", w.ns);
    let row = status.printed.lines().find(|line| line.starts_with(&boom));
    assert!(
        row.is_some_and(|row| row.contains("not known")),
        "{}",
        status.printed
    );
    for said in [
        "resources of other namespaces than",
        "ContactPoints in namespace",
        "GrafanaInstances in namespace",
    ] {
        assert!(status.said.contains(said), "{said}: {}", status.said);
    }
}

#[apply(any_release)]
async fn a_screen_that_is_watched_shows_what_changes_and_ends_when_it_is_interrupted() {
    let (w, _sinks) = filled().await;
    let mut child = command(
        &w,
        w.plane.kubeconfig(),
        &["status", "-w", "--firing", "--watch-namespaces", &w.ns],
    )
    .spawn()
    .expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut shows = async |what: &str| {
        let found = tokio::time::timeout(SOON, async {
            while let Some(line) = lines.next_line().await.expect("lines") {
                if line.contains(what) {
                    return true;
                }
            }
            false
        });
        assert!(found.await.unwrap_or(false), "{what} isn't shown");
    };
    shows(&format!("{}/boom", w.ns)).await;
    w.put(
        "Silence",
        "calm",
        json!({"alertRules": {"all": true}, "duration": "1h"}),
    )
    .await;
    shows(&format!("by {}/calm", w.ns)).await;
    let pid = child.id().expect("it runs").to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(killed.is_ok_and(|status| status.success()));
    let ended = child.wait().await.expect("an end");
    assert_eq!(ended.code(), Some(130));
}

#[apply(any_release)]
async fn a_rule_is_followed_to_its_last_notification_and_its_page() {
    let (w, _sinks) = filled().await;
    let ns = &w.ns;
    let trace = run(&w, &["trace", "rule", "boom", "--watch-namespaces", ns]).await;
    assert_eq!(trace.code, Some(0), "{}{}", trace.printed, trace.said);
    let uid = w
        .synced::<AlertRule>("boom")
        .await
        .status
        .and_then(|status| status.uid)
        .unwrap_or_default();
    for line in [
        format!("RULE      AlertRule {ns}/boom, alert boom"),
        "QUERY     A: math: 1 > 0".to_owned(),
        format!("uid {uid}"),
        "STATE     Firing for ".to_owned(),
        format!("ROUTE     team (NotificationPolicy {ns}/tree, spec)"),
        "SENT      team: OK".to_owned(),
        "LINK      http".to_owned(),
    ] {
        assert!(trace.printed.contains(&line), "{line}: {}", trace.printed);
    }
    let json = run(
        &w,
        &["trace", "AlertRule/boom", "-o", "json", "--watch-namespaces", ns],
    )
    .await;
    let json: Value = serde_json::from_str(&json.printed).expect("JSON");
    assert_eq!(
        json["grafanas"][0]["route"]["contactPoints"][0]["contactPoint"],
        "team"
    );
    let none = run(&w, &["trace", "rule", "bom", "--watch-namespaces", ns]).await;
    assert_eq!(none.code, Some(3));
    assert!(none.said.contains("there is boom"), "{}", none.said);

    let page = run(&w, &["open", "arule/boom", "--url"]).await;
    assert!(
        page.printed.starts_with("http") && page.printed.contains(&uid),
        "{}",
        page.printed
    );
    let none = run(&w, &["open", "ContactPoint/lost", "--url"]).await;
    assert_eq!((none.code, none.printed.as_str()), (Some(1), ""), "{}", none.said);
    assert!(none.said.contains("DependencyMissing"), "{}", none.said);

    let events = run(
        &w,
        &["events", "--for", "ContactPoint/lost", "--types", "Warning"],
    )
    .await;
    let line = events.printed.lines().nth(1).unwrap_or_default();
    assert!(
        line.contains("DependencyMissing") && line.contains("contactpoint/lost"),
        "{}{}",
        events.printed,
        events.said
    );
    let none = run(&w, &["events", "--for", "deployment/none"]).await;
    assert_eq!((none.code, none.printed.as_str()), (Some(0), ""));

    let version = run(&w, &["version", "-o", "json"]).await;
    let version: Value = serde_json::from_str(&version.printed).expect("JSON");
    assert_eq!(version["client"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["grafanas"][0]["instance"], "default");
    assert!(
        version["grafanas"][0]["version"]
            .as_str()
            .is_some_and(|version| version.contains('.'))
    );
}
