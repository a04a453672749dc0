//! How each command ends, and when.

/// A command, its exit code, the situation, and lines that a shell runs in it.
pub type Row = (&'static str, i32, &'static str, &'static [&'static str]);

/// Where there is neither a cluster nor a Grafana, in the folder of `tests/cli`.
#[rustfmt::skip]
pub const ALONE: &[Row] = &[
    ("check", 0, "nothing is found that counts", &[
        "alertwright check -f fine.yaml",
        "alertwright check -f - < fine.yaml",
        "alertwright check fine.yaml --grafana-version 12.0.1",
        "alertwright check --list",
        "rule 'up == 0' | alertwright check -f -",
        "rule 'up == 0' | alertwright check -f - --fail-on warning --lint none",
        "rule 'up == 0' | alertwright check -f - --fail-on warning --lint for-zero",
        "rule 'sum(' | alertwright check -f - --disable query --lint none",
    ]),
    ("check", 1, "something is found of the level that counts", &[
        "rule 'sum(' | alertwright check -f -",
        "printf 'apiVersion: alerting.letsrevel.io/v1alpha1\\nkind: AlertRule\\nmetadata: {name: a, namespace: n}\\nspec: {query: up == 0}\\n' | alertwright check -f -",
        "printf 'apiVersion: alerting.letsrevel.io/v1alpha1\\nkind: AlertRule\\nmetadata: {name: a}\\nspec: {query: up == 0, interval: 45s}\\n' | alertwright check -f - --lint none",
        "rule 'up == 0' | alertwright check -f - --fail-on warning",
        "alertwright check fine.yaml --grafana-version 11.6",
    ]),
    ("check", 2, "wrong arguments", &[
        "alertwright check",
        "alertwright check --nonsense",
        "alertwright check -f - --disable no-runbok < fine.yaml",
        "alertwright check -f - --grafana-version new < fine.yaml",
        "alertwright check fine.yaml --grafana-version 11.6.x",
        "alertwright check fine.yaml --grafana-version 9.5",
        "alertwright check fine.yaml --context x",
    ]),
    ("check", 3, "a file can't be read, or the cluster can't be asked", &[
        "alertwright check -f not-there.yaml",
        "alertwright check -f - < /dev/null",
        "mkdir -p \"$SCRATCH/empty/below\"; alertwright check -f \"$SCRATCH/empty\"",
        "alertwright check fine.yaml --with-cluster --kubeconfig not-there",
    ]),

    ("diff", 2, "wrong arguments", &[
        "alertwright diff nonsense/a",
        "alertwright diff alertrule/",
        "alertwright diff -l 'team in a'",
        "alertwright diff -n a -A",
        "alertwright diff -o patch",
        "alertwright diff -o json --summary",
        "alertwright diff -o json --show-equal",
        "alertwright diff -o patch --reverse --summary",
        "alertwright diff --summary --show-equal",
        "alertwright diff --owner-id 'NOT AN ID'",
        "alertwright diff --grafana-token glsa_x",
    ]),
    ("diff", 3, "no cluster, no Grafana, no file or no token", &[
        "alertwright diff",
        "alertwright diff --kubeconfig not-there",
        "alertwright diff -f not-there.yaml --grafana-url http://127.0.0.1:1 --owner-id prod",
        "alertwright diff -f fine.yaml --grafana-url http://127.0.0.1:1 --owner-id prod",
        "alertwright diff -f fine.yaml --grafana-url http://127.0.0.1:1 --owner-id prod --grafana-token-file fine.yaml",
    ]),

    ("route", 0, "it is said, and is as expected", &[
        "alertwright route -f routing severity=info",
        "alertwright route -f routing --rule brute-force --expect security",
        "alertwright route -f routing severity=info --expect analytics",
        "alertwright route -f routing severity=info --expect none --at 2026-12-24T22:00:00Z",
    ]),
    ("route", 1, "others are told than expected, or there is no rule of which that is expected", &[
        "printf 'apiVersion: alerting.letsrevel.io/v1alpha1\\nkind: TimeInterval\\nmetadata: {name: a}\\nspec: {timeIntervals: [{}]}\\n' | alertwright route -f - --all-rules --expect security",
        "alertwright route -f routing severity=info --expect security",
        "alertwright route -f routing severity=info --expect analytics --at 2026-12-24T22:00:00Z",
    ]),
    ("route", 2, "wrong arguments", &[
        "alertwright route -f routing",
        "alertwright route -f routing a=b --context x",
        "alertwright route -A a=b",
        "alertwright route -f routing severity",
        "alertwright route -f routing severity=info,team=x",
        "alertwright route -f routing 'severity=~\"crit.*\"'",
        "alertwright route -f routing 'severity==\"critical\"'",
        "alertwright route -f routing 'severity=\"critical'",
        "alertwright route -f routing severity=critical severity=info",
        "alertwright route -f routing 'sev erity=info'",
        "alertwright route -f routing a=b --at tomorrow",
    ]),
    ("route", 3, "a file can't be read, or there is no policy or rule of that name", &[
        "alertwright route -f fine.yaml a=b",
        "alertwright route -f chart a=b",
        "alertwright route -f routing --rule brute-forc",
        "{ cat routing/policy.yaml; echo ---; templated | sed 's/query: up == 0/instance: staging, query: up == 0/'; } | alertwright route -f - --rule revel/templated --expect default-email team=web",
        "alertwright route severity=info",
        "alertwright route -f routing a=b --with-cluster --kubeconfig not-there",
    ]),
    ("route", 4, "it is as expected, but for a label that a route asks for and that isn't known", &[
        "{ cat routing/policy.yaml; echo ---; templated; } | alertwright route -f - --rule revel/templated --expect default-email",
    ]),

    ("export", 2, "wrong arguments", &[
        "alertwright export nonsense",
        "alertwright export all --layout folder",
    ]),
    ("export", 3, "no cluster and no Grafana", &[
        "alertwright export all",
        "GRAFANA_TOKEN=x alertwright export all --grafana-url http://127.0.0.1:1",
    ]),

    ("status", 2, "wrong arguments", &[
        "alertwright status --nonsense",
        "alertwright status -l 'team in a'",
        "alertwright status -A -n revel",
        "alertwright status --watch --exit-code",
    ]),
    ("status", 3, "no cluster", &["alertwright status", "alertwright status --kubeconfig not-there"]),

    ("trace", 2, "wrong arguments", &["alertwright trace", "alertwright trace Silence/calm"]),
    ("trace", 3, "no cluster", &["alertwright trace rule a --kubeconfig not-there"]),

    ("events", 2, "wrong arguments", &["alertwright events --for web"]),
    ("events", 3, "no cluster", &["alertwright events --kubeconfig not-there"]),

    ("open", 2, "wrong arguments", &["alertwright open AlertRule", "alertwright open AlertRul/a"]),
    ("open", 3, "no cluster", &["alertwright open AlertRule/a --kubeconfig not-there"]),

    ("version", 0, "only this program is asked", &["alertwright version --client"]),
    ("version", 2, "wrong arguments", &["alertwright version --nonsense"]),
    ("version", 4, "no cluster can be asked: this program's version is printed", &[
        "alertwright version --kubeconfig not-there",
    ]),

    ("doctor", 2, "wrong arguments", &["alertwright doctor -o table"]),
    ("doctor", 3, "no cluster", &["alertwright doctor", "alertwright doctor --pre"]),

    ("report", 2, "wrong arguments", &[
        "alertwright report --since soon",
        "alertwright report --since 0s",
        "alertwright report --by colour",
    ]),
    ("report", 3, "no cluster and no Grafana", &["alertwright report"]),

    ("import", 0, "all is carried over", &[
        "rules | alertwright import -f -",
        "rules | alertwright import -",
        "rules | alertwright import -f - --strict",
    ]),
    ("import", 1, "with --strict something is lost", &["alertwright import -f import/prometheus.yaml --strict"]),
    ("import", 2, "wrong arguments", &[
        "alertwright import",
        "rules | alertwright import -f - --datasource loki",
        "rules | alertwright import -f - --datasource name=",
        "rules | alertwright import -f - --from nagios",
        "rules | alertwright import -f - --keep-secrets",
        "rules | alertwright import -f - --layout flat",
    ]),
    ("import", 3, "a file can't be read or written, or nothing is carried over", &[
        "alertwright import -f not-there.yaml",
        "alertwright import -f fine.yaml",
        "alertwright import -f import/loki.yaml --from vmrule",
        "rules | alertwright import -f - -d fine.yaml/x",
    ]),
    ("import", 4, "something is lost", &["alertwright import -f import/prometheus.yaml"]),

    ("test", 2, "wrong arguments", &["alertwright test", "alertwright test nonsense"]),
    ("test routes", 0, "all go where they should", &[
        "expect analytics > \"$SCRATCH/routes.yaml\"; alertwright test routes -f routing \"$SCRATCH/routes.yaml\"",
    ]),
    ("test routes", 4, "all go where they should, but for a label that isn't known", &[
        "printf -- '- rule: revel/templated\\n  expect: [default-email]\\n' > \"$SCRATCH/doubt.yaml\"; { cat routing/policy.yaml; echo ---; templated; } | alertwright test routes -f - \"$SCRATCH/doubt.yaml\"",
    ]),
    ("test routes", 1, "an alert goes elsewhere", &["alertwright test routes -f routing routing.test.yaml"]),
    ("test routes", 2, "wrong arguments", &["alertwright test routes -f routing"]),
    ("test routes", 3, "a file expects nothing, or there is no cluster", &[
        "alertwright test routes -f routing fine.yaml",
        "alertwright test routes routing.test.yaml",
    ]),
    ("test rule", 2, "wrong arguments", &[
        "alertwright test rule",
        "alertwright test rule -f fine.yaml --at tomorrow",
    ]),
    ("test rule", 3, "no Grafana", &["alertwright test rule -f fine.yaml --grafana-url http://127.0.0.1:1"]),
    ("test contact-point", 2, "wrong arguments", &[
        "alertwright test contact-point",
        "alertwright test contact-point oncall --integration 0",
        "alertwright test contact-point oncall --labels severity",
    ]),
    ("test contact-point", 3, "no cluster and no Grafana", &["alertwright test contact-point oncall"]),

    ("backtest", 2, "wrong arguments", &[
        "alertwright backtest",
        "alertwright backtest -f fine.yaml --step 0s",
        "alertwright backtest -f fine.yaml --since soon",
        "alertwright backtest -f fine.yaml --since 0s",
        "alertwright backtest -f fine.yaml --threshold NaN",
        "alertwright backtest -f fine.yaml --threshold -1e999",
        "alertwright backtest -f fine.yaml --since 1h --from 2026-12-24T20:00:00Z",
    ]),
    ("backtest", 3, "no file, no cluster or no Grafana", &[
        "alertwright backtest -f fine.yaml",
        "alertwright backtest -f not-there.yaml --grafana-url http://127.0.0.1:1",
    ]),

    ("silence", 2, "wrong arguments, or nothing says what is to be silenced", &[
        "alertwright silence -d 1h -c why",
        "alertwright silence a=b -c why",
        "alertwright silence a=b -d 1h",
        "alertwright silence a -d 1h -c why",
        "alertwright silence a=b -d soon -c why",
        "alertwright silence --all --rule x -d 1h -c why",
    ]),
    ("silence", 3, "no cluster", &["alertwright silence a=b -d 1h -c why"]),
    ("silence list", 2, "wrong arguments", &["alertwright silence list --within soon"]),
    ("silence list", 3, "no cluster", &["alertwright silence list"]),
    ("silence end", 2, "wrong arguments", &["alertwright silence end"]),
    ("silence end", 3, "no cluster", &["alertwright silence end x"]),

    ("suspend", 2, "wrong arguments", &[
        "alertwright suspend",
        "alertwright suspend AlertRule",
        "alertwright suspend AlertRule/a --all",
        "alertwright suspend GrafanaInstance/a",
        "alertwright suspend Alertrul/a",
    ]),
    ("suspend", 3, "no cluster", &["alertwright suspend AlertRule/a"]),
    ("resume", 2, "wrong arguments", &["alertwright resume AlertRule/"]),
    ("resume", 3, "no cluster", &["alertwright resume --all"]),
    ("reconcile", 2, "wrong arguments", &[
        "alertwright reconcile MaintenancePolicy/a",
        "alertwright reconcile AlertRule/a --dry-run --wait",
    ]),
    ("reconcile", 3, "no cluster", &["alertwright reconcile -l a=b"]),
    ("adopt", 2, "wrong arguments", &["alertwright adopt AlertRule"]),
    ("adopt", 3, "no cluster", &["alertwright adopt ContactPoint/a"]),

    ("completion", 0, "the script is printed", &["alertwright completion bash", "alertwright completion kubectl"]),
    ("completion", 2, "wrong arguments", &["alertwright completion", "alertwright completion tcsh"]),
    ("man", 0, "the pages are written", &["alertwright man --directory \"$SCRATCH\""]),
    ("man", 2, "wrong arguments", &["alertwright man"]),
    ("man", 3, "a page can't be written", &["alertwright man --directory fine.yaml/x"]),

    ("crds", 0, "they are printed", &["alertwright crds"]),
    ("crds", 2, "wrong arguments", &["alertwright crds --schema x --markdown"]),
    ("crds", 3, "a file can't be written", &[
        "alertwright crds --directory fine.yaml/x",
        "alertwright crds --schema fine.yaml/x",
    ]),
    ("run", 2, "wrong arguments", &["alertwright run --nonsense"]),
    ("run", 3, "no cluster", &["alertwright run"]),
    ("remove-finalizers", 2, "wrong arguments", &["alertwright remove-finalizers --timeout soon"]),
    ("remove-finalizers", 3, "no cluster", &["alertwright remove-finalizers"]),
    ("probe", 2, "wrong arguments", &["alertwright probe nonsense"]),
    ("probe", 3, "nobody answers", &["alertwright probe http://127.0.0.1:1/"]),
];

