//! Rules that the newer API refuses, or may have: nothing is written through another API than before until that was told.

use std::collections::BTreeMap;

use http::Method;
use parking_lot::Mutex;

use super::*;
use crate::grafana::api::{FoundRule, Preference, Provenance, RuleWrite, Why};
use crate::grafana::error::{Class, Error};
use crate::grafana::model::AlertRule;

const BETA: &str = "rules.alerting.grafana.app/v1beta1";
const RULER: &str = "/api/ruler/grafana/api/v1/rules";

/// What a Grafana answers, for a test to change.
#[derive(Clone, Default)]
struct World {
    /// What the kinds, the list and single objects of the newer API are answered with.
    kinds: Arc<Mutex<StatusCode>>,
    list: Arc<Mutex<StatusCode>>,
    single: Arc<Mutex<StatusCode>>,
    /// What its writes are answered with, by what the path or body has in it; success without.
    writes: Arc<Mutex<BTreeMap<&'static str, StatusCode>>>,
    /// What the older API answers everything with.
    older: Arc<Mutex<StatusCode>>,
    /// Whether its addresses but the list aren't there any more.
    is_gone_but_for_the_list: Arc<Mutex<bool>>,
    /// Who was written to, since the last time.
    written: Arc<Mutex<Vec<&'static str>>>,
}

