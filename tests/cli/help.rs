//! What `--help` of every command prints.

use super::exits::commands;
use super::printed;

/// How wide help is where no terminal says otherwise.
const WIDTH: usize = 100;

#[test]
fn help_is_wrapped_and_says_something_of_every_option_and_value() {
    let mut options = 0;
    for command in commands() {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = printed(&words);
        for line in help.lines() {
            let width = line.chars().count();
            assert!(width <= WIDTH, "{command}: {width} columns: {line}");
        }
        assert!(
            help.contains("\nUsage: ") && help.contains("\nExamples:\n"),
            "{command}: {help}"
        );
        assert!(help.contains("\nExit codes: "), "{command}: {help}");
        let above = help.lines().take_while(|line| *line != "Examples:");
        let lines: Vec<&str> = above.collect();
        for pair in lines.windows(2) {
            let (line, next) = (pair[0], pair[1]);
            let is_option = line.starts_with("  -") || line.starts_with("      --");
            if !is_option {
                continue;
            }
            options += 1;
            // Beside it where all are short, else below it.
            let said = match line.trim_start().split_once("  ") {
                Some((_, said)) => said.trim_start(),
                None => next.strip_prefix("          ").unwrap_or_default(),
            };
            assert!(said.starts_with(char::is_uppercase), "{command}: {line}\n{next}");
        }
    }
    assert!(options > 150, "{options}");
}
