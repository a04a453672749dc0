//! The world that the pages show: the example of Revel, with alerts and a silence, on a Grafana that people have filled before.

use std::collections::HashMap;
use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::control_plane::ControlPlane;
use alertwright_testbed::grafana::Version;
use alertwright_testbed::{Grafana, HttpSink, Loki, Operator, Proxy, SmtpSink, grafana, operator, wait};
use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use kube::{Api, Client};
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::world::{self, Reported};

/// Rules are evaluated once a minute.
pub const SOON: Duration = Duration::from_secs(120);

pub const HOME: &str = "alertwright-system";
pub const NS: &str = "revel";

/// A cluster with the operator, and its Grafana.
pub struct Filled {
    pub plane: ControlPlane,
    pub grafana: Grafana,
    pub proxy: Proxy,
    pub operator: Operator,
    /// Takes what contact points send; what is below `/broken` is refused.
    pub hooks: HttpSink,
    /// Where somebody types.
    pub desk: Desk,
    /// What was printed before the operator was installed.
    pub early: HashMap<String, Vec<String>>,
    _mail: SmtpSink,
    loki: Loki,
}

/// When payments failed: so many hours ago, for so many minutes, so often a minute. Where it was but a minute the rule's condition held for ten.
const BURSTS: [(i32, i32, i32); 7] = [
    (150, 25, 4),
    (122, 1, 9),
    (99, 1, 8),
    (74, 40, 5),
    (51, 1, 7),
    (26, 18, 3),
    (5, 30, 6),
];

/// What is typed before there is an operator.
const EARLY: [&str; 1] = ["GRAFANA_URL=http://grafana.example kubectl alertwright doctor --pre"];

/// One of the contact points that somebody has made by hand.
pub const FOREIGN_POINT: &str = "weekend-oncall";

/// Objects in Grafana that are none of ours, by kind: 500 in all.
pub const FOREIGN: [(&str, usize); 5] = [
    ("rules", 300),
    ("contact points", 80),
    ("time intervals", 40),
    ("templates", 40),
    ("silences", 40),
];

const PEOPLE: [&str; 4] = ["ann", "bob", "carla", "dmitri"];
const TEAMS: [&str; 6] = ["checkout", "search", "mobile", "data", "platform", "support"];

/// Starts it with the people and oddities that commands are tried on.
pub async fn with_all() -> Filled {
    let filled = start().await;
    filled.reader().await;
    filled.neighbour().await;
    filled.lossy().await;
    filled.keeper().await;
    filled.odd().await;
    filled
}

/// Starts it, as the README says it: manifests, a token, an address.
pub async fn start() -> Filled {
    let plane = ControlPlane::start().await.expect("a control plane of its own");
    let (hooks, mail) = (HttpSink::start().await, SmtpSink::start().await);
    hooks.refuse("/broken");
    let options = grafana::Options {
        version: Version::CURRENT,
        interval: Duration::from_secs(10),
        smtp: Some(mail.address()),
        pagerduty: Some(format!("{}/broken/pagerduty", hooks.url())),
        ..grafana::Options::default()
    };
    let grafana = Grafana::start(options).await.expect("grafana starts");
    let loki = Loki::start().await.expect("loki starts");
    grafana.add_loki_datasource(&loki, "loki", "Loki", true).await;
    let proxy = Proxy::start(grafana.url()).await;
    by_hand(&grafana).await;
    let desk = Desk::new(&plane, proxy.url());
    let mut early = HashMap::new();
    for line in EARLY {
        early.insert(line.to_owned(), desk.types(line).await);
    }
    let operator = install(&plane, &grafana, &proxy).await;
    let filled = Filled {
        plane,
        grafana,
        proxy,
        operator,
        hooks,
        desk,
        early,
        _mail: mail,
        loki,
    };
    filled.history().await;
    filled.example().await;
    filled
}

