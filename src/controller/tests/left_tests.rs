//! A GrafanaInstance that is pointed at another Grafana, or at the same one by another address.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::api::GrafanaInstanceStatus;
use crate::controller::connection::former::Outlook;
use crate::controller::instance::moved::{self, Work};
use crate::controller::pass::{self, Reconcile};
use crate::domain::changed::moved::End;
use crate::grafana::model::{self, Route};
use crate::grafana::wire::Folder;

/// Which Grafana was left, as people are told.
pub(super) const BEFORE: &str = "http://grafana (organisation 1)";

/// How far apart looks must be here.
const APART: Duration = Duration::from_nanos(1);

/// One operator, what it is asked for, and the Grafana that it was connected to first.
pub(super) struct Moving {
    pub(super) world: World,
    pub(super) before: Double,
    pub(super) rules: Vec<AlertRule>,
    point: ContactPoint,
    policy: NotificationPolicy,
    interval: TimeInterval,
    silence: Silence,
}

/// A pass over a resource; what it is then.
async fn passed<K: Reconcile>(world: &World, plural: &str, object: &K) -> K {
    let pass = pass::run(Arc::new(object.clone()), world.context.clone());
    pass.await.unwrap();
    serde_json::from_value(world.server.get(&path(plural, "revel", object.id()))).unwrap()
}

/// A tree that nobody has routed anything with.
fn untouched() -> Route {
    Route {
        receiver: Some("grafana-default-email".to_owned()),
        group_wait: Some("7m".to_owned()),
        ..Route::default()
    }
}

fn theirs(uid: &str, receiver: Option<&str>) -> model::AlertRule {
    let notification = receiver.map(|receiver| model::NotificationSettings {
        receiver: receiver.to_owned(),
        ..model::NotificationSettings::default()
    });
    model::AlertRule {
        uid: uid.to_owned(),
        title: uid.to_owned(),
        folder_uid: "theirs".to_owned(),
        group: Some("theirs".to_owned()),
        notification_settings: notification,
        ..model::AlertRule::default()
    }
}

impl Moving {
    /// All is in the first Grafana, beside what is somebody else's.
    async fn start(rules: usize, spec: &Value) -> Self {
        let mut world = World::new();
        world.grafana.hold(|held| {
            held.policy = Some(untouched());
            held.rules.insert("theirs".to_owned(), theirs("theirs", None));
        });
        let instance = world.connect(json!({})).await;
        until("the first read", || instance.health() == Health::Up).await;
        let weekend = json!({"timeIntervals": [{"weekdays": ["saturday"]}]});
        let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
        let named = |i| {
            let mut spec = spec.clone();
            spec["query"] = json!(QUERY);
            (format!("r{i:02}"), spec)
        };
        let mut moving = Self {
            before: world.grafana.clone(),
            rules: (0..rules)
                .map(named)
                .map(|(name, spec)| world.rule(&name, spec))
                .collect(),
            point: world.contact_point("team", hook),
            interval: world.time_interval("weekend", weekend),
            policy: world.policy(
                "tree",
                json!({"receiver": "team", "routes": [{"matchers": ["a=b"], "muteTimeIntervals": ["weekend"]}]}),
            ),
            silence: world.silence("s", json!({"matchers": ["a=b"], "endsAt": "2099-01-01T00:00:00Z"})),
            world,
        };
        moving.passes().await;
        moving
    }

    /// A pass over everything, as the triggers would make it, until all is as it should be.
    async fn passes(&mut self) {
        let instance = self.world.instance();
        instance.suspicion.ask_for(TimeInterval::NEEDS);
        self.world.poll().await;
        let world = &mut self.world;
        self.interval = passed(world, "timeintervals", &self.interval).await;
        see(
            &world.context,
            &mut world.writers.time_intervals,
            self.interval.clone(),
            news::about_time_interval,
        );
        self.point = passed(world, "contactpoints", &self.point).await;
        see(
            &world.context,
            &mut world.writers.contact_points,
            self.point.clone(),
            news::about_contact_point,
        );
        self.policy = passed(world, "notificationpolicies", &self.policy).await;
        see(
            &world.context,
            &mut world.writers.policies,
            self.policy.clone(),
            news::about_policy,
        );
        for rule in &mut self.rules {
            *rule = passed(world, "alertrules", rule).await;
            see(
                &world.context,
                &mut world.writers.rules,
                rule.clone(),
                news::about_rule,
            );
        }
        self.silence = passed(world, "silences", &self.silence).await;
        see(
            &world.context,
            &mut world.writers.silences,
            self.silence.clone(),
            news::about_silence,
        );
    }

    /// The instance is pointed at this Grafana, which has been read.
    async fn to(&mut self, there: Double) {
        let left = self.world.instance();
        left.stop.cancel();
        self.world.grafana = there;
        let instance = self.world.connect(json!({"url": "http://other"})).await;
        moved::leave(&left, &self.world.context);
        until("the other one has been read", || instance.health() == Health::Up).await;
    }

