//! What people reported of other tools, as they wrote it: each is stored, told or refused, and nothing is lost without a word.
//!
//! `reports/` holds the inputs with the trouble and its public source on top.

use alertwright::api::Silence;
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{any_release, apply, grafana};
use serde_json::{Value, json};

use crate::silences::A_WHILE;
use crate::world::{self, SOON, World};

/// What becomes of one resource of a report.
enum Outcome {
    /// `kubectl apply` says these words.
    Refused(&'static str),
    /// `Ready` has this reason, and its message these words.
    Is(&'static str, &'static str),
}
use Outcome::{Is, Refused};

/// The resources of a report, without its Secrets, which are applied.
async fn resources(w: &World, report: &str) -> Vec<Value> {
    let path = world::root()
        .join("tests/e2e/reports")
        .join(format!("{report}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let mut resources = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        if document["kind"] == "Secret" {
            w.apply(&document.to_string()).await;
        } else {
            resources.push(document);
        }
    }
    resources
}

/// Feeds a report and checks what becomes of each of its resources.
async fn feed(w: &World, report: &str, outcomes: &[Outcome]) {
    let resources = resources(w, report).await;
    assert_eq!(resources.len(), outcomes.len(), "{report}");
    for (resource, outcome) in resources.iter().zip(outcomes) {
        let (kind, name) = (text(resource, "/kind"), text(resource, "/metadata/name"));
        let what = format!("{report}: {kind} {name}");
        let args = ["apply", "-n", &w.ns, "-f", "-"];
        let applied = w.plane.kubectl_with_input(args, &resource.to_string()).await;
        match outcome {
            Refused(words) => {
                let said = applied.refused();
                assert!(said.contains(words), "{what}: {said} lacks {words:?}");
            }
            Is(reason, words) => {
                applied.ok();
                becomes(w, &what, &kind, &name, [reason, words]).await;
            }
        }
    }
}

async fn becomes(w: &World, what: &str, kind: &str, name: &str, [reason, words]: [&str; 2]) {
    wait::until(&format!("{what} is {reason}: {words}"), SOON, async || {
        let now = get(w, kind, name).await;
        let conditions = now["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let ready = conditions
            .into_iter()
            .find(|condition| condition["type"] == "Ready");
        let is_so = ready.as_ref().is_some_and(|ready| {
            ready["reason"] == reason
                && ready["observedGeneration"] == now["metadata"]["generation"]
                && text(ready, "/message").contains(words)
        });
        if is_so {
            Seen::Yes(())
        } else {
            wait::not_yet(ready)
        }
    })
    .await;
}

async fn get(w: &World, kind: &str, name: &str) -> Value {
    let args = ["get", kind, name, "-n", &w.ns, "-o", "json"];
    serde_json::from_str(&w.plane.kubectl(args).await.ok()).expect("JSON")
}

fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The rule of an AlertRule, as Grafana has it.
async fn rule(w: &World, name: &str) -> Value {
    let uid = text(&get(w, "AlertRule", name).await, "/status/uid");
    w.grafana.rule(&uid).await.expect("the rule is in Grafana")
}

/// Starts a world whose rules ask metrics where they don't say otherwise, as those that are reported do.
async fn of_metrics(options: grafana::Options) -> World {
    let w = world::start_connected(options, json!({"defaultDatasource": {"uid": "vm"}})).await;
    let source = json!({
        "name": "VM", "uid": "vm", "type": "victoriametrics-metrics-datasource", "access": "proxy", "url": "http://127.0.0.1:9",
    });
    w.grafana.post("/api/datasources", source).await.ok();
    w
}

#[apply(any_release)]
async fn reported_rules_are_stored_told_or_refused() {
    let w = of_metrics(grafana::Options::default()).await;
    let stored = || Is("Synced", "");
    let slash = "write \\/ for a slash within a title";
    for (report, outcomes) in [
        (
            "label-severity-from-value",
            vec![Is("Synced", "spec.labels[severity] holds the value")],
        ),
        (
            "label-text-with-value",
            vec![Is("Synced", "spec.labels[meta] holds the value")],
        ),
        ("ratio-of-nothing-is-nan", vec![stored(), stored(), stored()]),
        ("ratio-is-infinite", vec![stored(), stored()]),
        (
            "annotation-query-function",
            vec![Is(
                "Synced",
                "spec.annotations[description]: query asks the data source again",
            )],
        ),
        ("annotation-range-over-values", vec![stored()]),
        (
            "group-with-slash",
            vec![Refused("a group's name holds no / and no \\")],
        ),
        ("folder-title-with-slash", vec![Refused(slash), stored()]),
        ("label-with-empty-value", vec![stored()]),
        (
            "contact-point-per-rule",
            vec![Is(
                "DependencyMissing",
                "spec.notificationSettings.receiver: ContactPoint",
            )],
        ),
        (
            "recording-rule",
            vec![Refused("data and record.from belong together")],
        ),
        ("victoriametrics-data-source", vec![stored()]),
        (
            "dashboard-without-panel",
            vec![
                Is(
                    "Invalid",
                    "spec.annotations[__dashboardUid__]: needs __panelId__ beside it",
                ),
                Is(
                    "Invalid",
                    "spec.annotations[__panelId__]: must be the panel's number",
                ),
                stored(),
            ],
        ),
    ] {
        feed(&w, report, &outcomes).await;
    }
    assert_eq!(
        rule(&w, "provider-values").await["annotations"]["summary"],
        "{{ with $values }}{{ range $k, $v := . }}{{ $v.Labels.provider }}: {{ humanize $v }}{{ end }}{{ end }}",
        "what Grafana's own variables say is left as it is written"
    );
    assert_eq!(rule(&w, "drop-a-label").await["labels"]["instance"], "");
    assert_eq!(
        rule(&w, "on-victoriametrics").await["data"][0]["datasourceUid"],
        "vm"
    );
    w.proxy.reset();
    wait::never("something is written at rest", A_WHILE, async || {
        !w.proxy.requests().writes().is_empty()
    })
    .await;
}

#[apply(any_release)]
async fn reported_contact_points_are_stored_or_refused() {
    let w = world::start().await;
    for (report, outcomes) in [
        (
            "contact-point-without-integrations",
            vec![Refused("For alerts that nobody is to get, take a webhook")],
        ),
        (
            "webhook-headers-payload-oauth",
            vec![Is("Synced", ""), Is("Synced", "")],
        ),
        (
            "redacted-from-export",
            vec![Refused("[REDACTED] is what Grafana shows in place of a secret")],
        ),
        (
            "pagerduty-eu-and-templates",
            vec![Is("Synced", ""), Is("Synced", "")],
        ),
    ] {
        feed(&w, report, &outcomes).await;
    }
    for name in ["webhook-full", "webhook-typed-header"] {
        let hook = w.grafana.contact_point(name).await;
        assert_eq!(hook[0]["settings"]["headers"]["X-Team"], "web", "{hook:#?}");
    }
    let european = w.grafana.contact_point("pagerduty-eu").await;
    assert_eq!(
        european[0]["settings"]["url"], "https://events.eu.pagerduty.com/v2/enqueue",
        "{european:#?}"
    );
    let pagerduty = w.grafana.contact_point("pagerduty").await;
    assert_eq!(
        pagerduty[0]["settings"]["severity"], "{{ .CommonLabels.severity }}",
        "{pagerduty:#?}"
    );
}

#[apply(any_release)]
async fn reported_trees_are_stored_or_refused_with_their_place() {
    let w = world::start().await;
    let ops = json!({"integrations": [{"email": {"addresses": ["ops@example.com"]}}]});
    w.put("ContactPoint", "ops", ops).await;
    let (first, one) = ("spec.routes[0].matchers[0]: ", "write one matcher an entry");
    feed(&w, "matcher-composed", &[Refused(one)]).await;
    feed(&w, "matcher-unquoted-comma", &[Is("Invalid", first)]).await;
    feed(&w, "matcher-regex-go-only", &[Is("Synced", "")]).await;
    let stored = w.grafana.policy_tree().await;
    feed(&w, "matcher-regex-rust-only", &[Is("Invalid", first)]).await;
    feed(
        &w,
        "mute-timings",
        &[Is(
            "DependencyMissing",
            "spec.routes[0].muteTimeIntervals[0]: TimeInterval ",
        )],
    )
    .await;
    assert_eq!(
        w.grafana.policy_tree().await,
        stored,
        "the tree that was there stays"
    );
}

#[apply(any_release)]
async fn reported_silences_are_stored_as_they_are_written() {
    let w = world::start().await;
    feed(&w, "silence-until-9999", &[Is("Synced", "")]).await;
    feed(&w, "silence-odd-label-names", &[Is("Synced", "")]).await;
    let silences = w.grafana.active_silences().await;
    assert!(
        silences
            .iter()
            .any(|silence| text(silence, "/endsAt").starts_with("9999-12-3")),
        "{silences:#?}"
    );
    let odd = w
        .api::<Silence>()
        .await
        .get("odd-names")
        .await
        .expect("it is there");
    let shown = odd.status.unwrap_or_default();
    assert!(
        shown.matchers.iter().any(|matcher| matcher == r#""a=b,c"="1""#),
        "{:?}",
        shown.matchers
    );
    assert_eq!(shown.matches_alerts, Some(0));
}

#[apply(any_release)]
async fn a_rule_beyond_the_quota_says_so_and_the_others_stay() {
    let options = grafana::Options {
        settings: vec![
            "quota.enabled=true".to_owned(),
            "quota.org_alert_rule=1".to_owned(),
        ],
        ..grafana::Options::default()
    };
    let w = of_metrics(options).await;
    feed(
        &w,
        "quota-of-rules",
        &[
            Is("Synced", ""),
            Is("Invalid", "quota has been exceeded; have the quota raised"),
        ],
    )
    .await;
    becomes(&w, "the first", "AlertRule", "fits", ["Synced", ""]).await;
}