async fn install(plane: &ControlPlane, grafana: &Grafana, proxy: &Proxy) -> Operator {
    let deploy = world::root().join("deploy").to_string_lossy().into_owned();
    plane
        .kubectl(["apply", "--server-side", "-k", &deploy])
        .await
        .ok();
    plane.kubectl(["create", "namespace", NS]).await.ok();
    let token = grafana.account("Admin").await.token;
    let more = json!({"resyncInterval": "1m", "unrestrictedNamespaces": {"names": ["taken-over"]}});
    world::connect(plane, HOME, &proxy.url(), &token, more).await;
    // What the Deployment's pod would run.
    let kubeconfig = plane.service_account(HOME, "alertwright").await;
    operator::Options::new(env!("CARGO_BIN_EXE_alertwright"), &kubeconfig)
        .env("POD_NAMESPACE", HOME)
        .env("POD_NAME", "alertwright-7c9f6d5b8-xk2p2")
        .env("LEADER_ELECT", "true")
        .env("OWNER_ID", "prod")
        .start()
        .await
        .expect("the operator starts")
}

impl Filled {
    /// A client with all rights.
    pub async fn client(&self) -> Client {
        self.plane.admin().await
    }

    /// Applies a resource of ours.
    pub async fn put(&self, kind: &str, name: &str, spec: Value) {
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        self.plane.apply(&object.to_string(), NS).await;
    }

    /// Changes a rule and the tree, as a person does in Grafana.
    pub async fn change_by_hand(&self) {
        let rules: Api<AlertRule> = Api::namespaced(self.client().await, NS);
        let rule = rules.get("gdpr-export-failures").await.expect("a rule");
        let uid = rule.status.and_then(|status| status.uid).expect("a uid");
        let path = format!("/api/v1/provisioning/alert-rules/{uid}");
        let mut rule = self.grafana.get(&path).await.ok();
        rule["for"] = json!("10m");
        rule["annotations"]["summary"] = json!("An export failed, see ticket OPS-7");
        self.grafana.put(&path, rule).await.ok();
        let mut tree = self.grafana.policy_tree().await;
        tree["group_wait"] = json!("7m");
        self.grafana
            .put(crate::notification_policy::POLICIES, tree)
            .await
            .ok();
    }

    /// Waits until `Ready` of a resource has this reason.
    pub async fn reason<K: Reported>(&self, name: &str, reason: &str) -> K {
        let api: Api<K> = Api::namespaced(self.client().await, NS);
        wait::until(
            &format!("{} {name} is {reason}", K::kind(&())),
            SOON,
            async || {
                let object = api.get_opt(name).await.ok().flatten()?;
                let ready = object.conditions().into_iter().find(|c| c.type_ == "Ready")?;
                (ready.reason == reason && ready.observed_generation == object.meta().generation)
                    .then_some(object)
            },
        )
        .await
    }

    /// Makes a rule by hand that no resource can say.
    pub async fn lossy(&self) {
        let mut lossy = rule(0);
        lossy["title"] = json!("Lossy");
        lossy["labels"] = json!({"__team__": "checkout"});
        let rules = "/api/v1/provisioning/alert-rules";
        self.grafana
            .write_as_frontend(Method::POST, rules, lossy)
            .await
            .ok();
    }

    /// How many resources of a kind are in sync in a namespace.
    pub async fn synced<K: Reported>(&self, namespace: &str) -> usize {
        let api: Api<K> = Api::namespaced(self.client().await, namespace);
        let all = api
            .list(&ListParams::default())
            .await
            .map(|list| list.items)
            .unwrap_or_default();
        let is_ready = |object: &&K| {
            object
                .conditions()
                .iter()
                .any(|c| c.type_ == "Ready" && c.status == "True")
        };
        all.iter().filter(is_ready).count()
    }

