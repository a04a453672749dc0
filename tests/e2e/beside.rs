//! `alertwright route` and `check` beside a cluster: its resources count as if those of the files were applied there, and nothing is written.

use std::path::Path;
use std::process::Stdio;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::{any_release, apply, wait};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::world::{self, SOON, World};

/// What it printed, what it said besides, and its exit code.
struct Ended {
    printed: String,
    said: String,
    code: Option<i32>,
}

/// Runs a command in the users' namespace, as somebody, with these resources on standard input.
async fn run_as(w: &World, whom: &Path, arguments: &[&str], files: &[Value]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(arguments)
        .args(["-n", &w.ns, "--operator-namespace", &w.home])
        .args(["--watch-namespaces", &w.ns])
        .env_clear()
        .env("KUBECONFIG", whom)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program");
    let input: Vec<String> = files.iter().map(Value::to_string).collect();
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(input.join("\n---\n").as_bytes())
        .await
        .expect("it is read");
    drop(stdin);
    let ended = child.wait_with_output().await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    Ended {
        printed: text(ended.stdout),
        said: text(ended.stderr),
        code: ended.status.code(),
    }
}

async fn run(w: &World, arguments: &[&str], files: &[Value]) -> Ended {
    run_as(w, w.plane.kubeconfig(), arguments, files).await
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// A contact point of two, a policy that tells one of them, and a rule.
async fn filled() -> World {
    let w = world::start().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    for name in ["team", "other"] {
        w.put("ContactPoint", name, hook.clone()).await;
        w.synced::<ContactPoint>(name).await;
    }
    let route = json!({"receiver": "team", "routes": [{"matchers": ["severity=high"], "receiver": "other"}]});
    w.put("NotificationPolicy", "tree", route).await;
    w.synced::<NotificationPolicy>("tree").await;
    let rule = json!({"query": "vector(0) > 1", "uid": "of-there", "severity": "high", "suspend": true});
    w.put("AlertRule", "there", rule).await;
    w.reason::<AlertRule>("there", "Suspended").await;
    w
}

/// The contact points that an alert goes to, as JSON has it.
fn told(ended: &Ended) -> Vec<String> {
    let answer: Value = serde_json::from_str(&ended.printed).unwrap_or_else(|_| panic!("{}", ended.said));
    let alerts = answer["alerts"].as_array().expect("alerts");
    let points = alerts
        .iter()
        .flat_map(|alert| alert["contactPoints"].as_array().expect("a list"));
    points
        .map(|point| point["contactPoint"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[apply(any_release)]
async fn an_alert_goes_through_the_tree_of_the_cluster_and_of_files_in_its_place() {
    let w = filled().await;
    let writes = w.proxy.requests().writes().len();
    let high = run(&w, &["route", "severity=high", "-o", "json"], &[]).await;
    assert_eq!(told(&high), ["other"], "{}", high.said);
    let of_rule = run(&w, &["route", "--rule", "there", "--tree"], &[]).await;
    assert_eq!(of_rule.code, Some(0), "{}{}", of_rule.printed, of_rule.said);
    assert!(
        of_rule.printed.contains("✓ severity=\"high\" → other"),
        "{}",
        of_rule.printed
    );
    let missing = run(&w, &["route", "--rule", "ther"], &[]).await;
    assert_eq!(missing.code, Some(3), "{}", missing.printed);
    let said = format!("no AlertRule ther in namespace {}; there is there", w.ns);
    assert!(missing.said.contains(&said), "{}", missing.said);

    // A branch of a file hangs below the root of the cluster, and a rule of it is the only one that is told of.
    let branch = json!({"parentRef": {"name": "tree"}, "matchers": ["severity=low"], "receiver": "other"});
    let low = json!({"query": "vector(0) > 1", "severity": "low"});
    let files = [
        object("NotificationPolicy", "branch", &branch),
        object("AlertRule", "new", &low),
    ];
    let arguments = ["route", "-f", "-", "--with-cluster", "--all-rules"];
    let all = run(&w, &[&arguments[..], &["-o", "json"]].concat(), &files).await;
    assert_eq!(told(&all), ["other"], "{}{}", all.printed, all.said);
    let alone = run(&w, &["route", "-f", "-", "--all-rules"], &files).await;
    assert_eq!(alone.code, Some(3), "no root is among them: {}", alone.printed);
    // What a file has in the place of the cluster's counts in its place.
    let other = object("NotificationPolicy", "tree", &json!({"receiver": "other"}));
    let arguments = ["route", "-f", "-", "--with-cluster", "a=b", "--expect"];
    let expected = |name| [&arguments[..], &[name]].concat();
    let met = run(&w, &expected("other"), std::slice::from_ref(&other)).await;
    assert_eq!(met.code, Some(0), "{}{}", met.printed, met.said);
    let unmet = run(&w, &expected("team"), &[other]).await;
    assert_eq!(unmet.code, Some(1), "{}{}", unmet.printed, unmet.said);
    assert_eq!(w.proxy.requests().writes().len(), writes, "nothing is written");
}

#[apply(any_release)]
async fn manifests_are_checked_beside_what_stands_in_the_cluster() {
    let w = filled().await;
    let check = ["check", "-f", "-", "--with-cluster", "--lint", "none"];
    let sends = |to: &str| json!({"query": "vector(0) > 1", "notificationSettings": {"receiver": to}});
    let fine = [object("AlertRule", "new", &sends("team"))];
    let found = run(&w, &check, &fine).await;
    assert_eq!(found.code, Some(0), "{}{}", found.printed, found.said);
    assert!(
        found.said.contains("; 5 resources in the cluster\n"),
        "{}",
        found.said
    );
    let missing = run(&w, &check, &[object("AlertRule", "new", &sends("tean"))]).await;
    assert_eq!(missing.code, Some(1), "{}", missing.said);
    let said = format!(
        "no ContactPoint \"tean\" in namespace {}; there is \"team\"",
        w.ns
    );
    assert!(missing.printed.contains(&said), "{}", missing.printed);
    let taken = json!({"query": "vector(0) > 1", "uid": "of-there"});
    let double = run(&w, &check, &[object("AlertRule", "new", &taken)]).await;
    let said = format!("AlertRule {}/there has the uid \"of-there\" already", w.ns);
    assert!(
        double.printed.contains(&said),
        "{}{}",
        double.printed,
        double.said
    );
    // It is the same one that stands there.
    let same = run(&w, &check, &[object("AlertRule", "there", &taken)]).await;
    assert_eq!(same.code, Some(0), "{}{}", same.printed, same.said);

    // Who may read rules alone can't tell what contact points there are.
    let account = w.plane.service_account(&w.ns, "reader").await;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": ["alerting.letsrevel.io"], "resources": ["alertrules"], "verbs": ["list"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": w.ns}],
    });
    w.apply(&role.to_string()).await;
    w.apply(&binding.to_string()).await;
    let partly = wait::until("its rights hold", SOON, async || {
        let found = run_as(&w, &account, &check, &fine).await;
        (found.code != Some(3)).then_some(found)
    })
    .await;
    assert_eq!(partly.code, Some(4), "{}{}", partly.printed, partly.said);
    for text in [
        "ContactPoints in namespace",
        "1 reference to what may not be read in the cluster",
    ] {
        assert!(partly.said.contains(text), "{text}: {}", partly.said);
    }
}
