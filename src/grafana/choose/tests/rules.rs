//! Rules, which change their API only where that is asked for or must be, and when it was told.

use super::*;
use crate::grafana::api::{Api, Change, Preference, Why};

const BETA: &str = "rules.alerting.grafana.app/v1beta1";
const ALPHA: &str = "rules.alerting.grafana.app/v0alpha1";
const RULER: &str = "/api/ruler/grafana/api/v1/rules";

/// What this Grafana answers, for a test to change.
#[derive(Clone)]
struct World {
    /// What can be done with alert rules of the newer API.
    verbs: Vec<&'static str>,
    /// What the list of rules of the newer API answers.
    newer: Arc<Mutex<StatusCode>>,
    /// The same of the older one.
    older: Arc<Mutex<StatusCode>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            verbs: vec!["create", "delete", "get", "list", "update"],
            newer: Arc::default(),
            older: Arc::default(),
            calls: Arc::default(),
        }
    }
}

impl World {
    /// A Grafana that serves this version of rules.
    async fn serve(&self, version: &'static str) -> Grafana {
        let world = self.clone();
        let router = Router::new().fallback(any(async move |request: Request| -> Response {
            let path = request.uri().path().to_owned();
            world.calls.lock().push(path.clone());
            let refusal = json!({"message": "not here"}).to_string();
            let answer = |status: StatusCode, body: &str| {
                let body = if status.is_success() { body } else { &refusal };
                (status, body.to_owned()).into_response()
            };
            let kinds = json!({"resources": [
                {"name": "alertrules", "verbs": world.verbs}, {"name": "recordingrules", "verbs": ["delete", "get", "list"]},
            ]});
            match path.as_str() {
                "/api/health" => answer(StatusCode::OK, r#"{"database": "ok"}"#),
                RULER => answer(*world.older.lock(), "{}"),
                path if path == format!("/apis/{version}") => answer(StatusCode::OK, &kinds.to_string()),
                path if path.starts_with(&format!("/apis/{version}/namespaces/org-2/")) => {
                    answer(*world.newer.lock(), r#"{"items": []}"#)
                }
                _ => answer(StatusCode::NOT_FOUND, ""),
            }
        }));
        serve(router).await
    }

    /// Which API the calls since the last time were for.
    fn seen(&self) -> (bool, bool) {
        let calls = std::mem::take(&mut *self.calls.lock());
        let older = calls.iter().any(|path| path == RULER);
        (older, calls.iter().any(|path| path.contains("/apis/rules.")))
    }
}

const OLDER: (bool, bool) = (true, false);
const NEWER: (bool, bool) = (false, true);

fn prefer(grafana: &Grafana, platform_rules: bool, before: Option<&str>) {
    grafana.apis.prefer(Preference {
        platform_rules,
        rules_before: before.map(Api::from),
    });
}

async fn choose(grafana: &Grafana) {
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
}

fn api(grafana: &Grafana) -> String {
    grafana.apis.capabilities().apis[&Concern::Rules].to_string()
}

fn change(grafana: &Grafana) -> Option<Change> {
    grafana.apis.capabilities().change
}

#[tokio::test]
async fn rules_go_through_the_older_api_and_the_newer_one_is_not_looked_for_unless_it_is_asked_for() {
    let world = World::default();
    let grafana = world.serve(BETA).await;
    choose(&grafana).await;
    grafana.rules.list().await.unwrap();
    assert_eq!((world.seen(), api(&grafana).as_str()), (OLDER, "provisioning"));
}

#[tokio::test]
async fn an_instance_that_asks_from_the_first_has_nothing_to_change() {
    let world = World::default();
    let grafana = world.serve(BETA).await;
    prefer(&grafana, true, None);
    choose(&grafana).await;
    grafana.rules.list().await.unwrap();
    assert_eq!((world.seen(), api(&grafana).as_str()), (NEWER, BETA));
    assert_eq!(change(&grafana), None);
}

#[tokio::test]
async fn a_change_that_is_asked_for_is_made_when_it_was_told_and_over_once_rules_are_listed() {
    for (asks, before, to, why) in [
        (true, "provisioning", Api::Platform(BETA.to_owned()), Why::Asked),
        (false, BETA, Api::Provisioning, Why::NotAsked),
    ] {
        let due = |to: Api| Change {
            to,
            why,
            is_made: false,
        };
        let world = World::default();
        let grafana = world.serve(BETA).await;
        prefer(&grafana, asks, Some(before));
        choose(&grafana).await;
        assert_eq!(change(&grafana), Some(due(to.clone())));
        world.seen();
        grafana.rules.list().await.unwrap();
        assert_eq!(world.seen(), if asks { OLDER } else { NEWER }, "it wasn't told");
        assert_eq!(api(&grafana), before);
        choose(&grafana).await;
        assert_eq!(change(&grafana), Some(due(to.clone())));
        grafana.apis.told(&grafana.apis.capabilities());
        assert!(change(&grafana).is_some_and(|change| change.is_made));
        assert_eq!(api(&grafana), to.to_string());
        world.seen();
        grafana.rules.list().await.unwrap();
        assert_eq!(world.seen(), if asks { NEWER } else { OLDER });
        assert_eq!(change(&grafana), None);
    }
}

#[tokio::test]
async fn where_the_older_api_is_gone_the_newer_one_is_taken_also_by_the_next_process() {
    let world = World::default();
    let grafana = world.serve(ALPHA).await;
    prefer(&grafana, false, Some("provisioning"));
    choose(&grafana).await;
    assert!(!grafana.apis.is_stale());
    *world.older.lock() = StatusCode::NOT_FOUND;
    grafana.rules.list().await.unwrap_err();
    assert!(grafana.apis.is_stale());
    choose(&grafana).await;
    assert!(!grafana.apis.is_stale());
    assert_eq!(change(&grafana).map(|change| change.why), Some(Why::Gone));
    grafana.apis.told(&grafana.apis.capabilities());
    grafana.rules.list().await.unwrap();
    assert_eq!((api(&grafana).as_str(), change(&grafana)), (ALPHA, None));

    let grafana = world.serve(ALPHA).await;
    prefer(&grafana, false, Some(ALPHA));
    choose(&grafana).await;
    assert_eq!((api(&grafana).as_str(), change(&grafana)), (ALPHA, None));
    // It is there again.
    *world.older.lock() = StatusCode::OK;
    choose(&grafana).await;
    assert_eq!(change(&grafana).map(|change| change.to), Some(Api::Provisioning));
}

#[tokio::test]
async fn what_cannot_be_seen_for_a_while_is_not_gone() {
    let world = World::default();
    let grafana = world.serve(BETA).await;
    prefer(&grafana, false, Some(BETA));
    *world.older.lock() = StatusCode::SERVICE_UNAVAILABLE;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap_err();
    assert_eq!(change(&grafana), None);
    prefer(&grafana, false, Some("provisioning"));
    choose(&grafana).await;
    grafana.rules.list().await.unwrap_err();
    assert!(!grafana.apis.is_stale());
}

#[tokio::test]
async fn where_the_newer_api_is_asked_for_and_refused_the_older_one_goes_on_and_says_why() {
    let world = World::default();
    let grafana = world.serve(BETA).await;
    prefer(&grafana, true, Some("provisioning"));
    *world.newer.lock() = StatusCode::FORBIDDEN;
    choose(&grafana).await;
    grafana.rules.list().await.unwrap();
    assert_eq!((api(&grafana).as_str(), change(&grafana)), ("provisioning", None));
    let fallback = &grafana.apis.capabilities().fallbacks[&Concern::Rules];
    assert!(
        matches!(fallback, Fallback::Refused(why) if why.contains("not here")),
        "{fallback:?}"
    );
    world.seen();
    grafana.rules.list().await.unwrap();
    assert_eq!(world.seen(), OLDER, "it isn't tried each time");
    // It may be used again: that is a change, too.
    *world.newer.lock() = StatusCode::OK;
    choose(&grafana).await;
    assert_eq!(change(&grafana).map(|change| change.why), Some(Why::Asked));
    assert!(grafana.apis.capabilities().fallbacks.is_empty());
}

#[tokio::test]
async fn rules_that_can_be_read_and_not_written_are_not_served() {
    for missing in ["create", "delete", "update"] {
        let mut world = World::default();
        world.verbs.retain(|verb| *verb != missing);
        let grafana = world.serve(BETA).await;
        prefer(&grafana, true, None);
        choose(&grafana).await;
        assert_eq!(api(&grafana), "provisioning", "without {missing}");
        let fallbacks = grafana.apis.capabilities().fallbacks;
        assert_eq!(fallbacks[&Concern::Rules], Fallback::NotServed);
    }
}

#[tokio::test]
async fn the_alpha_version_is_used_from_13_on_and_not_before() {
    for (release, expected) in [("12.4.0", "provisioning"), ("13.0.1", ALPHA)] {
        let world = World::default();
        let grafana = world.serve(ALPHA).await;
        prefer(&grafana, true, None);
        let settings = Settings {
            version: Some(release.to_owned()),
            ..settings(Some("org-2"))
        };
        grafana.apis.choose(&settings).await.unwrap();
        assert_eq!(api(&grafana), expected, "{release}");
        let capabilities = grafana.apis.capabilities();
        let fallback = capabilities.fallbacks.get(&Concern::Rules);
        let is_told = fallback == Some(&Fallback::NotServed);
        assert_eq!(is_told, expected == "provisioning", "{release}: {fallback:?}");
    }
}
