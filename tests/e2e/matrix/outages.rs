//! What is away for a while, comes back with less than it had, goes first, or is another release when it comes back: with resources of all kinds.

use alertwright::api::GrafanaInstance;
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::grafana::{Kept, Version};
use alertwright_testbed::{ControlPlane, any_release, apply, wait};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::Value;

use super::scenario::{self, Scenario};
use super::state::Stages;
use super::{Between, PATIENCE, Side};
use crate::world;

const KEPT: [Kept; 2] = [Kept::Accounts, Kept::Datasources];

/// A world in which everything is made, and what it was like when nothing was in the way.
struct Made {
    between: Between,
    stages: Stages,
}

impl Made {
    async fn new() -> Self {
        Self::of(Between::start().await).await
    }

    /// On a control plane of its own, which can be stopped.
    async fn apart() -> Self {
        let plane = ControlPlane::start().await.expect("a control plane of our own");
        world::install_crds_anew(&plane).await;
        Self::of(Between::start_on(Box::leak(Box::new(plane))).await).await
    }

    async fn of(between: Between) -> Self {
        let (stages, _) = between.undisturbed(Side::Grafana).await;
        let made = Self { between, stages };
        made.scenario().apply(false).await;
        made.scenario().is(false).await;
        made
    }

    fn scenario(&self) -> Scenario<'_> {
        let Between {
            plane, ns, grafana, ..
        } = &self.between;
        Scenario::of(plane, ns, grafana).expecting(&self.stages)
    }

    /// Deletes the namespace with everything in it.
    async fn delete_namespace(&self) {
        // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
        let Between { plane, home, .. } = &self.between;
        plane.operator_account(home, Watch::All).await;
        let namespaces: Api<Namespace> = Api::all(self.between.plane.admin().await);
        let deleted = namespaces
            .delete(&self.between.ns, &DeleteParams::default())
            .await;
        deleted.expect("the namespace can be deleted");
    }

    async fn nothing_is_left(&self) {
        self.scenario().stage("left", Some(&self.stages.left)).await;
    }

    async fn namespace_is_gone(&self) {
        let namespaces: Api<Namespace> = Api::all(self.between.plane.admin().await);
        wait::until("the namespace is gone", PATIENCE, async || {
            let found = namespaces.get_opt(&self.between.ns).await;
            found.is_ok_and(|found| found.is_none())
        })
        .await;
    }
}

/// The same without what others have made.
fn without_foreign(state: &Value) -> Value {
    let mut state = state.clone();
    for part in state
        .as_object_mut()
        .into_iter()
        .flat_map(|parts| parts.values_mut())
    {
        if let Value::Array(objects) = part {
            objects.retain(|object| !object.to_string().contains("foreign"));
        }
    }
    state
}

#[apply(any_release)]
async fn what_changes_while_grafana_is_away_is_there_when_it_is_back() {
    let mut made = Made::new().await;
    made.between.grafana.stop().await;
    made.scenario().apply(true).await;
    made.between.grafana.start_again().await.expect("it starts again");
    made.scenario().is(true).await;
    made.scenario().is_gone().await;
}

#[apply(any_release)]
async fn what_changes_in_grafana_while_the_api_server_is_away_is_put_right_and_all_goes_on_when_it_is_back() {
    let made = Made::apart().await;
    made.between.plane.stop_apiserver();
    for rule in made.between.grafana.rules().await {
        let uid = rule["grafana_alert"]["uid"].as_str().unwrap_or_default();
        if uid != "foreign" {
            let path = format!("/api/v1/provisioning/alert-rules/{uid}");
            made.between.grafana.delete(&path).await.ok();
        }
    }
    // What it knows is enough for that.
    made.scenario().stage("made", Some(&made.stages.made)).await;
    made.between
        .plane
        .start_apiserver()
        .await
        .expect("it starts again");
    made.scenario().apply(true).await;
    made.scenario().is(true).await;
}

#[apply(any_release)]
async fn when_grafana_and_the_api_server_were_away_all_is_as_it_was_and_goes_on() {
    let mut made = Made::apart().await;
    made.between.plane.stop_apiserver();
    made.between.grafana.stop().await;
    // It has noticed both.
    let calls = |made: &Made| {
        let proxies = [&made.between.to_grafana, &made.between.to_api_server];
        proxies.map(|proxy| proxy.requests().filter(|call| call.status.is_none()).len())
    };
    let before = calls(&made);
    wait::until("it has asked both in vain", PATIENCE, async || {
        let now = calls(&made);
        now[0] > before[0] && now[1] > before[1]
    })
    .await;
    made.between.grafana.start_again().await.expect("it starts again");
    made.between
        .plane
        .start_apiserver()
        .await
        .expect("it starts again");
    made.between.to_grafana.reset();
    made.scenario().is(false).await;
    let writes = made.between.to_grafana.requests().writes();
    assert!(writes.is_empty(), "nothing had changed: {writes}");
    made.scenario().apply(true).await;
    made.scenario().is(true).await;
}

