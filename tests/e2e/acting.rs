//! The commands that write resources: as people run them, with the rights that people have.

use std::path::Path;
use std::process::{Command, Stdio};

use alertwright::api::{AlertRule, ContactPoint, Silence};
use alertwright_testbed::wait;
use alertwright_testbed::{any_release, apply};
use kube::api::ListParams;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::alarm::assert_rests;
use crate::rules::quiet;
use crate::silences::{becomes, from_now};
use crate::world::{self, SOON, World, root};

/// What it printed, what it said besides, and its exit code.
pub(super) struct Ended {
    pub(super) printed: String,
    pub(super) said: String,
    pub(super) code: i32,
}

/// Runs a command in the users' namespace, with these rights.
pub(super) async fn run(w: &World, kubeconfig: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(arguments)
        .args(["-n", &w.ns, "--operator-namespace", &w.home])
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null());
    let ended = spawn_blocking(move || command.output().expect("the program"));
    let ended = ended.await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    Ended {
        printed: text(ended.stdout),
        said: text(ended.stderr),
        code: ended.status.code().expect("an exit code"),
    }
}

/// Runs a command as the cluster's administrator.
pub(super) async fn as_admin(w: &World, arguments: &[&str]) -> Ended {
    run(w, w.plane.kubeconfig(), arguments).await
}

/// An account that has the role for whoever is on call, and no other.
pub(super) async fn on_call(w: &World) -> std::path::PathBuf {
    let kubeconfig = w.plane.service_account(&w.ns, "oncall").await;
    let people = std::fs::read_to_string(root().join("deploy/people.yaml")).expect("the roles");
    w.plane.apply(&people, "default").await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "oncall"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "alertwright-silences"},
        "subjects": [{"kind": "ServiceAccount", "name": "oncall", "namespace": w.ns}],
    });
    w.apply(&binding.to_string()).await;
    let account = format!("system:serviceaccount:{}:oncall", w.ns);
    wait::until("the rights of who is on call hold", SOON, async || {
        let may = w
            .plane
            .kubectl([
                "auth", "can-i", "create", "silences", "-n", &w.ns, "--as", &account,
            ])
            .await;
        may.ok().trim() == "yes"
    })
    .await;
    kubeconfig
}

