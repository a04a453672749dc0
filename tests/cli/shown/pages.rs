//! Pages and their blocks: which commands they show, and what stands below each.

use std::path::{Path, PathBuf};

const BEGIN: &str = "```console\n";
const END: &str = "\n```\n";
/// Stands for lines that are left out.
const CUT: &str = "...";

/// A command and what it has printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// As people type it.
    pub command: String,
    /// What is printed, and the exit code where it isn't 0.
    pub output: Vec<String>,
}

/// A piece of a page.
#[derive(Debug)]
pub enum Piece {
    /// What is no business of ours.
    Text(String),
    /// A block of commands.
    Block(Vec<Shown>),
}

pub fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli").join(page)
}

/// Whether commands need a cluster: with kubectl one is at hand. All others are run by `tests/cli`.
fn is_ours(block: &str) -> bool {
    let first = block.lines().next().unwrap_or_default();
    first.starts_with("$ ") && first.contains("kubectl ")
}

/// A page, taken apart.
pub fn read(page: &str) -> Vec<Piece> {
    let text = std::fs::read_to_string(path(page)).expect("a page");
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at + BEGIN.len());
        pieces.push(Piece::Text(before.to_owned()));
        let end = block.find(END).expect("the end of a block");
        pieces.push(if is_ours(block) {
            Piece::Block(commands(&block[..end]))
        } else {
            Piece::Text(block[..end].to_owned())
        });
        rest = &block[end..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

fn commands(block: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) if command != "echo $?" => all.push(Shown {
                command: command.to_owned(),
                output: Vec::new(),
            }),
            (_, Some(last)) => last.output.push(line.to_owned()),
            _ => {}
        }
    }
    all
}

/// The text of a page.
pub fn text(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Block(all) => {
                let lines = all.iter().flat_map(|shown| {
                    let command = format!("$ {}", shown.command);
                    std::iter::once(command).chain(shown.output.iter().cloned())
                });
                text.push_str(&lines.collect::<Vec<_>>().join("\n"));
            }
        }
    }
    text
}

/// What was printed, cut as what stands there is: as many lines before and behind `...`.
pub fn cut(printed: Vec<String>, standing: &[String]) -> Vec<String> {
    let Some(before) = standing.iter().position(|line| line == CUT) else {
        return printed;
    };
    let behind = standing.len() - before - 1;
    if printed.len() <= before + behind + 1 {
        return printed;
    }
    let last = printed[printed.len() - behind..].to_vec();
    let mut kept: Vec<String> = printed.into_iter().take(before).collect();
    kept.push(CUT.to_owned());
    kept.extend(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_is_left_out_stays_left_out() {
        assert_eq!(cut(lines("a b c d e"), &lines("x ... y")), lines("a ... e"));
        assert_eq!(cut(lines("a b c d e"), &lines("... y z")), lines("... d e"));
        assert_eq!(cut(lines("a b c"), &lines("x ... y")), lines("a b c"));
        assert_eq!(cut(lines("a b"), &lines("x y z")), lines("a b"));
    }

    #[test]
    fn commands_are_told_from_what_they_print_and_from_the_exit_code() {
        let block = "$ kubectl a\none\n\ntwo\n$ echo $?\n1\n$ kubectl b";
        let all = commands(block);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].output, ["one", "", "two", "$ echo $?", "1"]);
        assert_eq!(text(&[Piece::Block(all)]), block);
    }
}
