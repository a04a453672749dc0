//! `alertwright diff` where there is no cluster: how it ends, and what it needs to know.

use std::path::Path;
use std::process::{Command, Output};

use super::text;

/// A token that must never be shown.
const TOKEN: &str = "glsa_never-to-be-shown";
/// Where nobody answers.
const NOBODY: &str = "http://127.0.0.1:1/";

/// Runs it over an example, with a token in the environment.
fn diff(environment: &[(&str, &str)], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(["diff", "-f", "fine.yaml"])
        .args(more)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli"))
        .env_clear()
        .envs(environment.iter().copied());
    command.output().expect("an end")
}

#[test]
fn grafana_and_a_token_of_ones_own_come_from_the_environment_and_the_token_is_not_shown() {
    let own = ["--owner-id", "prod"];
    for (address, name) in [("GRAFANA_URL", NOBODY), ("GRAFANA_SERVER", NOBODY)] {
        let ended = diff(&[(address, name), ("GRAFANA_TOKEN", TOKEN)], &own);
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{said}");
        assert!(said.contains(NOBODY) && !said.contains(TOKEN), "{said}");
        let ended = diff(&[(address, name)], &own);
        assert!(text(&ended.stderr).contains("set GRAFANA_TOKEN"), "{address}");
    }
    // An address is no place for a password.
    for more in [&own[..], &[], &["--help"]] {
        let ended = diff(
            &[
                ("GRAFANA_URL", "https://admin:hunter2@127.0.0.1:1"),
                ("GRAFANA_TOKEN", TOKEN),
            ],
            more,
        );
        let said = text(&ended.stdout) + &text(&ended.stderr);
        assert_eq!(
            ended.status.code(),
            Some(if more == ["--help"] { 0 } else { 2 }),
            "{said}"
        );
        assert!(
            !said.contains("hunter2") && said.contains("GRAFANA_URL"),
            "{said}"
        );
    }
    // Without the owner id a cluster is asked.
    let ended = diff(&[("GRAFANA_URL", NOBODY), ("GRAFANA_TOKEN", TOKEN)], &[]);
    let said = text(&ended.stderr);
    assert!(
        said.contains("no cluster is configured") && said.contains("with --owner-id"),
        "{said}"
    );
    let ended = diff(&[], &[]);
    assert!(
        !text(&ended.stderr).contains("--owner-id"),
        "that alone is no help"
    );
}

#[test]
fn a_resource_of_another_grafana_is_told_with_its_own() {
    let named = ["--owner-id", "prod", "-i", "stage", "AlertRule/cart-latency"];
    let ended = diff(&[("GRAFANA_URL", NOBODY), ("GRAFANA_TOKEN", TOKEN)], &named);
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    let expected = "AlertRule/cart-latency in the files is for GrafanaInstance default, and this asks stage: name its own with --instance";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_is_not_there_is_not_equal() {
    let there = [("GRAFANA_URL", NOBODY), ("GRAFANA_TOKEN", TOKEN)];
    for (more, why) in [
        (
            &["AlertRule/cart-latecny"][..],
            "there is no AlertRule/cart-latecny in the files",
        ),
        (&["Silence"], "nothing is compared"),
        (&["-l", "team=nobody"], "nothing is compared"),
        (
            &["-i", "staging"],
            "1 resource in the files is for another GrafanaInstance than staging",
        ),
    ] {
        let ended = diff(&there, &[&["--owner-id", "prod"][..], more].concat());
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
