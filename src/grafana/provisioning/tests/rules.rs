//! Rules, and the groups that have their interval.

use axum::routing::delete;
use parking_lot::Mutex;

use super::*;

const TWO: Duration = Duration::from_secs(120);

/// A Grafana that stores every rule and has one answer for every group; it keeps what it was asked.
#[derive(Clone)]
struct Groups {
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    group: Value,
    /// What a PUT of a group ends with.
    status: StatusCode,
}

impl Groups {
    /// A group with this interval and these marks on its rules.
    fn with(interval: u64, marks: &[&str]) -> Self {
        let rule = |mark: &&str| json!({"uid": format!("of {mark}"), "labels": {"__alertwright__": mark}});
        let rules: Vec<_> = marks.iter().map(rule).collect();
        Self {
            asked: Arc::default(),
            group: json!({"title": "g", "folderUid": "f", "interval": interval, "rules": rules}),
            status: StatusCode::OK,
        }
    }

    fn router(&self) -> Router {
        let this = self.clone();
        Router::new().fallback(any(async move |request: Request| {
            let asked = format!("{} {}", request.method(), request.uri().path());
            let body = axum::body::to_bytes(request.into_body(), usize::MAX)
                .await
                .unwrap();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            this.asked.lock().push((asked.clone(), body));
            let is_group = asked.contains("/rule-groups/");
            match is_group {
                true if asked.starts_with("GET") => (StatusCode::OK, this.group.to_string()),
                true => (this.status, json!({"message": "no"}).to_string()),
                false => (StatusCode::OK, "{}".to_owned()),
            }
        }))
    }

    /// What was asked, the common part left out.
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        let short = |(asked, _): &(String, Value)| asked.replace("/api/v1/provisioning/", "");
        asked.iter().map(short).collect()
    }

    fn last(&self) -> Value {
        self.asked.lock().last().unwrap().1.clone()
    }

    async fn client(&self) -> Grafana {
        grafana_among(self.router(), company()).await
    }
}

fn company() -> Company {
    Company {
        is_ours: Arc::new(|mark| mark.starts_with("own/")),
        ..Company::default()
    }
}

fn every(interval: Duration) -> AlertRule {
    AlertRule {
        interval,
        ..rule("aw-1")
    }
}

const CREATE: &str = "POST alert-rules";
const UPDATE: &str = "PUT alert-rules/aw-1";
const LOOK: &str = "GET folder/f/rule-groups/g";
const SET: &str = "PUT folder/f/rule-groups/g";

#[tokio::test]
async fn a_rule_is_read_with_the_interval_of_its_group() {
    let rule = json!({"uid": "aw-1", "folderUID": "f", "ruleGroup": "g h", "title": "T", "for": "5m", "provenance": "api",
        "data": null, "labels": {"__alertwright__": "own/ns/name"}});
    let router = Router::new()
        .route(
            "/api/v1/provisioning/alert-rules/aw-1",
            get(async move || rule.to_string()),
        )
        .route(
            "/api/v1/provisioning/folder/f/rule-groups/g%20h",
            get(async || {
                json!({"title": "g h", "folderUid": "f", "interval": 120, "rules": null}).to_string()
            }),
        );
    let wish = AlertRule {
        group: Some("g h".to_owned()),
        interval: TWO,
        title: "T".to_owned(),
        r#for: "5m".to_owned(),
        labels: [("__alertwright__".to_owned(), "own/ns/name".to_owned())].into(),
        ..super::rule("aw-1")
    };
    let expected = FoundRule::written(&wish, Provenance::Api);
    assert_eq!(
        grafana(router).await.rules.get("aw-1").await.unwrap(),
        Some(expected)
    );
}

#[tokio::test]
async fn a_rule_is_one_call_where_the_interval_is_as_wished_by_itself() {
    let groups = Groups::with(60, &["own/ns/a"]);
    let grafana = groups.client().await;
    for before in [None, Some(&found("aw-1"))] {
        let stored = put(&grafana, &every(MINUTE), before).await.unwrap();
        assert_eq!(stored.found, FoundRule::written(&every(MINUTE), Provenance::Api));
        assert!(stored.kept.is_none() && stored.failure.is_none() && !stored.is_of_group);
    }
    assert_eq!(groups.asked(), [CREATE, UPDATE]);
}

