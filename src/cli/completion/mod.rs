//! `alertwright completion`: what a shell offers while a command is typed, the names of resources too.

mod man;

use std::ffi::{OsStr, OsString};
use std::io;

use clap::Command as Parser;
use clap_complete::CompleteEnv;
use clap_complete::engine::{CompletionCandidate, complete};
use clap_complete::env::Shells;

use super::common::exit::Exit;
use super::common::names;
use super::common::print::{harmless, print};
pub(super) use man::Man;

/// Set by the scripts when they ask what to offer.
const ASKED: &str = "ALERTWRIGHT_COMPLETE";

/// The name of the program.
const PROGRAM: &str = "alertwright";

/// What kubectl runs to complete the words behind `kubectl alertwright`.
const OF_KUBECTL: &str = "#!/bin/sh
# kubectl asks this what to offer behind \"kubectl alertwright\": it belongs beside kubectl-alertwright, on PATH.
exec kubectl-alertwright completion kubectl -- \"$@\"
";

/// Print a script that has a shell complete what is typed: commands, options, and the names of resources in the cluster.
///
/// The names are asked for when they are needed, by your own rights, and for two seconds at most. For `kubectl alertwright` print the script `kubectl` into
/// a file kubectl_complete-alertwright on PATH, and make it executable.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  source <(alertwright completion bash)\n  alertwright completion zsh > ~/.zfunc/_alertwright\n  alertwright completion fish > ~/.config/fish/completions/alertwright.fish\n  alertwright completion kubectl > ~/.local/bin/kubectl_complete-alertwright\n\nExit codes: 0 done, 2 wrong arguments."
)]
pub(super) struct Completion {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
    /// What was typed so far.
    #[arg(last = true, hide = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// `PowerShell`.
    #[value(name = "powershell")]
    Power,
    /// Elvish.
    Elvish,
    /// kubectl, for its plugin.
    Kubectl,
}

impl Shell {
    const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Power => "powershell",
            Self::Elvish => "elvish",
            Self::Kubectl => "kubectl",
        }
    }
}

/// Answers a shell that asks what to offer, and ends then.
pub(super) fn answer(parser: impl Fn() -> Parser) {
    CompleteEnv::with_factory(|| names::with_places(parser()))
        .var(ASKED)
        .complete();
}

impl Completion {
    /// `parser` reads what is completed.
    pub(super) fn execute(self, parser: Parser) -> Result<Exit, String> {
        let text = match self.shell {
            Shell::Kubectl if self.words.is_empty() => OF_KUBECTL.to_owned(),
            Shell::Kubectl => offered(names::with_places(parser), self.words)?,
            shell => script(shell)?,
        };
        print(&text)?;
        Ok(Exit::Done)
    }
}

fn script(shell: Shell) -> Result<String, String> {
    let all = Shells::builtins();
    let shell = all.completer(shell.name()).ok_or("this shell isn't known")?;
    let mut script = Vec::new();
    let written = shell.write_registration(ASKED, PROGRAM, PROGRAM, PROGRAM, &mut script);
    written.map_err(|error: io::Error| error.to_string())?;
    String::from_utf8(script).map_err(|error| error.to_string())
}

/// What to offer for the last of these words, as kubectl reads it: a line each, and then what the shell is to do with them.
fn offered(mut parser: Parser, words: Vec<OsString>) -> Result<String, String> {
    let last = words.len();
    let all = [OsString::from(PROGRAM)].into_iter().chain(words).collect();
    let folder = std::env::current_dir().ok();
    let offered = complete(&mut parser, all, last, folder.as_deref());
    Ok(lines(&offered.map_err(|error| error.to_string())?))
}

fn lines(offered: &[CompletionCandidate]) -> String {
    /// No files beside.
    const NO_FILES: u8 = 4;
    /// Nor a space behind it.
    const NO_SPACE: u8 = 2;
    let text = |candidate: &CompletionCandidate| {
        let value = harmless(&candidate.get_value().to_string_lossy());
        match candidate.get_help() {
            Some(help) => {
                let help = help.to_string();
                format!("{value}\t{}\n", harmless(help.lines().next().unwrap_or_default()))
            }
            None => format!("{value}\n"),
        }
    };
    let goes_on = |value: &OsStr| value.to_string_lossy().ends_with(['/', '=', ':']);
    let is_open = offered.iter().any(|candidate| goes_on(candidate.get_value()));
    let shown = offered.iter().filter(|candidate| !candidate.is_hide_set());
    let directive = if is_open { NO_FILES | NO_SPACE } else { NO_FILES };
    format!("{}:{directive}\n", shown.map(text).collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ValueEnum};

    #[test]
    fn every_shell_gets_a_script_that_asks_the_program() {
        for shell in Shell::value_variants() {
            let text = match shell {
                Shell::Kubectl => OF_KUBECTL.to_owned(),
                shell => script(*shell).unwrap(),
            };
            assert!(text.contains(PROGRAM), "{shell:?}: {text}");
        }
    }

    #[test]
    fn kubectl_gets_a_line_for_each_word_that_may_follow() {
        let parser = || {
            let below = Parser::new("below").about("What it does");
            Parser::new(PROGRAM)
                .subcommand(below)
                .arg(Arg::new("x").long("xy"))
        };
        let of = |words: &[&str]| offered(parser(), words.iter().map(OsString::from).collect()).unwrap();
        assert!(of(&["be"]).contains("below\tWhat it does\n"), "{}", of(&["be"]));
        assert!(of(&["--x"]).starts_with("--xy"), "{}", of(&["--x"]));
        assert!(of(&["be"]).ends_with("\n:4\n"));
    }
}
