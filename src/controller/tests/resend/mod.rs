//! Sending secrets again: because the GrafanaInstance asks for it, and because Grafana was put back.

mod revisions;
mod told;

use serde_json::json;

use super::*;
use crate::controller::pass::Reconcile;
use crate::grafana::model;

/// What the contact points' Secret says.
const PASSWORD: &str = "rotated";

/// An API server with the Secrets, and a Grafana that shows no passwords.
fn outside() -> (ApiServer, Double) {
    let (server, grafana) = (ApiServer::default(), Double::new());
    for (namespace, name, key) in [("revel", "keys", "password"), (HOME, "token", "token")] {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "data": {key: data_encoding::BASE64.encode(PASSWORD.as_bytes())},
        });
        server.set(&format!("/api/v1/namespaces/{namespace}/secrets/{name}"), secret);
    }
    grafana.hold(|held| held.hidden = vec!["password"]);
    (server, grafana)
}

fn webhook(url: &str) -> Value {
    let password = json!({"secretKeyRef": {"name": "keys", "key": "password"}});
    json!({"webhook": {"url": {"value": url}, "username": "u", "password": password}})
}

/// What the operator is asked for in these tests: contact points with a secret each, one without, and rules.
struct Asked {
    world: World,
    points: Vec<ContactPoint>,
    rules: Vec<AlertRule>,
}

impl Asked {
    /// An operator that has started, by an instance with this annotation, and done everything.
    async fn start(outside: &(ApiServer, Double), resend: Option<&str>) -> Self {
        let mut world = World::over(outside.0.clone(), outside.1.clone());
        let instance = world.connect_annotated(json!({}), resend).await;
        until("the first read", || instance.health() == Health::Up).await;
        let mut points: Vec<ContactPoint> = ["a", "b", "c"]
            .iter()
            .map(|name| {
                world.contact_point(
                    name,
                    json!({"integrations": [webhook(&format!("https://example.com/{name}"))]}),
                )
            })
            .collect();
        let open = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
        points.push(world.contact_point("open", open));
        let rules = ["r1", "r2", "r3", "r4"]
            .iter()
            .map(|name| world.rule(name, json!({"query": QUERY, "title": name})))
            .collect();
        let mut asked = Self { world, points, rules };
        asked.pass().await;
        asked
    }

    /// Gives everything a pass, as the triggers would, and says how often a contact point was written.
    async fn pass(&mut self) -> usize {
        let before = self.written();
        for point in &self.points {
            point.reconcile(&self.world.context).await.unwrap();
        }
        for rule in &self.rules {
            rule.reconcile(&self.world.context).await.unwrap();
        }
        self.written() - before
    }

    fn written(&self) -> usize {
        let grafana = &self.world.grafana;
        let writes = [
            "contact_points.create",
            "contact_points.update",
            "contact_points.put",
        ];
        writes.map(|write| grafana.count(write)).into_iter().sum()
    }

    /// The instance's annotation becomes this, and its pass follows. Says how many contact points were asked to have theirs.
    async fn annotate(&mut self, resend: Option<&str>) -> usize {
        let world = &mut self.world;
        let place = path("grafanainstances", HOME, "default");
        let mut declared = world.server.get(&place);
        declared["metadata"]["annotations"] = annotations(resend);
        world.server.set(&place, declared.clone());
        let declared: GrafanaInstance = serde_json::from_value(declared).unwrap();
        see(
            &world.context,
            &mut world.writers.instances,
            declared.clone(),
            news::about_instance,
        );
        drain(&mut world.receivers.contact_points);
        instance::reconcile(Arc::new(declared), world.context.clone())
            .await
            .unwrap();
        drain(&mut world.receivers.contact_points)
    }

    /// What the instance's status says of the annotation.
    fn resent(&self) -> Value {
        self.world.server.get(&path("grafanainstances", HOME, "default"))["status"]["resent"].clone()
    }

    /// A poll, and all passes twice. Says how often a contact point was written.
    async fn poll(&mut self) -> usize {
        self.world.poll().await;
        self.pass().await + self.pass().await
    }

    /// The notes of events with this reason.
    fn notes(&self, reason: &str) -> Vec<String> {
        let mut notes = self.world.server.notes();
        notes.retain(|note| note.starts_with(&format!("{reason}: ")));
        notes
    }