#[tokio::test]
async fn another_interval_is_set_for_the_whole_group_without_listing_rules() {
    let groups = Groups::with(60, &["own/ns/a", "own/ns/b"]);
    let stored = put(&groups.client().await, &every(TWO), None).await.unwrap();
    assert_eq!(groups.asked(), [CREATE, LOOK, SET]);
    assert_eq!(
        groups.last(),
        json!({"title": "g", "folderUid": "f", "interval": 120})
    );
    assert_eq!(stored.found.interval, TWO);
    assert!(stored.is_of_group);
}

#[tokio::test]
async fn nothing_is_set_where_the_group_has_the_interval_by_now() {
    let groups = Groups::with(120, &["own/ns/a"]);
    let stored = put(&groups.client().await, &every(TWO), None).await.unwrap();
    assert_eq!(groups.asked(), [CREATE, LOOK]);
    assert!(stored.is_of_group && stored.found.interval == TWO);
}

#[tokio::test]
async fn a_group_with_a_rule_of_somebody_elses_keeps_its_interval() {
    for (interval, kept) in [(60, Some(60)), (120, None)] {
        let groups = Groups::with(interval, &["own/ns/a", "else/ns/b"]);
        let grafana = groups.client().await;
        let before = FoundRule {
            folder_uid: "another".to_owned(),
            ..found("aw-1")
        };
        let stored = put(&grafana, &every(TWO), Some(&before)).await.unwrap();
        assert_eq!(groups.asked(), [UPDATE, LOOK], "{interval}");
        assert_eq!(stored.found.interval.as_secs(), interval);
        let told = stored.kept.map(|kept| (kept.interval.as_secs(), kept.because_of));
        assert_eq!(told, kept.map(|kept| (kept, "of else/ns/b".to_owned())));
    }
}