    /// Logs of a week: payments that failed for a while on most days, and what fires now.
    async fn history(&self) {
        let hour = SignedDuration::from_hours(1);
        let second = SignedDuration::from_secs(1);
        // At whole minutes a backtest evaluates, so that what it finds doesn't depend on the second.
        let minute = Timestamp::now().as_second() / 60 * 60;
        let minute = Timestamp::from_second(minute).expect("a time");
        let mut payments: Vec<Timestamp> = Vec::new();
        for (hours, minutes, lines) in BURSTS {
            for of in 0..minutes {
                for line in 0..lines {
                    payments.push(minute - hour * hours + second * (of * 60 + line + 10));
                }
            }
        }
        let now = Timestamp::now();
        self.log(
            "error",
            r#"{"event": "stripe_payment_failed", "amount": "42.00"}"#,
            &payments,
        )
        .await;
        let lately: Vec<Timestamp> = (1..=8)
            .map(|ago| now - SignedDuration::from_secs(ago * 20))
            .collect();
        self.log("error", r#"{"event": "gdpr_export_failed"}"#, &lately)
            .await;
        self.log(
            "info",
            r#"{"event": "account_deletion_blocked_owns_organizations"}"#,
            &lately,
        )
        .await;
    }

    /// Lines of Revel's log, of these times.
    async fn log(&self, level: &str, line: &str, at: &[Timestamp]) {
        let values: Vec<Value> = at
            .iter()
            .map(|at| json!([at.as_nanosecond().to_string(), line]))
            .collect();
        let body = json!({"streams": [{"stream": {"service": "revel", "level": level}, "values": values}]});
        let url = format!("{}/loki/api/v1/push", self.loki.url());
        let answer = alertwright_testbed::http::client()
            .post(&url)
            .json(&body)
            .send()
            .await
            .expect("an answer of Loki");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The example as it is shipped, whose Secret has no key for Discord, and a silence.
    async fn example(&self) {
        let hook = |name: &str| format!("{}/{name}", self.hooks.url());
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "revel-alerting"},
            "stringData": {
                "slack-payments-url": hook("payments"), "slack-security-url": hook("security"),
                "slack-analytics-url": hook("analytics"), "pagerduty-integration-key": "R0UT1NGK3Y",
            },
        });
        self.plane.apply(&secret.to_string(), NS).await;
        let example = world::root()
            .join("deploy/examples/revel")
            .to_string_lossy()
            .into_owned();
        self.plane
            .kubectl(["apply", "--server-side", "-k", &example])
            .await
            .ok();
        let silence = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "account-cleanup"},
            "spec": {"alertRules": {"names": ["blocked-account-deletions"]}, "duration": "2h", "comment": "Old accounts are cleaned up"},
        });
        self.plane.apply(&silence.to_string(), NS).await;
        self.reason::<ContactPoint>("discord", "DependencyMissing").await;
        self.reason::<NotificationPolicy>("revel", "Synced").await;
        self.reason::<Silence>("account-cleanup", "Synced").await;
        let rules: Api<AlertRule> = Api::namespaced(self.client().await, NS);
        wait::until(
            "the example's rules have states, and two fire",
            SOON,
            async || {
                let all = rules
                    .list(&ListParams::default())
                    .await
                    .map(|list| list.items)
                    .unwrap_or_default();
                let state = |rule: &AlertRule| rule.status.as_ref().and_then(|status| status.state.clone());
                let fire = all
                    .iter()
                    .filter(|rule| state(rule).as_deref() == Some("Firing"))
                    .count();
                (all.len() == 10 && fire == 2 && all.iter().all(|rule| state(rule).is_some())).then_some(())
            },
        )
        .await;
        let points: Api<ContactPoint> = Api::namespaced(self.client().await, NS);
        wait::until("the mail is sent", 2 * SOON, async || {
            let status = points.get("default-email").await.ok()?.status?;
            (status.delivery.as_deref() == Some("OK")).then_some(())
        })
        .await;
    }
}