    /// Puts the passwords in Grafana back to what nobody sees.
    fn stale(&self) {
        self.world.grafana.hold(|held| {
            for point in &mut held.points {
                if let Some(password) = point.settings.get_mut("password") {
                    *password = json!("stale");
                }
            }
        });
    }

    /// The passwords that Grafana has.
    fn passwords(&self) -> Vec<String> {
        self.world.grafana.hold(|held| {
            let all = held
                .points
                .iter()
                .filter_map(|point| point.settings.get("password"));
            all.map(|password| password.as_str().unwrap().to_owned())
                .collect()
        })
    }

    /// Changes a rule in Grafana by hand.
    fn edit(&self, name: &str) -> model::AlertRule {
        self.world.grafana.hold(|held| {
            let rule = held.rules.values().find(|rule| rule.title == name);
            let mut rule = rule.unwrap().clone();
            let before = rule.clone();
            rule.r#for = "1h".to_owned();
            held.take(rule);
            before
        })
    }
}

#[tokio::test]
async fn a_new_value_on_the_instance_sends_every_contact_point_that_hides_something_once() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    for value in ["1", "2"] {
        asked.stale();
        assert_eq!(
            asked.annotate(Some(value)).await,
            4,
            "all contact points have a pass"
        );
        assert_eq!(asked.resent(), json!(value));
        assert_eq!(asked.pass().await, 3, "of the one without a secret all is seen");
        assert_eq!(asked.passwords(), [PASSWORD; 3]);
        assert_eq!(asked.annotate(Some(value)).await, 0);
        assert_eq!(asked.poll().await, 0, "never again for {value}");
    }
    // Both times with the same words, which are one event.
    assert_eq!(asked.notes("Resend").len(), 1, "{:?}", asked.world.server.notes());
    // It is forgotten with the annotation, so that the same value is a new one then.
    assert_eq!(asked.annotate(None).await, 0);
    assert_eq!((asked.resent(), asked.poll().await), (Value::Null, 0));
    asked.annotate(Some("2")).await;
    assert_eq!(asked.poll().await, 3);
}

#[tokio::test]
async fn a_value_is_acted_upon_once_though_the_operator_starts_again_at_any_moment() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    asked.annotate(Some("1")).await;
    // It ends before any contact point was sent, and after one of them.
    asked.points[0].reconcile(&asked.world.context).await.unwrap();
    let sent = asked.written();
    let mut asked = Asked::start(&outside, Some("1")).await;
    assert_eq!(asked.written() - sent, 2);
    assert_eq!(asked.poll().await, 0);
    // A value that came while nobody was there is acted upon with the first read, before any contact point has its pass.
    let sent = asked.written();
    let mut asked = Asked::start(&outside, Some("2")).await;
    assert_eq!(asked.written() - sent, 3);
    assert_eq!(asked.annotate(Some("2")).await, 0);
    assert_eq!(asked.poll().await, 0);
}

