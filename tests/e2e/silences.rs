//! A Silence's life, from its start to its end, in Grafana.

use std::time::Duration;

use alertwright::api::Silence;
use alertwright_testbed::proxy::{Calls, Fault};
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{any_release, apply, every_release};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::addresses::BULK_READ;
use crate::world::{self, SOON, World};

/// The path of a call that writes a silence.
pub const SILENCES: &str = "/api/v2/silences";
/// The path of a call that expires one.
const SILENCE: &str = "/api/v2/silence/";

/// A moment from now, as Kubernetes writes it.
pub fn from_now(seconds: i64) -> String {
    let moment = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(moment.as_second())
        .expect("a moment")
        .to_string()
}

/// The silence's id, as the resource says.
pub fn id(silence: &Silence) -> String {
    let status = silence.status.clone().unwrap_or_default();
    status.id.expect("an id")
}

/// What Grafana says a silence is: `pending`, `active` or `expired`.
pub async fn state(w: &World, id: &str) -> Option<String> {
    let silences = w.grafana.silences().await;
    let silence = silences.iter().find(|silence| silence["id"] == id)?;
    silence["status"]["state"].as_str().map(str::to_owned)
}

/// Waits until Grafana says so.
pub async fn becomes(w: &World, id: &str, expected: &str) {
    wait::until(&format!("silence {id} is {expected}"), SOON, async || {
        let seen = state(w, id).await;
        if seen.as_deref() == Some(expected) {
            Seen::Yes(())
        } else {
            wait::not_yet(seen)
        }
    })
    .await;
}

/// Waits until the resource says so.
async fn says(w: &World, name: &str, expected: &str) -> Silence {
    let api = w.api::<Silence>().await;
    wait::until(&format!("Silence {name} says {expected}"), SOON, async || {
        let seen = api.get(name).await.ok();
        let state = seen.clone().and_then(|silence| silence.status?.state);
        if state.as_deref() == Some(expected) {
            seen.map_or(Seen::NotYet(String::new()), Seen::Yes)
        } else {
            wait::not_yet(state)
        }
    })
    .await
}

/// The calls while everything in Grafana is read a few times more.
pub async fn calls_at_rest(w: &World) -> Calls {
    w.proxy.reset();
    wait::until("a few resyncs", 2 * SOON, async || {
        w.proxy.requests().of("GET", BULK_READ).len() >= 4
    })
    .await;
    w.proxy.requests()
}

async fn version(w: &World, name: &str) -> Option<String> {
    let silence = w.api::<Silence>().await.get(name).await.expect("it is there");
    silence.metadata.resource_version
}

fn is_ready(silence: &Silence) -> bool {
    let conditions = silence.status.as_ref().map(|status| &status.conditions);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[apply(every_release)]
async fn a_silence_made_by_hand_becomes_a_resources_without_a_write_and_ends_with_it() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let more = json!({"unrestrictedNamespaces": {"names": [w.ns]}});
    world::connect(w.plane, &w.home, &w.proxy.url(), &w.grafana.token().await, more).await;
    let matchers = json!([{"name": "team", "value": "web", "isRegex": false, "isEqual": true}]);
    let ends = from_now(3600);
    let body = json!({
        "matchers": matchers, "startsAt": from_now(-60), "endsAt": ends, "createdBy": "admin", "comment": "by hand",
    });
    w.grafana
        .post("/api/alertmanager/grafana/api/v2/silences", body)
        .await;
    let theirs = w.grafana.active_silences().await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    w.proxy.reset();
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence",
        "metadata": {"name": "taken-over", "annotations": {"alerting.letsrevel.io/adopt": theirs}},
        "spec": {"matchers": ["team=\"web\""], "endsAt": ends},
    });
    w.apply(&object.to_string()).await;
    let silence = w.synced::<Silence>("taken-over").await;
    assert_eq!(id(&silence), theirs);
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
    assert_eq!(w.grafana.silences().await.len(), 1);
    w.delete::<Silence>("taken-over").await;
    becomes(&w, &theirs, "expired").await;
}

#[apply(any_release)]
async fn a_silence_is_pending_then_active_and_expires_by_itself_in_good_health() {
    let w = world::start().await;
    let matchers = json!(["team=\"web\""]);
    w.put(
        "Silence",
        "later",
        json!({"matchers": matchers, "startsAt": from_now(6), "duration": "6s"}),
    )
    .await;
    let pending = says(&w, "later", "Pending").await;
    assert_eq!(state(&w, &id(&pending)).await.as_deref(), Some("pending"));
    let active = says(&w, "later", "Active").await;
    assert_eq!(id(&active), id(&pending), "the id stays when it starts");
    becomes(&w, &id(&active), "active").await;
    let expired: Silence = w.reason("later", "Expired").await;
    assert!(
        is_ready(&expired),
        "an expired silence is a healthy end: {expired:?}"
    );
    assert_eq!(state(&w, &id(&pending)).await.as_deref(), Some("expired"));
    let before = version(&w, "later").await;
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
    assert_eq!(
        version(&w, "later").await,
        before,
        "an expired silence isn't written"
    );
}

