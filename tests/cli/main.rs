//! The commands for people, run as people run them: what they print, where, and with which exit code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure must fail the test"
)]

mod checked;
mod collections;
mod diff;
mod docs;
mod documents;
mod engine;
mod evaluation;
mod exits;
mod help;
mod hooks;
mod import;
mod imported;
mod names;
mod pictured;
mod routed;
#[allow(dead_code, unreachable_pub, reason = "tests/e2e uses it")]
mod shown;
mod terminal;
mod typed;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folder of examples.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

/// Runs a command in the folder of examples, and gives it a text to read.
fn run(arguments: &[&str], input: &str) -> Output {
    run_in(&examples(), arguments, input)
}

/// The same in another folder.
fn run_in(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    // Whoever takes wrong arguments reads nothing.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("an end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// What a command prints on standard output.
fn printed(arguments: &[&str]) -> String {
    text(&run(arguments, "").stdout)
}

const RULE: &str =
    "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata:\n  name: a\nspec:\n";

#[test]
fn the_version_of_this_program_is_told_where_no_cluster_is() {
    let alone = run(&["version", "--kubeconfig", "not-there"], "");
    assert_eq!(alone.status.code(), Some(4));
    assert!(text(&alone.stdout).starts_with("CLIENT ") && !alone.stderr.is_empty());
}

#[test]
fn counts_are_no_data() {
    let output = run(
        &["check", "-f", "fine.yaml", "-f", "-"],
        "kind: ConfigMap\napiVersion: v1\n",
    );
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        text(&output.stderr),
        "1 resource in 2 files: 0 errors, 0 warnings; 1 of other kinds passed over\n"
    );
    let quiet = run(&["check", "-q", "-f", "fine.yaml"], "");
    assert_eq!(text(&quiet.stderr), "");
}

#[test]
fn there_are_colours_only_where_somebody_asks_for_them() {
    let of = |color: &[&str]| printed(&[&["check", "alerting"], color].concat()).contains('\u{1b}');
    assert_eq!(
        [of(&[]), of(&["--color", "always"]), of(&["--color", "never"])],
        [false, true, false]
    );
}

#[test]
fn no_file_can_send_commands_to_a_terminal() {
    let hostile = format!("{RULE}  query: \"up\\e[31m ==\"\n  tit\u{1b}[2Jle: x\n");
    for output in ["text", "github", "junit", "json", "sarif"] {
        let printed = run(&["check", "-f", "-", "-o", output], &hostile);
        assert!(
            !text(&printed.stdout).contains('\u{1b}'),
            "{output}: {:?}",
            text(&printed.stdout)
        );
        assert!(!printed.stdout.is_empty());
    }
    let hostile = "apiVersion: alerting.letsrevel.io/v1alpha1\nkind: NotificationPolicy\nmetadata: {name: a}\nspec:\n  receiver: \"b\\e[31m\\nc\"\n";
    for output in [&["-o", "wide"][..], &["-o", "json"], &["--tree"]] {
        let printed = run(&[&["route", "-f", "-", "x=y\u{1b}[2J"], output].concat(), hostile);
        let said = text(&printed.stdout);
        assert!(
            !said.contains('\u{1b}') && !said.contains("\nc"),
            "{output:?}: {said:?}"
        );
        assert!(!said.is_empty() && !text(&printed.stderr).contains('\u{1b}'));
    }
}

#[test]
fn every_output_says_the_same_of_the_example() {
    for output in ["text", "json", "sarif", "github", "junit"] {
        let said = printed(&["check", "-R", "alerting", "chart", "-n", "revel", "-o", output]);
        let said = said.replace(&format!("\"{}\"", env!("CARGO_PKG_VERSION")), "\"VERSION\"");
        insta::assert_snapshot!(output, said);
    }
}

/// What SARIF 2.1.0 asks of a log (3.13, 3.14, 3.27, 3.30): versions, a named tool, results whose rules are in the tool's list and whose
/// regions are in order, and addresses that are relative.
#[test]
fn the_log_for_code_scanning_is_what_its_standard_asks_for() {
    let log: serde_json::Value =
        serde_json::from_str(&printed(&["check", "alerting", "-o", "sarif"])).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "alertwright");
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 5);
    for result in results {
        let rule =
            &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let number = |name: &str| place["region"][name].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        assert!((number("startLine"), number("startColumn")) < (number("endLine"), number("endColumn")));
        assert!(
            !place["artifactLocation"]["uri"]
                .as_str()
                .unwrap()
                .starts_with('/')
        );
    }
}
