//! The pages of `docs/cli` show what was really printed: their commands are run here. `make docs` writes what they print now.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use alertwright_testbed::Scratch;

use super::{examples, run, run_in, text};

const BEGIN: &str = "```console\n";
const END: &str = "```\n";

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli");
    let entries = std::fs::read_dir(folder).expect("docs/cli");
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

/// What is in a folder, in another one.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).expect("a copy");
        }
    }
}

/// A page with the outputs of its commands as they are now. They are run in a copy of the folder of examples, for some write files.
fn renewed(page: &str) -> String {
    let desk = Scratch::new("pages").expect("a folder");
    copy(&examples(), desk.path());
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at + BEGIN.len());
        out.push_str(before);
        let end = block.find(END).expect("the end of a block");
        // Those need a cluster: tests/e2e/docs.rs runs them.
        if block
            .lines()
            .next()
            .is_some_and(|first| first.contains("kubectl "))
        {
            out.push_str(&block[..end]);
            rest = &block[end..];
            continue;
        }
        let commands = block[..end].lines().filter_map(|line| line.strip_prefix("$ "));
        // The exit code is written where there is one to tell.
        for command in commands.filter(|command| *command != "echo $?") {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(words.first(), Some(&"alertwright"), "{command}");
            let output = run_in(desk.path(), &words[1..], "");
            let _ = writeln!(out, "$ {command}");
            out.push_str(&text(&output.stdout));
            out.push_str(&text(&output.stderr));
            if let Some(code) = output.status.code().filter(|code| *code != 0) {
                let _ = writeln!(out, "$ echo $?\n{code}");
            }
        }
        rest = &block[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn what_the_pages_show_is_what_is_printed() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/schema/kept.txt");
    if std::env::var_os("WRITE_DOCS").is_some() {
        let text = alertwright::api::schema::kept::text(&alertwright::api::crds());
        std::fs::write(kept, text).unwrap();
    }
    let pages = pages();
    assert!(!pages.is_empty());
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        let now = renewed(&page);
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(&path, &now).unwrap();
        } else {
            assert_eq!(
                page,
                now,
                "{} is out of date: make docs writes it",
                path.display()
            );
        }
    }
}

#[test]
fn every_rule_has_its_section() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md")).unwrap();
    let list = text(&run(&["check", "--list"], "").stdout);
    let rules: Vec<(&str, &str)> = list
        .lines()
        .skip(1)
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    assert!(rules.len() > 20);
    for (rule, level) in &rules {
        let section = page
            .split("\n### ")
            .find(|section| section.starts_with(&format!("{rule}\n")));
        let section = section.unwrap_or_else(|| panic!("docs/lints.md has no section {rule}"));
        assert!(
            section.contains(&format!("Level: {level}.")),
            "{rule} is of level {level}: {section}"
        );
    }
    let sections = page.matches("\n### ").count();
    assert_eq!(
        sections,
        rules.len(),
        "docs/lints.md has sections of rules that there aren't"
    );
}