/// Writes nothing but the interval.
async fn slow_down(grafana: &Grafana) -> Result<Stored> {
    let (rule, found) = (every(TWO), found("aw-1"));
    let write = RuleWrite {
        rule: &rule,
        found: Some(&found),
        only_interval: true,
        interval_by_itself: &|| MINUTE,
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    grafana.rules.put(write).await
}

#[tokio::test]
async fn the_interval_alone_leaves_the_rule_itself_alone() {
    let mut groups = Groups::with(60, &["own/ns/a"]);
    let stored = slow_down(&groups.client().await).await.unwrap();
    assert_eq!(groups.asked(), [LOOK, SET]);
    let expected = FoundRule {
        interval: TWO,
        ..found("aw-1")
    };
    assert_eq!(stored.found, expected);
    groups.status = StatusCode::BAD_REQUEST;
    assert!(slow_down(&groups.client().await).await.is_err());
}

#[tokio::test]
async fn a_rule_that_is_stored_is_so_though_its_interval_is_refused() {
    let mut groups = Groups::with(60, &["own/ns/a"]);
    groups.status = StatusCode::BAD_REQUEST;
    let stored = put(&groups.client().await, &every(TWO), None).await.unwrap();
    assert_eq!(groups.asked(), [CREATE, LOOK, SET]);
    assert_eq!(stored.found, FoundRule::written(&every(MINUTE), Provenance::Api));
    assert_eq!(stored.failure.unwrap().class(), Class::Rejected);
    assert!(!stored.is_of_group && !stored.is_in_doubt);
}

#[tokio::test]
async fn whether_an_interval_was_set_whose_write_has_no_answer_is_in_doubt() {
    let mut groups = Groups::with(60, &["own/ns/a"]);
    groups.status = StatusCode::INTERNAL_SERVER_ERROR;
    let stored = put(&groups.client().await, &every(TWO), None).await.unwrap();
    assert_eq!(groups.asked(), [CREATE, LOOK, SET]);
    assert!(stored.failure.is_some() && stored.is_in_doubt);
    // A look at the group sets nothing.
    groups.group = json!("none");
    let stored = put(&groups.client().await, &every(TWO), None).await.unwrap();
    assert!(stored.failure.is_some() && !stored.is_in_doubt);
}

#[tokio::test]
async fn a_copy_of_a_rule_of_ours_keeps_its_interval_though_it_carries_our_mark() {
    for (has_written, sets) in [(Some(false), false), (None, true), (Some(true), true)] {
        let groups = Groups::with(60, &["own/ns/a"]);
        let grafana = groups.client().await;
        let stored = put_among(&grafana, &every(TWO), None, has_written).await;
        let kept = stored.unwrap().kept.map(|kept| kept.because_of);
        assert_eq!(kept, (!sets).then(|| "of own/ns/a".to_owned()), "{has_written:?}");
        assert_eq!(groups.asked().contains(&SET.to_owned()), sets, "{has_written:?}");
    }
}

#[tokio::test]
async fn after_a_move_the_group_is_looked_at_and_a_rule_that_kept_its_own_interval_gets_the_groups() {
    let moved = |interval| FoundRule {
        group: Some("before".to_owned()),
        interval,
        ..found("aw-1")
    };
    // Grafana 10 lets the rule keep its own interval, so that one says nothing of the other.
    for (before, group, expected) in [
        (TWO, 120, vec![UPDATE, LOOK]),
        (TWO, 60, vec![UPDATE, LOOK, SET]),
        (MINUTE, 120, vec![UPDATE, LOOK, SET]),
    ] {
        let groups = Groups::with(group, &["own/ns/a"]);
        let stored = put(&groups.client().await, &every(TWO), Some(&moved(before))).await;
        assert_eq!(groups.asked(), expected, "{before:?} into {group}");
        assert_eq!(stored.unwrap().found.interval, TWO);
    }
}

#[tokio::test]
async fn a_rule_without_a_group_keeps_the_one_that_stands_for_none() {
    let groups = Groups::with(60, &["own/ns/a"]);
    let before = FoundRule {
        group: None,
        ..found("aw-1")
    };
    let grafana = groups.client().await;
    let stored = put(&grafana, &every(TWO), Some(&before)).await.unwrap();
    let none = "folder/f/rule-groups/no_group_for_rule_aw-1";
    assert_eq!(
        groups.asked(),
        [UPDATE.to_owned(), format!("GET {none}"), format!("PUT {none}")]
    );
    let sent = groups.asked.lock()[0].1["ruleGroup"].clone();
    assert_eq!(sent, "no_group_for_rule_aw-1");
    assert_eq!(groups.last()["title"], "no_group_for_rule_aw-1");
    assert_eq!((stored.found.group, stored.found.interval), (None, TWO));
}

/// Fails if this doesn't wait: others, who have no need to, meanwhile come to an end again and again.
async fn waits<T>(grafana: &Grafana, work: &mut (impl Future<Output = T> + Unpin)) {
    let elsewhere = AlertRule {
        group: Some("elsewhere".to_owned()),
        ..every(TWO)
    };
    for _ in 0..10 {
        tokio::select! {
            biased;
            _ = &mut *work => panic!("it didn't wait"),
            other = put(grafana, &elsewhere, None) => drop(other.unwrap()),
        }
    }
}

#[tokio::test]
async fn who_waits_for_its_turn_asks_for_the_interval_only_then_and_a_turn_lasts_until_its_outcome_is_noted()
{
    let groups = Groups::with(60, &["own/ns/a"]);
    let grafana = groups.client().await;
    let known = Mutex::new(MINUTE);
    let first = put(&grafana, &every(TWO), None).await.unwrap();
    let (rule, interval) = (every(TWO), || *known.lock());
    let write = RuleWrite {
        rule: &rule,
        found: None,
        only_interval: false,
        interval_by_itself: &interval,
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    let mut second = grafana.rules.put(write);
    waits(&grafana, &mut second).await;
    *known.lock() = TWO;
    let asked = groups.asked().len();
    drop(first);
    second.await.unwrap();
    assert_eq!(groups.asked()[asked..], [CREATE]);
}

#[tokio::test]
async fn a_move_waits_for_both_groups_and_a_deletion_for_its_own() {
    let groups = Groups::with(60, &["own/ns/a"]);
    let company = company();
    let grafana = grafana_among(groups.router(), company.clone()).await;
    let before = FoundRule {
        group: Some("before".to_owned()),
        ..found("aw-1")
    };
    let rule = every(MINUTE);
    for group in ["before", "g"] {
        let turn = company.groups.lock(("f".to_owned(), group.to_owned())).await;
        let mut moved = Box::pin(put(&grafana, &rule, Some(&before)));
        waits(&grafana, &mut moved).await;
        let mut deleted = grafana.rules.delete(&before, Provenance::Api);
        if group == "before" {
            waits(&grafana, &mut deleted).await;
        }
        drop(turn);
        moved.await.unwrap();
        deleted.await.unwrap();
    }
}

#[tokio::test]
async fn a_delete_without_provenance_says_so() {
    let router = Router::new().route(
        "/api/v1/provisioning/alert-rules/aw-1",
        delete(async |request: Request| {
            let named = request.headers().contains_key("x-disable-provenance");
            if named {
                StatusCode::NO_CONTENT
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }),
    );
    let rules = grafana(router).await.rules;
    rules.delete(&found("aw-1"), Provenance::None).await.unwrap();
    assert!(rules.delete(&found("aw-1"), Provenance::Api).await.is_err());
}