    /// The same, and all is there too.
    pub(super) async fn moved() -> Self {
        let mut moving = Box::pin(Self::start(2, &json!({}))).await;
        moving.to(Double::new()).await;
        moving.passes().await;
        moving
    }

    pub(super) fn work(&self) -> Work {
        let left = self.world.context.former.open("default").remove(0);
        Work::new(left, self.world.instance(), APART)
    }

    /// So many rounds, or until it is over. Whether it is.
    pub(super) async fn rounds(&self, count: usize) -> bool {
        let mut work = self.work();
        let mut is_over = false;
        for _ in 0..count {
            is_over = work.round(&self.world.context).await;
            if is_over {
                break;
            }
        }
        work.end(&self.world.context).await;
        is_over
    }

    pub(super) fn outlook(&self) -> Outlook {
        self.world.context.former.outlook("default", BEFORE).unwrap()
    }

    /// What the status says then: the condition, and what is left.
    pub(super) fn told(&self) -> (Option<(String, String)>, Vec<String>) {
        let mut status = GrafanaInstanceStatus {
            left_behind: vec![format!("{BEFORE}: 2 AlertRules")],
            ..GrafanaInstanceStatus::default()
        };
        let context = &self.world.context;
        moved::tell("default", context, &mut status, Some(1), context.now());
        let condition = status.conditions.into_iter().next();
        let condition = condition.map(|condition| {
            assert_eq!(
                (condition.type_.as_str(), condition.status.as_str()),
                ("LeftBehind", "True")
            );
            (condition.reason, condition.message)
        });
        (condition, status.left_behind)
    }

    /// How many rules of ours the first Grafana has.
    pub(super) fn rules_before(&self) -> usize {
        self.before
            .hold(|held| held.rules.keys().filter(|uid| uid.starts_with("aw-")).count())
    }

    /// Nothing tells the two apart any more.
    fn assert_tidy(&self) {
        for grafana in [&self.before, &self.world.grafana] {
            grafana.hold(|held| {
                let is_probe = |folder: &&Folder| folder.uid.starts_with("alertwright-probe-");
                assert_eq!(held.folders.iter().find(is_probe), None);
            });
        }
    }

    pub(super) fn assert_untouched(&self) {
        self.before.hold(|held| {
            assert_eq!(held.points.len(), 1);
            assert_eq!((held.time_intervals.len(), held.silences.len()), (1, 1));
            assert_ne!(held.policy, Some(untouched()));
        });
        assert_eq!(self.rules_before(), self.rules.len());
        self.assert_tidy();
    }
}

#[tokio::test]
async fn all_of_ours_goes_from_the_grafana_before_the_tree_comes_back_and_what_is_others_stays() {
    let moving = Box::pin(Moving::moved()).await;
    moving.before.hold(|held| {
        held.points.push(Point {
            name: "theirs".to_owned(),
            ..held.points[0].clone()
        });
        held.points.last_mut().unwrap().uid = "theirs".to_owned();
        let mut silence = held.silences[0].clone();
        silence.id = Some("theirs".to_owned());
        silence.created_by = "somebody".to_owned();
        held.silences.push(silence);
    });
    assert!(moving.rounds(3).await, "{:?}", moving.outlook());
    assert_eq!(moving.outlook(), Outlook::Over(End::Gone));
    moving.before.hold(|held| {
        assert_eq!(held.rules.keys().collect::<Vec<_>>(), ["theirs"]);
        let points: Vec<_> = held.points.iter().map(|point| point.uid.as_str()).collect();
        assert_eq!(points, ["theirs"]);
        let silences: Vec<_> = held.silences.iter().map(|s| s.id.as_deref().unwrap()).collect();
        assert_eq!(silences, ["theirs"]);
        assert_eq!(held.policy, Some(untouched()));
        assert!(held.time_intervals.is_empty());
    });
    moving.world.grafana.hold(|held| {
        assert_eq!(
            (held.rules.len(), held.points.len(), held.silences.len()),
            (2, 1, 1)
        );
        assert_ne!(held.policy, Double::new().hold(|held| held.policy.clone()));
    });
    moving.assert_tidy();
    assert_eq!(moving.told(), (None, Vec::new()), "nothing is left to be told");
}

#[tokio::test]
async fn another_address_of_the_same_grafana_removes_nothing_and_leaves_nothing_behind() {
    let mut moving = Box::pin(Moving::start(2, &json!({}))).await;
    moving.to(moving.before.clone()).await;
    moving.passes().await;
    assert!(moving.rounds(3).await);
    assert_eq!(moving.outlook(), Outlook::Over(End::Same));
    moving.assert_untouched();
    assert_eq!(moving.told(), (None, Vec::new()));
}

