//! Requests for passes over what is suspended.

use super::*;

#[tokio::test]
async fn a_request_for_what_is_suspended_stands_until_it_is_resumed() {
    let mut world = world().await;
    world.rule("r", json!({"query": QUERY}));
    rests::<AlertRule>(&world, "alertrules", "r").await;
    let at = path("alertrules", "revel", "r");
    let suspend = |is_suspended: bool| {
        let mut object = world.server.get(&at);
        object["spec"]["suspend"] = json!(is_suspended);
        world.server.set(&at, object);
    };
    suspend(true);
    ask(&world, "alertrules", "r", "now");
    assert_eq!(pass::<AlertRule>(&world, "alertrules", "r").await, [""; 0]);
    assert_eq!(reason(&world, "alertrules", "r"), "Suspended");
    assert_eq!(handled(&world, "alertrules", "r"), Value::Null);
    suspend(false);
    assert_eq!(pass::<AlertRule>(&world, "alertrules", "r").await, ["rules.get"]);
    assert_eq!(handled(&world, "alertrules", "r"), json!("now"));
}

#[tokio::test]
async fn a_contact_point_and_a_silence_that_are_suspended_stay_as_they_are_until_they_are_resumed() {
    let mut world = world().await;
    world.contact_point("team", hook("https://example.com/hook"));
    let ends = |end: &str| json!({"matchers": ["team=web"], "endsAt": end});
    world.silence("s", ends("2100-01-01T00:00:00Z"));
    rests::<ContactPoint>(&world, "contactpoints", "team").await;
    rests::<Silence>(&world, "silences", "s").await;
    let change = |plural: &str, name: &str, is_suspended: bool, mut spec: Value| {
        let at = path(plural, "revel", name);
        let mut object = world.server.get(&at);
        spec["suspend"] = json!(is_suspended);
        object["spec"] = spec;
        let generation = object["metadata"]["generation"].as_i64().unwrap();
        object["metadata"]["generation"] = json!(generation + 1);
        world.server.set(&at, object);
    };
    for is_suspended in [true, false] {
        change(
            "contactpoints",
            "team",
            is_suspended,
            hook("https://example.com/other"),
        );
        change("silences", "s", is_suspended, ends("2101-01-01T00:00:00Z"));
        let calls = [
            pass::<ContactPoint>(&world, "contactpoints", "team").await,
            pass::<Silence>(&world, "silences", "s").await,
        ];
        let reasons = [
            reason(&world, "contactpoints", "team"),
            reason(&world, "silences", "s"),
        ];
        if is_suspended {
            assert_eq!(calls, [[""; 0]; 2]);
            assert_eq!(reasons, ["Suspended"; 2]);
        } else {
            assert!(calls[0].contains(&"contact_points.update"), "{calls:?}");
            assert!(calls[1].contains(&"silences.put"), "{calls:?}");
            assert_eq!(reasons, ["Synced"; 2]);
        }
    }
}
