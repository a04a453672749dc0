//! The recording of the demonstration in `docs/pictures` still tells this story: its steps, all of them seen, in sentences that stand here.

use std::fs;
use std::path::Path;

use alertwright_testbed::picture::{folder, recording::Recording};

use crate::{root, story};

fn recorded() -> Vec<String> {
    let cast = fs::read_to_string(folder().join("demo.cast")).expect("the recording");
    Recording::read(&cast).expect("a recording").said()
}

fn sources(at: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(at).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else if !path.ends_with("recorded.rs") {
            all.push_str(&fs::read_to_string(path).expect("a source"));
        }
    }
    all
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The texts of a source between quotes, each as what stands between its placeholders.
fn texts(source: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for line in source.replace("\\\"", "\u{1}").replace("\\\n", "").lines() {
        for text in line.split('"').skip(1).step_by(2) {
            let text = text
                .replace('\u{1}', "\"")
                .replace("{{", "\u{2}")
                .replace("}}", "\u{3}");
            let parts = text.split('{').enumerate().map(|(number, part)| match number {
                0 => part,
                _ => part.split_once('}').map_or(part, |(_, rest)| rest),
            });
            all.push(
                parts
                    .map(|part| words(&part.replace('\u{2}', "{").replace('\u{3}', "}")))
                    .collect(),
            );
        }
    }
    all
}

/// Whether somebody who says `parts` with something between them can have said this.
fn can_be(sentence: &str, parts: &[String]) -> bool {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    let fixed: usize = parts.iter().map(String::len).sum();
    if fixed < 2 || (first.is_empty() && fixed < 6) {
        return false;
    }
    let mut rest = match sentence.strip_prefix(first.as_str()) {
        Some(rest) if parts.len() > 1 => rest,
        Some(rest) => return rest.is_empty(),
        None => return false,
    };
    for part in &parts[1..] {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    last.is_empty() || sentence.ends_with(last.as_str())
}

/// What was said, with its seconds, each sentence whole again.
fn sentences(lines: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut is_in = false;
    for line in lines {
        let (margin, text) = line.split_at_checked(10).unwrap_or((line, ""));
        if margin.ends_with(" s  ") && margin.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            all.push(words(text));
            is_in = true;
        } else if is_in && margin.trim().is_empty() && !text.is_empty() {
            if let Some(last) = all.last_mut() {
                *last = format!("{last} {}", words(text));
            }
        } else {
            is_in = false;
        }
    }
    all
}

#[test]
fn it_tells_every_step_in_order_and_each_was_seen() {
    let lines = recorded();
    let (story, table) = lines.split_at(
        lines
            .iter()
            .position(|line| line == "Summary")
            .expect("a summary"),
    );
    let titles: Vec<&str> = story
        .iter()
        .map(String::as_str)
        .filter(|line| !line.is_empty() && !line.starts_with(' '))
        .collect();
    assert_eq!(titles, story::steps(), "make pictures records it anew");
    for step in story::steps() {
        let row = table.iter().find(|line| line.trim_start().starts_with(step));
        assert!(row.is_some_and(|row| row.contains("  done ")), "{step}: {row:?}");
    }
}

#[test]
fn each_of_its_sentences_is_one_that_the_demonstration_says() {
    let texts = texts(&sources(&root().join("tests/testbed/src/bin/demo")));
    let sentences = sentences(&recorded());
    assert!(sentences.len() > 20, "{sentences:#?}");
    let strange: Vec<&String> = sentences
        .iter()
        .filter(|sentence| !texts.iter().any(|parts| can_be(sentence, parts)))
        .collect();
    assert!(strange.is_empty(), "make pictures records it anew: {strange:#?}");
}

#[test]
fn a_sentence_is_told_from_another_by_what_stands_between_its_placeholders() {
    let parts = &texts(r#"say(format!("{name} ({count}) fires, \"{{x}}\"; by {}", y))"#)[0];
    assert!(can_be("Rule (3) fires, \"{x}\"; by chance", parts), "{parts:?}");
    assert!(!can_be("Rule (3) fired, \"{x}\"; by chance", parts));
    assert!(!can_be("anything", &[String::new(), String::new()]));
}
