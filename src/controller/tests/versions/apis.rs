//! Which of Grafana's APIs is used, as a GrafanaInstance asks and says.

use serde_json::json;

use crate::api::{GrafanaInstance, GrafanaInstanceStatus};
use crate::controller::instance;
use crate::controller::tests::*;
use crate::grafana::api::{Api, Capabilities, Change, Concern, Preference, Why};

const NEWER: &str = "rules.alerting.grafana.app/v1beta1";

fn declared(world: &World) -> GrafanaInstance {
    serde_json::from_value(world.server.get(&path("grafanainstances", HOME, "default"))).unwrap()
}

async fn look(world: &World) -> Result<GrafanaInstanceStatus, instance::Error> {
    instance::reconcile(Arc::new(declared(world)), world.context.clone()).await?;
    Ok(declared(world).status.unwrap_or_default())
}

fn due() -> Capabilities {
    Capabilities {
        apis: [(Concern::Rules, Api::Provisioning)].into(),
        change: Some(Change {
            to: Api::Platform(NEWER.to_owned()),
            why: Why::Asked,
            is_made: false,
        }),
        ..Capabilities::default()
    }
}

fn is_told(status: &GrafanaInstanceStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|c| c.type_ == "RuleAPIChange" && c.message.contains("has no group"))
}

async fn connected() -> World {
    let mut world = World::new();
    world.give_token();
    let connection = world.connect(json!({})).await;
    until("the first read", || connection.health() == Health::Up).await;
    world
}

fn is_made(world: &World) -> bool {
    let change = world.grafana.hold(|held| held.capabilities.change.clone());
    change.is_some_and(|change| change.is_made)
}

#[tokio::test]
async fn a_change_of_the_api_of_rules_is_told_before_it_is_made_and_goes_when_it_is_done() {
    let world = connected().await;
    assert!(!is_told(&look(&world).await.unwrap()));
    world.grafana.hold(|held| held.capabilities = due());
    world.server.close("/grafanainstances/");
    look(&world).await.unwrap_err();
    assert!(!is_made(&world), "what can't be told isn't made");

    world.server.open();
    let status = look(&world).await.unwrap();
    assert!(is_told(&status), "{:?}", status.conditions);
    assert_eq!(status.apis["rules"], "provisioning", "as long as it is told");
    assert!(is_made(&world));
    let events = || {
        let notes = world.server.notes();
        notes
            .iter()
            .filter(|note| note.starts_with("RuleAPIChange: "))
            .count()
    };
    assert_eq!(events(), 1, "{:?}", world.server.notes());
    let writes = world.server.writes();
    world.grafana.hold(|held| {
        held.capabilities
            .apis
            .insert(Concern::Rules, Api::Platform(NEWER.to_owned()));
    });
    let status = look(&world).await.unwrap();
    assert!(is_told(&status), "until rules have been read so");
    assert_eq!(status.apis["rules"], NEWER);
    assert_eq!(events(), 1);

    world.grafana.hold(|held| held.capabilities.change = None);
    assert!(!is_told(&look(&world).await.unwrap()));
    assert_eq!(world.server.writes().len(), writes.len() + 2);
}

#[tokio::test]
async fn a_change_that_a_process_before_has_told_and_not_made_is_made() {
    let world = connected().await;
    world.grafana.hold(|held| held.capabilities = due());
    look(&world).await.unwrap();
    // As if another process had told it.
    world.grafana.hold(|held| held.capabilities = due());
    let writes = world.server.writes();
    look(&world).await.unwrap();
    assert!(is_made(&world));
    assert_eq!(world.server.writes(), writes, "it is told already");
}

#[test]
fn what_is_wished_of_the_choice_is_in_the_specification_and_what_was_before_in_the_status() {
    let wished = |spec: serde_json::Value, status: serde_json::Value| {
        let mut object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
            "spec": {"url": "http://grafana", "auth": {}}, "status": status,
        });
        object["spec"]["ruleAPI"] = spec;
        instance::preference(&serde_json::from_value(object).unwrap(), None)
    };
    assert_eq!(wished(json!(null), json!({})), Preference::default());
    assert_eq!(
        wished(json!("Provisioning"), json!({"apis": {"rules": "provisioning"}})),
        Preference {
            platform_rules: false,
            rules_before: Some(Api::Provisioning),
        }
    );
    assert_eq!(
        wished(
            json!("Platform"),
            json!({"apis": {"rules": NEWER, "folders": "provisioning"}})
        ),
        Preference {
            platform_rules: true,
            rules_before: Some(Api::Platform(NEWER.to_owned())),
        }
    );
}
