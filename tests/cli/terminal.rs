//! What is printed on a terminal, of which `script` plays one that is 40 columns wide.

use std::path::Path;
use std::process::{Command, Stdio};

use alertwright_testbed::Scratch;

use super::exits::shell;
use super::{examples, printed, text};

const SCRIPT: &str = "/usr/bin/script";
const WIDTH: usize = 40;

/// What a command prints there, in the folder of examples.
fn shown(command: &str, environment: &[(&str, &str)]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_alertwright"));
    let path = format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display());
    let ended = Command::new(SCRIPT)
        .args([
            "-q",
            "-e",
            "-c",
            &format!("stty rows 24 cols {WIDTH}; exec {command}"),
            "/dev/null",
        ])
        .current_dir(examples())
        .env_clear()
        .env("PATH", path)
        .env("SHELL", "/bin/sh")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("a terminal");
    let shown = text(&ended.stdout).replace('\r', "");
    assert!(!shown.is_empty(), "{command}");
    shown
}

/// The longest line as it is seen.
fn width(shown: &str) -> usize {
    let plain = without_colors(shown);
    let lengths = plain.lines().map(|line| line.chars().count());
    lengths.max().unwrap_or_default()
}

fn without_colors(shown: &str) -> String {
    let colors = regex::Regex::new("\u{1b}\\[[0-9]+m").expect("a pattern");
    colors.replace_all(shown, "").into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_tables_have_colours_and_are_no_wider_than_it_is() {
    assert!(
        Path::new(SCRIPT).exists(),
        "there is no {SCRIPT}, which plays the terminal: install util-linux (in Debian the package bsdutils)"
    );
    let route = "alertwright route -f routing --all-rules";
    let import = "alertwright import -f import/vmrule.yaml -d \"$(mktemp -d)/x\" 2>/dev/null";
    for command in [route, import] {
        let of = |more: &str, environment: &[(&str, &str)]| {
            let shown = shown(&format!("{command}{more}"), environment);
            (
                shown.contains('\u{1b}'),
                shown.contains('…'),
                width(&shown) > WIDTH,
            )
        };
        assert_eq!(of("", &[]), (true, true, false), "{command}");
        assert_eq!(of("", &[("NO_COLOR", "1")]), (false, true, false), "{command}");
        assert_eq!(of(" --color never", &[]), (false, true, false), "{command}");
        assert_eq!(of(" -o wide", &[]), (true, false, true), "{command}");
        assert_eq!(of(" -o json", &[]), (false, false, true), "{command}");
    }
}

#[test]
fn of_several_alerts_the_table_says_what_silences_each_below_a_title() {
    let scratch = Scratch::new("quiet").expect("a folder");
    let line = "{ for file in routing/*.yaml; do cat $file; echo ---; done; quiet; } | alertwright route -f - -n revel --all-rules";
    let said = text(&shell(line, scratch.path()).stdout);
    let (titles, rows) = said.split_once('\n').expect("titles");
    assert!(titles.ends_with("  QUIET"), "{said}");
    let of_silence = |line: &str| line.contains("  silenced by Silence revel/calm");
    assert!(rows.lines().count() > 0 && rows.lines().all(of_silence), "{said}");
}

#[test]
fn in_a_pipe_tables_are_whole_and_have_colours_only_where_somebody_asks_for_them() {
    for command in [
        &["route", "-f", "routing", "--all-rules"][..],
        &["route", "-f", "routing", "severity=info"],
        &["route", "-f", "routing", "severity=info", "--tree"],
        &["test", "routes", "-f", "routing", "routing.test.yaml"],
    ] {
        let plain = printed(command);
        let colored = printed(&[command, &["--color", "always"]].concat());
        assert!(!plain.contains('\u{1b}') && !plain.contains('…'), "{plain}");
        assert!(colored.contains('\u{1b}'), "{colored}");
        assert_eq!(without_colors(&colored), plain);
    }
}
