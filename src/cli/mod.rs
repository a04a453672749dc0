//! The command line: arguments and environment, checked.

#[cfg(feature = "cli")]
mod backtest;
#[cfg(feature = "cli")]
mod check;
mod common;
#[cfg(feature = "cli")]
mod completion;
#[cfg(feature = "cli")]
mod diff;
#[cfg(feature = "cli")]
mod doctor;
#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod import;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
mod route;
#[cfg(feature = "cli")]
mod silence;
#[cfg(feature = "cli")]
mod status;
#[cfg(feature = "cli")]
mod test;
#[cfg(feature = "cli")]
mod trace;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command as Parser, CommandFactory, FromArgMatches, Subcommand};

use crate::app;
use common::exit::Exit;

/// How kubectl calls a plugin's file, and what people write then.
const PLUGIN: &str = "kubectl-alertwright";
const AS_PLUGIN: &str = "kubectl alertwright";

/// Grafana alerting as Kubernetes resources.
#[derive(clap::Parser, Debug)]
#[command(
    name = "alertwright",
    version,
    about,
    long_about = None,
    max_term_width = 110,
    after_help = "For the operator's own Deployment: run, remove-finalizers, probe (each has --help)."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[cfg(feature = "cli")]
    #[command(flatten)]
    OfPeople(OfPeople),
    #[command(flatten)]
    OfOperator(app::command::Command),
}

/// The documents of a text, as all commands read files; for those who try what breaks that. Each thing that can't be read has a line and a column, from 1.
#[cfg(feature = "cli")]
pub fn documents(text: &str) -> (Vec<serde_json::Value>, Vec<(usize, usize)>) {
    let source = common::files::Source::new("-", text.to_owned());
    let (documents, problems) = common::files::documents(&[&source]);
    let values = documents.into_iter().map(|document| document.value);
    let places = problems.into_iter().map(|problem| problem.spot.start);
    (values.collect(), places.collect())
}

/// What people ask for.
#[cfg(feature = "cli")]
#[derive(Subcommand, Debug)]
enum OfPeople {
    Check(Box<check::Check>),
    Diff(Box<diff::Diff>),
    Route(Box<route::Route>),
    Export(Box<export::Export>),
    Status(Box<status::Status>),
    Trace(Box<trace::Trace>),
    Events(Box<status::events::Events>),
    Open(Box<status::open::Open>),
    Version(Box<status::version::Version>),
    Doctor(Box<doctor::Doctor>),
    Report(Box<report::Report>),
    Import(Box<import::Import>),
    #[command(subcommand)]
    Test(test::Test),
    Backtest(Box<backtest::Backtest>),
    Silence(Box<silence::Silence>),
    Suspend(silence::Suspend),
    Resume(silence::Resume),
    Reconcile(silence::Reconcile),
    Adopt(Box<silence::Adopt>),
    Completion(completion::Completion),
    Man(completion::Man),
}

#[cfg(feature = "cli")]
impl OfPeople {
    fn execute(self) -> Result<Exit, String> {
        match self {
            Self::Check(command) => command.execute(),
            Self::Diff(command) => command.execute(),
            Self::Route(command) => command.execute(),
            Self::Export(command) => command.execute(),
            Self::Status(command) => command.execute(),
            Self::Trace(command) => command.execute(),
            Self::Events(command) => command.execute(),
            Self::Open(command) => command.execute(),
            Self::Version(command) => command.execute(),
            Self::Doctor(command) => command.execute(),
            Self::Report(command) => command.execute(),
            Self::Import(command) => command.execute(),
            Self::Test(command) => command.execute(),
            Self::Backtest(command) => command.execute(),
            Self::Silence(command) => command.execute(),
            Self::Suspend(command) => command.execute(),
            Self::Resume(command) => command.execute(),
            Self::Reconcile(command) => command.execute(),
            Self::Adopt(command) => command.execute(),
            Self::Completion(command) => command.execute(Arguments::command()),
            Self::Man(command) => command.execute(Arguments::command()),
        }
    }
}

