//! The documents that `-o json` prints have the fields that scripts rely on, and no field goes, comes or changes its type unawares. What needs a cluster is
//! run by `tests/e2e/docs`.

use std::collections::BTreeSet;

use alertwright_testbed::Scratch;

use super::exits::{commands, shell};
use super::shown::documents::{ALONE, IN_A_CLUSTER};
use super::shown::fields;
use super::{examples, printed, text};

#[test]
fn each_document_has_the_fields_that_are_kept() {
    let scratch = Scratch::new("documents").expect("a folder");
    let mut wrong = Vec::new();
    for (name, lines) in ALONE {
        let of = |line: &&str| {
            let ended = shell(line, scratch.path());
            let printed = serde_json::from_slice(&ended.stdout);
            printed.unwrap_or_else(|error| panic!("{line}: {error}\n{}", text(&ended.stderr)))
        };
        let documents: Vec<serde_json::Value> = lines.iter().map(of).collect();
        wrong.extend(fields::difference(name, &documents));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_fields_of_every_command_that_prints_a_document_are_kept() {
    let all = || ALONE.iter().chain(IN_A_CLUSTER);
    let mut count = 0;
    for command in commands() {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = printed(&words);
        let has_document = help
            .lines()
            .any(|line| line.trim_start().starts_with("- json:") && line.contains("document"));
        if !has_document {
            continue;
        }
        count += 1;
        let name = command.replace(' ', "-");
        let row = all().find(|(kept, _)| *kept == name);
        let (_, lines) =
            row.unwrap_or_else(|| panic!("{command} prints a document whose fields nobody keeps"));
        let is_its =
            |line: &&str| line.contains(&format!("alertwright {command} ")) && line.ends_with("-o json");
        assert!(lines.iter().all(is_its), "{command}: {lines:?}");
    }
    assert!(count >= 20, "{count}");
    let kept: BTreeSet<String> = all().map(|(name, _)| format!("{name}.txt")).collect();
    let files = std::fs::read_dir(examples().join("documents")).expect("what is kept");
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), kept);
}
