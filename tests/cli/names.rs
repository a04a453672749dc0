//! What is no name of a resource or namespace is refused at the argument, before anything is asked: names become parts of addresses.

use super::exits::commands;
use super::{printed, run, text};

/// What was never a name.
const WRONG: &[&str] = &[
    "",
    "a/b",
    "..",
    "../alertrules/x",
    "x#",
    "x?dryRun=",
    "x/status",
    "revel/alertrules/x#",
    "Upper",
    "a b",
    "a_b",
    "-a",
    "a%2fb",
    "ä",
];

/// The options that name a namespace or a GrafanaInstance.
const OPTIONS: &[&str] = &[
    "--namespace",
    "--target-namespace",
    "--instance",
    "--operator-namespace",
];

/// The commands of the operator's own Deployment, whose manifests say where it is.
const OF_OPERATOR: &[&str] = &["run", "remove-finalizers", "probe"];

/// Where a name stands, as @, in the arguments of each command that takes one, or a namespace and a name as @ behind a slash.
const NAMED: &[&str] = &[
    "diff AlertRule/@",
    "route --rule @",
    "route --rule @/x",
    "trace rule @",
    "trace @",
    "trace AlertRule/@",
    "events --for AlertRule/@",
    "events --for deployment/@",
    "open AlertRule/@",
    "test rule @",
    "test contact-point @",
    "backtest @",
    "silence --rule @ -d 1h -c why",
    "silence team=web --name @ -d 1h -c why",
    "silence end @",
    "silence end x @",
    "suspend AlertRule/@",
    "resume AlertRule/@",
    "reconcile AlertRule/@",
    "adopt ContactPoint/@",
    "import --parent @",
    "import --parent monitoring/@",
    "events --watch-namespaces a,@",
];

fn refused(line: &str, wrong: &str, failed: &mut Vec<String>) {
    let arguments: Vec<String> = line.split(' ').map(|word| word.replace('@', wrong)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = run(&arguments, "");
    if ended.status.code() != Some(2) {
        failed.push(format!(
            "{line} with {wrong:?}: {:?} {}",
            ended.status,
            text(&ended.stderr)
        ));
    }
}

#[test]
fn no_command_takes_a_namespace_or_instance_that_can_be_none() {
    let (mut failed, mut seen) = (Vec::new(), 0);
    for command in commands() {
        if OF_OPERATOR.contains(&command.as_str()) {
            continue;
        }
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = printed(&words);
        for option in OPTIONS
            .iter()
            .filter(|option| help.contains(&format!("{option} <")))
        {
            seen += 1;
            let line = format!("{command} {option}=@");
            for wrong in WRONG {
                refused(&line, wrong, &mut failed);
            }
            if *option != "--instance" {
                refused(&line, &"a".repeat(64), &mut failed);
                refused(&line, "a.b", &mut failed);
            }
        }
    }
    assert!(seen > 40, "{seen}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn no_command_takes_a_name_that_can_be_none() {
    let mut failed = Vec::new();
    for line in NAMED {
        // A namespace and a name are two words for some, and part of what others take.
        let is_path = ["route --rule @", "import --parent @", "trace @", "trace rule @"].contains(line);
        let wrong = WRONG
            .iter()
            .filter(|wrong| !is_path || !["a/b", "x/status"].contains(*wrong));
        for wrong in wrong {
            refused(line, wrong, &mut failed);
        }
        refused(line, &"a".repeat(254), &mut failed);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_contact_point_in_grafana_may_have_any_name() {
    let line = [
        "test",
        "contact-point",
        "--in-grafana",
        "On call #1/ä",
        "--kubeconfig",
        "/none",
    ];
    assert_eq!(run(&line, "").status.code(), Some(3));
}
