//! An API server that can't be relied on: silent connections, rights that go for a while.

use std::time::Duration;

use alertwright::api::AlertRule;
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{Relay, any_release, apply};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::rules::QUIET;
use crate::workloads::{asking, deployment, ended, held, let_go, roll, settled, silences_of};
use crate::world::{self, World};

/// A watch of workloads is noticed to be silent after 70 s, and their Silences are watched in the same way.
const NOTICED: Duration = Duration::from_secs(200);

/// Starts the operator anew with a relay between it and the API server.
async fn relayed(w: &mut World) -> Relay {
    w.operator.terminate().await;
    let text = std::fs::read_to_string(&w.kubeconfig).expect("a kubeconfig");
    let (_, rest) = text.split_once("https://").expect("the API server's address");
    let end = rest
        .find(|c: char| c.is_whitespace() || c == '"')
        .unwrap_or(rest.len());
    let server = &rest[..end];
    let relay = Relay::start(server).await;
    let through = w.kubeconfig.with_extension("relayed");
    std::fs::write(&through, text.replace(server, &relay.address())).expect("a kubeconfig");
    w.kubeconfig = through;
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    relay
}

#[apply(any_release)]
async fn a_rollout_is_silenced_also_when_every_connection_to_the_api_server_has_fallen_silent() {
    let mut w = world::start().await;
    let relay = relayed(&mut w).await;
    for name in ["web", "api"] {
        w.apply(&deployment(name, &asking("600s", "1s"), &json!({})).to_string())
            .await;
    }
    for name in ["web", "api"] {
        settled(&w, name).await;
    }
    relay.freeze();
    roll(&w, "web", "2", &held(&w)).await;
    let silence = wait::until("the rollout is silenced in Grafana", NOTICED, async || {
        let active = w.grafana.active_silences().await;
        let silences = silences_of(&w, "web").await;
        let own = silences.iter().find(|silence| {
            let id = silence.status.as_ref().and_then(|status| status.id.clone());
            id.is_some_and(|id| active.iter().any(|one| one["id"] == id.as_str()))
        });
        own.cloned().map_or_else(|| wait::not_yet(&active), Seen::Yes)
    })
    .await;
    // What goes on after that goes on as ever, for the one whose call was under way too.
    let_go(&w).await;
    ended(&w, &silence.name_any(), "Succeeded").await;
    roll(&w, "api", "2", &json!({})).await;
    wait::until("the other one has its second silence", NOTICED, async || {
        (silences_of(&w, "api").await.len() == 2).then_some(())
    })
    .await;
}

#[apply(any_release)]
async fn a_secret_that_may_not_be_read_for_a_while_disconnects_no_grafana() {
    let w = world::start().await;
    w.put("AlertRule", "a", json!({"query": QUIET})).await;
    w.synced::<AlertRule>("a").await;
    let read = ["get", "role", "alertwright", "-n", &w.home, "-o", "json"];
    let role: Value = serde_json::from_str(&w.plane.kubectl(read).await.ok()).expect("JSON");
    let rules: Vec<&Value> = role["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|rule| rule["resources"] != json!(["secrets"]))
        .collect();
    let write = async |rules: Value| {
        let patch = json!({"rules": rules}).to_string();
        let args = [
            "patch",
            "role",
            "alertwright",
            "-n",
            &w.home,
            "--type=merge",
            "-p",
            &patch,
        ];
        w.plane.kubectl(args).await.ok();
    };
    write(json!(rules)).await;
    wait::until("the Secret could not be read", NOTICED, async || {
        w.operator
            .log()
            .contains("the connection stays as it is")
            .then_some(())
    })
    .await;
    w.put("AlertRule", "b", json!({"query": QUIET})).await;
    w.synced::<AlertRule>("b").await;
    w.synced::<AlertRule>("a").await;
    write(role["rules"].clone()).await;
    let log = w.operator.log();
    assert!(!log.contains("disconnected from grafana"), "{log}");
}