#[apply(any_release)]
async fn an_end_in_the_past_is_expired_without_a_write_and_ttl_after_expiry_removes_the_resource() {
    let w = world::start().await;
    w.proxy.reset();
    let past = json!({"matchers": ["a=\"b\""], "endsAt": "2020-01-01T00:00:00Z"});
    w.put("Silence", "past", past).await;
    assert!(is_ready(&w.reason::<Silence>("past", "Expired").await));
    let long_past = json!({"matchers": ["a=\"b\""], "startsAt": "2020-01-01T00:00:00Z", "duration": "1h"});
    w.put("Silence", "long-past", long_past).await;
    assert!(is_ready(&w.reason::<Silence>("long-past", "Expired").await));
    let calls = w.proxy.requests();
    assert_eq!(calls.writes().len(), 0, "{calls}");
    assert_eq!(w.grafana.silences().await, Vec::<Value>::new());

    let brief = json!({"matchers": ["a=\"b\""], "endsAt": from_now(4), "ttlAfterExpiry": "1s"});
    w.put("Silence", "brief", brief).await;
    let silence = says(&w, "brief", "Active").await;
    becomes(&w, &id(&silence), "expired").await;
    let api = w.api::<Silence>().await;
    wait::until("the resource is gone", SOON, async || {
        api.get_opt("brief").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert!(
        api.get_opt("past").await.is_ok_and(|found| found.is_some()),
        "without ttlAfterExpiry it stays"
    );
}

#[apply(any_release)]
async fn another_end_or_comment_keeps_the_id_and_other_matchers_get_a_new_silence_before_the_old_one_ends() {
    let w = world::start().await;
    let spec = |matcher: &str, duration: &str, comment: &str| json!({"matchers": [matcher], "duration": duration, "comment": comment});
    world::connect(
        w.plane,
        &w.home,
        &w.proxy.url(),
        &w.grafana.token().await,
        json!({"resyncInterval": "60s"}),
    )
    .await;
    // Grafana moves the start to when the call arrives, which the operator can't know before it reads again.
    w.proxy.fault(
        Fault::delay(Duration::from_millis(1200))
            .on("POST", SILENCES)
            .times(1),
    );
    w.put("Silence", "s", spec("team=\"web\"", "1h", "first")).await;
    let first = id(&w.synced("s").await);
    w.put("Silence", "s", spec("team=\"web\"", "2h", "second")).await;
    assert_eq!(id(&w.synced("s").await), first, "the same silence");
    let silences = w.grafana.active_silences().await;
    assert_eq!(silences.len(), 1, "{silences:?}");
    assert_eq!(silences[0]["comment"], "second");

    w.proxy.reset();
    w.put("Silence", "s", spec("team=\"api\"", "2h", "second")).await;
    let second = id(&w.synced("s").await);
    assert_ne!(second, first, "other matchers are another silence");
    becomes(&w, &first, "expired").await;
    becomes(&w, &second, "active").await;
    let writes: Vec<String> = w
        .proxy
        .requests()
        .writes()
        .0
        .iter()
        .map(|call| call.method.to_string())
        .collect();
    assert_eq!(
        writes,
        ["POST", "DELETE"],
        "the old one ends after the new one is there"
    );
}

#[apply(every_release)]
async fn a_silence_that_is_deleted_in_grafana_comes_back_and_rests_also_after_a_restart() {
    let mut w = world::start().await;
    w.put(
        "Silence",
        "s",
        json!({"matchers": ["team=\"web\""], "duration": "1h"}),
    )
    .await;
    let first = id(&w.synced("s").await);
    w.grafana
        .delete(&format!("/api/alertmanager/grafana{SILENCE}{first}"))
        .await
        .ok();
    wait::until("it is back", SOON, async || {
        w.grafana.active_silences().await.len() == 1
    })
    .await;
    let api = w.api::<Silence>().await;
    wait::until("the status has the new id", SOON, async || {
        let silence = api.get("s").await.ok()?;
        (id(&silence) != first).then_some(())
    })
    .await;
    let before = version(&w, "s").await;
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
    w.operator.restart().await.expect("it starts again");
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "after a restart: {calls}");
    assert_eq!(version(&w, "s").await, before, "nothing is written at rest");
    assert_eq!(w.grafana.active_silences().await.len(), 1);
}

#[apply(every_release)]
async fn a_deleted_silence_ends_in_grafana_and_an_orphaned_one_stays() {
    let mut w = world::start().await;
    let spec =
        |policy: &str| json!({"matchers": ["team=\"web\""], "duration": "1h", "deletionPolicy": policy});
    w.put("Silence", "ends", spec("Delete")).await;
    w.put("Silence", "stays", spec("Orphan")).await;
    let ends = id(&w.synced("ends").await);
    let stays = id(&w.synced("stays").await);
    w.delete::<Silence>("ends").await;
    w.delete::<Silence>("stays").await;
    assert_eq!(state(&w, &ends).await.as_deref(), Some("expired"));
    assert_eq!(state(&w, &stays).await.as_deref(), Some("active"));

    // While Grafana is down a deletion waits, and says why.
    w.put("Silence", "waits", spec("Delete")).await;
    let waits = id(&w.synced("waits").await);
    w.grafana.stop().await;
    w.plane
        .kubectl(["delete", "silence", "waits", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    let api = w.api::<Silence>().await;
    wait::until("the deletion says why it waits", SOON, async || {
        let silence = api.get("waits").await.ok()?;
        let conditions = silence.status?.conditions;
        let ready = conditions.into_iter().find(|c| c.type_ == "Ready")?;
        (ready.reason == "Unavailable" && ready.message.contains("deletionPolicy")).then_some(())
    })
    .await;
    w.grafana.start_again().await.expect("Grafana starts again");
    wait::until("the resource is gone", 2 * SOON, async || {
        api.get_opt("waits").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert_eq!(state(&w, &waits).await.as_deref(), Some("expired"));
}

#[apply(any_release)]
async fn a_lost_answer_makes_no_second_silence() {
    let w = world::start().await;
    w.proxy.fault(Fault::drop_after().on("POST", SILENCES).times(1));
    w.put(
        "Silence",
        "s",
        json!({"matchers": ["team=\"web\""], "duration": "1h"}),
    )
    .await;
    let silence = w.synced("s").await;
    let silences = w.grafana.silences().await;
    assert_eq!(silences.len(), 1, "{silences:?}");
    assert_eq!(silences[0]["id"], id(&silence).as_str());
    // The same for the call that ends it.
    w.proxy.fault(Fault::drop_after().on("DELETE", SILENCE).times(1));
    w.delete::<Silence>("s").await;
    assert_eq!(state(&w, &id(&silence)).await.as_deref(), Some("expired"));
}

#[apply(any_release)]
async fn mistakes_are_refused_at_apply_and_say_what_is_wrong() {
    let w = world::start().await;
    let endless = json!({"matchers": ["a=\"b\""]});
    let both = json!({"matchers": ["a=\"b\""], "duration": "1h", "endsAt": "2099-01-01T00:00:00Z"});
    let nothing = json!({"duration": "1h"});
    let backwards = json!({"matchers": ["a=\"b\""], "startsAt": "2099-01-02T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"});
    let matcher = json!({"matchers": ["team web"], "duration": "1h"});
    let duration = json!({"matchers": ["a=\"b\""], "duration": "an hour"});
    let several = json!({"alertRules": {"names": ["x"], "all": true}, "duration": "1h"});
    for (spec, words) in [
        (endless, "give exactly one of endsAt and duration"),
        (both, "give exactly one of endsAt and duration"),
        (nothing, "a silence needs matchers or alertRules"),
        (backwards, "endsAt must be after startsAt"),
        (matcher, "spec.matchers[0]"),
        (duration, "spec.duration"),
        (several, "give exactly one of names, matchLabels and all"),
    ] {
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "wrong"}, "spec": spec});
        let refused = w
            .plane
            .kubectl_with_input(["apply", "-n", &w.ns, "-f", "-"], &object.to_string())
            .await
            .refused();
        assert!(refused.contains(words), "{spec}\n{refused}");
    }
    // What a schema can't know is in the conditions: regular expressions that don't compile.
    w.put(
        "Silence",
        "regex",
        json!({"matchers": ["team=~\"(\""], "duration": "1h"}),
    )
    .await;
    w.reason::<Silence>("regex", "Invalid").await;
    assert!(w.message::<Silence>("regex").await.contains("spec.matchers[0]"));
    let zero = json!({"matchers": ["a=\"b\""], "duration": "0s"});
    w.put("Silence", "zero", zero).await;
    w.reason::<Silence>("zero", "Invalid").await;
    assert_eq!(w.grafana.silences().await, Vec::<Value>::new());
}

/// How long a look at what must not happen takes.
pub const A_WHILE: Duration = Duration::from_secs(5);
