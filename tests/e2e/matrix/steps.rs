//! What can happen while alertwright is at work, and what must be there when it has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use alertwright_testbed::proxy::Fault;
use alertwright_testbed::wait;
use kube::Client;
use kube::api::DeleteParams;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::scenario::{RESOURCES, api, resources};
use super::{Between, PATIENCE, Side, state};

/// What nothing refers to, and may be deleted at any time: places in [`RESOURCES`].
const MAY_GO: [usize; 8] = [0, 4, 5, 6, 7, 8, 9, 10];
/// Two rules of one group: they have one interval, so they are changed together.
const TOGETHER: [usize; 2] = [6, 7];
const TREE: usize = 4;
const TEXTS: usize = 0;
const POLICIES: &str = "/api/v1/provisioning/policies";

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A resource is applied, as it is at first or as it is then.
    Put(usize, bool),
    /// A resource is deleted.
    Delete(usize),
    /// The value in the Secret becomes this one.
    Secret(bool),
    /// Somebody changes or deletes something of ours in Grafana.
    ByHand(ByHand),
    /// After so many calls, so many go wrong.
    Fault(Side, Wrong, usize, usize),
    /// The operator is killed, and started again.
    Crash,
    /// Grafana is killed, and started again with what it had.
    Restart,
    /// So many more calls reach this side.
    Calls(Side, usize),
    /// Nothing goes wrong any more, and everything is in sync.
    Rest,
}

#[derive(Debug, Clone)]
pub(super) enum ByHand {
    EditRule(usize),
    DeleteRule(usize),
    EditContactPoint(usize),
    EditTree,
    EditTimeInterval,
    EditTemplate,
    EndSilence(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Wrong {
    Cut,
    Lost,
    Refused(u16),
    Garbage,
    Partial,
    Late,
}

impl Wrong {
    fn fault(&self) -> Fault {
        match self {
            Self::Cut => Fault::drop_before(),
            Self::Lost => Fault::drop_after(),
            Self::Refused(429) => Fault::status(429).retry_after(Duration::from_secs(1)),
            Self::Refused(code) => Fault::status(*code),
            Self::Garbage => Fault::garbage(),
            Self::Partial => Fault::partial(),
            Self::Late => Fault::delay(Duration::from_millis(300)),
        }
    }
}

/// Any steps, most of them such that something is to be done.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = || prop_oneof![Just(Side::Grafana), Just(Side::ApiServer)];
    let wrong = prop_oneof![
        Just(Wrong::Cut),
        Just(Wrong::Lost),
        prop::sample::select(vec![409, 429, 500, 502, 503]).prop_map(Wrong::Refused),
        Just(Wrong::Garbage),
        Just(Wrong::Partial),
        Just(Wrong::Late),
    ];
    let by_hand = prop_oneof![
        (0..4_usize).prop_map(ByHand::EditRule),
        (0..4_usize).prop_map(ByHand::DeleteRule),
        (0..4_usize).prop_map(ByHand::EditContactPoint),
        Just(ByHand::EditTree),
        Just(ByHand::EditTimeInterval),
        Just(ByHand::EditTemplate),
        (0..4_usize).prop_map(ByHand::EndSilence),
    ];
    let step = prop_oneof![
        6 => (0..RESOURCES.len(), any::<bool>()).prop_map(|(which, then)| Step::Put(which, then)),
        3 => prop::sample::select(MAY_GO.to_vec()).prop_map(Step::Delete),
        1 => any::<bool>().prop_map(Step::Secret),
        4 => by_hand.prop_map(Step::ByHand),
        4 => (side(), wrong, 0..6_usize, 1..20_usize).prop_map(|(side, wrong, after, times)| Step::Fault(side, wrong, after, times)),
        1 => Just(Step::Crash),
        1 => Just(Step::Restart),
        4 => (side(), 1..20_usize).prop_map(|(side, calls)| Step::Calls(side, calls)),
        1 => Just(Step::Rest),
    ];
    prop::collection::vec(step, 10..40)
}

/// What there is to be in the end: each resource that is left, and as it is first or as it is then.
#[derive(Debug, Clone)]
pub(super) struct Model {
    present: BTreeMap<usize, bool>,
    secret: bool,
}

impl Model {
    fn start() -> Self {
        Self {
            present: (0..RESOURCES.len()).map(|which| (which, false)).collect(),
            secret: false,
        }
    }

