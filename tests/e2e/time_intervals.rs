//! TimeIntervals and NotificationTemplates: what is stored, whose it is, and when it goes.

use alertwright::api::{ContactPoint, NotificationTemplate, TimeInterval};
use alertwright_testbed::{any_release, apply, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{assert_rests, resyncs};
use crate::world::{self, SOON, World};

const TIMINGS: &str = "/api/v1/provisioning/mute-timings";
const TEMPLATES: &str = "/api/v1/provisioning/templates";

fn days(days: &[&str]) -> Value {
    json!({"timeIntervals": [{"weekdays": days}]})
}

/// Waits until Grafana has this and no other time interval, with these weekdays in its first entry.
async fn only_days(w: &World, name: &str, days: &[&str]) {
    wait::until(&format!("{name} is {days:?}"), SOON, async || {
        let found = w.grafana.mute_timings().await;
        let is_it = found.len() == 1
            && found[0]["name"] == name
            && found[0]["time_intervals"][0]["weekdays"] == json!(days);
        if is_it {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&found)
        }
    })
    .await;
}

/// Makes a time interval as a person does.
async fn foreign(w: &World, name: &str, days: &[&str]) {
    let timing = json!({"name": name, "time_intervals": [{"weekdays": days}]});
    w.grafana
        .write_as_frontend(Method::POST, TIMINGS, timing)
        .await
        .ok();
}

