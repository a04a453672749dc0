//! The commands for people, run as people run them: what they print, where, and with which exit code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure must fail the test"
)]

mod collections;
mod diff;
mod docs;
mod engine;
mod evaluation;
mod exits;
mod hooks;
mod import;
#[allow(dead_code, unreachable_pub, reason = "tests/e2e uses it")]
mod shown;
mod writes;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a command in the folder of examples, and gives it a text to read.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli"))
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
fn exit_codes_say_what_became_of_it() {
    let fine = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fine.yaml"));
    let fine = fine.unwrap();
    let bad = format!("{RULE}  query: sum(\n");
    let hasty = format!("{RULE}  query: up == 0\n");
    for (arguments, input, code) in [
        (&["check", "-f", "fine.yaml"][..], "", 0),
        (&["check", "-f", "-"], fine.as_str(), 0),
        (&["check", "-f", "-"], bad.as_str(), 1),
        (&["check", "-f", "-"], hasty.as_str(), 0),
        (&["check", "-f", "-", "--fail-on", "warning"], hasty.as_str(), 1),
        (
            &["check", "-f", "-", "--fail-on", "warning", "--lint", "none"],
            hasty.as_str(),
            0,
        ),
        (
            &["check", "-f", "-", "--fail-on", "warning", "--lint", "for-zero"],
            hasty.as_str(),
            0,
        ),
        (
            &["check", "-f", "-", "--disable", "query", "--lint", "none"],
            bad.as_str(),
            0,
        ),
        (&["check", "fine.yaml", "--grafana-version", "11.6"], "", 1),
        (&["check", "fine.yaml", "--grafana-version", "12.0.1"], "", 0),
        (&["check", "--list"], "", 0),
        (&["check"], "", 2),
        (&["check", "--nonsense"], "", 2),
        (&["check", "-f", "-", "--disable", "no-runbok"], "", 2),
        (&["check", "-f", "-", "--grafana-version", "new"], "", 2),
        (&["check", "-f", "not-there.yaml"], "", 3),
        (&["check", "fine.yaml", "--context", "x"], "", 2),
        (
            &[
                "check",
                "fine.yaml",
                "--with-cluster",
                "--kubeconfig",
                "not-there",
            ],
            "",
            3,
        ),
        (&["crds"], "", 0),
        (&["crds", "--directory", "fine.yaml/x"], "", 3),
        (&["probe", "nonsense"], "", 2),
        (&["probe", "http://127.0.0.1:1/"], "", 3),
    ] {
        ends(arguments, input, code);
    }
}

#[test]
fn exit_codes_of_what_looks_at_a_cluster_say_whether_there_is_one() {
    for (arguments, code) in [
        (&["status", "--nonsense"][..], 2),
        (&["status", "-l", "team in (a)"], 2),
        (&["status", "-A", "-n", "revel"], 2),
        (&["status", "--watch", "--exit-code"], 2),
        (&["status", "--kubeconfig", "not-there"], 3),
        (&["trace"], 2),
        (&["trace", "Silence/calm"], 2),
        (&["trace", "rule", "a", "--kubeconfig", "not-there"], 3),
        (&["events", "--for", "web"], 2),
        (&["events", "--kubeconfig", "not-there"], 3),
        (&["open", "AlertRule"], 2),
        (&["open", "AlertRul/a"], 2),
        (&["open", "AlertRule/a", "--kubeconfig", "not-there"], 3),
        (&["version", "--client"], 0),
        (&["version", "--nonsense"], 2),
    ] {
        ends(arguments, "", code);
    }
    let alone = run(&["version", "--kubeconfig", "not-there"], "");
    assert_eq!(alone.status.code(), Some(4));
    assert!(text(&alone.stdout).starts_with("CLIENT ") && !alone.stderr.is_empty());
}

/// Runs a command, and holds against each other how it ends and what it says.
fn ends(arguments: &[&str], input: &str, code: i32) {
    let output = run(arguments, input);
    let said = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {said}{}",
        text(&output.stdout)
    );
    assert!(
        code < 2 || output.stdout.is_empty(),
        "{arguments:?} prints data though it fails"
    );
    assert!(code < 2 || !said.is_empty(), "{arguments:?} fails without a word");
}

