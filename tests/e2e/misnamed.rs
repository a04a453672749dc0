//! That commands say which resource is meant where somebody names none that is there.

use alertwright_testbed::{any_release, apply};
use serde_json::json;

use crate::acting::{as_admin, on_call, run};
use crate::rules::quiet;
use crate::world;

#[apply(any_release)]
async fn whoever_names_what_is_not_there_is_told_what_is_meant() {
    let w = world::start().await;
    w.put("AlertRule", "errors", quiet()).await;
    let elsewhere = w.plane.namespace("elsewhere").await;
    let rule = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": "latency"}, "spec": quiet(),
    });
    w.plane.apply(&rule.to_string(), &elsewhere).await;
    for (command, name) in [
        ("suspend", "AlertRule/"),
        ("reconcile", "AlertRule/"),
        ("adopt", "AlertRule/"),
        ("open --url", "AlertRule/"),
        ("backtest", ""),
        ("test rule", ""),
        ("diff", "AlertRule/"),
        ("trace", ""),
    ] {
        for (typed, meant) in [
            ("error", "there is errors".to_owned()),
            ("latency", format!("there is {elsewhere}/latency")),
        ] {
            let named = format!("{name}{typed}");
            let arguments: Vec<&str> = command.split(' ').chain([&*named]).collect();
            let ended = as_admin(&w, &arguments).await;
            assert_ne!(ended.code, 0, "{command} {named}");
            let place = format!("in namespace {}", w.ns);
            let is_told = ended.said.contains(&place) && ended.said.ends_with(&format!("; {meant}\n"));
            assert!(is_told, "{command} {named}: {place}; {meant}\n{}", ended.said);
        }
    }
    // Who may see one namespace alone hears of that.
    let rights = on_call(&w).await;
    w.put(
        "Silence",
        "tonight",
        json!({"alertRules": {"names": ["errors"]}, "comment": "why", "duration": "1h"}),
    )
    .await;
    let ended = run(&w, &rights, &["silence", "end", "tonigth"]).await;
    assert_eq!(ended.code, 3, "{}{}", ended.printed, ended.said);
    assert!(ended.said.contains("; there is tonight\n"), "{}", ended.said);
}
