//! A real Grafana in place of the double: in a container, or one that runs already. The double plays both here.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::Duration,
};

use alertwright_testbed::{
    Grafana, Scratch,
    grafana::{Image, Options, Running, Source, Version},
    parts, wait,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

/// A stand-in for docker in a folder of its own.
fn engine(scratch: &Scratch) -> std::path::PathBuf {
    let script = include_bytes!("stand-in/engine");
    let engine = scratch.write("docker", script).expect("the script");
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).expect("an executable");
    symlink(
        parts::path("grafana").expect("the double"),
        scratch.join("grafana"),
    )
    .expect("a link");
    engine
}

fn told(engine: &Path) -> Vec<String> {
    let told = fs::read_to_string(engine.with_file_name("told")).expect("what the engine was told");
    told.lines().map(str::to_owned).collect()
}

fn image(engine: &Path) -> Options {
    Options {
        source: Some(Source::Image(Image {
            engine: engine.to_owned(),
            name: "grafana/grafana:12.4.0".to_owned(),
        })),
        poll: Duration::from_secs(2),
        settings: vec!["auth.anonymous.enabled=true".to_owned()],
        ..Options::default()
    }
}

#[tokio::test]
async fn a_container_gets_the_settings_keeps_its_data_over_a_stop_and_is_removed() {
    let scratch = Scratch::new("engine").expect("a folder");
    let engine = engine(&scratch);
    let mut grafana = Grafana::start(image(&engine))
        .await
        .expect("a Grafana in a container");
    assert_eq!(grafana.version(), Version::new(12, 4, 0));
    assert_eq!(grafana.description(), "Grafana 12.4.0 in a container");
    grafana
        .post("/api/folders", json!({"uid": "kept", "title": "Kept"}))
        .await
        .ok();
    let url = grafana.url();
    grafana.stop().await;
    assert!(reqwest::get(&url).await.is_err(), "nobody listens");
    grafana.start_again().await.expect("the same container");
    assert_eq!(grafana.folders().await.len(), 1);
    grafana.kill();
    grafana.start_again().await.expect("the same container");
    assert_eq!(grafana.folders().await.len(), 1);
    drop(grafana);

    let told = told(&engine);
    let create = told.first().expect("a command");
    for argument in [
        "--network host",
        "--env GF_SERVER_HTTP_ADDR=127.0.0.1",
        "--env GF_UNIFIED_ALERTING_ALERTMANAGER_CONFIG_POLL_INTERVAL=2s",
        "--env GF_UNIFIED_ALERTING_SCHEDULER_TICK_INTERVAL=1s",
        "--env GF_AUTH_ANONYMOUS_ENABLED=true",
    ] {
        assert!(create.contains(argument), "{argument} in: {create}");
    }
    assert!(create.ends_with(" grafana/grafana:12.4.0"), "{create}");
    let verbs: Vec<_> = told.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(verbs, ["create", "start", "stop", "start", "kill", "start", "rm"]);
    let left = fs::read_dir(scratch.join("state")).expect("a folder").count();
    assert_eq!(left, 0, "something of the container stays");
}

#[tokio::test]
async fn each_container_has_a_name_and_a_port_of_its_own() {
    let scratch = Scratch::new("engine").expect("a folder");
    let engine = engine(&scratch);
    let (first, second) = tokio::join!(Grafana::start(image(&engine)), Grafana::start(image(&engine)));
    let (first, second) = (first.expect("a Grafana"), second.expect("a Grafana"));
    assert_ne!(first.url(), second.url());
    first
        .post("/api/folders", json!({"uid": "one", "title": "One"}))
        .await
        .ok();
    assert!(second.folders().await.is_empty());
}

#[tokio::test]
async fn a_container_that_cannot_be_made_says_what_the_engine_said() {
    let scratch = Scratch::new("engine").expect("a folder");
    let engine = scratch
        .write("docker", "#!/bin/sh\necho 'no such image' >&2\nexit 125\n")
        .expect("the script");
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).expect("an executable");
    let error = Grafana::start(image(&engine))
        .await
        .expect_err("there is no container");
    let error = format!("{error:?}");
    assert!(
        error.contains("no such image") && error.contains("grafana/grafana:12.4.0"),
        "{error}"
    );
}

#[tokio::test]
async fn on_a_grafana_that_runs_each_test_has_an_organisation_that_is_gone_afterwards() {
    let server = Grafana::start(Options {
        source: Some(Source::Double),
        ..Options::default()
    })
    .await
    .expect("a Grafana");
    let options = || Options {
        source: Some(Source::Running(Running {
            url: server.url(),
            user: "admin".to_owned(),
            password: "admin".to_owned(),
        })),
        ..Options::default()
    };
    let organisations = async || server.get("/api/orgs").await.ok().as_array().map_or(0, Vec::len);
    assert_eq!(organisations().await, 1);
    let (first, second) = tokio::join!(Grafana::start(options()), Grafana::start(options()));
    let (first, second) = (first.expect("an organisation"), second.expect("an organisation"));
    assert_eq!(first.version(), server.version());
    assert_eq!(organisations().await, 3);
    first
        .post("/api/folders", json!({"uid": "one", "title": "One"}))
        .await
        .ok();
    assert!(second.folders().await.is_empty() && server.folders().await.is_empty());
    // The token of a service account is one of its organisation.
    let seen = reqwest::Client::new()
        .get(format!("{}/api/folders", first.url()))
        .bearer_auth(first.token().await)
        .send();
    let seen: Value = seen.await.expect("an answer").json().await.expect("folders");
    assert_eq!(seen[0]["uid"], "one");
    drop((first, second));
    wait::until("the organisations are gone", SOON, async || {
        organisations().await == 1
    })
    .await;
}

#[tokio::test]
async fn an_account_that_may_make_no_organisation_is_told_which_one_it_takes() {
    let server = Grafana::start(Options {
        source: Some(Source::Double),
        ..Options::default()
    })
    .await
    .expect("a Grafana");
    let options = Options {
        source: Some(Source::Running(Running {
            url: server.url(),
            user: "admin".to_owned(),
            password: "wrong".to_owned(),
        })),
        ..Options::default()
    };
    let error = Grafana::start(options).await.expect_err("it is refused");
    assert!(error.to_string().contains("server administrator"), "{error}");
}
