//! What of public collections of rules is carried over. They are taken as data from the modules that ship them, each under Apache-2.0; the figures stand in
//! docs/cli/import.md, and `make docs` writes them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{run, text};

/// Module, version, the folder within it, and what people call it.
const COLLECTIONS: [(&str, &str, &str, &str); 3] = [
    (
        "github.com/thanos-io/thanos",
        "v0.41.0",
        "examples/alerts",
        "Thanos' mixin",
    ),
    (
        "github.com/VictoriaMetrics/VictoriaMetrics",
        "v1.151.0",
        "deployment/docker/rules",
        "VictoriaMetrics' alerts",
    ),
    (
        "github.com/slok/sloth",
        "v0.16.0",
        "examples/_gen",
        "what Sloth has made of its examples",
    ),
];

const BEGIN: &str = "<!-- what of public collections is carried over -->\n";
const END: &str = "<!-- written by make docs -->\n";

/// The folder of a collection, as Go's module cache holds it.
fn folder(module: &str, version: &str, within: &str) -> PathBuf {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/collections");
    let mut command = Command::new("go");
    command
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .current_dir(modules);
    let output = command.env("GOFLAGS", "-mod=mod").output().expect("go");
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{module}: {e}: {}", text(&output.stderr)));
    let place = said["Dir"].as_str().unwrap_or_else(|| panic!("{module}: {said}"));
    let licence = std::fs::read_to_string(Path::new(place).join("LICENSE")).expect("a licence");
    assert!(
        licence.contains("Apache License"),
        "{module} is under another licence now"
    );
    Path::new(place).join(within)
}

fn line(module: &str, version: &str, within: &str, called: &str) -> String {
    let folder = folder(module, version, within).display().to_string();
    let arguments = [
        "import",
        "-f",
        &folder,
        "--datasource",
        "type=prometheus",
        "-n",
        "imported",
    ];
    let report: Value = serde_json::from_str(&text(
        &run(&[&arguments[..], &["-o", "json"]].concat(), "").stderr,
    ))
    .unwrap();
    let entries = |field: &str| report[field].as_array().unwrap().clone();
    let (made, left) = (entries("resources"), entries("notCarriedOver"));
    let (records, refused): (Vec<Value>, Vec<Value>) = left
        .into_iter()
        .partition(|left| left["why"].as_str().unwrap().starts_with("it records a series"));
    let mut losses: BTreeMap<String, usize> = BTreeMap::new();
    let mut with_loss = 0;
    for made in &made {
        let lost = made["lost"].as_array().unwrap();
        with_loss += usize::from(!lost.is_empty());
        for field in lost.iter().filter_map(|lost| lost.as_str()?.split(':').next()) {
            *losses.entry(field.to_owned()).or_default() += 1;
        }
    }
    for refused in &refused {
        *losses
            .entry(refused["why"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let why: Vec<String> = losses
        .iter()
        .map(|(why, count)| format!("{why} ({count})"))
        .collect();
    // Whatever is made of them, an API server and the operator take it.
    let stream = text(&run(&arguments, "").stdout);
    let checked = run(&["check", "-f", "-", "--lint", "none"], &stream);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{called}: {}",
        text(&checked.stdout)
    );
    // Nor is a recording rule lost where it is asked for.
    let all: Value = serde_json::from_str(&text(
        &run(
            &[&arguments[..], &["-o", "json", "--recording-rules"]].concat(),
            "",
        )
        .stderr,
    ))
    .unwrap();
    let recorded = all["resources"].as_array().unwrap().len() - made.len();
    format!(
        "| {called} ({module} {version}) | {} of {} | {with_loss} | {recorded} of {} | {} |\n",
        made.len(),
        made.len() + refused.len(),
        records.len(),
        if why.is_empty() {
            "–".to_owned()
        } else {
            why.join(", ")
        },
    )
}

#[test]
fn the_page_says_what_share_of_public_collections_is_carried_over() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli/import.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let mut table = "\n| collection | alerts carried over | with a loss | recording rules, with `--recording-rules` | what is lost |\n|---|---|---|---|---|\n".to_owned();
    for (module, version, within, called) in COLLECTIONS {
        let _ = write!(table, "{}", line(module, version, within, called));
    }
    let now = format!("{before}{BEGIN}{table}\n{END}{after}");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, now).unwrap();
    } else {
        assert_eq!(
            page, now,
            "docs/cli/import.md is out of date: make docs writes it"
        );
    }
}