    /// What the steps leave.
    pub(super) fn after(steps: &[Step]) -> Self {
        let mut model = Self::start();
        for step in steps {
            match step {
                Step::Put(which, then) => {
                    model.present.insert(*which, *then);
                    model.sibling(*which, *then);
                }
                Step::Delete(which) => _ = model.present.remove(which),
                Step::Secret(then) => model.secret = *then,
                _ => {}
            }
        }
        model
    }

    /// Rules of one group have one interval, where both are there.
    fn sibling(&mut self, which: usize, then: bool) {
        if TOGETHER.contains(&which) {
            for sibling in TOGETHER {
                self.present.entry(sibling).and_modify(|is| *is = then);
            }
        }
    }
}

impl Between {
    /// What is there while none of ours is.
    pub(super) async fn clean(&self) -> Value {
        state::of(&self.grafana).await
    }

    /// What there is if only the last edits are made, and nothing goes wrong.
    pub(super) async fn undisturbed_end(&self, model: &Model) -> Value {
        self.secret(model.secret).await;
        for (which, then) in &model.present {
            self.put(*which, *then).await;
        }
        self.told(model).await;
        state::of(&self.grafana).await
    }

    pub(super) async fn apply_all(&self) {
        let start = Model::start();
        self.secret(start.secret).await;
        for (which, then) in &start.present {
            self.put(*which, *then).await;
        }
    }

    async fn secret(&self, then: bool) {
        let secret = &resources(then)[0];
        self.plane.apply(&secret.to_string(), &self.ns).await;
    }

    /// Applies a resource; one of that name that is still being deleted goes first.
    async fn put(&self, which: usize, then: bool) {
        let (kind, plural, name) = RESOURCES[which];
        let api = api(&self.client().await, &self.ns, kind, plural);
        wait::until(
            &format!("{kind} {name} isn't being deleted"),
            PATIENCE,
            async || {
                let found = api.get_opt(name).await.ok()?;
                let goes = found.is_some_and(|found| found.metadata.deletion_timestamp.is_some());
                (!goes).then_some(())
            },
        )
        .await;
        let object = &resources(then)[which + 1];
        self.plane.apply(&object.to_string(), &self.ns).await;
    }

    async fn client(&self) -> Client {
        self.plane.admin().await
    }

    /// Waits until each resource that there is says something of its present generation, and all is well if it can be.
    async fn told(&self, model: &Model) {
        let client = self.client().await;
        for which in model.present.keys() {
            let (kind, plural, name) = RESOURCES[*which];
            let api = api(&client, &self.ns, kind, plural);
            wait::until(&format!("{kind} {name} is in sync"), PATIENCE, async || {
                let object = api.get(name).await.ok()?;
                let generation = object.metadata.generation;
                let conditions = object.data.pointer("/status/conditions")?.as_array()?;
                let ready = conditions.iter().find(|one| one["type"] == "Ready")?;
                let told = ready["observedGeneration"].as_i64() == generation;
                // A silence may name a rule that is gone.
                let well =
                    ["Synced", "Unsupported"].contains(&ready["reason"].as_str()?) || kind == "Silence";
                (told && well).then_some(())
            })
            .await;
        }
    }

    /// Deletes everything of ours, and waits until Grafana is as it was before.
    pub(super) async fn delete_all(&self, before: &Value) {
        let client = self.client().await;
        for (kind, plural, name) in RESOURCES {
            let api = api(&client, &self.ns, kind, plural);
            // Already gone is as good.
            let _ = api.delete(name, &DeleteParams::default()).await;
        }
        for (kind, plural, name) in RESOURCES {
            let api = api(&client, &self.ns, kind, plural);
            wait::until(&format!("{kind} {name} is gone"), PATIENCE, async || {
                api.get_opt(name).await.is_ok_and(|found| found.is_none())
            })
            .await;
        }
        self.is("left", before).await;
    }

    /// Waits, with nothing in the way any more, until all is as it is to be.
    pub(super) async fn converges(&mut self, model: &Model, expected: &Value) {
        self.rest(model).await;
        self.is("there", expected).await;
    }

    async fn is(&self, what: &str, expected: &Value) {
        let what = format!("what is {what} is as undisturbed");
        wait::until(&what, PATIENCE, async || {
            let found = state::of(&self.grafana).await;
            if found == *expected {
                wait::Seen::Yes(())
            } else {
                wait::Seen::NotYet(state::difference(expected, &found))
            }
        })
        .await;
    }

    async fn rest(&mut self, model: &Model) {
        self.to_grafana.clear_faults();
        self.to_api_server.clear_faults();
        if self.operator.ended().is_some() {
            self.operator.restart().await.expect("it starts again");
        }
        self.told(model).await;
    }

