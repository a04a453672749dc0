//! Each fuzz target for a moment, from its seeds on. `make fuzz` lets libFuzzer look for long.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a target panics where something isn't as it must be"
)]

#[allow(missing_docs, unreachable_pub, reason = "a library of its own")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use targets::TARGETS;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
/// How many texts each target is given. The slowest one, `manifest`, takes about a millisecond for each.
const CASES: u32 = 500;
/// Bytes that languages have a meaning for, more often than chance has them.
const MEANT: &[u8] = b"{}[]()\"'`\\|=!~<>.,:;#$@%-+*/^ \n\t0159aeimsx\0\xff\xc3";

/// A change of a text: from where to where, and what is put there.
type Edit = (Index, usize, Vec<u8>);

/// What the texts of a target are made from: its own seeds, and for manifests the examples.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let project = Path::new(PROJECT);
    let mut files = files_below(&project.join("fuzz/seeds").join(target));
    if ["manifest", "rule"].contains(&target) {
        files.extend(files_below(&project.join("deploy/examples/revel")));
    }
    files.iter().map(|file| fs::read(file).expect("a seed")).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let text = prop_oneof![
        prop::collection::vec(prop::sample::select(MEANT), 0..4),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec((any::<Index>(), 0..6_usize, text), 0..8)
}

/// Bytes that are shown as the text that they mostly are.
#[derive(Clone)]
struct Text(Vec<u8>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A seed as these changes make it.
fn edited(mut text: Vec<u8>, edits: &[Edit]) -> Text {
    for (at, length, other) in edits {
        let at = at.index(text.len() + 1);
        let end = text.len().min(at + length);
        text.splice(at..end, other.iter().copied());
    }
    Text(text)
}

#[test]
fn nothing_that_others_have_written_breaks_what_reads_it() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        for seed in &seeds {
            target(seed);
        }
        let texts = (prop::sample::select(seeds), edits()).prop_map(|(seed, edits)| edited(seed, &edits));
        let mut runner = TestRunner::new(Config {
            failure_persistence: None,
            ..Config::with_cases(CASES)
        });
        let outcome = runner.run(&texts, |Text(text)| {
            target(&text);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{name}: {error}\nPut the text into fuzz/seeds/{name} once it is mended.");
        }
    }
}

#[test]
fn each_target_has_a_program_and_seeds() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new(PROJECT).join("fuzz").join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("seeds"), targets);
}