#[apply(every_release)]
async fn a_time_interval_is_created_changed_and_deleted_with_no_call_too_many() {
    let w = world::start().await;
    w.put(
        "ContactPoint",
        "team",
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
    .await;
    w.synced::<ContactPoint>("team").await;
    resyncs(&w, 2).await;
    let reads = w.proxy.requests();
    assert_eq!(
        reads.of("GET", w.intervals_at()).len(),
        0,
        "nobody has asked for them: {reads}"
    );
    w.proxy.reset();
    let spec = json!({"name": "Nights & weekends", "timeIntervals": [
        {"times": [{"startTime": "22:00", "endTime": "24:00"}, {"startTime": "00:00", "endTime": "06:30"}],
         "weekdays": ["Monday:friday"], "daysOfMonth": ["-3:-1", "01:5"], "months": ["january:march", "12"],
         "years": ["2026:2030"], "location": "Europe/Berlin"},
        {"weekdays": ["saturday:saturday", "sunday"], "location": "UTC"},
    ]});
    w.put("TimeInterval", "nights", spec).await;
    let object = w.synced::<TimeInterval>("nights").await;
    let status = object.status.expect("a status");
    assert_eq!(status.name.as_deref(), Some("Nights & weekends"));
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    assert_eq!(calls.of("POST", w.intervals_at()).len(), 1, "{calls}");
    let found = w.grafana.mute_timings().await;
    let first = &found[0]["time_intervals"][0];
    assert_eq!(
        (&found[0]["name"], &first["location"]),
        (&json!("Nights & weekends"), &json!("Europe/Berlin"))
    );
    assert_eq!(
        first["times"],
        json!([{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "06:30"}])
    );
    assert_eq!(first["days_of_month"], json!(["-3:-1", "1:5"]));
    assert_rests(&w).await;

    w.proxy.reset();
    w.put("TimeInterval", "nights", with_name(days(&["sunday"])))
        .await;
    w.synced::<TimeInterval>("nights").await;
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    assert_eq!(calls.of("PUT", w.intervals_at()).len(), 1, "{calls}");
    only_days(&w, "Nights & weekends", &["sunday"]).await;

    w.proxy.reset();
    w.delete::<TimeInterval>("nights").await;
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    assert_eq!(w.grafana.mute_timings().await, Vec::<Value>::new());
}

fn with_name(mut spec: Value) -> Value {
    spec["name"] = json!("Nights & weekends");
    spec
}

#[apply(every_release)]
async fn a_time_interval_that_is_changed_or_deleted_by_hand_is_put_right_and_rests_then() {
    let w = world::start().await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.synced::<TimeInterval>("nights").await;
    let path = format!("{TIMINGS}/nights");
    let changed = json!({"name": "nights", "time_intervals": [{"weekdays": ["monday"]}]});
    w.grafana.put(&path, changed).await.ok();
    only_days(&w, "nights", &["sunday"]).await;
    w.grafana.delete(&path).await.ok();
    only_days(&w, "nights", &["sunday"]).await;
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn a_time_interval_of_somebody_elses_stays_unless_it_is_equal_or_to_be_adopted() {
    let w = world::start().await;
    foreign(&w, "nights", &["monday"]).await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.reason::<TimeInterval>("nights", "NotOwned").await;
    let message = w.message::<TimeInterval>("nights").await;
    for words in [
        "Grafana has a time interval nights that this resource didn't make",
        "it is weekdays monday there, and weekdays sunday here",
        "alerting.letsrevel.io/adopt: \"true\"",
    ] {
        assert!(message.contains(words), "{message}");
    }
    only_days(&w, "nights", &["monday"]).await;
    // Equal means ours, with no write.
    w.proxy.reset();
    w.put("TimeInterval", "nights", days(&["Monday"])).await;
    w.synced::<TimeInterval>("nights").await;
    let calls = w.proxy.reset();
    assert!(calls.writes().is_empty(), "{calls}");
    w.put("TimeInterval", "nights", days(&["tuesday"])).await;
    w.synced::<TimeInterval>("nights").await;
    only_days(&w, "nights", &["tuesday"]).await;
    w.delete::<TimeInterval>("nights").await;
    assert_eq!(w.grafana.mute_timings().await, Vec::<Value>::new());

    foreign(&w, "days", &["monday"]).await;
    w.put("TimeInterval", "days", days(&["sunday"])).await;
    w.reason::<TimeInterval>("days", "NotOwned").await;
    // What isn't ours stays when the resource goes.
    w.delete::<TimeInterval>("days").await;
    only_days(&w, "days", &["monday"]).await;
    w.put("TimeInterval", "days", days(&["sunday"])).await;
    crate::alarm::annotate(&w, "timeinterval", "days", "alerting.letsrevel.io/adopt=true").await;
    w.synced::<TimeInterval>("days").await;
    only_days(&w, "days", &["sunday"]).await;
}

#[apply(every_release)]
async fn a_suspended_or_orphaned_time_interval_leaves_grafana_as_it_is() {
    let w = world::start().await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.synced::<TimeInterval>("nights").await;
    let mut suspended = days(&["monday"]);
    suspended["suspend"] = json!(true);
    suspended["deletionPolicy"] = json!("Orphan");
    w.put("TimeInterval", "nights", suspended).await;
    w.reason::<TimeInterval>("nights", "Suspended").await;
    only_days(&w, "nights", &["sunday"]).await;
    w.delete::<TimeInterval>("nights").await;
    only_days(&w, "nights", &["sunday"]).await;
    // It belongs to nobody now.
    w.put("TimeInterval", "nights", days(&["monday"])).await;
    w.reason::<TimeInterval>("nights", "NotOwned").await;
}

#[apply(any_release)]
async fn the_older_of_two_time_intervals_has_the_name_and_the_other_gets_it_after_it() {
    let w = world::start().await;
    let named = |days: &[&str]| {
        let mut spec = self::days(days);
        spec["name"] = json!("shared");
        spec
    };
    w.put("TimeInterval", "first", named(&["sunday"])).await;
    w.synced::<TimeInterval>("first").await;
    w.put("TimeInterval", "second", named(&["monday"])).await;
    w.reason::<TimeInterval>("second", "Conflict").await;
    let message = w.message::<TimeInterval>("second").await;
    assert!(
        message.contains(&format!("TimeInterval {}/first is older", w.ns)),
        "{message}"
    );
    // Renamed, it lets go of the name, and what it had there goes.
    w.put("TimeInterval", "first", days(&["sunday"])).await;
    w.synced::<TimeInterval>("first").await;
    w.synced::<TimeInterval>("second").await;
    let found = w.grafana.mute_timings().await;
    let mut names: Vec<_> = found
        .iter()
        .filter_map(|timing| timing["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["first", "shared"]);
}

#[apply(every_release)]
async fn a_template_is_stored_put_right_and_deleted_and_one_that_does_not_parse_is_told() {
    let w = world::start().await;
    let text = "{{ define \"title\" }}\n  {{ len .Alerts }} ✓\n{{ end }}";
    w.proxy.reset();
    w.put(
        "NotificationTemplate",
        "slack",
        json!({"template": format!("\n{text}\n")}),
    )
    .await;
    w.synced::<NotificationTemplate>("slack").await;
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    let at = w.templates_at();
    assert!(calls.writes().to_string().contains(at), "{calls}");
    let has = async |text: &str| {
        wait::until("the template is in Grafana", SOON, async || {
            let found = w.grafana.templates().await;
            if found.len() == 1 && found[0]["name"] == "slack" && found[0]["template"] == text {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(&found)
            }
        })
        .await;
    };
    has(text).await;
    assert_rests(&w).await;
    w.grafana
        .put(
            &format!("{TEMPLATES}/slack"),
            json!({"template": "{{ define \"x\" }}{{ end }}"}),
        )
        .await
        .ok();
    has(text).await;
    // What isn't closed is told with its place, whichever API it would go through; what isn't there is Grafana's to say.
    w.put(
        "NotificationTemplate",
        "slack",
        json!({"template": "{{ define \"title\" }}\n {{ if .Alerts }}{{ end }}"}),
    )
    .await;
    w.reason::<NotificationTemplate>("slack", "Invalid").await;
    let message = w.message::<NotificationTemplate>("slack").await;
    assert!(
        message.starts_with("spec.template: line 1, column 1: this block is never closed"),
        "{message}"
    );
    w.put(
        "NotificationTemplate",
        "slack",
        json!({"template": "{{ define \"title\" }}{{ nothing .Alerts }}{{ end }}"}),
    )
    .await;
    wait::until("Grafana has refused it", SOON, async || {
        let message = w.message::<NotificationTemplate>("slack").await;
        if message.contains("grafana refused") {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&message)
        }
    })
    .await;
    w.reason::<NotificationTemplate>("slack", "Invalid").await;
    has(text).await;
    // Without a definition of its own it is one of the group's name.
    w.put("NotificationTemplate", "slack", json!({"template": "one\ntwo"}))
        .await;
    w.synced::<NotificationTemplate>("slack").await;
    has("{{ define \"slack\" }}\n  one\n  two\n{{ end }}").await;
    assert_rests(&w).await;
    w.delete::<NotificationTemplate>("slack").await;
    assert_eq!(w.grafana.templates().await, Vec::<Value>::new());
}

#[apply(any_release)]
async fn a_template_of_a_config_map_follows_it() {
    let w = world::start().await;
    let config_map = async |text: &str| {
        let texts = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}, "data": {"slack": text},
        });
        w.apply(&texts.to_string()).await;
    };
    let from = json!({"templateFrom": {"configMapKeyRef": {"name": "texts", "key": "slack"}}});
    w.put("NotificationTemplate", "slack", from).await;
    w.reason::<NotificationTemplate>("slack", "DependencyMissing")
        .await;
    for text in ["{{ define \"a\" }}1{{ end }}", "{{ define \"a\" }}2{{ end }}"] {
        config_map(text).await;
        wait::until("the template is in Grafana", SOON, async || {
            let found = w.grafana.templates().await;
            if found.len() == 1 && found[0]["template"] == text {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(&found)
            }
        })
        .await;
        w.synced::<NotificationTemplate>("slack").await;
    }
    config_map("{{ end }}").await;
    w.reason::<NotificationTemplate>("slack", "Invalid").await;
    let message = w.message::<NotificationTemplate>("slack").await;
    assert!(
        message.starts_with("spec.templateFrom: line 1, column 1: "),
        "{message}"
    );
}