    /// Lets one thing happen.
    pub(super) async fn take(&mut self, step: &Step, so_far: &Model) {
        match step {
            Step::Put(which, _) => {
                let of_one_group = TOGETHER.contains(which);
                for (each, then) in &so_far.present {
                    if each == which || (of_one_group && TOGETHER.contains(each)) {
                        self.put(*each, *then).await;
                    }
                }
            }
            Step::Delete(which) => {
                let (kind, plural, name) = RESOURCES[*which];
                let api = api(&self.client().await, &self.ns, kind, plural);
                let _ = api.delete(name, &DeleteParams::default()).await;
            }
            Step::Secret(then) => self.secret(*then).await,
            Step::ByHand(what) => self.by_hand(what, so_far).await,
            Step::Fault(side, wrong, after, times) => {
                let fault = wrong.fault().after(*after).times(*times);
                self.proxy(*side).fault(fault);
            }
            Step::Crash => self.operator.restart().await.expect("it starts again"),
            Step::Restart => {
                self.grafana.kill();
                self.grafana.start_again().await.expect("it starts again");
            }
            Step::Calls(side, more) => {
                let proxy = self.proxy(*side);
                let enough = proxy.requests().len() + more;
                wait::until("calls", PATIENCE, async || proxy.requests().len() >= enough).await;
            }
            Step::Rest => self.rest(so_far).await,
        }
    }

    /// What a person does in Grafana, as far as it is there to be done. Grafana may refuse it, as it does of a person.
    async fn by_hand(&self, what: &ByHand, so_far: &Model) {
        let grafana = &self.grafana;
        let chosen = |all: Vec<Value>, which: usize| all.get(which % all.len().max(1)).cloned();
        let foreign = |name: &Value| name == "foreign" || name == "Foreign";
        match what {
            ByHand::EditRule(which) | ByHand::DeleteRule(which) => {
                let rules = grafana.rules().await;
                let ours = rules
                    .into_iter()
                    .filter(|rule| !foreign(&rule["grafana_alert"]["uid"]));
                let Some(rule) = chosen(ours.collect(), *which) else {
                    return;
                };
                let uid = rule["grafana_alert"]["uid"].as_str().unwrap_or_default();
                let path = format!("/api/v1/provisioning/alert-rules/{uid}");
                if matches!(what, ByHand::DeleteRule(_)) {
                    grafana.delete(&path).await;
                } else {
                    let mut rule = grafana.get(&path).await.body;
                    rule["for"] = json!("17m");
                    grafana.put(&path, rule).await;
                }
            }
            ByHand::EditContactPoint(which) => {
                let points = grafana.contact_points().await;
                let ours = points
                    .into_iter()
                    .filter(|point| ["team", "quiet"].contains(&point["name"].as_str().unwrap_or_default()));
                let Some(mut point) = chosen(ours.collect(), *which) else {
                    return;
                };
                let uid = point["uid"].as_str().unwrap_or_default().to_owned();
                point["disableResolveMessage"] = json!(true);
                grafana
                    .put(&format!("/api/v1/provisioning/contact-points/{uid}"), point)
                    .await;
            }
            ByHand::EditTree => {
                let mut tree = grafana.policy_tree().await;
                let is_ours = ["team", "quiet"].contains(&tree["receiver"].as_str().unwrap_or_default());
                if is_ours && so_far.present.contains_key(&TREE) {
                    tree["group_wait"] = json!("7m");
                    grafana.put(POLICIES, tree).await;
                }
            }
            ByHand::EditTimeInterval => {
                let path = "/api/v1/provisioning/mute-timings/nights";
                let mut interval = grafana.get(path).await.body;
                if interval["name"] == "nights" {
                    interval["time_intervals"] = json!([{"weekdays": ["monday"]}]);
                    grafana.put(path, interval).await;
                }
            }
            ByHand::EditTemplate => {
                let path = "/api/v1/provisioning/templates/texts";
                let is_there = grafana.get(path).await.status.is_success();
                if is_there && so_far.present.contains_key(&TEXTS) {
                    let template = json!({"template": "{{ define \"say\" }}by hand{{ end }}"});
                    grafana.put(path, template).await;
                }
            }
            ByHand::EndSilence(which) => {
                let active = grafana.active_silences().await;
                let ours = active.into_iter().filter(|silence| !foreign(&silence["comment"]));
                if let Some(silence) = chosen(ours.collect(), *which) {
                    let id = silence["id"].as_str().unwrap_or_default();
                    grafana
                        .delete(&format!("/api/alertmanager/grafana/api/v2/silence/{id}"))
                        .await;
                }
            }
        }
    }
}
