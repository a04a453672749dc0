//! The commands that write resources, where no cluster is: what they refuse, and with which exit code.

use super::ends;

#[test]
fn exit_codes_of_what_writes_say_what_is_wrong_before_any_cluster_is_asked() {
    for (arguments, code) in [
        // Nothing says what is to be silenced.
        (&["silence", "-d", "1h", "-c", "why"][..], 2),
        (&["silence", "a=b", "-c", "why"], 2),
        (&["silence", "a=b", "-d", "1h"], 2),
        (&["silence", "a", "-d", "1h", "-c", "why"], 2),
        (&["silence", "a=b", "-d", "soon", "-c", "why"], 2),
        (&["silence", "--all", "--rule", "x", "-d", "1h", "-c", "why"], 2),
        (&["silence", "end"], 2),
        (&["suspend"], 2),
        (&["suspend", "AlertRule"], 2),
        (&["suspend", "AlertRule/a", "--all"], 2),
        (&["suspend", "GrafanaInstance/a"], 2),
        (&["suspend", "Alertrul/a"], 2),
        (&["resume", "AlertRule/"], 2),
        (&["reconcile", "MaintenancePolicy/a"], 2),
        (&["reconcile", "AlertRule/a", "--dry-run", "--wait"], 2),
        (&["adopt", "AlertRule"], 2),
        (&["completion"], 2),
        (&["completion", "tcsh"], 2),
        (&["man"], 2),
        (&["crds", "--schema", "x", "--markdown"], 2),
        // There is no cluster.
        (&["silence", "a=b", "-d", "1h", "-c", "why"], 3),
        (&["silence", "list"], 3),
        (&["silence", "end", "x"], 3),
        (&["suspend", "AlertRule/a"], 3),
        (&["resume", "--all"], 3),
        (&["reconcile", "-l", "a=b"], 3),
        (&["adopt", "ContactPoint/a"], 3),
        (&["man", "--directory", "fine.yaml/x"], 3),
        (&["crds", "--schema", "fine.yaml/x"], 3),
        (&["completion", "bash"], 0),
    ] {
        ends(arguments, "", code);
    }
}
