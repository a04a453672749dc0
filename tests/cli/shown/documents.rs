//! Which commands print documents for programs: every one that has `-o json`.

/// What the fields of a document are kept as, and lines that a shell runs, which print one each. Together they have every field that there is.
pub type Row = (&'static str, &'static [&'static str]);

/// Where there is neither a cluster nor a Grafana, in the folder of `tests/cli`.
#[rustfmt::skip]
pub const ALONE: &[Row] = &[
    ("check", &["alertwright check -R alerting chart -n revel -o json"]),
    ("route", &[
        "alertwright route -f routing --all-rules --at 2026-12-24T20:00:00Z -o json",
        "alertwright route -f routing severity=critical team=payments -o json",
        "sed 's/muteTimeIntervals/activeTimeIntervals/' routing/policy.yaml | alertwright route -f - severity=info -o json",
        "{ for file in routing/*.yaml; do cat $file; echo ---; done; quiet; } | alertwright route -f - -n revel --all-rules -o json",
    ]),
    ("test-routes", &[
        "alertwright test routes -f routing routing.test.yaml -o json",
        "printf -- '- rule: revel/templated\\n  expect: [default-email]\\n' > \"$SCRATCH/doubt.yaml\"; { cat routing/policy.yaml; echo ---; templated; } | alertwright test routes -f - \"$SCRATCH/doubt.yaml\" -o json",
    ]),
    ("import", &["alertwright import -f import -d \"$SCRATCH/imported\" -o json"]),
];

/// In a cluster, as for the table of exit codes; from `diff` on the operator says nothing, and somebody has changed a rule and the tree in Grafana.
#[rustfmt::skip]
pub const IN_A_CLUSTER: &[Row] = &[
    ("check-with-cluster", &[
        "alertwright check -n revel deploy/examples/revel/notification-policy.yaml --with-cluster -o json",
    ]),
    ("status", &["alertwright status -n revel -o json"]),
    ("trace", &[
        "alertwright trace rule of-no-instance -n revel -o json",
        "alertwright trace rule gdpr-export-failures -n revel -o json",
        "alertwright trace rule blocked-account-deletions -n revel -o json",
    ]),
    ("events", &["alertwright events -n revel -o json"]),
    ("version", &["alertwright version -o json"]),
    ("doctor", &[
        "alertwright doctor -n revel -o json",
        "alertwright doctor --pre --kubeconfig reader -o json",
    ]),
    ("export", &["alertwright export all --include-ours -d exported -o json"]),
    ("report", &["alertwright report --since 7d -o json"]),
    ("backtest", &[
        "alertwright backtest -n revel gdpr-export-failures --since 1h --compare -o json",
        "alertwright backtest -n revel stripe-payment-failures --since 7d -o json",
    ]),
    ("test-rule", &["alertwright test rule -n revel gdpr-export-failures -o json"]),
    ("test-contact-point", &[
        "alertwright test contact-point -n revel slack-payments-channel -o json",
        "alertwright test contact-point -n revel pagerduty-oncall -o json",
    ]),
    ("silence", &[
        "alertwright silence -n revel --rule gdpr-export-failures -d 1h -c why -o json",
        "alertwright silence -n revel --rule gdpr -d 1h -c why -o json",
    ]),
    ("silence-list", &["alertwright silence list -n revel -o json"]),
    ("silence-end", &["alertwright silence end -n revel account-cleanup not-there --dry-run -o json"]),
    ("suspend", &["alertwright suspend -n revel AlertRule/celery-task-failures AlertRule/celery --dry-run -o json"]),
    ("resume", &["alertwright resume -n revel AlertRule/celery-task-failures AlertRule/celery --dry-run -o json"]),
    ("reconcile", &["alertwright reconcile -n revel AlertRule/celery-task-failures AlertRule/celery --dry-run -o json"]),
    ("diff", &[
        "alertwright diff -n revel -o json",
        "kubectl kustomize deploy/examples/revel | sed 's/continue: true/continue: false/' | alertwright diff -n revel -f - -o json",
    ]),
    ("adopt", &["alertwright adopt -n revel ContactPoint/default-email ContactPoint/discord --dry-run -o json"]),
];
