//! How commands end: one table, which every command is in with every exit code that its help promises. What needs a cluster is run by
//! `tests/e2e/docs`.

#[allow(unreachable_pub, reason = "tests/e2e has it too")]
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use alertwright_testbed::Scratch;

use super::{examples, printed, text};
use table::{ALONE, BROKEN, IN_A_CLUSTER, Row, WITHOUT_OPERATOR};

/// What lines of the table call: an AlertRule with a query, a file of Prometheus' rules, and a file for `test routes`.
const WORDS: &str = r#"
rule() { printf 'apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata:\n  name: a\nspec:\n  query: %s\n' "$1"; }
templated() { printf 'apiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata: {name: templated, namespace: revel}\nspec: {query: up == 0, labels: {team: "{{ $labels.team }}"}}\n'; }
rules() { printf 'groups:\n- name: g\n  rules:\n  - alert: Up\n    expr: up == 0\n'; }
quiet() { printf -- '---\napiVersion: alerting.letsrevel.io/v1alpha1\nkind: Silence\nmetadata: {name: calm, namespace: revel}\nspec: {alertRules: {all: true}, duration: 1h, comment: why}\n---\napiVersion: alerting.letsrevel.io/v1alpha1\nkind: InhibitionRule\nmetadata: {name: less, namespace: revel}\nspec: {sourceMatchers: [severity=critical], targetMatchers: ["severity!=critical"], equal: [team]}\n---\n'; templated; }
expect() { printf -- '- labels: {severity: info}\n  expect: [%s]\n' "$1"; }
"#;

/// Runs a line in the folder of examples, which may write into the other one.
pub(super) fn shell(line: &str, scratch: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_alertwright"));
    let path = format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display());
    Command::new("sh")
        .args(["-c", &format!("{WORDS}{line}")])
        .current_dir(examples())
        .env_clear()
        .env("PATH", path)
        .env("SCRATCH", scratch)
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

#[test]
fn each_command_ends_as_the_table_says() {
    let scratch = Scratch::new("exits").expect("a folder");
    let mut wrong = Vec::new();
    for (command, code, situation, lines) in ALONE {
        for line in *lines {
            let ended = shell(line, scratch.path());
            let (data, said) = (text(&ended.stdout), text(&ended.stderr));
            let is_wrong = ended.status.code() != Some(*code)
                // Who is told nothing can do nothing, and who reads data takes it for all there is.
                || (*code >= 2 && said.is_empty())
                || ((2..=3).contains(code) && !data.is_empty());
            if is_wrong {
                wrong.push(format!(
                    "{command}, {situation}: {line}\n{:?}\n{data}{said}",
                    ended.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every command with those below it, as clap knows them: each has a manual page, but for those of the operator's own Deployment.
pub(super) fn commands() -> BTreeSet<String> {
    let folder = Scratch::new("exits").expect("a folder");
    printed(&["man", "--directory", folder.path().to_str().expect("a path")]);
    let pages = std::fs::read_dir(folder.path()).expect("pages");
    let names = pages.filter_map(|page| page.ok()?.file_name().into_string().ok());
    let names: BTreeSet<String> = names
        .filter_map(|name| Some(name.strip_suffix(".1")?.strip_prefix("alertwright-")?.to_owned()))
        .collect();
    // A dash is also a part of names.
    let of_several = |name: &String| {
        let above = names.iter().find(|above| {
            name.strip_prefix(*above)
                .is_some_and(|rest| rest.starts_with('-'))
        });
        above.map_or_else(
            || name.clone(),
            |above| format!("{above} {}", &name[above.len() + 1..]),
        )
    };
    let help = printed(&["--help"]);
    let own = help
        .split_once("own Deployment: ")
        .and_then(|(_, names)| names.split_once(" ("));
    let own = own
        .expect("those of the operator")
        .0
        .split(", ")
        .map(str::to_owned);
    names.iter().map(of_several).chain(own).collect()
}

/// The exit codes that a command's help promises.
fn promised(command: &str) -> BTreeSet<i32> {
    let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
    let help = printed(&words);
    let Some((_, codes)) = help.split_once("Exit codes: ") else {
        return BTreeSet::new();
    };
    let words = codes.split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

/// All lines of the table.
fn rows() -> impl Iterator<Item = &'static Row> {
    let all = [ALONE, IN_A_CLUSTER, WITHOUT_OPERATOR].into_iter().flatten();
    all.chain(BROKEN.iter().map(|(.., row)| row))
}

#[test]
fn every_command_is_in_the_table_with_every_exit_code_that_its_help_promises() {
    let shown: BTreeSet<(&str, i32)> = rows().map(|(command, code, ..)| (*command, *code)).collect();
    let commands = commands();
    assert!(commands.len() > 25, "{commands:?}");
    for command in &commands {
        let codes: BTreeSet<i32> = shown
            .iter()
            .filter(|(of, _)| of == command)
            .map(|(_, code)| *code)
            .collect();
        assert!(!codes.is_empty(), "{command} isn't in the table");
        let promised = promised(command);
        // What goes well with these takes a cluster for long, or is shown of what they have below them.
        let is_part = ["run", "probe", "remove-finalizers", "test"].contains(&command.as_str());
        assert!(
            codes == promised || is_part && codes.is_subset(&promised),
            "{command}: the table has {codes:?}, its help {promised:?}"
        );
    }
    for (command, ..) in &shown {
        assert!(commands.contains(*command), "there is no command {command}");
    }
}

#[test]
fn lines_of_the_table_are_of_their_commands() {
    for (command, code, situation, lines) in rows() {
        assert!(!lines.is_empty() && !situation.is_empty());
        for line in *lines {
            assert!(
                line.contains(&format!("alertwright {command}")),
                "{command} {code}: {line}"
            );
        }
    }
}
