//! What became of notifications, as contact points show it.

use serde_json::json;

use super::*;
use crate::api::ContactPoint;
use crate::controller::instance::read::deliveries;
use crate::controller::pass;
use crate::grafana::api::Delivery;

/// A world with this ContactPoint, whose last pass its status tells of.
struct Delivering {
    world: World,
}

impl Delivering {
    async fn start() -> Self {
        let mut world = World::connected().await;
        world.contact_point("team", spec("https://example.com/hook/s3cret"));
        let mut delivering = Self { world };
        delivering.pass().await;
        delivering
    }

    /// A look that shows this, and for how many contact points it asks for a pass.
    async fn look(&mut self, at: &str, error: Option<&str>) -> usize {
        let delivery = Delivery {
            contact_point: "team".to_owned(),
            integration: "webhook".to_owned(),
            place: 0,
            at: Some(at.parse().unwrap()),
            error: error.map(str::to_owned),
        };
        self.world.grafana.hold(|held| held.deliveries = vec![delivery]);
        drain(&mut self.world.receivers.contact_points);
        deliveries::read(&self.world.instance(), &self.world.context).await;
        drain(&mut self.world.receivers.contact_points)
    }

    /// A pass, and the two fields of the status after it.
    async fn pass(&mut self) -> Value {
        let object: ContactPoint = serde_json::from_value(self.stored()).unwrap();
        pass::run(Arc::new(object), self.world.context.clone())
            .await
            .unwrap();
        let status = self.stored()["status"].take();
        json!([status["delivery"], status["lastSent"]])
    }

    fn stored(&self) -> Value {
        self.world.server.get(&path("contactpoints", "revel", "team"))
    }

    /// How often the status was written.
    fn writes(&self) -> usize {
        let writes = self.world.server.writes();
        writes
            .iter()
            .filter(|write| write.contains("contactpoints/team/status"))
            .count()
    }

    /// How often an event was written, or counted once more.
    fn events(&self) -> usize {
        let writes = self.world.server.writes();
        writes.iter().filter(|write| write.contains("/events")).count()
    }

    fn told(&self) -> Vec<String> {
        let mut notes = self.world.server.notes();
        notes.retain(|note| note.starts_with("Deliver"));
        notes
    }
}

fn spec(url: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": url}}}]})
}

#[tokio::test]
async fn a_contact_point_shows_whether_it_delivers_and_is_written_when_that_changes() {
    let mut delivering = Delivering::start().await;
    assert_eq!(delivering.pass().await, json!([null, null]), "nothing was sent");
    assert_eq!(delivering.look("2026-01-01T10:00:00Z", None).await, 1);
    let ok = json!(["OK", "2026-01-01T10:00:00Z"]);
    assert_eq!(delivering.pass().await, ok);
    let writes = delivering.writes();
    assert_eq!(
        delivering.look("2026-01-01T11:00:00Z", None).await,
        0,
        "the next one"
    );
    assert_eq!(delivering.pass().await, ok);
    assert_eq!(delivering.writes(), writes, "nothing has changed");

    let refused = Some("Post \"https://example.com/hook/s3cret?to=s3cret\": no route to host");
    assert_eq!(delivering.look("2026-01-01T12:00:00Z", refused).await, 1);
    let failing = json!([
        "webhook: Post \"https://example.com/…\": no route to host",
        "2026-01-01T12:00:00Z"
    ]);
    assert_eq!(delivering.pass().await, failing);
    let events = delivering.events();
    assert_eq!(delivering.look("2026-01-01T13:00:00Z", Some("EOF")).await, 0);
    assert_eq!(delivering.pass().await, failing);
    assert_eq!(delivering.events(), events, "it is told once");
    assert_eq!(delivering.writes(), writes + 1);

    assert_eq!(delivering.look("2026-01-01T14:00:00Z", None).await, 1);
    assert_eq!(delivering.pass().await, json!(["OK", "2026-01-01T14:00:00Z"]));
    assert_eq!(delivering.writes(), writes + 2);
    assert_eq!(
        delivering.told(),
        [
            "DeliveryFailed: webhook: Post \"https://example.com/…\": no route to host",
            "Delivered: notifications go out again",
        ]
    );
}

#[tokio::test]
async fn what_was_sent_before_a_change_says_nothing_of_the_contact_point_after_it() {
    let mut delivering = Delivering::start().await;
    delivering
        .look("2026-01-01T10:00:00Z", Some("invalid_token"))
        .await;
    assert_eq!(delivering.pass().await[0], "webhook: invalid_token");
    let mut changed = delivering.stored();
    changed["spec"] = spec("https://example.com/other");
    changed["metadata"]["generation"] = json!(2);
    let place = path("contactpoints", "revel", "team");
    delivering.world.server.set(&place, changed);
    let none = json!([null, "2026-01-01T10:00:00Z"]);
    assert_eq!(delivering.pass().await, none);
    assert_eq!(delivering.told(), ["DeliveryFailed: webhook: invalid_token"]);

    // Nor does it after a restart, while Grafana goes on showing it.
    delivering.world = delivering.world.restarted().await;
    let now = serde_json::from_value(delivering.stored()).unwrap();
    let world = &mut delivering.world;
    see(
        &world.context,
        &mut world.writers.contact_points,
        now,
        news::about_contact_point,
    );
    let writes = delivering.writes();
    for _ in 0..2 {
        delivering
            .look("2026-01-01T10:00:00Z", Some("invalid_token"))
            .await;
        assert_eq!(delivering.pass().await, none);
    }
    assert_eq!(delivering.writes(), writes);
    assert_eq!(delivering.told(), ["DeliveryFailed: webhook: invalid_token"]);
    delivering.look("2026-01-01T10:05:00Z", None).await;
    assert_eq!(delivering.pass().await, json!(["OK", "2026-01-01T10:05:00Z"]));
}

