//! The calls against a server that answers as `/apis` does: which address they use, what they send, and what they make of the answers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::Class;
use crate::grafana::api::Rules as _;
use crate::grafana::model::AlertRule;
use crate::grafana::transport::{Auth, Connection, Tls};

mod groups;
mod writes;

const ALERTS: &str = "/apis/rules.alerting.grafana.app/v1beta1/namespaces/default/alertrules";
const RECORDINGS: &str = "/apis/rules.alerting.grafana.app/v1beta1/namespaces/default/recordingrules";

/// One call as it came, without what stands before the namespace, and with its body.
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// A Grafana that gives one answer after the other for a method and address, and the last one again.
struct Script {
    answers: BTreeMap<String, Vec<(StatusCode, Value)>>,
    seen: Seen,
}

impl Script {
    fn new() -> Self {
        Self {
            answers: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    fn answers(mut self, call: &str, status: u16, body: Value) -> Self {
        let answer = (StatusCode::from_u16(status).unwrap(), body);
        self.answers.entry(call.to_owned()).or_default().push(answer);
        self
    }

    /// A client of it, to which all marks that begin with `ours` are ours.
    async fn serve(self) -> (Rules, Seen) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (seen, answers) = (self.seen.clone(), Arc::new(Mutex::new(self.answers)));
        let noted = seen.clone();
        let router = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let call = format!("{} {}", parts.method, parts.uri);
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            noted.lock().push((call.clone(), body));
            let mut answers = answers.lock();
            match answers.get_mut(&call) {
                Some(all) if all.len() > 1 => all.remove(0).into_response_of(),
                Some(all) => all[0].clone().into_response_of(),
                None if call == "GET /api/health" => {
                    (StatusCode::OK, json!({"database": "ok"})).into_response_of()
                }
                None => (StatusCode::NOT_FOUND, status(404, "not found")).into_response_of(),
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = Connection {
            url: format!("http://{}", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
            auth: Auth::Token("token".into()),
            org_id: None,
            tls: Tls::default(),
            headers: Vec::new(),
            proxy: None,
            user_agent: "test".to_owned(),
        };
        tokio::spawn(axum::serve(listener, router).into_future());
        let transport = Arc::new(Transport::new(&connection, Arc::new(())).unwrap());
        let kinds = Rules::PLURALS.map(|plural| Kind {
            group: Rules::GROUP,
            version: "v1beta1",
            plural,
            is_watchable: false,
        });
        let company = Company {
            is_ours: Arc::new(|mark| mark.starts_with("ours")),
            ..Company::default()
        };
        (Rules::new(&transport, kinds, "default", company), seen)
    }
}

trait IntoResponseOf {
    fn into_response_of(self) -> axum::response::Response;
}

impl IntoResponseOf for (StatusCode, Value) {
    fn into_response_of(self) -> axum::response::Response {
        (self.0, self.1.to_string()).into_response()
    }
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message})
}

fn rule() -> AlertRule {
    AlertRule {
        uid: "r".to_owned(),
        folder_uid: "f".to_owned(),
        group: Some("g".to_owned()),
        interval: Duration::from_secs(60),
        title: "T".to_owned(),
        no_data_state: "OK".to_owned(),
        exec_err_state: "Error".to_owned(),
        ..AlertRule::default()
    }
}

/// The same rule as Grafana shows it.
fn object(name: &str, group: Option<(&str, &str)>, interval: &str, owner: &str) -> Value {
    let mut object = json!({
        "metadata": {"name": name, "resourceVersion": "7", "labels": {"grafana.app/folder": "f"},
            "annotations": {"grafana.app/folder": "f", "grafana.com/provenance": "api", "grafana.app/updatedTimestamp": "2026-01-01T00:00:00Z"}},
        "spec": {"title": "T", "trigger": {"interval": interval}, "labels": {}, "annotations": {}, "expressions": {}, "noDataState": "Ok", "execErrState": "Error"},
        "status": {"health": "OK"},
    });
    if let Some((group, index)) = group {
        object["metadata"]["labels"]["grafana.com/group"] = json!(group);
        object["metadata"]["labels"]["grafana.com/group-index"] = json!(index);
    }
    if !owner.is_empty() {
        object["spec"]["labels"]["__alertwright__"] = json!(owner);
    }
    object
}

fn page(objects: &[Value], next: &str) -> Value {
    json!({"metadata": {"continue": next}, "items": objects})
}

fn found_of(object: Value) -> FoundRule {
    found(serde_json::from_value(object).unwrap())
}

async fn put(rules: &Rules, rule: &AlertRule, found: Option<&FoundRule>) -> Result<Stored> {
    let write = RuleWrite {
        rule,
        found,
        only_interval: false,
        interval_by_itself: &|| Duration::from_secs(60),
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    rules.put(write).await
}

fn calls(seen: &Seen) -> Vec<String> {
    let short = |call: &str| {
        call.replace(ALERTS, "alertrules")
            .replace(RECORDINGS, "recordingrules")
    };
    seen.lock().drain(..).map(|(call, _)| short(&call)).collect()
}

#[tokio::test]
async fn rules_of_both_kinds_are_listed_page_by_page() {
    let list = |kind: &str, next: &str| {
        let next = if next.is_empty() {
            String::new()
        } else {
            format!("&continue={next}")
        };
        format!("GET {kind}?limit=500{next}")
    };
    let mut recording = object("c", None, "1m", "");
    recording["spec"]["metric"] = json!("errors:sum");
    let (rules, seen) = Script::new()
        .answers(
            &list(ALERTS, ""),
            200,
            page(&[object("a", Some(("g", "2")), "1m30s", "ours/1")], "next"),
        )
        .answers(
            &list(ALERTS, "next"),
            200,
            page(&[object("b", None, "10s", "")], ""),
        )
        .answers(&list(RECORDINGS, ""), 200, page(&[recording], ""))
        .serve()
        .await;
    let all = api::Rules::list(&rules).await.unwrap().items;
    let told = |rule: &FoundRule| {
        (
            rule.uid.clone(),
            rule.group.clone(),
            rule.interval.as_secs(),
            rule.owner.clone(),
            rule.metric.clone(),
        )
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [
            ("a".to_owned(), text("g"), 90, text("ours/1"), None),
            ("b".to_owned(), None, 10, None, None),
            ("c".to_owned(), None, 60, None, text("errors:sum")),
        ]
    );
    assert_eq!(all[0].folder_uid, "f");
    assert_eq!(all[0].provenance.as_deref(), Some("api"));
    assert_eq!(
        all[0].updated.0.map(|time| time.to_string()).as_deref(),
        Some("2026-01-01T00:00:00Z")
    );
    assert_eq!(
        calls(&seen),
        [
            "GET alertrules?limit=500",
            "GET alertrules?limit=500&continue=next",
            "GET recordingrules?limit=500"
        ]
    );
}

#[tokio::test]
async fn a_list_of_which_a_page_fails_is_none() {
    let (rules, _) = Script::new()
        .answers(
            &format!("GET {ALERTS}?limit=500"),
            200,
            page(&[object("a", None, "1m", "")], "next"),
        )
        .answers(
            &format!("GET {ALERTS}?limit=500&continue=next"),
            503,
            status(503, "later"),
        )
        .serve()
        .await;
    assert_eq!(
        api::Rules::list(&rules).await.unwrap_err().class(),
        Class::Transient
    );
}

#[tokio::test]
async fn a_list_whose_next_page_is_gone_is_begun_anew_once_and_then_fails_for_a_while() {
    let first = format!("GET {ALERTS}?limit=500");
    let next = format!("{first}&continue=next");
    let gone = |code: u16| (code, status(code, "the provided continue parameter is too old"));
    for (code, refusal) in [gone(410), gone(404)] {
        let (rules, seen) = Script::new()
            .answers(&first, 200, page(&[object("a", None, "1m", "")], "next"))
            .answers(&next, code, refusal.clone())
            .answers(&next, 200, page(&[object("b", None, "1m", "")], ""))
            .answers(&format!("GET {RECORDINGS}?limit=500"), 200, page(&[], ""))
            .serve()
            .await;
        let all = api::Rules::list(&rules).await.unwrap().items;
        let uids: Vec<_> = all.into_iter().map(|rule| rule.uid).collect();
        assert_eq!(uids, ["a", "b"]);
        assert_eq!(seen.lock().len(), 5);
        let (rules, seen) = Script::new()
            .answers(&first, 200, page(&[object("a", None, "1m", "")], "next"))
            .answers(&next, code, refusal)
            .serve()
            .await;
        let error = api::Rules::list(&rules).await.unwrap_err();
        assert_eq!(error.class(), Class::Transient, "{error}");
        assert_eq!(seen.lock().len(), 4);
        // Without a page before it says that there is no such list.
        let (rules, _) = Script::new()
            .answers(&first, code, status(code, "no"))
            .serve()
            .await;
        assert_eq!(
            api::Rules::list(&rules).await.unwrap_err().class(),
            Class::Missing
        );
    }
}

#[tokio::test]
async fn a_list_whose_pages_lead_back_ends() {
    let first = format!("GET {ALERTS}?limit=500");
    let (rules, seen) = Script::new()
        .answers(&first, 200, page(&[], "a"))
        .answers(&format!("{first}&continue=a"), 200, page(&[], "b"))
        .answers(&format!("{first}&continue=b"), 200, page(&[], "a"))
        .serve()
        .await;
    let error = api::Rules::list(&rules).await.unwrap_err();
    assert_eq!(error.class(), Class::Transient, "{error}");
    assert_eq!(seen.lock().len(), 3);
}

#[test]
fn a_selector_names_only_what_it_can() {
    assert_eq!(
        selector("f", "g-1.x"),
        "grafana.app/folder=f,grafana.com/group=g-1.x"
    );
    assert_eq!(selector("f", "my group"), "grafana.app/folder=f");
    assert_eq!(selector("-f", &"g".repeat(64)), "");
    assert_eq!(selector("f_", ""), "");
}

#[tokio::test]
async fn a_rule_of_either_kind_is_found_by_its_uid_and_goes_from_where_it_is() {
    let mut recording = object("r", None, "1m", "");
    recording["spec"]["metric"] = json!("errors:sum");
    let (rules, seen) = Script::new()
        .answers(&format!("GET {RECORDINGS}/r"), 200, recording)
        .answers(&format!("DELETE {RECORDINGS}/r"), 200, json!({}))
        .serve()
        .await;
    let found = api::Rules::get(&rules, "r").await.unwrap().unwrap();
    assert_eq!(found.metric.as_deref(), Some("errors:sum"));
    rules.delete(&found, Provenance::Api).await.unwrap();
    assert_eq!(
        calls(&seen),
        [
            "GET alertrules/r",
            "GET /api/health",
            "GET recordingrules/r",
            "DELETE recordingrules/r"
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_is_an_answer_and_for_a_deletion_the_end() {
    let (rules, _) = Script::new().serve().await;
    assert_eq!(api::Rules::get(&rules, "r").await.unwrap(), None);
    let before = found_of(object("r", None, "1m", ""));
    rules.delete(&before, Provenance::Api).await.unwrap();
    assert_eq!(
        put(&rules, &rule(), Some(&before)).await.unwrap_err().class(),
        Class::Missing
    );
    let before = FoundRule {
        revision: None,
        ..before
    };
    assert_eq!(
        put(&rules, &rule(), Some(&before)).await.unwrap_err().class(),
        Class::Missing
    );
}