#[apply(every_release)]
async fn a_template_that_is_in_use_waits_with_its_deletion_and_goes_once_nobody_calls_it() {
    let w = world::start().await;
    let text = "{{ define \"slack.text\" }}{{ len .Alerts }}{{ end }}";
    w.put("NotificationTemplate", "texts", json!({"template": text}))
        .await;
    w.synced::<NotificationTemplate>("texts").await;
    let saying = |text: &str| json!({"integrations": [{"slack": {"url": {"value": "https://example.com/hook"}, "text": text}}]});
    w.put("ContactPoint", "team", saying("{{ template \"slack.text\" . }}"))
        .await;
    w.synced::<ContactPoint>("team").await;
    let api = w.api::<NotificationTemplate>().await;
    api.delete("texts", &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<NotificationTemplate>("texts", "InUse").await;
    let message = w.message::<NotificationTemplate>("texts").await;
    let who = format!(
        "notification template texts: ContactPoint {}/team still refers to it",
        w.ns
    );
    assert!(message.contains(&who), "{message}");
    assert_eq!(w.grafana.templates().await.len(), 1);

    w.put("ContactPoint", "team", saying("{{ len .Alerts }}")).await;
    wait::until("the template is gone", SOON, async || {
        api.get_opt("texts").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert_eq!(w.grafana.templates().await, Vec::<Value>::new());
}
