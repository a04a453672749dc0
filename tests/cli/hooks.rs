//! What runs `check` for others: the hook for pre-commit, the GitHub Action, and a shell that completes.

use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

use alertwright_testbed::Scratch;
use serde_json::Value;

use super::{RULE, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a manifest that is wrong.
fn with_a_mistake() -> Scratch {
    let folder = Scratch::new("hooks").unwrap();
    fs::create_dir(folder.join("alerting")).unwrap();
    fs::write(folder.join("alerting/bad.yaml"), format!("{RULE}  query: sum(\n")).unwrap();
    folder
}

#[test]
fn the_hook_reads_what_its_arguments_name() {
    let hooks = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Vec<Value> = serde_saphyr::from_str(&hooks).unwrap();
    let hook = &hooks[0];
    let mut words = hook["entry"].as_str().unwrap().split(' ');
    assert_eq!(words.next(), Some("alertwright"));
    assert_eq!(
        hook["pass_filenames"], false,
        "changed files alone lack what they refer to"
    );
    let folder = with_a_mistake();
    let run = |arguments: Vec<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
        command
            .args(words.clone())
            .args(arguments)
            .current_dir(folder.path());
        command.output().unwrap()
    };
    let default = hook["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap());
    let found = run(default.collect());
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    assert!(
        text(&found.stdout).contains("alerting/bad.yaml"),
        "{}",
        text(&found.stdout)
    );
    assert_eq!(run(vec!["alerting/"]).status.code(), Some(1));
}

/// Runs what the action runs, with releases from a folder.
fn act(releases: &Path, folder: &Path, files: &str, version: &str) -> Output {
    Command::new(root().join("deploy/release/check"))
        .env("DOWNLOADS", format!("file://{}", releases.display()))
        .env("FILES", files)
        .env("ARGUMENTS", "--disable no-summary")
        .env("VERSION", version)
        .env("RUNNER_TEMP", releases)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn the_action_checks_with_what_its_release_holds_and_with_nothing_else() {
    let releases = Scratch::new("releases").unwrap();
    let machine = if env::consts::ARCH == "x86_64" {
        "amd64"
    } else {
        "arm64"
    };
    let name = format!("alertwright-1.2.3-linux-{machine}");
    let there = releases.join("v1.2.3");
    let script = format!(
        "mkdir -p {there}/{name} && cd {there} && printf '#!/bin/sh\\nexec {program} \"$@\"\\n' >{name}/alertwright && chmod +x {name}/alertwright && tar czf {name}.tar.gz {name} && sha256sum {name}.tar.gz >SHA256SUMS",
        there = there.display(),
        program = env!("CARGO_BIN_EXE_alertwright"),
    );
    assert!(
        Command::new("sh")
            .args(["-c", &script])
            .status()
            .unwrap()
            .success()
    );
    let folder = with_a_mistake();
    let found = act(releases.path(), folder.path(), "alerting/", "1.2.3");
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    assert!(
        text(&found.stdout).contains("::error file=alerting/bad.yaml,line="),
        "{}",
        text(&found.stdout)
    );
    assert_eq!(
        act(releases.path(), root(), "tests/cli/fine.yaml", "v1.2.3")
            .status
            .code(),
        Some(0)
    );
    for (version, why) in [("1.2.4", "cannot fetch"), ("../1", "is no version")] {
        let failed = act(releases.path(), folder.path(), "alerting/", version);
        assert_eq!(failed.status.code(), Some(3));
        assert!(text(&failed.stderr).contains(why), "{}", text(&failed.stderr));
    }
    // Somebody has put another archive there.
    fs::write(there.join(format!("{name}.tar.gz")), "other").unwrap();
    let other = act(releases.path(), folder.path(), "alerting/", "1.2.3");
    assert_eq!(other.status.code(), Some(3));
    assert!(
        text(&other.stderr).contains("isn't what SHA256SUMS says"),
        "{}",
        text(&other.stderr)
    );
}

#[test]
fn the_action_runs_what_is_tested_here() {
    let action: Value =
        serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    let step = &steps[0];
    assert!(step["run"].as_str().unwrap().contains("/deploy/release/check"));
    // What somebody gives it is never part of a script.
    assert!(!step["run"].as_str().unwrap().contains("${{"));
    for (name, _) in action["inputs"].as_object().unwrap() {
        let expected = format!("${{{{ inputs.{name} }}}}");
        assert_eq!(step["env"][name.to_uppercase()], expected);
    }
}

/// What Bash is offered for the last of these words.
fn offered(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(["--", "alertwright"])
        .args(words)
        .env_clear()
        .env("ALERTWRIGHT_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_shell_is_offered_commands_options_and_kinds() {
    assert_eq!(offered(&["silen"]), "silence");
    assert!(
        offered(&["silence", ""]).contains("list"),
        "{}",
        offered(&["silence", ""])
    );
    assert!(offered(&["check", "--fail"]).contains("--fail-on"));
    assert_eq!(offered(&["suspend", "Alert"]), "AlertRule/");
    // Where there is no cluster there are no names, and no error either.
    assert_eq!(offered(&["suspend", "AlertRule/"]), "");
    assert_eq!(
        offered(&["silence", "end", ""])
            .lines()
            .filter(|line| !line.starts_with('-'))
            .count(),
        0
    );
}
