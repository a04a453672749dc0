//! Accounts that lack rights of the newer API: what they may do through the older one goes on, and the instance says which right is missing.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::grafana::{self, FixedRole, Version};
use alertwright_testbed::{apply, since_13};
use serde_json::json;

use crate::alarm::{assert_rests, everything_to, integration, resyncs};
use crate::doors::{changes, goes_through, groups, is_ungrouped, said, set};
use crate::rules::{QUIET, in_grafana, quiet, uid};
use crate::world::{self, World};

/// What was enough up to 12.4 (docs/install.md).
const ENOUGH_FOR_12: [FixedRole; 4] = [
    FixedRole::AlertingProvisioningWriter,
    FixedRole::AlertingWriter,
    FixedRole::FoldersWriter,
    FixedRole::DatasourcesReader,
];

/// The right that is missing.
const PROVENANCE: &str = "alert.provisioning.provenance:write";

/// A contact point that sends mails there.
async fn mails_to(w: &World, name: &str, address: &str) {
    let spec = json!({"integrations": [{"email": {"addresses": [address]}}]});
    w.put("ContactPoint", name, spec).await;
    w.synced::<ContactPoint>(name).await;
    let found = integration(w, name, "email").await;
    assert_eq!(found["settings"]["addresses"], address);
}

/// Makes, changes and removes something of each kind, and leaves a contact point, a tree and two rules.
async fn work(w: &World, round: &str) {
    mails_to(w, "team", &format!("{round}@example.com")).await;
    mails_to(w, "other", &format!("{round}@example.com")).await;
    for receiver in ["other", "team"] {
        w.put("NotificationPolicy", "tree", everything_to(receiver)).await;
        w.synced::<NotificationPolicy>("tree").await;
    }
    w.delete::<ContactPoint>("other").await;
    let new = format!("new-{round}");
    w.put("AlertRule", &new, quiet()).await;
    uid(w, &new).await;
    for (name, duration) in [
        ("r", format!("{}m", round.len())),
        (new.as_str(), "7m".to_owned()),
    ] {
        w.put("AlertRule", name, json!({"query": QUIET, "for": duration}))
            .await;
        assert_eq!(in_grafana(w, name).await["for"], duration);
    }
    w.delete::<AlertRule>(&new).await;
    assert_rests(w).await;
}

#[apply(since_13)]
async fn an_account_that_was_enough_for_12_goes_on_after_the_upgrade_and_is_told_the_right_that_it_lacks() {
    let (release, before) = (Version::chosen(), Version::new(12, 4, 0));
    let options = grafana::Options {
        version: before,
        ..grafana::Options::default()
    };
    let (mut w, _) = world::start_limited(options, &ENOUGH_FOR_12).await;
    w.put("AlertRule", "r", quiet()).await;
    uid(&w, "r").await;
    work(&w, "before").await;
    assert_eq!(said(&w, "APIFallback").await, None, "12.4 asks for no more");

    w.grafana
        .upgrade(release)
        .await
        .expect("the newer release starts");
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    assert_rests(&w).await;
    work(&w, "afterwards").await;
    let told = said(&w, "APIFallback").await.unwrap_or_default();
    assert!(
        told.contains("notifications are written through Grafana's older API") && told.contains(PROVENANCE),
        "{told}"
    );
    w.operator.restart().await.expect("the operator starts again");
    assert_rests(&w).await;
    work(&w, "restarted").await;
}

#[apply(since_13)]
async fn rules_that_an_account_may_read_but_not_write_through_the_newer_api_go_on_when_that_was_told() {
    let (w, _) = world::start_limited(grafana::Options::default(), &ENOUGH_FOR_12).await;
    w.put("AlertRule", "r", quiet()).await;
    uid(&w, "r").await;
    goes_through(&w, "rules", "provisioning").await;
    set(&w, json!({"ruleAPI": "Platform"})).await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    assert_rests(&w).await;
    work(&w, "written").await;
    let status = goes_through(&w, "rules", "rules.alerting.grafana.app/")
        .await
        .status;
    assert_eq!(changes(&w).await, 1, "one refusal moves nothing else: {status:?}");
    let told = said(&w, "APIFallback").await.unwrap_or_default();
    assert!(
        told.contains("rules that Grafana refuses through its newer API") && told.contains(PROVENANCE),
        "{told}"
    );
    w.put("AlertRule", "new", quiet()).await;
    uid(&w, "new").await;
    let found = groups(&w).await;
    assert!(found.values().all(|group| !is_ungrouped(group)), "{found:?}");
    resyncs(&w, 11).await;
    assert_eq!(changes(&w).await, 1, "nor does it go back and forth");
    assert_rests(&w).await;
}

#[apply(since_13)]
async fn an_account_that_may_write_nothing_says_so_and_leaves_everything_as_it_is() {
    let roles = [
        FixedRole::AlertingReader,
        FixedRole::FoldersWriter,
        FixedRole::DatasourcesReader,
    ];
    let (w, _) = world::start_limited(grafana::Options::default(), &roles).await;
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    let spec = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "team", spec).await;
    w.put("AlertRule", "r", quiet()).await;
    w.reason::<ContactPoint>("team", "Unauthorized").await;
    w.reason::<AlertRule>("r", "Unauthorized").await;
    assert_eq!(
        said(&w, "APIFallback").await,
        None,
        "the older API would take it no more"
    );
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
}
