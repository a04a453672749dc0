//! The history of states, of a Loki that refuses or cuts what is too much for it.

use std::sync::Mutex;

use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::grafana::api::history::{KeptIn, Past};

/// The limits of a Loki, and what it was asked.
struct Loki {
    /// Seconds that it looks over at most.
    longest: i64,
    /// Lines that it lets itself be asked for.
    most: usize,
    /// Lines that it gives, whatever it was asked for.
    gives: usize,
    /// When changes were, in seconds, the oldest first.
    changes: Vec<i64>,
    asked: Mutex<Vec<(i64, i64)>>,
}

fn answer(loki: &Loki, asked: &str) -> Response {
    let number = |name: &str| {
        let mut pairs = asked.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(own, _)| *own == name);
        found.unwrap().1.parse::<i64>().unwrap()
    };
    let (from, to) = (number("from"), number("to"));
    let limit = usize::try_from(number("limit")).unwrap();
    let refused = |why: &str| {
        let body = json!({"message": why}).to_string();
        (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
    };
    if to - from > loki.longest {
        return refused("the query time range exceeds the limit");
    }
    if limit > loki.most {
        return refused("max entries limit per query exceeded");
    }
    loki.asked.lock().unwrap().push((from, to));
    let found: Vec<i64> = loki
        .changes
        .iter()
        .rev()
        .filter(|at| (from..to).contains(at))
        .take(limit.min(loki.gives))
        .copied()
        .collect();
    let times: Vec<i64> = found.iter().map(|at| at * 1000).collect();
    let line = |at: &i64| json!({"ruleUID": "a", "previous": "Normal", "current": "Alerting", "labels": {"at": at.to_string()}});
    let lines: Vec<Value> = found.iter().map(line).collect();
    let frame = json!({"schema": {"fields": [{"name": "time"}, {"name": "line"}]}, "data": {"values": [times, lines]}});
    frame.to_string().into_response()
}

const DAY: i64 = 24 * 3600;

/// What is read of the last 20 days, and how many pieces were looked at.
async fn read(loki: Loki) -> (Result<Past>, Vec<(i64, i64)>) {
    let loki = Arc::new(loki);
    let there = Arc::clone(&loki);
    let history = async move |request: Request| answer(&there, request.uri().query().unwrap_or_default());
    let router = Router::new()
        .route("/api/v1/rules/history", get(history))
        .route("/api/annotations", get(async || "[]"))
        .route("/api/v1/provisioning/alert-rules", get(async || "[]"));
    let grafana = grafana(router).await;
    let to = Timestamp::from_second(20_000 * DAY).unwrap();
    let from = to - SignedDuration::from_hours(20 * 24);
    let past = grafana.history.changes(from, to).await;
    let asked = loki.asked.lock().unwrap().clone();
    (past, asked)
}

/// A Loki with so many changes in each of the 20 days.
fn loki(a_day: i64) -> Loki {
    let days = (20_000 - 20)..20_000;
    let changes = days.flat_map(|day| (0..a_day).map(move |second| day * DAY + 60 + second));
    Loki {
        longest: 8 * DAY,
        most: 5000,
        gives: 5000,
        changes: changes.collect(),
        asked: Mutex::default(),
    }
}

#[tokio::test]
async fn a_loki_is_asked_in_pieces_of_no_more_than_a_week() {
    let (past, asked) = read(loki(2)).await;
    let past = past.unwrap();
    assert_eq!(
        (past.kept_in, past.changes.len(), past.is_cut),
        (KeptIn::Loki, 40, false)
    );
    assert!(past.changes.is_sorted_by_key(|change| change.at));
    assert_eq!(asked.len(), 3);
    assert!(
        asked.iter().all(|(from, to)| to - from <= 7 * DAY + 1),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_a_server_cuts_is_asked_for_again_and_what_it_refuses_for_less() {
    let all = 20 * 200;
    let cutting = Loki {
        gives: 300,
        ..loki(200)
    };
    let past = read(cutting).await.0.unwrap();
    assert_eq!((past.changes.len(), past.is_cut), (all, false));
    let refusing = Loki {
        most: 500,
        ..loki(200)
    };
    let past = read(refusing).await.0.unwrap();
    assert_eq!((past.changes.len(), past.is_cut), (all, false));
}

#[tokio::test]
async fn more_than_an_answer_holds_at_one_moment_is_said_to_be_cut() {
    let mut burst = loki(1);
    burst.most = 100;
    let at = burst.changes[15];
    burst.changes = vec![at; 150];
    burst.changes.push(at + DAY);
    let past = read(burst).await.0.unwrap();
    assert!(past.is_cut);
    assert_eq!(past.changes.first().unwrap().at.as_second(), at);
}

#[tokio::test]
async fn a_loki_that_fails_is_not_a_history_without_changes() {
    let failing = Loki {
        longest: 0,
        ..loki(1)
    };
    assert!(read(failing).await.0.is_err());
    let body = r#"{"message": "ruleUID is required to query annotations"}"#;
    let router = Router::new()
        .route(
            "/api/v1/rules/history",
            get(async move || (StatusCode::INTERNAL_SERVER_ERROR, body)),
        )
        .route("/api/annotations", get(async || "[]"))
        .route("/api/v1/provisioning/alert-rules", get(async || "[]"));
    let grafana = grafana(router).await;
    let past = grafana
        .history
        .changes(Timestamp::UNIX_EPOCH, Timestamp::MAX)
        .await;
    assert_eq!(past.unwrap().kept_in, KeptIn::Annotations);
}

#[tokio::test]
async fn a_loki_that_fails_is_told_also_where_old_annotations_are_there() {
    let body = r#"{"message": "too many outstanding requests"}"#;
    let annotation = r#"[{"id": 1, "alertUID": "a", "newState": "Alerting", "prevState": "Normal", "time": 1000, "text": "a {b=c} - Alerting"}]"#;
    let router = Router::new()
        .route(
            "/api/v1/rules/history",
            get(async move || (StatusCode::INTERNAL_SERVER_ERROR, body)),
        )
        .route("/api/annotations", get(async move || annotation))
        .route("/api/v1/provisioning/alert-rules", get(async || "[]"));
    let grafana = grafana(router).await;
    let past = grafana
        .history
        .changes(Timestamp::UNIX_EPOCH, Timestamp::from_second(10_000).unwrap())
        .await
        .unwrap();
    assert_eq!(past.changes.len(), 1);
    assert!(past.failed.unwrap().contains("too many outstanding requests"));
}