#[apply(any_release)]
async fn who_is_on_call_silences_and_ends_with_no_right_but_that() {
    let w = world::start().await;
    w.put("AlertRule", "errors", quiet()).await;
    w.put("AlertRule", "latency", quiet()).await;
    w.synced::<AlertRule>("errors").await;
    w.synced::<AlertRule>("latency").await;
    let rights = on_call(&w).await;
    let of = async |arguments: &[&str]| run(&w, &rights, arguments).await;
    let silences = w.api::<Silence>().await;
    let count = async || {
        silences
            .list(&ListParams::default())
            .await
            .expect("a list")
            .items
            .len()
    };

    let dry = of(&["silence", "--all", "-d", "2h", "-c", "why", "--dry-run"]).await;
    assert_eq!(dry.code, 0, "{}{}", dry.printed, dry.said);
    assert!(
        dry.printed
            .contains("would be active for 2h: 2 rules (errors, latency) (dry run)"),
        "{}",
        dry.printed
    );
    let refused = of(&[
        "silence", "--rule", "error", "-d", "2h", "-c", "why", "-o", "json",
    ])
    .await;
    let refused: Value = serde_json::from_str(&refused.printed).expect("one document");
    assert_eq!(refused["result"], "refused");
    let none = of(&["silence", "--rule", "error", "-d", "2h", "-c", "why"]).await;
    assert_eq!(none.code, 1, "{}{}", none.printed, none.said);
    for text in ["there is errors", "there is no AlertRule error", "--force"] {
        assert!(none.said.contains(text), "{text}: {}", none.said);
    }
    assert_eq!(count().await, 0, "nothing is written for either");

    let made = of(&[
        "silence",
        "--rule",
        "errors",
        "-d",
        "2h",
        "-c",
        "upgrade",
        "--name",
        "up",
        "--timeout",
        "30s",
    ])
    .await;
    assert_eq!(made.code, 0, "{}{}", made.printed, made.said);
    assert!(
        made.printed.starts_with("silence/up active until ")
            && made.printed.ends_with(": 1 rule, 0 alerts now\n"),
        "{}",
        made.printed
    );
    let up = w.synced::<Silence>("up").await;
    let comment = format!("upgrade (system:serviceaccount:{}:oncall)", w.ns);
    assert_eq!(up.spec.comment.as_deref(), Some(comment.as_str()));
    let again = of(&["silence", "--all", "-d", "2h", "-c", "why", "--name", "up"]).await;
    assert_eq!(again.code, 3, "{}{}", again.printed, again.said);
    assert!(again.said.contains("there is a Silence up"), "{}", again.said);

    let matched = of(&[
        "silence",
        "a=b",
        "severity!=critical",
        "-d",
        "3d",
        "-c",
        "why",
        "-o",
        "name",
        "--timeout",
        "30s",
    ])
    .await;
    assert_eq!(matched.code, 0, "{}{}", matched.printed, matched.said);
    assert!(
        matched.printed.starts_with("silence/oncall-"),
        "{}",
        matched.printed
    );
    let soon = of(&["silence", "list", "--within", "8h"]).await;
    assert!(
        soon.printed.contains("up ") && soon.printed.contains(&comment) && !soon.printed.contains("oncall-"),
        "{}",
        soon.printed
    );
    let all: Value =
        serde_json::from_str(&of(&["silence", "list", "-o", "json"]).await.printed).expect("JSON");
    assert_eq!(all["silences"].as_array().map(Vec::len), Some(2));

    let id = crate::silences::id(&up);
    let dry = of(&["silence", "end", "up", "--dry-run", "-o", "json"]).await;
    let document: Value = serde_json::from_str(&dry.printed).expect("one document");
    assert_eq!(
        (
            &document["kind"],
            &document["dryRun"],
            &document["resources"][0]["result"]
        ),
        (&json!("SilenceEndReport"), &json!(true), &json!("ended"))
    );
    assert!(
        dry.printed.contains("would be ended"),
        "{}{}",
        dry.printed,
        dry.said
    );
    becomes(&w, &id, "active").await;
    let ended = of(&["silence", "end", "up", "not-there"]).await;
    assert_eq!(ended.code, 4, "{}{}", ended.printed, ended.said);
    assert!(
        ended.printed.contains("silence/up ended at "),
        "{}",
        ended.printed
    );
    assert!(
        ended.said.contains("not-there: there is none in namespace"),
        "{}",
        ended.said
    );
    becomes(&w, &id, "expired").await;
    w.reason::<Silence>("up", "Expired").await;
    let left = of(&["silence", "list"]).await;
    assert!(!left.printed.contains("up "), "{}", left.printed);
    // It has no other rights than those.
    let refused = of(&["suspend", "AlertRule/errors"]).await;
    assert_eq!(refused.code, 3, "{}{}", refused.printed, refused.said);
    assert!(refused.said.contains("forbidden"), "{}", refused.said);
}