#[apply(any_release)]
async fn a_grafana_that_is_put_back_to_an_older_backup_gets_everything_that_is_wished_now() {
    let made = Made::new().await;
    made.between.grafana.snapshot("made").await;
    made.scenario().apply(true).await;
    made.scenario().is(true).await;
    made.between.grafana.restore("made", &KEPT).await;
    made.scenario().stage("changed", Some(&made.stages.changed)).await;
    made.scenario().is(true).await;
    made.scenario().is_gone().await;
}

#[apply(any_release)]
async fn a_grafana_that_was_emptied_gets_everything_again() {
    let made = Made::new().await;
    made.between.grafana.empty(&KEPT).await;
    let ours = without_foreign(&made.stages.made);
    made.scenario().stage("made", Some(&ours)).await;
    made.scenario().apply(true).await;
    let ours = without_foreign(&made.stages.changed);
    made.scenario().stage("changed", Some(&ours)).await;
}

#[apply(any_release)]
async fn a_namespace_that_is_deleted_with_all_that_is_in_it_leaves_nothing_in_grafana() {
    let made = Made::new().await;
    made.delete_namespace().await;
    made.namespace_is_gone().await;
    made.nothing_is_left().await;
}

#[apply(any_release)]
async fn a_namespace_that_is_deleted_while_grafana_is_away_goes_when_it_is_back_and_leaves_nothing() {
    let mut made = Made::new().await;
    made.between.grafana.stop().await;
    made.delete_namespace().await;
    made.between.grafana.start_again().await.expect("it starts again");
    made.namespace_is_gone().await;
    made.nothing_is_left().await;
}

#[apply(any_release)]
async fn resources_of_an_instance_that_was_deleted_first_can_be_deleted() {
    let made = Made::new().await;
    let instances: Api<GrafanaInstance> =
        Api::namespaced(made.between.plane.admin().await, &made.between.home);
    let deleted = instances.delete("default", &DeleteParams::default()).await;
    deleted.expect("the instance can be deleted");
    // Which of the two is gone first in the operator's eyes is by chance; nothing may wait for the other for ever.
    made.delete_namespace().await;
    made.namespace_is_gone().await;
}

/// Deleting a kind deletes its resources first, and so what they made.
#[apply(any_release)]
async fn kinds_that_are_removed_take_what_they_made_along_keep_no_other_waiting_and_can_be_put_back() {
    let mut made = Made::apart().await;
    let gone = ["AlertRule", "Silence"];
    let crds = ["alertrules", "silences"].map(|plural| format!("{plural}.alerting.letsrevel.io"));
    let delete = ["delete", "crd", &crds[0], &crds[1], "--timeout=90s"];
    made.between.plane.kubectl(delete).await.ok();
    let (rules, silences) = (
        made.between.grafana.rules().await,
        made.between.grafana.silences().await,
    );
    assert_eq!(rules.len(), 1, "but the foreign one: {rules:?}");
    let active = silences.iter().filter(|one| one["status"]["state"] == "active");
    assert_eq!(active.count(), 1, "but the foreign one: {silences:?}");

    let others = scenario::resources(true);
    let others: Vec<_> = others
        .into_iter()
        .filter(|object| !gone.iter().any(|kind| object["kind"] == *kind))
        .collect();
    for object in &others {
        made.between
            .plane
            .apply(&object.to_string(), &made.between.ns)
            .await;
    }
    made.scenario().settle_but(&gone).await;
    let points = made.between.grafana.contact_point("team").await;
    let mails = points
        .iter()
        .any(|one| one["settings"]["addresses"] == "b@example.com");
    assert!(mails, "{points:?}");
    assert!(
        made.between.operator.ended().is_none(),
        "{}",
        made.between.operator.log()
    );

    world::install_crds_anew(made.between.plane).await;
    made.scenario().apply(true).await;
    made.scenario().is(true).await;
    made.scenario().is_gone().await;
}

#[apply(any_release)]
async fn a_grafana_that_is_upgraded_step_by_step_and_back_keeps_everything() {
    let mut made = Made::new().await;
    let last = made.between.grafana.version();
    let steps = Version::RELEASES.into_iter().filter(|release| *release < last);
    let steps: Vec<_> = steps.chain([last]).collect();
    let uids = async |made: &Made| {
        let rules = made.between.grafana.rules().await;
        let mut uids: Vec<_> = rules
            .iter()
            .map(|rule| rule["grafana_alert"]["uid"].to_string())
            .collect();
        uids.sort();
        uids
    };
    let before = uids(&made).await;
    let instances: Api<GrafanaInstance> =
        Api::namespaced(made.between.plane.admin().await, &made.between.home);
    for step in steps {
        made.between.grafana.upgrade(step).await.expect("another release");
        made.between.to_grafana.reset();
        wait::until("the operator has noticed the release", PATIENCE, async || {
            let status = instances.get("default").await.ok()?.status?;
            (status.version? == step.to_string()).then_some(())
        })
        .await;
        made.scenario().settle().await;
        assert_eq!(uids(&made).await, before, "{step}");
        let writes = made.between.to_grafana.reset().writes();
        assert!(writes.is_empty(), "{step} is written to: {writes}");
    }
    made.scenario().is(false).await;
    made.scenario().is_gone().await;
}