/// In a cluster with the example of Revel in the namespace `revel`; there `reader` is a kubeconfig with the right to read AlertRules and NotificationPolicies and no other, and
/// `neighbour` one with the right to read all resources of that namespace and the GrafanaInstances, and nothing of other namespaces.
/// `keeper` may read all resources and the Secrets of the operator's namespace, and change ContactPoints alone. `one-of-two.yaml` has two rules, of which one asks a data source that there isn't,
/// `refused.yaml` a MaintenancePolicy that the operator refuses, and the ContactPoint `pair` has two integrations.
#[rustfmt::skip]
pub const IN_A_CLUSTER: &[Row] = &[
    ("check", 0, "nothing is found, beside the cluster", &[
        "alertwright check -n revel deploy/examples/revel/notification-policy.yaml --with-cluster",
    ]),
    ("check", 4, "a reference leads to what may not be read", &[
        "alertwright check -n revel deploy/examples/revel/notification-policy.yaml --with-cluster --kubeconfig reader",
    ]),
    ("check", 4, "which Grafanas there are may not be read", &[
        "printf 'apiVersion: alerting.letsrevel.io/v1alpha1\\nkind: AlertRule\\nmetadata: {name: a}\\nspec: {query: up == 0}\\n' | alertwright check -n revel -f - --with-cluster --kubeconfig reader",
    ]),
    ("route", 0, "it is as expected", &["alertwright route -n revel severity=info --expect slack-analytics-channel"]),
    ("route", 1, "others are told than expected", &["alertwright route -n revel severity=info --expect default-email"]),
    ("route", 4, "it is as expected or not, as far as may be read", &[
        "alertwright route -n revel severity=info --expect default-email --kubeconfig reader",
        "alertwright route -n revel severity=info --expect slack-analytics-channel --kubeconfig reader",
        "alertwright route -n revel severity=info --expect slack-analytics-channel --kubeconfig neighbour",
    ]),
    ("test routes", 4, "all go where they should or not, as far as may be read", &[
        "printf -- '- labels: {severity: info}\\n  expect: [default-email]\\n' > routes.yaml; alertwright test routes -n revel routes.yaml --kubeconfig reader",
        "printf -- '- labels: {severity: info}\\n  expect: [slack-analytics-channel]\\n' > routes.yaml; alertwright test routes -n revel routes.yaml --kubeconfig reader",
        "printf -- '- labels: {severity: info}\\n  expect: [slack-analytics-channel]\\n' > routes.yaml; alertwright test routes -n revel routes.yaml --kubeconfig neighbour",
    ]),
    ("status", 0, "it is shown, whatever it shows", &["alertwright status -n revel"]),
    ("status", 1, "with --exit-code something isn't ready, or with --firing something fires", &[
        "alertwright status -n revel --exit-code",
        "alertwright status -n revel --firing --exit-code",
    ]),
    ("status", 4, "with --exit-code nothing speaks against it, and not all may be read", &[
        "alertwright status -n revel --not-ready --exit-code --kubeconfig reader",
    ]),
    ("suspend", 3, "nothing is meant", &[
        "alertwright suspend -n revel -l app=nothing",
        "alertwright suspend -n nope --all",
    ]),
    ("resume", 3, "nothing is meant", &["alertwright resume -n revel AlertRule -l app=nothing"]),
    ("reconcile", 3, "nothing is meant", &["alertwright reconcile -n nope --all"]),
    ("status", 3, "there is no such GrafanaInstance or namespace", &[
        "alertwright status -i nope",
        "alertwright status -i nope --exit-code",
        "alertwright status -n nope",
    ]),
    ("status", 130, "it is interrupted", &["timeout --preserve-status -s INT 3 alertwright status -n revel -w"]),
    ("trace", 0, "it is shown", &["alertwright trace rule gdpr-export-failures -n revel"]),
    ("trace", 3, "there is no such rule", &["alertwright trace rule gdpr -n revel"]),
    ("events", 0, "they are shown, or there are none", &[
        "alertwright events -n revel",
        "alertwright events -n revel --for deployment/none",
    ]),
    ("events", 130, "it is interrupted", &["timeout --preserve-status -s INT 3 alertwright events -n revel -w"]),
    ("open", 0, "it has a page", &["alertwright open AlertRule/gdpr-export-failures -n revel --url"]),
    ("open", 1, "it has no page", &["alertwright open ContactPoint/discord -n revel --url"]),
    ("open", 3, "there is no such resource", &["alertwright open AlertRule/gdpr -n revel --url"]),
    ("version", 0, "it is shown", &["alertwright version"]),
    ("version", 4, "not all of it may be read", &["alertwright version --kubeconfig reader"]),
    ("doctor", 0, "there is nothing wrong", &["alertwright doctor -n revel"]),
    ("doctor", 1, "something is wrong", &[
        "alertwright doctor --pre --kubeconfig reader",
        "alertwright doctor -n revel -i nope",
    ]),
    ("report", 0, "it is shown", &["alertwright report --since 1h"]),
    ("diff", 0, "all is equal", &["alertwright diff -n revel AlertRule"]),
    ("diff", 1, "something differs or is refused", &["alertwright diff -n revel"]),
    ("diff", 3, "something that was asked for isn't there", &["alertwright diff -n revel AlertRule/gdpr"]),
    ("export", 0, "all is carried over", &["alertwright export rules --folder 'Search alerts'"]),
    ("export", 4, "something can't be carried over, or not into this namespace", &["alertwright export rules --rule 'Lossy'"]),
    ("export", 3, "there is no such folder or rule", &[
        "alertwright export rules --folder Nowhere",
        "alertwright export rules --rule Nothing",
    ]),
    ("backtest", 0, "it could be said, whatever is said", &["alertwright backtest -n revel gdpr-export-failures --since 1h"]),
    ("backtest", 4, "nothing can be said of one of several rules", &[
        "cat one-of-two.yaml | alertwright backtest -n revel -f - --since 1h",
    ]),
    ("test rule", 4, "nothing can be said of one of several rules", &[
        "cat one-of-two.yaml | alertwright test rule -n revel -f -",
    ]),
    ("test rule", 0, "every state is Normal", &["alertwright test rule -n revel celery-task-failures"]),
    ("test rule", 1, "the rule would fire", &["alertwright test rule -n revel gdpr-export-failures"]),
    ("test contact-point", 0, "all are delivered", &["alertwright test contact-point -n revel slack-payments-channel"]),
    ("test contact-point", 1, "one isn't delivered", &["alertwright test contact-point -n revel pagerduty-oncall"]),
    ("silence", 0, "it is made", &["alertwright silence -n revel --rule gdpr-export-failures -d 1h -c why --name made"]),
    ("silence", 1, "it would cover nothing", &["alertwright silence -n revel --rule gdpr -d 1h -c why"]),
    ("silence list", 0, "they are shown", &["alertwright silence list -n revel"]),
    ("silence end", 0, "it is ended", &["alertwright silence end -n revel made --dry-run"]),
    ("silence end", 4, "some could not be ended", &["alertwright silence end -n revel made not-there"]),
    ("suspend", 0, "they are suspended", &["alertwright suspend -n revel AlertRule/celery-task-failures --wait"]),
    ("suspend", 1, "with --wait the operator says something else of one", &[
        "kubectl apply -n revel -f refused.yaml && alertwright suspend -n revel MaintenancePolicy/refused --wait; code=$?; kubectl delete -n revel -f refused.yaml; exit $code",
    ]),
    ("suspend", 4, "some could not be suspended", &["alertwright suspend -n revel AlertRule/celery-task-failures AlertRule/celery"]),
    ("resume", 0, "they are resumed and well", &["alertwright resume -n revel AlertRule/celery-task-failures --wait"]),
    ("resume", 1, "one isn't well", &[
        "alertwright suspend -n revel ContactPoint/discord --wait >/dev/null; alertwright resume -n revel ContactPoint/discord --wait",
    ]),
    ("resume", 4, "some could not be resumed", &["alertwright resume -n revel AlertRule/celery-task-failures AlertRule/celery"]),
    ("reconcile", 0, "they were looked at and are well", &["alertwright reconcile -n revel AlertRule/celery-task-failures --wait"]),
    ("reconcile", 1, "one isn't well", &["alertwright reconcile -n revel ContactPoint/discord --wait"]),
    ("reconcile", 4, "some could not be asked for", &["alertwright reconcile -n revel AlertRule/celery-task-failures AlertRule/celery"]),
    ("adopt", 0, "it is taken over, or alertwright's own already", &["alertwright adopt -n revel ContactPoint/default-email"]),
    ("adopt", 1, "it couldn't be taken over", &["alertwright adopt -n revel ContactPoint/discord"]),
    ("adopt", 4, "the API server refuses some", &[
        "alertwright suspend -n revel AlertRule/database-errors > suspended; alertwright adopt -n revel ContactPoint/default-email AlertRule/database-errors --kubeconfig keeper; code=$?; alertwright resume -n revel AlertRule/database-errors > resumed; exit $code",
    ]),
    ("adopt", 3, "one isn't there", &["alertwright adopt -n revel ContactPoint/default-email ContactPoint/none"]),
];

