//! Integrations of every type, through every door that a release has.

use std::fs;

use alertwright::api::ContactPointSpec;
use alertwright::domain::notification::contact_point::decision::{self, as_sent};
use alertwright::domain::notification::contact_point::{self, Integration, Values};
use alertwright::domain::ownership::Owner;
use alertwright::domain::version::Version;
use alertwright::grafana::Class;
use alertwright::grafana::api::notifications::{ContactPointWrite, Sent};
use alertwright::grafana::api::{Concern, Provenance};
use alertwright_testbed::{apply, every_release};
use serde_json::Value;

use crate::doors::{Door, Open};

/// The contact points of the example, which has every type with every field.
fn example() -> Vec<(String, ContactPointSpec)> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/examples/integrations/contact-points.yaml"
    );
    let yaml = fs::read_to_string(file).expect("the example");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).expect("YAML");
    let read = |document: Value| {
        let name = document["metadata"]["name"].as_str().expect("a name").to_owned();
        let spec = serde_json::from_value(document["spec"].clone()).expect("a specification");
        (name, spec)
    };
    documents.into_iter().map(read).collect()
}

/// What is to be in Grafana. Every Secret and ConfigMap holds a URL.
fn wish(spec: &ContactPointSpec, name: &str) -> Vec<Integration> {
    let (secrets, texts) = contact_point::references(spec);
    let value = |key: &str| format!("https://127.0.0.1:9/{key}");
    let values = Values {
        secrets: secrets
            .into_iter()
            .map(|at| (at.clone(), value(&at.key)))
            .collect(),
        texts: texts.into_iter().map(|at| (at.clone(), value(&at.key))).collect(),
    };
    let owner = Owner::parse("doors").expect("an owner");
    contact_point::integrations(spec, &owner, "shop", name, &values).expect("integrations")
}

async fn put(door: &Door, name: &str, wish: &[Integration]) -> Sent {
    let found = door.client.contact_points.get(name).await.expect("an answer");
    let uids: Vec<_> = wish.iter().map(|one| one.sent.uid.clone()).collect();
    let write = ContactPointWrite {
        wish: &as_sent(name, wish),
        found: found.as_ref(),
        changed: &uids,
        kept: &[],
        provenance: Provenance::Api,
    };
    door.client.contact_points.put(write).await
}

/// What is there to do, where every secret is known to be the one that was sent.
async fn is_done(door: &Door, name: &str, wish: &[Integration]) -> bool {
    let found = door.client.contact_points.get(name).await.expect("an answer");
    let found = found.expect("it is there").object.integrations;
    decision::decide(wish, &found, false, |_| false, |_| true).is_done()
}

#[apply(every_release)]
async fn an_integration_of_any_type_is_stored_with_all_its_fields_and_found_as_it_was_sent() {
    let open = Open::of(Concern::Notifications).await;
    let release = open.server.version();
    let release = Version::parse(&release.to_string()).expect("a version");
    let mut stored = 0;
    for (name, spec) in example() {
        let wish = wish(&spec, &name);
        let Err(missing) = contact_point::refuse_what_is_too_new(&spec, release) else {
            for (from, to) in open.each_way() {
                let sent = put(from, &name, &wish).await;
                assert!(sent.failure.is_none(), "{name}: {:?}", sent.failure);
                assert!(is_done(to, &name, &wish).await, "{name} is found otherwise");
            }
            stored += wish.len();
            continue;
        };
        // A type that came later is unknown there; of a field nobody would hear.
        let field = missing.message.split(' ').next().unwrap_or_default();
        let is_type = field.split('.').count() == 3;
        if is_type {
            let failure = put(&open.doors[0], &name, &wish).await.failure;
            let failure = failure.unwrap_or_else(|| panic!("{field} is there before {}", missing.message));
            assert_eq!(failure.class(), Class::Rejected, "{name}: {failure:?}");
        }
    }
    assert!(stored > 10, "only {stored} integrations were stored");
    if release >= Version::new(13, 0, 0) {
        assert_eq!(
            stored,
            example()
                .iter()
                .map(|(_, spec)| spec.integrations.len())
                .sum::<usize>()
        );
    }
}