#[tokio::test]
async fn a_failure_in_other_words_is_shown_when_the_contact_point_is_edited_and_no_news() {
    let mut delivering = Delivering::start().await;
    delivering.look("2026-01-01T10:00:00Z", Some("timeout")).await;
    delivering.pass().await;
    delivering.look("2026-01-01T11:00:00Z", Some("refused")).await;
    assert_eq!(delivering.pass().await[0], "webhook: timeout");
    let mut edited = delivering.stored();
    edited["metadata"]["generation"] = json!(2);
    let place = path("contactpoints", "revel", "team");
    delivering.world.server.set(&place, edited);
    assert_eq!(delivering.pass().await[0], "webhook: refused");
    assert_eq!(delivering.told(), ["DeliveryFailed: webhook: timeout"]);
}

#[tokio::test]
async fn a_restart_keeps_what_is_told() {
    let mut delivering = Delivering::start().await;
    delivering.look("2026-01-01T10:00:00Z", None).await;
    let ok = delivering.pass().await;
    let writes = delivering.writes();
    delivering.world = delivering.world.restarted().await;
    assert_eq!(delivering.pass().await, ok);
    assert_eq!(delivering.writes(), writes);
}

#[tokio::test]
async fn one_look_is_for_all_contact_points_and_none_is_for_none() {
    let mut world = World::connected().await;
    let looks = |world: &World| world.grafana.count("contact_points.deliveries");
    deliveries::read(&world.instance(), &world.context).await;
    assert_eq!(looks(&world), 0);
    for name in ["a", "b", "c"] {
        world.contact_point(name, spec("https://example.com"));
    }
    deliveries::read(&world.instance(), &world.context).await;
    assert_eq!(looks(&world), 1);
}

#[tokio::test]
async fn a_grafana_that_does_not_tell_stops_nothing() {
    let mut delivering = Delivering::start().await;
    delivering.look("2026-01-01T10:00:00Z", None).await;
    let ok = delivering.pass().await;
    delivering.world.grafana.does(|called| match called {
        "contact_points.deliveries" => Does::Refuses(403, "no access"),
        _ => Does::Well,
    });
    assert_eq!(delivering.look("2026-01-01T11:00:00Z", Some("EOF")).await, 0);
    assert_eq!(delivering.world.instance().health(), Health::Up);
    assert_eq!(delivering.pass().await, ok);
}

#[tokio::test]
async fn a_secret_that_grafana_repeats_is_told_to_nobody() {
    let mut delivering = Delivering::start().await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "revel"},
        "data": {"password": "aHVudGVyMg=="},
    });
    let server = &delivering.world.server;
    server.set("/api/v1/namespaces/revel/secrets/keys", secret);
    let mut changed = delivering.stored();
    let webhook = &mut changed["spec"]["integrations"][0]["webhook"];
    webhook["username"] = json!("user");
    webhook["password"] = json!({"secretKeyRef": {"name": "keys", "key": "password"}});
    server.set(&path("contactpoints", "revel", "team"), changed);
    delivering.pass().await;
    delivering
        .look("2026-01-01T10:00:00Z", Some("user:hunter2 is locked"))
        .await;
    assert_eq!(delivering.pass().await[0], "webhook: user:[REDACTED] is locked");
    assert_eq!(
        delivering.told(),
        ["DeliveryFailed: webhook: user:[REDACTED] is locked"]
    );
}

#[tokio::test]
async fn a_value_that_was_replaced_stays_hidden_while_grafana_still_repeats_it() {
    let mut delivering = Delivering::start().await;
    let secret = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "revel"},
            "data": {"password": data_encoding::BASE64.encode(value.as_bytes())},
        })
    };
    let at = "/api/v1/namespaces/revel/secrets/keys";
    delivering.world.server.set(at, secret("f0rmer"));
    let mut by_secret = delivering.stored();
    by_secret["spec"]["integrations"][0]["webhook"]["password"] =
        json!({"secretKeyRef": {"name": "keys", "key": "password"}});
    let place = path("contactpoints", "revel", "team");
    delivering.world.server.set(&place, by_secret);
    delivering.pass().await;
    // Grafana has stored the new one, and still sends by the configuration with the former one.
    delivering.world.server.set(at, secret("pr3sent"));
    delivering.pass().await;
    delivering
        .look(
            "2026-01-01T10:00:00Z",
            Some("f0rmer isn't the password, nor is pr3sent"),
        )
        .await;
    let hidden = "webhook: [REDACTED] isn't the password, nor is [REDACTED]";
    assert_eq!(delivering.pass().await[0], hidden);
    assert_eq!(delivering.told(), [format!("DeliveryFailed: {hidden}")]);
}
