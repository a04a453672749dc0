//! Contact points: what one door has stored the other finds equal, its secrets hidden in the same places, and each goes on where the other was.

mod kinds;

use alertwright::domain::notification::contact_point::Integration;
use alertwright::domain::notification::contact_point::decision::{as_sent, decide};
use alertwright::grafana::Class;
use alertwright::grafana::api::notifications::{ContactPointWrite, Sent};
use alertwright::grafana::api::{Concern, Provenance};
use alertwright::grafana::model::{ContactPoint, Found};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{apply, since_13};
use reqwest::Method;
use serde_json::{Value, json};

use crate::doors::{Door, Doors};
use kinds::{SECRET, every_kind, integration};

/// The contact point that most tests are about.
const NAME: &str = "on call / \"Ünïcode\" ✓";

/// Where the older API has its integrations.
const OLDER: &str = "/api/v1/provisioning/contact-points";

async fn doors() -> Doors {
    Doors::of(Concern::Notifications).await
}

async fn get(door: &Door, name: &str) -> Option<Found<ContactPoint>> {
    door.client.contact_points.get(name).await.expect("an answer")
}

async fn found(door: &Door) -> Found<ContactPoint> {
    get(door, NAME).await.expect("the contact point")
}

/// The contact point as a list shows it.
async fn listed(door: &Door) -> Option<Found<ContactPoint>> {
    let all = door.client.contact_points.list().await.expect("a list").items;
    all.into_iter().find(|found| found.object.name == NAME)
}

/// Sends all of the wish.
async fn put(door: &Door, wish: &[Integration], found: Option<&Found<ContactPoint>>) -> Sent {
    let changed: Vec<_> = wish.iter().map(|one| one.sent.uid.clone()).collect();
    put_only(door, wish, (&changed, &[]), found).await
}

/// Sends these of the wish, where the door can, and keeps those that are somebody else's.
async fn put_only(
    door: &Door,
    wish: &[Integration],
    (changed, kept): (&[String], &[String]),
    found: Option<&Found<ContactPoint>>,
) -> Sent {
    let write = ContactPointWrite {
        wish: &as_sent(NAME, wish),
        found,
        changed,
        kept,
        provenance: Provenance::Api,
    };
    door.client.contact_points.put(write).await
}

#[track_caller]
fn assert_went_well(sent: &Sent) {
    assert!(sent.failure.is_none(), "{:?}", sent.failure);
}

/// Takes integrations out.
async fn remove(door: &Door, found: &Found<ContactPoint>, uids: &[&str]) -> Sent {
    let uids: Vec<_> = uids.iter().map(|uid| (*uid).to_owned()).collect();
    door.client.contact_points.remove(found, &uids).await
}

async fn remove_all(door: &Door) {
    let found = found(door).await;
    let uids: Vec<_> = found.object.uids().map(String::as_str).collect();
    assert_went_well(&remove(door, &found, &uids).await);
}

/// Whether there is nothing to write for a wish whose secrets were sent.
fn is_done(wish: &[Integration], found: &Found<ContactPoint>) -> bool {
    decide(wish, &found.object.integrations, false, |_| true, |_| true).is_done()
}