impl World {
    /// A Grafana that goes through this API for rules, or whose first choice it is, and is asked for the newer one.
    async fn serve(&self, before: Option<&str>) -> Grafana {
        let world = self.clone();
        let grafana = serve(Router::new().fallback(any(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let body = if body.is_empty() { "{}".to_owned() } else { body };
            world.answer(&parts.method, parts.uri.path(), &body)
        })))
        .await;
        prefer(&grafana, true, before);
        grafana
    }

    fn answer(&self, method: &Method, path: &str, body: &str) -> Response {
        let answer = |status: StatusCode, body: &str| {
            let refusal = json!({"message": "not so"}).to_string();
            let body = if status.is_success() { body } else { &refusal };
            (status, body.to_owned()).into_response()
        };
        let below = path
            .strip_prefix("/apis/")
            .and_then(|path| path.strip_prefix(BETA));
        match (below, method) {
            (None, _) if path == "/api/health" => answer(StatusCode::OK, r#"{"database": "ok"}"#),
            (None, _) if path != RULER && *self.is_gone_but_for_the_list.lock() => {
                let nowhere = json!({"message": "Not found", "traceID": ""}).to_string();
                (StatusCode::NOT_FOUND, nowhere).into_response()
            }
            (None, &Method::GET) => {
                let found = if path == RULER {
                    "{}"
                } else {
                    r#"{"uid": "r", "title": "by the older one", "folderUID": "f", "ruleGroup": "g", "folderUid": "f", "interval": 60, "rules": []}"#
                };
                answer(*self.older.lock(), found)
            }
            (None, _) => {
                self.written.lock().push("older");
                answer(*self.older.lock(), body)
            }
            (Some(""), _) => {
                let verbs = ["create", "delete", "get", "list", "update"];
                let kinds =
                    ["alertrules", "recordingrules"].map(|name| json!({"name": name, "verbs": verbs}));
                answer(*self.kinds.lock(), &json!({"resources": kinds}).to_string())
            }
            (Some(below), &Method::GET) if below.ends_with("rules") => {
                answer(*self.list.lock(), r#"{"items": []}"#)
            }
            (Some(_), &Method::GET) => {
                answer(*self.single.lock(), r#"{"metadata": {"name": "r"}, "spec": {}}"#)
            }
            (Some(_), _) => {
                self.written.lock().push("newer");
                let writes = self.writes.lock();
                let of = |(what, status): (&&str, &StatusCode)| {
                    (path.contains(what) || body.contains(what)).then_some(*status)
                };
                answer(writes.iter().find_map(of).unwrap_or_default(), body)
            }
        }
    }

    fn written(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.written.lock())
    }
}

fn prefer(grafana: &Grafana, platform_rules: bool, before: Option<&str>) {
    grafana.apis.prefer(Preference {
        platform_rules,
        rules_before: before.map(Api::from),
    });
}

async fn choose(grafana: &Grafana) {
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
}

/// Chooses, and tells it.
async fn told(grafana: &Grafana) {
    choose(grafana).await;
    grafana.apis.told(&grafana.apis.capabilities());
}

fn api(grafana: &Grafana) -> Option<String> {
    let api = grafana.apis.capabilities().apis.remove(&Concern::Rules);
    api.map(|api| api.to_string())
}

fn fallback(grafana: &Grafana) -> Option<Fallback> {
    grafana.apis.capabilities().fallbacks.remove(&Concern::Rules)
}

fn rule(uid: &str) -> AlertRule {
    AlertRule {
        uid: uid.to_owned(),
        title: uid.to_owned(),
        folder_uid: "f".to_owned(),
        interval: Duration::from_secs(60),
        ..AlertRule::default()
    }
}

async fn put(grafana: &Grafana, uid: &str) -> Result<(), Error> {
    let rule = rule(uid);
    let write = RuleWrite {
        rule: &rule,
        found: None,
        only_interval: false,
        interval_by_itself: &|| Duration::from_secs(60),
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    grafana.rules.put(write).await.map(drop)
}

async fn delete(grafana: &Grafana, uid: &str) -> Result<(), Error> {
    let found = FoundRule::of(&rule(uid));
    grafana.rules.delete(&found, Provenance::Api).await
}

fn is_unsettled(answer: &Result<(), Error>) -> bool {
    matches!(answer, Err(error @ Error::Unsettled { .. })
        if error.class() == Class::Transient && error.changed_nothing() && !error.outcome_unknown())
}

#[tokio::test]
async fn a_rule_that_may_not_be_written_goes_through_the_older_api_once_that_was_told_and_all_others_stay() {
    for status in [StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED] {
        let world = World::default();
        let grafana = world.serve(Some(BETA)).await;
        choose(&grafana).await;
        world.writes.lock().insert("closed", status);
        for _ in 0..2 {
            assert!(is_unsettled(&put(&grafana, "closed").await));
            assert!(is_unsettled(&delete(&grafana, "closed").await));
            assert_eq!(world.written(), ["newer", "newer"], "it isn't told yet");
        }
        let told = grafana.apis.capabilities();
        let why = &told.fallbacks[&Concern::Rules];
        assert!(
            matches!(why, Fallback::WritesRefused(why) if why.contains(status.as_str()) && !why.contains("not so")),
            "{why:?}"
        );
        assert_eq!(told.change, None, "no other rule changes its API");
        grafana.apis.told(&told);
        put(&grafana, "closed").await.unwrap();
        delete(&grafana, "closed").await.unwrap();
        assert_eq!(world.written(), ["newer", "older", "newer", "older"]);
        put(&grafana, "open").await.unwrap();
        grafana.rules.list().await.unwrap();
        choose(&grafana).await;
        put(&grafana, "open").await.unwrap();
        assert_eq!(world.written(), ["newer", "newer"]);
        assert_eq!(
            (api(&grafana).as_deref(), grafana.apis.is_stale()),
            (Some(BETA), false)
        );
        assert_eq!(fallback(&grafana).as_ref(), Some(why));

        // It is over once the rule is taken.
        world.writes.lock().clear();
        put(&grafana, "closed").await.unwrap();
        assert_eq!((world.written(), fallback(&grafana)), (vec!["newer"], None));
        world.writes.lock().insert("closed", status);
        assert!(is_unsettled(&put(&grafana, "closed").await), "it is told anew");
    }
}

#[tokio::test]
async fn what_both_refuse_to_write_is_said_in_the_words_of_the_older_one() {
    let world = World::default();
    let grafana = world.serve(Some(BETA)).await;
    choose(&grafana).await;
    world.writes.lock().insert("closed", StatusCode::FORBIDDEN);
    put(&grafana, "closed").await.unwrap_err();
    told(&grafana).await;
    for (older, class) in [
        (StatusCode::BAD_REQUEST, Class::Rejected),
        // Where it isn't there, it isn't what says why.
        (StatusCode::NOT_FOUND, Class::Forbidden),
    ] {
        *world.older.lock() = older;
        assert_eq!(put(&grafana, "closed").await.unwrap_err().class(), class);
    }
}

#[tokio::test]
async fn what_the_newer_api_refuses_for_what_it_is_does_not_go_to_the_older_one() {
    let world = World::default();
    let grafana = world.serve(Some(BETA)).await;
    choose(&grafana).await;
    for status in [400, 401, 404, 409, 500] {
        let status = StatusCode::from_u16(status).unwrap();
        world.writes.lock().insert("closed", status);
        put(&grafana, "closed").await.unwrap_err();
        told(&grafana).await;
        put(&grafana, "closed").await.unwrap_err();
        assert_eq!(
            (world.written(), fallback(&grafana)),
            (vec!["newer", "newer"], None),
            "{status}"
        );
    }
}

#[tokio::test]
async fn that_one_rule_may_not_be_read_moves_nothing() {
    for status in [StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED] {
        let world = World::default();
        let grafana = world.serve(Some(BETA)).await;
        choose(&grafana).await;
        *world.single.lock() = status;
        let found = grafana.rules.get("r").await.unwrap().unwrap();
        assert_eq!(found.title, "by the older one");
        let capabilities = grafana.apis.capabilities();
        assert_eq!(
            (api(&grafana).as_deref(), capabilities.change),
            (Some(BETA), None)
        );
        assert!(capabilities.fallbacks.is_empty() && !grafana.apis.is_stale());
        put(&grafana, "r").await.unwrap();
        assert_eq!(world.written(), ["newer"]);
    }
}

#[tokio::test]
async fn when_the_newer_api_is_closed_nothing_is_written_until_the_change_to_the_older_one_is_told() {
    for (is_hidden, before) in [(false, Some(BETA)), (true, Some(BETA)), (false, None)] {
        let world = World::default();
        let grafana = world.serve(before).await;
        choose(&grafana).await;
        world.writes.lock().insert("r", StatusCode::FORBIDDEN);
        assert!(is_unsettled(&put(&grafana, "r").await));
        world.written();
        *world.list.lock() = StatusCode::FORBIDDEN;
        if is_hidden {
            *world.kinds.lock() = StatusCode::NOT_FOUND;
        }
        grafana
            .rules
            .list()
            .await
            .expect("what is read may come from the older one");
        assert!(grafana.apis.is_stale());
        choose(&grafana).await;
        assert!(!grafana.apis.is_stale());
        let due = grafana.apis.capabilities();
        let change = due
            .change
            .as_ref()
            .map(|change| (change.to.clone(), change.why, change.is_made));
        assert_eq!(change, Some((Api::Provisioning, Why::Unusable, false)));
        assert_eq!(api(&grafana).as_deref(), Some(BETA));
        assert!(is_unsettled(&put(&grafana, "r").await) && is_unsettled(&delete(&grafana, "r").await));
        grafana.rules.list().await.unwrap();
        assert_eq!(world.written(), [""; 0], "it isn't told yet");
        grafana.apis.told(&due);
        put(&grafana, "r").await.unwrap();
        assert_eq!(world.written(), ["older"]);
        grafana.rules.list().await.unwrap();
        let over = grafana.apis.capabilities();
        assert_eq!(
            (over.change, api(&grafana).as_deref()),
            (None, Some("provisioning"))
        );
        let expected = if is_hidden {
            Fallback::NotServed
        } else {
            fallback(&grafana).unwrap()
        };
        assert_eq!(fallback(&grafana), Some(expected));
        // Back again is a change as any.
        (*world.list.lock(), *world.kinds.lock()) = (StatusCode::OK, StatusCode::OK);
        choose(&grafana).await;
        assert_eq!(fallback(&grafana), None, "what was refused before is over");
        assert!(
            grafana
                .apis
                .capabilities()
                .change
                .is_some_and(|change| !change.is_made)
        );
        put(&grafana, "r").await.unwrap();
        assert_eq!(world.written(), ["older"]);
    }
}

#[tokio::test]
async fn a_list_that_was_refused_once_and_not_again_changes_nothing() {
    let world = World::default();
    let grafana = world.serve(Some(BETA)).await;
    choose(&grafana).await;
    *world.list.lock() = StatusCode::FORBIDDEN;
    grafana.rules.list().await.unwrap();
    *world.list.lock() = StatusCode::OK;
    choose(&grafana).await;
    let capabilities = grafana.apis.capabilities();
    assert_eq!(
        (capabilities.change, api(&grafana).as_deref()),
        (None, Some(BETA))
    );
    put(&grafana, "r").await.unwrap();
    assert_eq!(world.written(), ["newer"]);
}

#[tokio::test]
async fn while_it_is_not_known_which_api_there_is_rules_are_read_and_not_written() {
    for before in [Some(BETA), None] {
        let world = World::default();
        let grafana = world.serve(before).await;
        *world.kinds.lock() = StatusCode::SERVICE_UNAVAILABLE;
        for _ in 0..2 {
            grafana.apis.choose(&settings(Some("org-2"))).await.unwrap_err();
            grafana.rules.list().await.unwrap();
            grafana.rules.get("r").await.unwrap();
            assert!(is_unsettled(&put(&grafana, "r").await) && is_unsettled(&delete(&grafana, "r").await));
            assert_eq!(world.written(), [""; 0]);
            let capabilities = grafana.apis.capabilities();
            assert_eq!(api(&grafana).as_deref(), before, "what was used isn't forgotten");
            assert_eq!(
                (capabilities.change, capabilities.fallbacks.get(&Concern::Rules)),
                (None, None)
            );
        }
        *world.kinds.lock() = StatusCode::OK;
        choose(&grafana).await;
        put(&grafana, "r").await.unwrap();
        assert_eq!(
            (world.written(), api(&grafana).as_deref()),
            (vec!["newer"], Some(BETA))
        );
        assert_eq!(grafana.apis.capabilities().change, None);
    }
}

#[tokio::test]
async fn where_there_is_no_api_for_rules_any_more_that_is_told_and_none_changes() {
    for asks in [true, false] {
        let world = World::default();
        let grafana = world.serve(Some("provisioning")).await;
        prefer(&grafana, asks, Some("provisioning"));
        *world.kinds.lock() = StatusCode::NOT_FOUND;
        *world.older.lock() = StatusCode::NOT_FOUND;
        choose(&grafana).await;
        grafana.rules.list().await.unwrap_err();
        choose(&grafana).await;
        assert_eq!(fallback(&grafana), Some(Fallback::Neither));
        assert_eq!(grafana.apis.capabilities().change, None);
    }
}

#[tokio::test]
async fn where_the_older_api_lists_rules_and_writes_none_any_more_they_change_to_the_newer_one_and_stay() {
    let world = World::default();
    let grafana = world.serve(Some("provisioning")).await;
    prefer(&grafana, false, Some("provisioning"));
    choose(&grafana).await;
    put(&grafana, "a").await.unwrap();
    *world.is_gone_but_for_the_list.lock() = true;
    for answer in [put(&grafana, "b").await, delete(&grafana, "a").await] {
        assert_eq!(answer.unwrap_err().class(), Class::Missing);
    }
    // That rules can be listed says nothing of it.
    grafana.rules.list().await.unwrap();
    assert!(grafana.apis.is_stale());
    world.written();
    choose(&grafana).await;
    let change = grafana.apis.capabilities().change.expect("a change");
    assert_eq!((change.why, change.is_made), (Why::Gone, false));
    grafana.apis.told(&grafana.apis.capabilities());
    put(&grafana, "b").await.unwrap();
    delete(&grafana, "a").await.unwrap();
    assert_eq!(world.written(), ["newer", "newer"]);
    grafana.rules.list().await.unwrap();
    choose(&grafana).await;
    assert_eq!(
        (api(&grafana).as_deref(), grafana.apis.capabilities().change),
        (Some(BETA), None)
    );

    // The next process sees it too, and what is there again.
    let grafana = world.serve(None).await;
    prefer(&grafana, false, Some(BETA));
    choose(&grafana).await;
    assert_eq!(
        (api(&grafana).as_deref(), grafana.apis.capabilities().change),
        (Some(BETA), None)
    );
    *world.is_gone_but_for_the_list.lock() = false;
    choose(&grafana).await;
    let back = grafana.apis.capabilities().change.map(|change| change.why);
    assert_eq!(back, Some(Why::NotAsked));
}
