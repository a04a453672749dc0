//! Who may import whom, and how long a file may be: read from the sources, because the compiler allows everything within a crate.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

mod rooms;

use std::fs;
use std::path::{Path, PathBuf};

/// A file that doesn't fit on a few screens holds more than one idea.
const LONGEST: usize = 450;

/// What the files of one module may import from the crate, and which words may not occur in them.
struct Layer {
    module: &'static str,
    may_import: &'static [&'static str],
    must_not_say: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        module: "api",
        may_import: &["json"],
        must_not_say: &[
            "tokio",
            "reqwest",
            "kube::Client",
            "kube::Api",
            "async fn",
            ".await",
        ],
    },
    Layer {
        module: "grafana",
        may_import: &["grafana", "deadline", "held", "json", "telemetry::spans"],
        must_not_say: &["kube", "k8s_openapi"],
    },
    Layer {
        module: "domain",
        may_import: &[
            "domain",
            "api",
            "held::few",
            "json",
            "grafana::api",
            "grafana::digest",
            "grafana::error::steady",
            "grafana::model",
            "grafana::wire",
        ],
        must_not_say: &[
            "tokio",
            "reqwest",
            "kube::Client",
            "kube::Api",
            "kube::runtime",
            "async fn",
            ".await",
            "Timestamp::now",
            "SystemTime",
            "Instant::now",
        ],
    },
    Layer {
        module: "cluster",
        // The memory keeps the policy tree that was there before ours: it is a body of Grafana's, word for word.
        may_import: &[
            "cluster",
            "api",
            "grafana::model",
            "json",
            "deadline",
            "telemetry::spans",
        ],
        must_not_say: &["reqwest"],
    },
    Layer {
        module: "json",
        may_import: &["json"],
        must_not_say: &["kube", "k8s_openapi", "reqwest", "tokio"],
    },
    Layer {
        module: "controller",
        may_import: &[
            "controller",
            "cluster",
            "domain",
            "grafana",
            "api",
            "deadline",
            "held",
            "metrics",
            "telemetry::spans",
        ],
        must_not_say: &[],
    },
];

fn sources() -> Vec<(PathBuf, String)> {
    let found = files("src");
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found
}

fn is_of(path: &Path, module: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.starts_with(root.join(module)) || path == root.join(format!("{module}.rs"))
}

/// The lines that aren't comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The paths within the crate that a line names.
fn crate_paths(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter_map(|(start, found)| {
        let is_whole_word = !line[..start].ends_with(is_name);
        let rest = &line[start + found.len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        is_whole_word.then(|| &rest[..end.unwrap_or(rest.len())])
    })
}

fn is_within(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn each_test_on_a_grafana_names_the_releases_that_it_holds_for() {
    let (mut tests, doors) = (files("tests/e2e"), files("tests/doors"));
    assert!(tests.len() > 20 && doors.len() > 2, "the tests were not found");
    tests.extend(doors);
    let unnamed = tests.iter().flat_map(|(path, text)| {
        let lines = code(text).filter(|(_, line)| {
            ["::test]", "::test(", "[test]"]
                .iter()
                .any(|word| line.contains(word))
        });
        lines.map(|(number, _)| format!("{}:{number}", path.display()))
    });
    let unnamed: Vec<_> = unnamed.collect();
    assert!(
        unnamed.is_empty(),
        "write #[apply(any_release)] or #[apply(every_release)] instead, see tests/testbed/README.md: {unnamed:#?}"
    );
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for layer in LAYERS.iter().filter(|layer| is_of(&path, layer.module)) {
            for (number, line) in code(&text) {
                let mut complain = |what: &str| {
                    wrong.push(format!(
                        "{}:{number}: {} must not use {what}",
                        path.display(),
                        layer.module
                    ));
                };
                for import in crate_paths(line) {
                    // `use crate::grafana::{wire, digest}` would hide which parts are meant.
                    if !layer.may_import.iter().any(|allowed| is_within(import, allowed)) {
                        complain(import);
                    }
                }
                for word in layer.must_not_say.iter().filter(|word| line.contains(*word)) {
                    complain(word);
                }
                if line.contains("super::super::super") {
                    complain("a path that hides its module");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_application_is_used_by_its_commands_alone_and_these_by_main() {
    for (path, text) in sources() {
        for (number, line) in code(&text) {
            for import in crate_paths(line) {
                let place = format!("{}:{number}", path.display());
                assert!(
                    !is_within(import, "app") || is_of(&path, "app") || is_of(&path, "cli"),
                    "{place}"
                );
                assert!(!is_within(import, "cli"), "{place}");
                assert!(
                    !is_within(import, "server") || is_of(&path, "app") || is_of(&path, "cli"),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold_in_mind() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
}

#[test]
fn imports_are_recognised() {
    let found = |line| crate_paths(line).collect::<Vec<_>>();
    assert_eq!(found("use crate::grafana::{wire, digest};"), ["grafana::"]);
    assert_eq!(
        found("    let x = crate::app::run(crate::cli::Args);"),
        ["app::run", "cli::Args"]
    );
    assert!(found("use some_crate::app;").is_empty());
    assert!(
        is_within("grafana::wire::Route", "grafana::wire") && !is_within("grafana::wired", "grafana::wire")
    );
}