#[tokio::test]
async fn nothing_goes_before_all_is_where_it_is_now_whatever_statuses_say() {
    let mut moving = Box::pin(Moving::start(2, &json!({}))).await;
    moving.to(Double::new()).await;
    // They are READY: in the Grafana before.
    assert!(!moving.rounds(4).await);
    assert_eq!(moving.outlook(), Outlook::Waits(6));
    moving.assert_untouched();
    let (condition, left) = moving.told();
    let (reason, message) = condition.unwrap();
    assert_eq!((reason.as_str(), left.len()), ("Waiting", 1));
    assert!(
        message.contains(BEFORE) && message.contains("6 resources"),
        "{message}"
    );
    moving.passes().await;
    assert!(moving.rounds(4).await);
    assert_eq!(moving.outlook(), Outlook::Over(End::Gone));
}

#[tokio::test]
async fn a_grafana_that_is_gone_is_given_up_after_ten_looks_and_the_status_says_what_is_there() {
    let moving = Box::pin(Moving::moved()).await;
    moving.before.does(|_| Does::Refuses(502, "bad gateway"));
    assert!(!moving.rounds(9).await);
    let calls = moving.before.calls().len();
    assert!(moving.rounds(10).await);
    assert!(
        moving.before.calls().len() - calls < 40,
        "{:?}",
        moving.before.calls()
    );
    let (condition, left) = moving.told();
    let (reason, message) = condition.unwrap();
    assert_eq!(
        (reason.as_str(), left),
        ("Stays", vec![format!("{BEFORE}: 2 AlertRules")])
    );
    assert!(
        message.contains("2 AlertRules in http://grafana") && message.contains("bad gateway"),
        "{message}"
    );
    moving.before.does_well();
    moving.assert_untouched();
}

#[tokio::test]
async fn who_may_not_see_the_others_folder_proves_nothing() {
    let moving = Box::pin(Moving::moved()).await;
    moving.before.does(|called| match called {
        "folders.get" => Does::Refuses(403, "no access"),
        _ => Does::Well,
    });
    assert!(moving.rounds(10).await);
    moving.before.does_well();
    moving.assert_untouched();
    assert!(moving.told().0.unwrap().1.contains("no access"));
}

#[tokio::test]
async fn a_resource_that_was_deleted_meanwhile_is_taken_out_too() {
    let mut moving = Box::pin(Moving::moved()).await;
    let gone = moving.rules.remove(0);
    let event = Event::Delete(gone);
    let before = moving.world.writers.rules.apply(&event);
    news::about_rule(&event, before.as_deref(), &moving.world.context);
    assert!(moving.rounds(3).await);
    assert_eq!(
        (moving.outlook(), moving.rules_before()),
        (Outlook::Over(End::Gone), 0)
    );
}

#[tokio::test]
async fn a_contact_point_that_somebody_else_uses_stays_and_all_else_goes() {
    // One of a namespace that is on its way out waits for nobody, and stays there all the same.
    for (is_leaving, who) in [(false, "using"), (true, "is still used there")] {
        let moving = Box::pin(Moving::moved()).await;
        if !is_leaving {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}});
            moving.world.server.set("/api/v1/namespaces/revel", namespace);
        }
        moving.before.hold(|held| {
            held.rules
                .insert("using".to_owned(), theirs("using", Some("team")));
        });
        assert!(moving.rounds(14).await, "{:?}", moving.outlook());
        let message = moving.told().0.unwrap().1;
        assert!(
            message.contains("ContactPoint revel/team") && message.contains(who),
            "{message}"
        );
        moving.before.hold(|held| {
            assert_eq!((held.points.len(), held.time_intervals.len()), (1, 0));
            assert_eq!(held.policy, Some(untouched()));
        });
        assert_eq!(moving.rules_before(), 0);
        moving.assert_tidy();
    }
}

#[tokio::test]
async fn before_each_batch_it_is_looked_again_and_what_turns_out_to_be_one_loses_no_more() {
    let mut moving = Box::pin(Moving::start(30, &json!({}))).await;
    moving.to(Double::new()).await;
    moving.passes().await;
    let deleted = Arc::new(AtomicUsize::new(0));
    let (count, before, after) = (
        deleted.clone(),
        moving.before.clone(),
        moving.world.grafana.clone(),
    );
    moving.before.does(move |called| {
        // The address begins to lead to the Grafana before.
        if called == "rules.delete" && count.fetch_add(1, Ordering::Relaxed) == 4 {
            let folders = before.hold(|held| held.folders.clone());
            after.hold(|held| held.folders = folders);
        }
        Does::Well
    });
    assert!(moving.rounds(4).await);
    assert_eq!(moving.outlook(), Outlook::Over(End::Same));
    assert_eq!(deleted.load(Ordering::Relaxed), 20);
    assert_eq!(moving.rules_before(), 10);
}