#[apply(any_release)]
async fn resources_are_suspended_resumed_and_brought_again_on_request() {
    let w = world::start().await;
    let point = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    w.put("AlertRule", "r", quiet()).await;
    w.put("ContactPoint", "team", point).await;
    w.synced::<AlertRule>("r").await;
    w.synced::<ContactPoint>("team").await;

    let dry = as_admin(&w, &["suspend", "arule/r", "--dry-run"]).await;
    assert_eq!(
        (dry.printed.as_str(), dry.code),
        ("alertrule/r would be suspended (dry run)\n", 0),
        "{}",
        dry.said
    );
    let document = as_admin(
        &w,
        &[
            "suspend",
            "arule/r",
            "ContactPoint/nobody",
            "--dry-run",
            "-o",
            "json",
        ],
    )
    .await;
    assert_eq!(document.code, 4, "{}", document.said);
    let document: Value = serde_json::from_str(&document.printed).expect("one document");
    assert_eq!(
        (&document["apiVersion"], &document["kind"], &document["dryRun"]),
        (
            &json!("cli.alerting.letsrevel.io/v1"),
            &json!("SuspendReport"),
            &json!(true)
        )
    );
    let lines = document["resources"].as_array().expect("a list");
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).expect("its line");
    assert_eq!(
        line("r"),
        &json!({"kind": "AlertRule", "namespace": w.ns, "name": "r", "result": "suspended", "message": "would be suspended (dry run)"})
    );
    assert_eq!(line("nobody")["result"], "failed");
    let suspended = as_admin(&w, &["suspend", "arule/r", "ContactPoint/nobody", "--wait"]).await;
    assert_eq!(suspended.printed, "alertrule/r suspended\n", "{}", suspended.said);
    assert!(
        suspended.said.contains("contactpoint/nobody"),
        "{}",
        suspended.said
    );
    assert_eq!(suspended.code, 4);
    w.reason::<AlertRule>("r", "Suspended").await;
    let again = as_admin(&w, &["suspend", "AlertRule", "--all"]).await;
    assert_eq!(again.printed, "alertrule/r suspended already\n", "{}", again.said);
    let refused = as_admin(&w, &["reconcile", "AlertRule/r"]).await;
    assert_eq!(refused.code, 3, "{}{}", refused.printed, refused.said);
    assert!(refused.said.contains("is suspended"), "{}", refused.said);
    let resumed = as_admin(&w, &["resume", "--all", "--wait"]).await;
    assert_eq!(
        (resumed.printed.as_str(), resumed.code),
        (
            "contactpoint/team isn't suspended\nalertrule/r resumed: Synced\n",
            0
        ),
        "{}",
        resumed.said
    );
    assert_rests(&w).await;

    // Nobody has told the operator, and its next look may be far away: a request finds it.
    let seen = w.api::<AlertRule>().await.get("r").await.expect("a rule");
    let uid = seen.status.and_then(|status| status.uid).expect("a uid");
    let reads = |path: &str| w.proxy.requests().of("GET", path).len();
    let before = reads(&uid);
    let writes = w.proxy.requests().writes().len();
    let dry = as_admin(&w, &["reconcile", "AlertRule/r", "--dry-run", "-o", "json"]).await;
    let dry: Value = serde_json::from_str(&dry.printed).expect("one document");
    assert_eq!(
        (&dry["kind"], &dry["resources"][0]["result"]),
        (&json!("ReconcileReport"), &json!("requested"))
    );
    let brought = as_admin(&w, &["reconcile", "AlertRule/r", "ContactPoint/team", "--wait"]).await;
    assert_eq!(
        (brought.printed.as_str(), brought.code),
        (
            "alertrule/r reconciled: Synced\ncontactpoint/team reconciled: Synced\n",
            0
        ),
        "{}",
        brought.said
    );
    assert!(reads(&uid) > before, "the rule is read by itself");
    assert_eq!(
        w.proxy.requests().writes().len(),
        writes,
        "nothing is written for it"
    );
    let rule = w.api::<AlertRule>().await.get("r").await.expect("a rule");
    let asked = rule.metadata.annotations.unwrap_or_default();
    let asked = asked.get("alerting.letsrevel.io/reconcile-at").cloned();
    assert!(asked.is_some());
    assert_eq!(
        rule.status.and_then(|status| status.last_handled_reconcile_at),
        asked
    );
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn what_taking_over_would_change_is_told_before_it_is_done() {
    let w = world::start().await;
    let other = json!({"name": "team", "type": "webhook", "settings": {"url": "http://127.0.0.1:9/other"}});
    w.grafana
        .write_as_frontend(
            reqwest::Method::POST,
            "/api/v1/provisioning/contact-points",
            other,
        )
        .await
        .ok();
    let point = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    w.put("ContactPoint", "team", point).await;
    w.reason::<ContactPoint>("team", "NotOwned").await;
    let writes = w.proxy.requests().writes().len();
    let dry = as_admin(
        &w,
        &[
            "adopt",
            "ContactPoint/team",
            "--dry-run",
            "--watch-namespaces",
            &w.ns,
        ],
    )
    .await;
    assert_eq!(dry.code, 0, "{}{}", dry.printed, dry.said);
    for line in [
        "~ ContactPoint/team",
        "    integrations  + webhook",
        "contactpoint/team would be adopted (dry run)",
    ] {
        assert!(dry.printed.contains(line), "{line}: {}{}", dry.printed, dry.said);
    }
    assert_eq!(w.proxy.requests().writes().len(), writes);
    let arguments = ["adopt", "ContactPoint/team", "--dry-run", "--watch-namespaces"];
    let document = as_admin(&w, &[&arguments[..], &[w.ns.as_str(), "-o", "json"]].concat()).await;
    let document: Value = serde_json::from_str(&document.printed).expect("one document");
    assert_eq!(
        (&document["kind"], &document["resources"][0]["result"]),
        (&json!("AdoptReport"), &json!("adopted"))
    );
    assert_eq!(document["differences"][0]["name"], "team", "{document}");
    // Of all only what somebody else has made is meant.
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/own"}}}]});
    w.put("ContactPoint", "own", hook).await;
    w.synced::<ContactPoint>("own").await;
    let labelled = as_admin(&w, &["adopt", "-l", "a=b", "--watch-namespaces", &w.ns]).await;
    assert_eq!(labelled.code, 3, "{}{}", labelled.printed, labelled.said);
    let adopted = as_admin(&w, &["adopt", "cpoint", "--all", "--watch-namespaces", &w.ns]).await;
    assert_eq!(adopted.code, 0, "{}{}", adopted.printed, adopted.said);
    assert!(!adopted.printed.contains("/own"), "{}", adopted.printed);
    assert!(
        adopted.printed.contains("contactpoint/team adopted"),
        "{}",
        adopted.printed
    );
    w.synced::<ContactPoint>("team").await;
    let done = as_admin(&w, &["adopt", "--all", "--watch-namespaces", &w.ns]).await;
    assert_eq!((done.code, done.printed.as_str()), (0, ""), "{}", done.said);
    assert!(
        done.said.contains("there is nothing to take over"),
        "{}",
        done.said
    );
    let none = as_admin(&w, &["adopt", "ContactPoint/nobody", "--watch-namespaces", &w.ns]).await;
    assert_eq!(none.code, 3, "{}{}", none.printed, none.said);
}

