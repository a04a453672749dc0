//! Tests by release: on which they run, and what is written down of those that can't.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::{fs, panic::catch_unwind};

use alertwright_testbed::{
    Grafana, Scratch, any_release, apply, every_release,
    grafana::{Options, Running, Source, Version},
    since_12,
    trial::{self, Door, Need, Trial},
};

/// Runs a trial with an account of its own, and gives what was written there without the time.
fn account(run: impl FnOnce(Trial)) -> Vec<String> {
    let scratch = Scratch::new("trial").expect("a folder");
    let account = scratch.join("account").to_string_lossy().into_owned();
    run(Trial {
        name: "crate::module::a_test",
        account: account.leak(),
    });
    let text = fs::read_to_string(scratch.join("account")).expect("the account");
    let fields = |line: &str| {
        let mut fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        fields.remove(2);
        fields.join("|")
    };
    text.lines().map(fields).collect()
}

/// What runs behind it, and a Grafana that may not be stopped.
async fn somebodys() -> (Grafana, Grafana) {
    let double = Options {
        source: Some(Source::Double),
        ..Options::default()
    };
    let server = Grafana::start(double).await.expect("a Grafana");
    let options = Options {
        source: Some(Source::Running(Running {
            url: server.url(),
            user: "admin".to_owned(),
            password: "admin".to_owned(),
        })),
        ..Options::default()
    };
    let organisation = Grafana::start(options).await.expect("an organisation");
    (server, organisation)
}

#[test]
fn what_a_grafana_has_not_got_ends_a_test_as_not_run_with_its_reason() {
    let written = account(|trial| {
        trial::on(trial, "v11_6_0", async {
            let (_server, mut grafana) = somebodys().await;
            grafana.stop().await;
        });
    });
    assert_eq!(
        written,
        [
            "11.6.0|not run|module::a_test|it needs a Grafana that it may stop, which Grafana 11.6.0 of your own has not"
        ]
    );
    let written = account(|trial| {
        trial::on(trial, "v10_4_0", async {
            let (_server, grafana) = somebodys().await;
            grafana.needs(Need::FastRules);
        });
    });
    assert!(written[0].contains("evaluated each second"), "{written:?}");
}

#[test]
fn a_test_that_fails_is_written_down_and_fails() {
    let written = account(|trial| {
        let failed = catch_unwind(|| trial::on(trial, "v10_0_0", async { assert_eq!(1, 2) }));
        assert!(failed.is_err());
    });
    assert_eq!(written, ["10.0.0|FAILED|module::a_test|"]);
    let written = account(|trial| trial::on(trial, "v10_0_0", async {}));
    assert_eq!(written, ["10.0.0|passed|module::a_test|"]);
}

#[test]
fn the_account_says_through_which_api_a_test_ran() {
    let written = account(|trial| {
        trial::on(trial, "v13_0_0_platform", async {
            assert_eq!(trial::door(), Some(Door::Platform));
            assert_eq!(release(), Version::new(13, 0, 0));
        });
        trial::on(trial, "v13_0_0_provisioning", async {
            assert_eq!(trial::door(), Some(Door::Provisioning));
        });
        trial::on(trial, "v12_4_0", async { assert_eq!(trial::door(), None) });
    });
    assert_eq!(
        written,
        [
            "13.0.0 platform|passed|module::a_test|",
            "13.0.0 provisioning|passed|module::a_test|",
            "12.4.0|passed|module::a_test|"
        ]
    );
}

/// The release that this test's Grafana would be.
fn release() -> Version {
    Options::default().version
}

#[apply(every_release)]
async fn each_release_has_a_test_of_its_own_and_where_it_has_two_apis_one_of_each() {
    assert!(Version::RELEASES.contains(&release()));
    assert_eq!(trial::door().is_some(), release().since(13, 0));
}

#[apply(since_12)]
async fn a_test_that_does_not_hold_for_a_release_has_none_of_it() {
    assert!(release().since(12, 0), "{}", release());
}

#[apply(any_release)]
async fn a_test_of_any_release_runs_on_the_one_that_is_chosen() {
    let chosen = std::env::var("GRAFANA_VERSION").unwrap_or_default();
    let chosen = chosen.parse().unwrap_or(Version::CURRENT);
    assert_eq!(release(), chosen);
}
