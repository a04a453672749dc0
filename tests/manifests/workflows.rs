//! The workflows of `.github`: what they do runs anywhere, and what they use is pinned.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{read, root};

/// Every workflow, and every action of our own, by its file.
fn all() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for folder in [".github/workflows", ".github/actions/setup"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned();
            let file = format!("{folder}/{name}");
            let workflow = serde_saphyr::from_str(&read(&file)).expect("YAML");
            all.push((file, workflow));
        }
    }
    all
}

/// The steps of a workflow's jobs, or of an action.
fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().into_iter().flatten();
    let of_jobs = jobs.filter_map(|(_, job)| job["steps"].as_array());
    let own = workflow["runs"]["steps"].as_array();
    of_jobs.chain(own).flatten().collect()
}

#[test]
fn what_a_workflow_runs_is_a_target_of_the_makefile_or_a_script() {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.strip_prefix(".PHONY: "))
        .collect();
    let mut seen = 0;
    for (file, workflow) in all() {
        if file.contains("/actions/") {
            continue;
        }
        for step in steps(&workflow) {
            let Some(run) = step["run"].as_str() else { continue };
            for command in run.split("&&") {
                let mut words = command.split_whitespace();
                match (words.next(), words.next()) {
                    (Some("make"), Some(target)) => assert!(targets.contains(target), "{file}: {command}"),
                    (Some(script), _) => {
                        assert!(script.starts_with("deploy/"), "{file}: {command}");
                        assert!(root().join(script).is_file(), "{file}: there is no {script}");
                    }
                    _ => panic!("{file}: an empty command"),
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 8, "{seen}");
}

#[test]
fn what_a_workflow_uses_is_pinned_by_commit_and_may_do_no_more_than_it_needs() {
    for (file, workflow) in all() {
        for step in steps(&workflow) {
            let Some(uses) = step["uses"].as_str() else {
                continue;
            };
            if let Some(own) = uses.strip_prefix("./") {
                assert!(root().join(own).join("action.yml").is_file(), "{file}: {uses}");
                continue;
            }
            let commit = uses.split_once('@').map_or("", |(_, commit)| commit);
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {uses}");
        }
        if workflow["jobs"].is_object() {
            let rights = serde_json::json!({"contents": "read"});
            assert_eq!(workflow["permissions"], rights, "{file}");
        }
    }
}

#[test]
fn no_workflow_fetches_grafana() {
    for (file, _) in all() {
        let text = read(&file);
        for word in ["grafana/", "GRAFANA_IMAGE", "docker run", "services:"] {
            assert!(!text.contains(word), "{file}: {word}");
        }
    }
}