impl Arguments {
    /// The arguments that the process was started with. Wrong ones end it, with the exit code 2, as does a question for help, with 0.
    pub fn of_process() -> Self {
        let all: Vec<OsString> = std::env::args_os().collect();
        #[cfg(feature = "cli")]
        completion::answer(|| parser(all.first()));
        let matches = parser(all.first()).get_matches_from(all);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Does what the command says. Errors are told on standard error.
    pub fn execute(self) -> ExitCode {
        let done = match self.command {
            #[cfg(feature = "cli")]
            Command::OfPeople(command) => command.execute(),
            Command::OfOperator(command) => command.execute().map(|()| Exit::Done),
        };
        done.unwrap_or_else(|error| {
            // If it is empty, the command has told it in its own way.
            if !error.is_empty() {
                let _ = writeln!(io::stderr(), "alertwright: {}", harmless(&error));
            }
            Exit::Failed
        })
        .into()
    }
}

/// An error without what a terminal would take for a command: some have words of servers and files in them.
fn harmless(error: &str) -> String {
    error.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// The parser of arguments for a program of this name: as a plugin of kubectl it speaks of itself as people call it.
fn parser(program: Option<&OsString>) -> Parser {
    let name = program.and_then(|program| Path::new(program).file_stem());
    let command = Arguments::command();
    if name.and_then(|name| name.to_str()) != Some(PLUGIN) {
        return command;
    }
    as_plugin(command.bin_name(AS_PLUGIN))
}

/// The help of a command and of all below it, as people call them through kubectl.
fn as_plugin(command: Parser) -> Parser {
    let command = match command.get_after_help().map(ToString::to_string) {
        Some(help) => {
            let called = |line: &str| {
                let line = line.replace(" alertwright ", &format!(" {AS_PLUGIN} "));
                line.replace("(alertwright ", &format!("({AS_PLUGIN} "))
            };
            let is_example = |line: &&str| line.starts_with("  ");
            let lines = help.lines().map(|line| {
                if is_example(&line) {
                    called(line)
                } else {
                    line.to_owned()
                }
            });
            command.after_help(lines.collect::<Vec<_>>().join("\n"))
        }
        None => command,
    };
    command.mut_subcommands(as_plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &Parser, show: &mut dyn FnMut(&Parser)) {
        for below in command
            .get_subcommands()
            .filter(|below| below.get_name() != "help")
        {
            show(below);
            each(below, show);
        }
    }

    #[test]
    fn the_arguments_of_every_command_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_three_examples() {
        let mut count = 0;
        each(&Arguments::command(), &mut |command| {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let examples = help
                .lines()
                .filter(|line| line.starts_with("  ") && line.contains("alertwright"));
            assert!(examples.count() >= 3, "{}: {help}", command.get_name());
            count += 1;
        });
        assert!(count >= 5);
    }

    /// Words of a line as a shell takes them; `|`, `>` and `&&` are words of their own.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None, ' ') => words.push(std::mem::take(&mut word)),
                _ => word.push(letter),
            }
        }
        words.push(word);
        words
    }

    /// The commands of ours in an example, without what other programs do with them.
    fn of_ours(example: &str) -> Vec<Vec<String>> {
        let example = example.replace("$(cat token)", "token");
        let example = example.replace("source <(", "").replace("bash)", "bash");
        let words = words(example.trim());
        let pieces = words.split(|word| matches!(word.as_str(), "|" | ">" | "&&"));
        let commands = pieces.filter_map(|piece| {
            let begin = piece
                .iter()
                .position(|word| matches!(word.as_str(), "alertwright" | "/alertwright"))?;
            piece.get(begin..).map(<[String]>::to_vec)
        });
        commands.collect()
    }

    #[test]
    fn every_example_is_one_of_its_command_and_has_arguments_that_it_takes() {
        let mut count = 0;
        each(&Arguments::command(), &mut |command| {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            for example in help.lines().filter(|line| line.starts_with("  ")) {
                let commands = of_ours(example);
                let name = command.get_name();
                assert!(
                    commands
                        .iter()
                        .any(|words| words.iter().skip(1).any(|word| word == name)),
                    "{name}: {example}"
                );
                for words in commands {
                    let taken = parser(None).try_get_matches_from(&words);
                    assert!(taken.is_ok(), "{example}: {}", taken.unwrap_err());
                    count += 1;
                }
            }
        });
        assert!(count >= 60, "{count} examples");
    }

    #[test]
    fn every_table_has_colours_a_wide_one_and_may_be_without_titles() {
        let mut count = 0;
        each(&Arguments::command(), &mut |command| {
            let of = |id: &str| command.get_arguments().find(|argument| argument.get_id() == id);
            let values = of("output")
                .map(clap::Arg::get_possible_values)
                .unwrap_or_default();
            let has = |name: &str| values.iter().any(|value| value.get_name() == name);
            if has("table") {
                count += 1;
                let name = command.get_name();
                assert!(
                    has("wide") && of("color").is_some() && of("no_headers").is_some(),
                    "{name}"
                );
            }
        });
        assert!(count >= 9, "{count}");
    }

    #[test]
    fn what_is_taken_for_the_instance_is_said_of_commands_that_do_so() {
        let mut count = 0;
        each(&Arguments::command(), &mut |command| {
            let mut arguments = command.get_arguments();
            let help = arguments.find(|argument| argument.get_id() == "instance");
            let help = help.and_then(|argument| Some(argument.get_help()?.to_string()));
            let Some(help) = help.filter(|help| help.contains("GRAFANA_TOKEN")) else {
                return;
            };
            count += 1;
            let name = command.get_name();
            let is_of_rule = ["backtest", "rule", "contact-point"].contains(&name);
            assert_eq!(help.contains("that of the rule"), is_of_rule, "{name}: {help}");
            assert_eq!(help.contains("and no other"), name == "doctor", "{name}: {help}");
        });
        assert_eq!(count, 8);
    }

    #[test]
    fn names_of_resources_are_completed_wherever_one_is_asked_for() {
        // What isn't a resource: new names, what only Grafana or a file knows, and what is in a namespace that isn't that of the context. The
        // operator's own commands are called by Pods.
        let of_operator = ["run", "probe", "remove-finalizers"];
        let others = [("name", "silence"), ("group", "export"), ("parent", "import")];
        let mut count = 0;
        each(
            &common::names::with_places(Arguments::command()),
            &mut |command| {
                for argument in command.get_arguments() {
                    let (id, name) = (argument.get_id().as_str(), command.get_name());
                    if of_operator.contains(&name) {
                        continue;
                    }
                    let values = argument.get_value_names().unwrap_or_default();
                    let is_name = values.iter().any(|value| {
                        ["NAME", "NAME]", "NAMESPACE", "NAMESPACES"]
                            .iter()
                            .any(|end| value.ends_with(end))
                    });
                    let is_other = |other: &(&str, &str)| *other == (id, name);
                    if !is_name || !argument.get_action().takes_values() || others.iter().any(is_other) {
                        continue;
                    }
                    count += 1;
                    let is_completed = argument
                        .get::<clap_complete::engine::ArgValueCompleter>()
                        .is_some();
                    assert!(is_completed, "{name}: {id}");
                }
            },
        );
        assert!(count >= 60, "{count}");
    }

    #[test]
    fn as_a_plugin_of_kubectl_it_speaks_of_itself_as_people_call_it() {
        for (program, name) in [
            ("/usr/local/bin/kubectl-alertwright", "kubectl alertwright"),
            ("C:/bin/kubectl-alertwright.exe", "kubectl alertwright"),
            ("/alertwright", "alertwright"),
        ] {
            let program = OsString::from(program);
            let error = parser(Some(&program)).try_get_matches_from([
                program.clone(),
                "check".into(),
                "--nonsense".into(),
            ]);
            let said = error.unwrap_err().to_string();
            assert!(said.contains(&format!("Usage: {name} check")), "{said}");
            let help = parser(Some(&program)).try_get_matches_from([
                program.clone(),
                "check".into(),
                "--help".into(),
            ]);
            let help = help.unwrap_err().to_string();
            assert!(help.contains(&format!("\n  {name} check -f alerting/")), "{help}");
            assert!(help.contains(&format!("| {name} check -f -")), "{help}");
        }
    }

    #[test]
    fn as_a_plugin_of_kubectl_every_example_of_every_command_begins_as_people_call_it() {
        let program = OsString::from("kubectl-alertwright");
        let mut count = 0;
        each(&parser(Some(&program)), &mut |command| {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            // In the operator's container it is called as it is.
            let is_call = |line: &&str| line.starts_with("  ") && !line.contains(" /alertwright ");
            for example in help.lines().filter(is_call) {
                let calls = example.matches("alertwright ").count();
                let others = example.matches("kubectl alertwright ").count();
                let names = example.matches("kubectl_complete-alertwright ").count();
                assert!(others > 0 && calls == others + names, "{example}");
                count += 1;
            }
        });
        assert!(count >= 60, "{count} examples");
    }

    #[test]
    fn an_error_has_lines_and_no_commands_of_terminals() {
        assert_eq!(harmless("a\u{1b}[2J\nb\r"), "a\u{fffd}[2J\nb\u{fffd}");
    }

    #[test]
    fn exit_codes_are_those_that_are_promised() {
        let codes = [Exit::Done, Exit::No, Exit::Failed, Exit::InPart].map(Exit::code);
        assert_eq!(codes, [0, 1, 3, 4]);
        for (code, word) in
            codes
                .iter()
                .zip(["done", "the answer is no", "could not be done", "done in part"])
        {
            assert!(
                common::exit::HELP_IN_PART.contains(&code.to_string())
                    && common::exit::HELP_IN_PART.contains(word)
            );
        }
    }
}
