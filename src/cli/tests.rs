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
        let help =
            parser(Some(&program)).try_get_matches_from([program.clone(), "check".into(), "--help".into()]);
        let help = help.unwrap_err().to_string();
        assert!(help.contains(&format!("\n  {name} check -f alerting/")), "{help}");
        assert!(help.contains(&format!("| {name} check -f -")), "{help}");
    }
}

#[test]
fn exit_codes_are_those_that_are_promised() {
    let codes = [Exit::Done, Exit::No, Exit::Failed, Exit::InPart].map(Exit::code);
    assert_eq!(codes, [0, 1, 3, 4]);
    for (code, word) in codes
        .iter()
        .zip(["done", "the answer is no", "could not be done", "done in part"])
    {
        assert!(exit::HELP_IN_PART.contains(&code.to_string()) && exit::HELP_IN_PART.contains(word));
    }
}
