//! Rules that fire at once, and the sinks that the notifications of them end in.

use alertwright::api::AlertRule;
use alertwright_testbed::{HttpSink, SmtpSink, grafana, trial::Need, wait};
use serde_json::{Value, json};

use crate::addresses::BULK_READ;
use crate::world::{self, SOON, World};

/// What stands behind contact points.
pub struct Sinks {
    /// Takes webhooks of any kind.
    pub http: HttpSink,
    /// Takes mails.
    pub mail: SmtpSink,
}

/// A world whose Grafana sends its mails and its PagerDuty events to the sinks.
pub async fn world() -> (World, Sinks) {
    let sinks = Sinks {
        http: HttpSink::start().await,
        mail: SmtpSink::start().await,
    };
    let options = grafana::Options {
        smtp: Some(sinks.mail.address()),
        pagerduty: Some(format!("{}/pagerduty", sinks.http.url())),
        ..grafana::Options::default()
    };
    (world::start_with(options).await, sinks)
}

/// A rule that fires at its first evaluation, and the labels and annotations of its alert.
pub async fn fire(w: &World, name: &str, labels: Value, annotations: Value) {
    fire_with(w, name, json!({"labels": labels, "annotations": annotations})).await;
}

/// A rule that fires at its first evaluation, with these fields.
pub async fn fire_with(w: &World, name: &str, fields: Value) {
    w.grafana.needs(Need::FastRules);
    let always = json!({
        "refId": "A",
        "datasourceUid": "__expr__",
        "model": {"refId": "A", "type": "math", "expression": "1 > 0", "datasource": {"type": "__expr__", "uid": "__expr__"}},
    });
    let mut spec = json!({"data": [always], "condition": "A", "interval": "1s", "for": "0s"});
    for (field, value) in fields.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    w.put("AlertRule", name, spec).await;
    w.synced::<AlertRule>(name).await;
}

/// A tree that sends everything to one contact point, soon.
pub fn everything_to(receiver: &str) -> Value {
    json!({"receiver": receiver, "groupWait": "1s", "groupInterval": "1s", "repeatInterval": "1h"})
}

/// Writes a Secret into the users' namespace.
pub async fn secret(w: &World, name: &str, values: Value) {
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values});
    w.apply(&secret.to_string()).await;
}

/// Sets an annotation of a resource in the users' namespace.
pub async fn annotate(w: &World, kind: &str, name: &str, annotation: &str) {
    w.plane
        .kubectl(["annotate", "--overwrite", "-n", &w.ns, kind, name, annotation])
        .await
        .ok();
}

/// Waits until everything in Grafana has been read a few times more.
pub async fn resyncs(w: &World, count: usize) {
    let polls = || w.proxy.requests().of("GET", BULK_READ).len();
    let before = polls();
    wait::until("Grafana is read again", SOON * 2, async || {
        polls() >= before + count
    })
    .await;
}

/// Fails if anything is written to Grafana while it is read a few times.
pub async fn assert_rests(w: &World) {
    w.proxy.reset();
    resyncs(w, 3).await;
    let writes = w.proxy.requests().writes();
    assert!(
        writes.is_empty(),
        "nothing has changed, but these were written:\n{writes}"
    );
}

/// The first integration of a type that Grafana has in a contact point.
pub async fn integration(w: &World, name: &str, type_: &str) -> Value {
    let found = w.grafana.contact_point(name).await;
    let of_type = found
        .iter()
        .find(|integration| integration["type"] == type_)
        .cloned();
    of_type.unwrap_or_else(|| panic!("no {type_} in {found:#?}"))
}