#[test]
fn exit_codes_say_whether_alerts_go_where_somebody_expects_them() {
    for (arguments, code) in [
        (&["route", "-f", "routing", "severity=info"][..], 0),
        (
            &[
                "route",
                "-f",
                "routing",
                "--rule",
                "brute-force",
                "--expect",
                "security",
            ],
            0,
        ),
        (
            &["route", "-f", "routing", "severity=info", "--expect", "analytics"],
            0,
        ),
        (
            &[
                "route",
                "-f",
                "routing",
                "severity=info",
                "--expect",
                "analytics",
                "--at",
                "2026-12-24T22:00:00Z",
            ],
            1,
        ),
        (
            &[
                "route",
                "-f",
                "routing",
                "severity=info",
                "--expect",
                "none",
                "--at",
                "2026-12-24T22:00:00Z",
            ],
            0,
        ),
        (
            &["route", "-f", "routing", "severity=info", "--expect", "security"],
            1,
        ),
        (&["route", "severity=info"], 3),
        (
            &[
                "route",
                "-f",
                "routing",
                "a=b",
                "--with-cluster",
                "--kubeconfig",
                "not-there",
            ],
            3,
        ),
        (&["route", "-f", "routing", "a=b", "--context", "x"], 2),
        (&["route", "-A", "a=b"], 2),
        (&["route", "-f", "routing"], 2),
        (&["route", "-f", "routing", "severity"], 2),
        (&["route", "-f", "routing", "a=b", "--at", "tomorrow"], 2),
        (&["route", "-f", "fine.yaml", "a=b"], 3),
        (&["route", "-f", "chart", "a=b"], 3),
        (&["route", "-f", "routing", "--rule", "brute-forc"], 3),
        (&["test", "routes", "-f", "routing", "routing.test.yaml"], 1),
        (&["test", "routes", "-f", "routing", "fine.yaml"], 3),
        (&["test", "routes", "-f", "routing"], 2),
        (&["test", "routes", "routing.test.yaml"], 3),
        (&["test"], 2),
    ] {
        ends(arguments, "", code);
    }
}

#[test]
fn exit_codes_say_whether_a_rule_could_be_evaluated() {
    for (arguments, code) in [
        (&["backtest"][..], 2),
        (&["backtest", "-f", "fine.yaml", "--step", "0s"], 2),
        (&["backtest", "-f", "fine.yaml", "--since", "soon"], 2),
        (&["backtest", "-f", "fine.yaml", "--since", "0s"], 2),
        (
            &[
                "backtest",
                "-f",
                "fine.yaml",
                "--since",
                "1h",
                "--from",
                "2026-12-24T20:00:00Z",
            ],
            2,
        ),
        // Without a cluster and without an address of Grafana.
        (&["backtest", "-f", "fine.yaml"], 3),
        (
            &[
                "backtest",
                "-f",
                "not-there.yaml",
                "--grafana-url",
                "http://127.0.0.1:1",
            ],
            3,
        ),
        (&["test", "rule"], 2),
        (&["test", "rule", "-f", "fine.yaml", "--at", "tomorrow"], 2),
        (
            &[
                "test",
                "rule",
                "-f",
                "fine.yaml",
                "--grafana-url",
                "http://127.0.0.1:1",
            ],
            3,
        ),
    ] {
        ends(arguments, "", code);
    }
}

#[test]
fn what_asks_a_cluster_or_a_grafana_says_whether_it_was_asked_wrong_or_had_no_answer() {
    for (arguments, code) in [
        (&["doctor"][..], 3),
        (&["doctor", "--pre"], 3),
        (&["doctor", "-o", "yaml"], 2),
        (&["report"], 3),
        (&["report", "--since", "soon"], 2),
        (&["report", "--since", "0s"], 2),
        (&["report", "--by", "colour"], 2),
        (&["test", "contact-point", "oncall"], 3),
        (&["test", "contact-point"], 2),
        (&["test", "contact-point", "oncall", "--integration", "0"], 2),
        (&["test", "contact-point", "oncall", "--labels", "severity"], 2),
    ] {
        ends(arguments, "", code);
    }
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