/// The same, where the operator says nothing.
#[rustfmt::skip]
pub const WITHOUT_OPERATOR: &[Row] = &[
    ("silence", 4, "it is written, and not known to be active", &[
        "alertwright silence -n revel --rule gdpr-export-failures -d 1h -c why --name unseen --timeout 1s",
    ]),
    ("reconcile", 3, "the operator doesn't do it in time", &["alertwright reconcile -n revel AlertRule/gdpr-export-failures --wait --timeout 1s"]),
    ("suspend", 4, "the operator doesn't say so in time", &["alertwright suspend -n revel AlertRule/celery-task-failures --wait --timeout 1s"]),
];

/// A command as in the tables above, of whose calls to Grafana those are refused whose method is this and whose path has one of these in it, but for
/// the first so many.
pub type Broken = (&'static str, &'static [&'static str], usize, Row);

/// In the same cluster, with a Grafana that refuses some calls.
#[rustfmt::skip]
pub const BROKEN: &[Broken] = &[
    ("GET", &["/api/prometheus/"], 0, ("report", 4, "figures may be too small, for states can't be read", &[
        "alertwright report --since 1h",
    ])),
    ("GET", &["contact-points", "receivers"], 0, ("diff", 4, "some isn't known, for a part of Grafana can't be read", &[
        "alertwright diff -n revel AlertRule ContactPoint",
    ])),
    ("POST", &["test"], 1, ("test contact-point", 4, "it ended before all were tried", &[
        "alertwright test contact-point -n revel pair",
    ])),
];
