//! What a watch tells of a Grafana that was put back.

use super::*;
use crate::grafana::mirror::Part;

/// An operator that has started anew when everything was done, and to which Grafana tells what happens from then on.
async fn start() -> Asked {
    let outside = outside();
    Asked::start(&outside, None).await;
    outside.1.hold(|held| held.telling.has_verb(true));
    let mut asked = Asked::start(&outside, None).await;
    until_told(&asked).await;
    drain(&mut asked.world.receivers.contact_points);
    asked
}

async fn until_told(asked: &Asked) {
    let instance = asked.world.instance();
    until("watches that work", || {
        let parts = [Part::Rules, Part::ContactPoints];
        parts.iter().all(|part| instance.watched.has(*part))
    })
    .await;
}

/// Has the poller read everything. It does so at once for the first sign, and for later ones when some time is over.
async fn read(asked: &mut Asked) {
    drain(&mut asked.world.receivers.instances);
    asked.world.instance().suspicion.of_everything();
    until("a read of everything", || {
        !asked.world.receivers.instances.is_empty()
    })
    .await;
}

impl Asked {
    fn uid(&self, title: &str) -> String {
        self.world.grafana.hold(|held| {
            let rule = held.rules.values().find(|rule| rule.title == title);
            rule.expect("the rule").uid.clone()
        })
    }

    /// Deletes rules behind the operator's back, tells it, and waits until it knows.
    async fn delete(&self, titles: &[&str]) {
        let uids: Vec<_> = titles.iter().map(|title| self.uid(title)).collect();
        for uid in &uids {
            self.world.grafana.hold(|held| held.rules.remove(uid));
            self.world.grafana.tell_rule(uid);
        }
        let instance = self.world.instance();
        until("the rules to be gone", || {
            instance
                .mirror
                .read(|held| uids.iter().all(|uid| held.rules.lookup(uid).present().is_none()))
        })
        .await;
    }
}

#[tokio::test]
async fn a_rule_that_is_told_to_be_what_it_was_earlier_has_all_secrets_sent_with_the_next_read() {
    let mut asked = start().await;
    let uid = asked.uid("r1");
    asked.world.grafana.hold(|held| {
        held.rules.get_mut(&uid).expect("the rule").r#for = "1h".to_owned();
        held.updated.insert(uid.clone(), jiff::Timestamp::UNIX_EPOCH);
    });
    asked.world.grafana.tell_rule(&uid);
    let instance = asked.world.instance();
    let digest = || instance.mirror.read(|held| held.rules.lookup(&uid).cloned());
    until("the mirror", || {
        digest()
            .present()
            .is_some_and(|rule| rule.updated.0 == Some(jiff::Timestamp::UNIX_EPOCH))
    })
    .await;
    assert!(asked.notes("Restored").is_empty(), "it waits for the next read");
    read(&mut asked).await;
    until("the event", || !asked.notes("Restored").is_empty()).await;
    assert_eq!(drain(&mut asked.world.receivers.contact_points), 4);
    assert_eq!(asked.pass().await, 3);
}

#[tokio::test]
async fn three_objects_that_are_told_to_be_gone_between_two_reads_are_a_sign() {
    let mut asked = start().await;
    asked.delete(&["r1"]).await;
    asked.delete(&["r2"]).await;
    asked
        .world
        .grafana
        .hold(|held| held.points.retain(|point| point.name != "a"));
    asked.world.grafana.tell_contact_point("a");
    let instance = asked.world.instance();
    until("the contact point to be gone", || {
        instance
            .mirror
            .read(|held| held.contact_points.lookup("a").present().is_none())
    })
    .await;
    assert!(asked.notes("Restored").is_empty(), "it waits for the next read");
    read(&mut asked).await;
    until("the event", || !asked.notes("Restored").is_empty()).await;
    assert_eq!(asked.pass().await, 3);
}

#[tokio::test]
async fn two_objects_that_are_told_to_be_gone_are_no_sign() {
    let mut asked = start().await;
    asked.delete(&["r1"]).await;
    asked.delete(&["r2"]).await;
    read(&mut asked).await;
    assert_eq!(asked.pass().await, 0);
    assert!(asked.notes("Restored").is_empty());
}