#[tokio::test]
async fn a_value_from_before_a_contact_point_was_made_sends_it_no_second_time() {
    let outside = outside();
    let mut asked = Asked::start(&outside, Some("old")).await;
    assert_eq!(asked.written(), 4, "each was made once");
    assert_eq!((asked.annotate(Some("old")).await, asked.poll().await), (0, 0));
    // One that is deleted and made again is made, and that is all.
    asked.points[0].clean_up(&asked.world.context).await.unwrap();
    assert_eq!((asked.pass().await, asked.poll().await), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_remembered_is_not_sent_before_it_can() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    asked.world.server.close("/secrets");
    assert_eq!(asked.annotate(Some("1")).await, 0);
    assert_eq!((asked.resent(), asked.pass().await), (Value::Null, 0));
    asked.world.server.close("/nothing");
    assert_eq!(asked.poll().await, 3);
    assert_eq!(asked.poll().await, 0);
}

#[tokio::test]
async fn a_restored_backup_that_shows_in_a_rule_has_all_secrets_sent_once() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    // What the backup holds of r1, before it was changed.
    let backup = asked.edit("r1");
    let then = asked.world.grafana.hold(|held| held.updated[&backup.uid]);
    let as_then = asked.world.grafana.hold(|held| held.rules[&backup.uid].clone());
    assert_eq!(asked.poll().await, 0, "an edit");
    assert_eq!(asked.poll().await, 0, "put right");
    asked.world.grafana.hold(|held| {
        held.rules.insert(as_then.uid.clone(), as_then.clone());
        held.updated.insert(as_then.uid.clone(), then);
    });
    asked.stale();
    drain(&mut asked.world.receivers.contact_points);
    asked.world.poll().await;
    assert_eq!(drain(&mut asked.world.receivers.contact_points), 4);
    assert_eq!(asked.pass().await, 3);
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
    assert_eq!(asked.poll().await, 0);
    let notes = asked.notes("Restored");
    assert!(
        notes.len() == 1 && notes[0].contains("a rule is what it was at an earlier time"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_restored_backup_from_before_rules_were_made_has_all_secrets_sent_once() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    assert_eq!(asked.poll().await, 0);
    asked.world.grafana.hold(|held| {
        held.rules.retain(|_, rule| rule.title.as_str() > "r2");
        held.points.retain(|point| point.name != "a");
    });
    asked.stale();
    assert_eq!(asked.poll().await, 3, "one of them anew");
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
    assert_eq!(asked.poll().await, 0);
    assert_eq!(asked.notes("Restored").len(), 1);
}

#[tokio::test]
async fn nothing_else_is_taken_for_a_restored_backup() {
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0), "at rest");
    // One is edited by hand, all are, and one or two are deleted.
    asked.edit("r1");
    assert_eq!(asked.poll().await, 0);
    assert_eq!(asked.poll().await, 0);
    for name in ["r1", "r2", "r3", "r4"] {
        asked.edit(name);
    }
    assert_eq!(asked.poll().await, 0);
    assert_eq!(asked.poll().await, 0);
    asked
        .world
        .grafana
        .hold(|held| held.rules.retain(|_, rule| rule.title.as_str() > "r2"));
    assert_eq!(asked.poll().await, 0);
    // Times that are others, and rules that are the same: a clock was put right.
    assert_eq!(asked.poll().await, 0);
    asked.world.grafana.hold(|held| {
        held.updated
            .values_mut()
            .for_each(|time| *time = jiff::Timestamp::MIN);
    });
    assert_eq!(asked.poll().await, 0);
    // Rules whose resources go.
    assert_eq!(asked.poll().await, 0);
    for rule in std::mem::take(&mut asked.rules) {
        rule.clean_up(&asked.world.context).await.unwrap();
        asked.world.writers.rules.apply(&Event::Delete(rule));
    }
    assert_eq!(asked.poll().await, 0);
    // The operator starts, and finds everything otherwise than it is asked for.
    asked.world.grafana.hold(|held| held.rules.clear());
    let written = asked.written();
    let mut asked = Asked::start(&outside, None).await;
    assert_eq!(asked.written(), written);
    // All is gone, so all is made anew, and nothing twice.
    assert_eq!(asked.poll().await, 0);
    asked.world.grafana.hold(|held| {
        held.rules.clear();
        held.points.clear();
    });
    assert_eq!((asked.poll().await, asked.poll().await), (4, 0));
    assert!(asked.notes("Restored").is_empty() && asked.notes("Resend").is_empty());
}

#[tokio::test]
async fn a_contact_point_that_is_not_as_it_was_left_has_all_its_secrets_sent_even_if_the_first_attempt_fails()
{
    let outside = outside();
    let mut asked = Asked::start(&outside, None).await;
    let two = json!({"integrations": [webhook("https://example.com/1"), webhook("https://example.com/2")]});
    asked.points = vec![asked.world.contact_point("two", two)];
    assert_eq!((asked.pass().await, asked.poll().await), (2, 0));
    asked.stale();
    asked.world.grafana.hold(|held| {
        let first = held
            .points
            .iter_mut()
            .find(|point| point.settings.get("url") == Some(&json!("https://example.com/1")));
        first
            .unwrap()
            .settings
            .insert("url".to_owned(), json!("https://example.com/0"));
    });
    // The first integration is put right, and the second refused.
    let calls = std::sync::atomic::AtomicUsize::new(0);
    asked.world.grafana.does(move |called| {
        let is_second =
            called == "contact_points.update" && calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1;
        if is_second {
            Does::Refuses(500, "not now")
        } else {
            Does::Well
        }
    });
    asked.world.poll().await;
    asked.points[0].reconcile(&asked.world.context).await.unwrap_err();
    assert_eq!(asked.pass().await, 1);
    let fresh = asked
        .passwords()
        .iter()
        .filter(|password| *password == PASSWORD)
        .count();
    assert_eq!((fresh, asked.poll().await), (2, 0), "{:?}", asked.passwords());
}