#[apply(any_release)]
async fn a_silence_that_names_one_of_other_matchers_by_its_id_is_told_why_and_keeps_it() {
    let w = world::start().await;
    let matchers = json!([{"name": "team", "value": "other", "isRegex": false, "isEqual": true}]);
    let (begin, end) = (from_now(-60), from_now(3600));
    let body = json!({"matchers": matchers, "startsAt": begin, "endsAt": end, "createdBy": "admin", "comment": "by hand"});
    w.grafana
        .post("/api/alertmanager/grafana/api/v2/silences", body)
        .await;
    let theirs = w.grafana.active_silences().await[0]["id"].clone();
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence",
        "metadata": {"name": "s", "annotations": {"alerting.letsrevel.io/adopt": theirs}},
        "spec": {"matchers": ["team=\"web\""], "duration": "1h"},
    });
    w.apply(&object.to_string()).await;
    w.reason::<Silence>("s", "NotOwned").await;
    let ended = as_admin(&w, &["adopt", "Silence/s", "--watch-namespaces", &w.ns]).await;
    assert_eq!(ended.code, 1, "{}{}", ended.printed, ended.said);
    assert!(
        ended.said.contains("other matchers are another silence"),
        "{}",
        ended.said
    );
    let kept = w.reason::<Silence>("s", "NotOwned").await;
    let kept = kept.metadata.annotations.unwrap_or_default();
    assert_eq!(json!(kept.get("alerting.letsrevel.io/adopt")), theirs);
    assert_eq!(w.grafana.silences().await.len(), 1);
}