/// Fills a Grafana as people do in its pages: nothing is provisioned.
async fn by_hand(grafana: &Grafana) {
    let count = |kind: &str| {
        FOREIGN
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or(0, |(_, count)| *count)
    };
    let write = async |method: Method, path: &str, body: Value| {
        grafana.write_as_frontend(method, path, body).await.ok();
    };
    for team in TEAMS {
        let folder = json!({"uid": team, "title": format!("{} alerts", capital(team))});
        grafana.post("/api/folders", folder).await.ok();
    }
    for number in 0..count("rules") {
        write(Method::POST, "/api/v1/provisioning/alert-rules", rule(number)).await;
    }
    for number in 0..count("contact points") {
        let team = TEAMS[number % TEAMS.len()];
        let name = match number {
            2 => FOREIGN_POINT.to_owned(),
            _ => format!("{} {}", capital(team), number / TEAMS.len() + 1),
        };
        let point = match number % 3 {
            0 => {
                json!({"name": name, "type": "slack", "settings": {"url": format!("https://hooks.slack.com/services/{number}"), "recipient": "#alerts"}})
            }
            1 => {
                json!({"name": name, "type": "email", "settings": {"addresses": format!("{team}@example.com"), "singleEmail": true}})
            }
            _ => {
                json!({"name": name, "type": "webhook", "settings": {"url": format!("https://example.com/{team}/{number}")}})
            }
        };
        write(Method::POST, "/api/v1/provisioning/contact-points", point).await;
    }
    for number in 0..count("time intervals") {
        let times = json!({"times": [{"start_time": format!("{:02}:00", number % 20), "end_time": format!("{:02}:30", number % 20 + 3)}]});
        let interval = json!({"name": format!("Window {}", number + 1), "time_intervals": [times]});
        write(Method::POST, "/api/v1/provisioning/mute-timings", interval).await;
    }
    for number in 0..count("templates") {
        let name = format!("text-{}", number + 1);
        let template = json!({"template": format!("{{{{ define \"{name}\" }}}}{{{{ .Status }}}} {number}{{{{ end }}}}")});
        write(
            Method::PUT,
            &format!("/api/v1/provisioning/templates/{name}"),
            template,
        )
        .await;
    }
    let now = Timestamp::now();
    for number in 0..count("silences") {
        let ends = now + SignedDuration::from_hours(24 + i64::try_from(number).unwrap_or_default());
        let silence = json!({
            "matchers": [{"name": "ticket", "value": format!("OPS-{}", number + 100), "isRegex": false, "isEqual": true}],
            "createdBy": PEOPLE[number % PEOPLE.len()], "comment": format!("OPS-{}", number + 100), "startsAt": now, "endsAt": ends,
        });
        grafana
            .post("/api/alertmanager/grafana/api/v2/silences", silence)
            .await
            .ok();
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// A rule as Grafana's pages make one; every tenth combines two queries.
fn rule(number: usize) -> Value {
    let team = TEAMS[number % TEAMS.len()];
    let query = |ref_id: &str, expr: String| {
        json!({
            "refId": ref_id, "queryType": "instant", "relativeTimeRange": {"from": 600, "to": 0}, "datasourceUid": "loki",
            "model": {"refId": ref_id, "expr": expr, "queryType": "instant", "editorMode": "code", "intervalMs": 1000, "maxDataPoints": 43200},
        })
    };
    let expression = |ref_id: &str, mut model: Value| {
        model["refId"] = json!(ref_id);
        model["datasource"] = json!({"type": "__expr__", "uid": "__expr__"});
        json!({"refId": ref_id, "queryType": "", "relativeTimeRange": {"from": 0, "to": 0}, "datasourceUid": "__expr__", "model": model})
    };
    let errors = format!(r#"sum(count_over_time({{service="{team}"}} |= "error {number}" [10m]))"#);
    let (data, condition) = if number % 10 == 9 {
        let all = format!(r#"sum(count_over_time({{service="{team}"}} [10m]))"#);
        let share = expression("C", json!({"type": "math", "expression": "$A / $B > 0.05"}));
        (json!([query("A", errors), query("B", all), share]), "C")
    } else {
        let reduce =
            json!({"type": "reduce", "reducer": "last", "expression": "A", "settings": {"mode": "dropNN"}});
        let evaluator = json!([{"type": "query", "evaluator": {"type": "gt", "params": [number % 7 + 1]}}]);
        let threshold = json!({"type": "threshold", "expression": "B", "conditions": evaluator});
        (
            json!([
                query("A", errors),
                expression("B", reduce),
                expression("C", threshold)
            ]),
            "C",
        )
    };
    let severity = ["critical", "high", "warning"][number % 3];
    json!({
        "title": format!("{} errors {}", capital(team), number / TEAMS.len() + 1), "folderUID": team, "ruleGroup": format!("{team} {}", number % 3),
        "orgID": 1, "condition": condition, "data": data, "noDataState": "OK", "execErrState": "Error", "for": "5m",
        "labels": {"severity": severity, "team": team},
        "annotations": {"summary": format!("Errors in {team}")},
    })
}