/// Fails unless both doors find the contact point that is wished, the same but for the order, and nothing to be written for it.
async fn assert_both_find(doors: &Doors, wish: &[Integration]) {
    let in_order = |mut found: Found<ContactPoint>| {
        found
            .object
            .integrations
            .sort_by(|one, other| one.uid.cmp(&other.uid));
        found
    };
    let older = in_order(found(&doors.provisioning).await);
    let newer = in_order(found(&doors.platform).await);
    let mut wish = wish.to_vec();
    wish.sort_by(|one, other| one.sent.uid.cmp(&other.sent.uid));
    assert_eq!(older.object.uids().count(), wish.len());
    for (wish, (older, newer)) in wish
        .iter()
        .zip(older.object.integrations.iter().zip(&newer.object.integrations))
    {
        let what = format!("{} {}", wish.sent.r#type, wish.sent.uid);
        assert_eq!(older.settings, newer.settings, "{what}");
        let settings = json!(newer.settings).to_string();
        assert!(!settings.contains(SECRET), "{what}: {settings}");
        let mut hidden = newer.redacted_fields();
        let mut secrets = wish.secret_fields.clone();
        hidden.sort();
        secrets.sort();
        assert_eq!(hidden, secrets, "{what}");
    }
    assert_eq!(older.object, newer.object);
    assert_eq!(older.provenance.as_deref(), Some("api"));
    assert_eq!(older.provenance, newer.provenance);
    assert_eq!(
        (older.revision.is_some(), newer.revision.is_some()),
        (false, true)
    );
    for door in [&doors.provisioning, &doors.platform] {
        let read = found(door).await;
        assert_eq!(listed(door).await.as_ref(), Some(&read));
        assert!(is_done(&wish, &read), "{:?}", read.object);
    }
}

#[apply(since_13)]
async fn what_one_door_stores_of_a_contact_point_the_other_finds_whatever_its_types_and_secrets() {
    let doors = doors().await;
    let wish = every_kind();
    for (from, to) in doors.each_way() {
        assert_eq!(get(to, NAME).await, None);
        let sent = put(from, &wish, None).await;
        assert_went_well(&sent);
        assert_eq!((sent.sent.len(), sent.gone.len()), (wish.len(), 0));
        assert_both_find(&doors, &wish).await;
        remove_all(to).await;
        assert_eq!((get(from, NAME).await, listed(from).await), (None, None));
    }
}

#[apply(since_13)]
async fn each_door_changes_what_the_other_has_stored_and_both_find_that() {
    let doors = doors().await;
    let before = every_kind();
    let one = "uid-7";
    for (from, to) in doors.each_way() {
        assert_went_well(&put(from, &before, None).await);
        // Another text, one less, and one more.
        let mut wish = before.clone();
        for wished in wish.iter_mut().filter(|wished| wished.sent.uid == one) {
            wished
                .sent
                .settings
                .insert("description".to_owned(), json!("other"));
        }
        wish.pop();
        wish.push(integration("new", "slack", json!({"title": "t"}), &["url"]));
        let changed = [one.to_owned(), "new".to_owned()];
        let sent = put_only(to, &wish, (&changed, &[]), Some(&found(to).await)).await;
        assert_went_well(&sent);
        assert_eq!(sent.gone, [before.last().expect("a last one").sent.uid.clone()]);
        assert_both_find(&doors, &wish).await;
        remove_all(from).await;
    }
}

#[apply(since_13)]
async fn the_newer_door_takes_one_call_for_a_contact_point_and_the_older_one_for_each_integration() {
    let doors = doors().await;
    let wish = every_kind();
    for (door, is_whole) in [(&doors.provisioning, false), (&doors.platform, true)] {
        let count = || door.proxy.reset().len();
        let for_each = |number| if is_whole { 1 } else { number };
        count();
        assert_went_well(&put(door, &wish, None).await);
        assert_eq!(count(), for_each(wish.len()));
        let now = found(door).await;
        assert_eq!(count(), 1);
        assert!(listed(door).await.is_some());
        assert_eq!(count(), 1);
        let changed = [wish[0].sent.uid.clone()];
        assert_went_well(&put_only(door, &wish, (&changed, &[]), Some(&now)).await);
        assert_eq!(count(), 1, "one integration is another");
        let now = found(door).await;
        count();
        let uids: Vec<_> = now.object.uids().map(String::as_str).collect();
        assert_went_well(&remove(door, &now, &uids).await);
        assert_eq!(count(), for_each(wish.len()));
    }
}

/// An integration with a secret that somebody makes in the web frontend.
fn theirs() -> Value {
    json!({"uid": "theirs", "name": NAME, "type": "webhook", "settings": {"url": "http://127.0.0.1:1", "password": SECRET, "hmacConfig": {"secret": SECRET}}})
}

async fn join(doors: &Doors) {
    let made = doors.server.write_as_frontend(Method::POST, OLDER, theirs());
    made.await.ok();
}

/// Ours beside what somebody else has put under the same name before, and in which state theirs alone was.
async fn beside(doors: &Doors) -> (Vec<Integration>, Found<ContactPoint>) {
    join(doors).await;
    let alone = found(&doors.platform).await;
    let ours = vec![
        integration("ours-1", "slack", json!({}), &["url"]),
        integration("ours-2", "email", json!({"addresses": "a@example.com"}), &[]),
    ];
    assert_went_well(&put(&doors.provisioning, &ours, None).await);
    (ours, alone)
}

/// Who provisioned the integration of somebody else, which the older API says of each.
async fn provenance_of_theirs(doors: &Doors) -> Option<String> {
    let now = found(&doors.provisioning).await;
    let mut all = now.object.integrations.into_iter();
    all.find(|one| one.uid == "theirs").expect("theirs").provenance
}

#[apply(since_13)]
async fn ours_are_written_beside_somebody_elses_which_stays_as_it_was_with_its_secrets_and_its_provenance() {
    let doors = doors().await;
    for (door, _) in doors.each_way() {
        let (mut ours, alone) = beside(&doors).await;
        ours[0].sent.settings.insert("title".to_owned(), json!("another"));
        let kept = ["theirs".to_owned()];
        let changed = ["ours-1".to_owned()];
        let sent = put_only(door, &ours, (&changed, &kept), Some(&found(door).await)).await;
        assert_went_well(&sent);
        let now = found(door).await;
        let all = now.object.integrations.iter();
        let beside: Vec<_> = all.filter(|one| one.uid != "theirs").cloned().collect();
        assert_eq!(beside.len(), 2);
        assert!(decide(&ours, &beside, false, |_| true, |_| true).is_done());
        assert_eq!(provenance_of_theirs(&doors).await, None);
        let sent = remove(door, &now, &["ours-1", "ours-2"]).await;
        assert_went_well(&sent);
        assert_eq!(found(&doors.platform).await, alone);
        remove_all(door).await;
    }
}

#[apply(since_13)]
async fn ours_go_from_beside_somebody_elses_which_stays_as_it_was_with_its_secrets_and_its_provenance() {
    let doors = doors().await;
    for (door, _) in doors.each_way() {
        let (ours, alone) = beside(&doors).await;
        let now = found(door).await;
        assert_eq!(now.object.uids().count(), 3);
        let plan = decide(
            &ours,
            &now.object.integrations,
            false,
            |one| one.uid != "theirs",
            |_| true,
        );
        assert_eq!((plan.foreign, plan.changed.len()), (vec!["theirs".to_owned()], 0));
        let sent = remove(door, &now, &["ours-1", "ours-2"]).await;
        assert_went_well(&sent);
        assert_eq!(sent.gone, ["ours-1", "ours-2"]);
        // The state is that of all that is stored, secrets too.
        assert_eq!(found(&doors.platform).await, alone);
        assert_eq!(provenance_of_theirs(&doors).await, None);
        remove_all(door).await;
    }
}

#[apply(since_13)]
async fn where_the_older_api_is_gone_ours_go_from_beside_somebody_elses_by_the_newer_one() {
    let doors = doors().await;
    let (_, alone) = beside(&doors).await;
    let door = &doors.platform;
    let now = found(door).await;
    door.proxy
        .fault(Fault::status(404).on_path("/api/v1/provisioning/"));
    let sent = remove(door, &now, &["ours-1", "ours-2"]).await;
    assert_went_well(&sent);
    assert_eq!(sent.gone, ["ours-1", "ours-2"]);
    // It has the one provenance that the contact point had.
    let left = found(door).await;
    assert_eq!(left.revision, alone.revision);
    assert_eq!(left.provenance.as_deref(), Some("api"));
}

#[apply(since_13)]
async fn what_joins_between_the_look_and_the_write_stays() {
    let doors = doors().await;
    for (door, _) in doors.each_way() {
        let ours = [integration(
            "ours",
            "email",
            json!({"addresses": "a@example.com"}),
            &[],
        )];
        assert_went_well(&put(door, &ours, None).await);
        let before = found(door).await;
        join(&doors).await;
        let sent = put(door, &ours, Some(&before)).await;
        // The newer one knows that it is another by now; the older one has written ours alone.
        let class = sent.failure.as_ref().map(alertwright::grafana::Error::class);
        assert_eq!(class, door.is_newer().then_some(Class::Conflict));
        let uids: Vec<_> = found(door).await.object.uids().cloned().collect();
        assert_eq!(uids, ["ours", "theirs"]);
        // Nor does it go with ours.
        let sent = remove(door, &before, &["ours"]).await;
        let class = sent.failure.as_ref().map(alertwright::grafana::Error::class);
        assert_eq!(class, door.is_newer().then_some(Class::Conflict));
        assert!(found(door).await.object.uids().any(|uid| uid == "theirs"));
        remove_all(door).await;
    }
}

#[apply(since_13)]
async fn a_hidden_secret_that_somebody_changes_is_seen_by_the_state_and_by_nothing_else() {
    let doors = doors().await;
    let secrets = ["password", "hmacConfig.secret"];
    let wish = [integration(
        "a",
        "webhook",
        json!({"url": "http://127.0.0.1:1", "hmacConfig": {"header": "h"}}),
        &secrets,
    )];
    let sent = put(&doors.platform, &wish, None).await;
    let before = found(&doors.platform).await;
    assert_eq!(sent.revision, before.revision);
    let older = found(&doors.provisioning).await;
    for path in ["/password", "/hmacConfig/secret"] {
        let mut settings = json!(wish[0].sent.settings);
        *settings.pointer_mut(path).expect("a secret") = json!("another");
        let body = json!({"uid": "a", "name": NAME, "type": "webhook", "settings": settings, "disableResolveMessage": wish[0].sent.disable_resolve_message});
        doors.server.put(&format!("{OLDER}/a"), body).await.ok();
        let after = found(&doors.platform).await;
        assert_ne!(after.revision, before.revision, "{path}");
        assert_eq!(after.object, before.object, "{path}");
        assert_eq!(found(&doors.provisioning).await, older, "{path}");
        // What was stored again is in the state from before.
        let sent = put(&doors.platform, &wish, Some(&after)).await;
        assert_eq!(sent.revision, before.revision, "{path}");
        assert_eq!(found(&doors.platform).await, before, "{path}");
    }
}
