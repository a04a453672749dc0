#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::collections::BTreeMap;

use serde_json::{Value, from_value, json};

use super::*;
use crate::api::condition::Reason;

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A policy that was created in that year.
fn policy(name: &str, year: u32, spec: Value) -> MaintenancePolicy {
    from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy",
        "metadata": {"name": name, "creationTimestamp": format!("{year}-01-01T00:00:00Z")},
        "spec": spec,
    }))
    .unwrap()
}

fn deployments(silence: Value) -> Value {
    json!({"targets": [{"kind": "Deployment"}], "silence": silence})
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// What a Deployment with these annotations gets.
fn of(annotations: &[(&str, &str)], policies: &[&MaintenancePolicy]) -> Result<Option<Maintenance>, Refusal> {
    naming(annotations, policies, None)
}

/// The same where its annotations name a policy of another namespace.
fn naming(
    annotations: &[(&str, &str)],
    policies: &[&MaintenancePolicy],
    named: Option<&MaintenancePolicy>,
) -> Result<Option<Maintenance>, Refusal> {
    let (labels, annotations) = (strings(&[("app", "web")]), strings(annotations));
    let subject = Subject {
        annotations: &annotations,
        ..subject(WorkloadKind::Deployment, &labels)
    };
    wanted(&subject, policies, named)
}

/// The workload `shop/web` with these labels.
fn subject(kind: WorkloadKind, labels: &BTreeMap<String, String>) -> Subject<'_> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    Subject {
        kind,
        namespace: "shop",
        name: "web",
        cron_job: None,
        labels,
        annotations: &NONE,
    }
}

fn source(annotations: &[(&str, &str)], policies: &[&MaintenancePolicy]) -> Option<String> {
    of(annotations, policies)
        .unwrap()
        .map(|maintenance| maintenance.source)
}

#[test]
fn a_workload_that_nobody_looks_after_gets_no_silence() {
    assert_eq!(of(&[], &[]), Ok(None));
    let jobs = policy("jobs", 2020, json!({"targets": [{"kind": "Job"}]}));
    assert_eq!(of(&[], &[&jobs]), Ok(None));
}

#[test]
fn a_policy_of_nothing_but_targets_silences_every_rule_for_a_lease() {
    let policy = policy("all", 2020, json!({"targets": [{"kind": "Deployment"}]}));
    let expected = Maintenance {
        instances: Vec::new(),
        alert_rules: AlertRuleSelector {
            all: Some(true),
            ..AlertRuleSelector::default()
        },
        matchers: Vec::new(),
        lease: Lease {
            lease: minutes(5),
            linger: minutes(2),
            max_duration: minutes(60),
            is_suspended: false,
            lingers_after_failure: false,
        },
        source: "MaintenancePolicy all".into(),
    };
    assert_eq!(of_policy(&policy), Ok(expected.clone()));
    assert_eq!(of(&[], &[&policy]), Ok(Some(expected)));
}

#[test]
fn every_field_of_a_policy_reaches_the_silence() {
    let mut spec = deployments(json!({
        "alertRules": {"names": ["a", "b"]}, "matchers": ["severity!=\"critical\""], "lease": "1m", "linger": "0s", "maxDuration": "10m",
        "lingerAfterFailure": false,
    }));
    spec["instance"] = json!("other");
    let found = of_policy(&policy("p", 2020, spec.clone())).unwrap();
    assert_eq!(found.instances, ["other"]);
    assert_eq!(found.alert_rules.names, ["a", "b"]);
    assert_eq!(
        found.matchers,
        [from_value::<MatcherText>(json!("severity!=\"critical\"")).unwrap()]
    );
    assert_eq!(
        found.lease,
        Lease {
            lease: minutes(1),
            linger: Duration::ZERO,
            max_duration: minutes(10),
            is_suspended: false,
            lingers_after_failure: false,
        }
    );
    // The default by its name is the default.
    spec["instance"] = json!("default");
    let places = |spec: &Value| of_policy(&policy("p", 2020, spec.clone())).unwrap().instances;
    assert!(places(&spec).is_empty());
    for several in [json!(["other", "default"]), json!(["default", "other"])] {
        spec["instances"] = several;
        assert_eq!(places(&spec), ["default", "other"]);
    }
}

#[test]
fn the_oldest_policy_decides_and_names_decide_between_equals() {
    let (old, young) = (
        policy("z", 2020, deployments(json!({}))),
        policy("a", 2021, deployments(json!({}))),
    );
    assert_eq!(
        source(&[], &[&young, &old]).as_deref(),
        Some("MaintenancePolicy z")
    );
    let twin = policy("b", 2020, deployments(json!({})));
    assert_eq!(
        source(&[], &[&old, &twin, &young]).as_deref(),
        Some("MaintenancePolicy b")
    );
}

#[test]
fn a_suspended_or_broken_policy_leaves_the_workload_to_the_next() {
    let next = policy("next", 2022, deployments(json!({})));
    let mut spec = deployments(json!({}));
    spec["suspend"] = json!(true);
    let suspended = policy("suspended", 2020, spec);
    let broken = policy("broken", 2021, deployments(json!({"lease": "soon"})));
    assert_eq!(
        source(&[], &[&suspended, &broken, &next]).as_deref(),
        Some("MaintenancePolicy next")
    );
    assert_eq!(source(&[], &[&broken]), None);
    let alone = of(&[], &[&suspended, &broken]).unwrap().unwrap();
    assert!(alone.lease.is_suspended, "what is open is looked after");
}

#[test]
fn annotations_come_before_policies() {
    let policy = policy("all", 2020, deployments(json!({})));
    let found = of(
        &[
            (workload::ANNOTATION_SILENCE, "a, b"),
            (workload::ANNOTATION_MATCHERS, "severity!=critical"),
            (workload::ANNOTATION_LEASE, "1m"),
            (workload::ANNOTATION_LINGER, "30s"),
            (workload::ANNOTATION_MAX_DURATION, "20m"),
        ],
        &[&policy],
    );
    let found = found.unwrap().unwrap();
    assert_eq!(found.source, "annotation alerting.letsrevel.io/silence");
    assert!(found.instances.is_empty());
    assert_eq!(
        found.alert_rules,
        AlertRuleSelector {
            names: vec!["a".into(), "b".into()],
            ..AlertRuleSelector::default()
        }
    );
    assert_eq!(
        found.matchers.iter().map(MatcherText::as_str).collect::<Vec<_>>(),
        ["severity!=\"critical\""]
    );
    assert_eq!(
        found.lease,
        Lease {
            lease: minutes(1),
            linger: Duration::from_secs(30),
            max_duration: minutes(20),
            is_suspended: false,
            lingers_after_failure: false,
        }
    );
}

#[test]
fn an_annotation_can_ask_for_the_whole_namespace() {
    let found = of(&[(workload::ANNOTATION_SILENCE, "namespace")], &[])
        .unwrap()
        .unwrap();
    assert_eq!(found.alert_rules.all, Some(true));
    assert_eq!(found.lease, Lease::default());
}

#[test]
fn an_annotation_can_opt_out_of_every_policy() {
    let policy = policy("all", 2020, deployments(json!({})));
    assert_eq!(
        of(&[(workload::ANNOTATION_MAINTENANCE, "disabled")], &[&policy]),
        Ok(None)
    );
}

#[test]
fn a_bad_annotation_is_refused_and_never_replaced_by_a_policy() {
    let policy = policy("all", 2020, deployments(json!({})));
    for (annotations, words) in [
        (
            vec![(workload::ANNOTATION_MAINTENANCE, "off")],
            "annotations: annotation alerting.letsrevel.io/maintenance",
        ),
        (
            vec![(workload::ANNOTATION_SILENCE, "")],
            "annotations: annotation alerting.letsrevel.io/silence is empty",
        ),
        (vec![(workload::ANNOTATION_LEASE, "1m")], "has no effect without"),
        (
            vec![
                (workload::ANNOTATION_SILENCE, "a"),
                (workload::ANNOTATION_LEASE, "a while"),
            ],
            "alerting.letsrevel.io/silence-lease is \"a while\"",
        ),
        (
            vec![
                (workload::ANNOTATION_SILENCE, "a"),
                (workload::ANNOTATION_MATCHERS, "severity=~\"(\""),
            ],
            "alerting.letsrevel.io/silence-matchers: ",
        ),
    ] {
        let refusal = of(&annotations, &[&policy]).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.contains(words), "{}", refusal.message);
    }
}

#[test]
fn a_policy_selects_by_kind_and_labels() {
    let spec: MaintenancePolicySpec = from_value(json!({"targets": [
        {"kind": "Deployment", "selector": {"matchLabels": {"app": "web"}}},
        {"kind": "Deployment", "selector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["db", "cache"]}]}},
        {"kind": "Job"},
    ]}))
    .unwrap();
    for (kind, labels, expected) in [
        (
            WorkloadKind::Deployment,
            strings(&[("app", "web"), ("x", "y")]),
            true,
        ),
        (WorkloadKind::Deployment, strings(&[("app", "api")]), false),
        (WorkloadKind::Deployment, strings(&[("tier", "db")]), true),
        (WorkloadKind::Deployment, strings(&[]), false),
        (WorkloadKind::Job, strings(&[]), true),
    ] {
        assert_eq!(
            selects(&spec, &subject(kind, &labels)),
            expected,
            "{kind:?} {labels:?}"
        );
    }
}

#[test]
fn jobs_of_a_cron_job_are_selected_by_their_own_labels_as_its_runs_or_as_jobs() {
    let of = |target: Value| -> MaintenancePolicySpec { from_value(json!({"targets": [target]})).unwrap() };
    let labels = strings(&[("app", "sync")]);
    let by_hand = subject(WorkloadKind::Job, &labels);
    let run = Subject {
        cron_job: Some("nightly"),
        ..by_hand
    };
    let labelled = |value: &str| json!({"kind": "CronJob", "selector": {"matchLabels": {"app": value}}});
    for (target, of_run, of_job) in [
        (json!({"kind": "CronJob"}), true, false),
        (labelled("sync"), true, false),
        (labelled("other"), false, false),
        (json!({"kind": "Job"}), true, true),
        (json!({"kind": "Deployment"}), false, false),
    ] {
        let spec = of(target.clone());
        assert_eq!(
            (selects(&spec, &run), selects(&spec, &by_hand)),
            (of_run, of_job),
            "{target}"
        );
    }
}

#[test]
fn a_policys_matchers_take_the_workloads_words_and_one_that_lacks_them_gets_no_silence() {
    let by = |matcher: &str| {
        policy(
            "p",
            2020,
            deployments(json!({"matchers": ["severity!=\"critical\"", matcher]})),
        )
    };
    let found = of(&[], &[&by("service=\"{{ .labels.app }}\"")]).unwrap().unwrap();
    assert_eq!(
        json!(found.matchers),
        json!(["severity!=\"critical\"", "service=\"web\""])
    );
    let refusal = of(&[], &[&by("service=\"{{ .labels.team }}\"")]).unwrap_err();
    assert_eq!(
        refusal.message,
        "MaintenancePolicy p: Deployment shop/web has no label team, which {{ .labels.team }} asks for, and without it the silence would cover more than is meant: there is none. Give it one, or narrow spec.targets to what has it"
    );
    let wrong = of_policy(&by("service=\"{{ .spec.x }}\"")).unwrap_err();
    assert!(
        wrong
            .message
            .starts_with("spec.silence.matchers[1]: {{ .spec.x }} is none of"),
        "{}",
        wrong.message
    );
    let annotations = [
        ("alerting.letsrevel.io/silence", "namespace"),
        (
            "alerting.letsrevel.io/silence-matchers",
            "service=\"{{ .labels.app }}\"",
        ),
    ];
    let by_annotation = of(&annotations, &[]).unwrap().unwrap();
    assert_eq!(json!(by_annotation.matchers), json!(["service=\"web\""]));
}

#[test]
fn a_policy_of_another_namespace_looks_after_a_workload_that_names_it_and_no_other() {
    let own = policy("own", 2020, deployments(json!({})));
    let elsewhere = policy("rollouts", 2021, deployments(json!({"lease": "1m"})));
    let names = [("alerting.letsrevel.io/maintenance-policy", "platform/rollouts")];
    let found = naming(&names, &[&own], Some(&elsewhere)).unwrap().unwrap();
    assert_eq!(found.source, "MaintenancePolicy platform/rollouts");
    assert_eq!(found.lease.lease, minutes(1));
    let jobs = policy("rollouts", 2021, json!({"targets": [{"kind": "Job"}]}));
    let broken = policy("rollouts", 2021, deployments(json!({"lease": "soon"})));
    let both = [names[0], ("alerting.letsrevel.io/silence", "namespace")];
    let wrong = [("alerting.letsrevel.io/maintenance-policy", "rollouts")];
    for (annotations, named, words) in [
        (
            &names[..],
            None,
            "platform/rollouts is not there, or its namespace isn't watched",
        ),
        (
            &names[..],
            Some(&jobs),
            "has no target that selects Deployment shop/web",
        ),
        (&names[..], Some(&broken), "is spec.silence.lease"),
        (&both[..], Some(&elsewhere), "exclude each other"),
        (
            &wrong[..],
            None,
            "write the namespace and the name of a MaintenancePolicy",
        ),
    ] {
        let refusal = naming(annotations, &[&own], named).unwrap_err();
        assert!(refusal.message.contains(words), "{}", refusal.message);
    }
}

#[test]
fn a_mistake_in_a_policy_is_refused_with_its_place() {
    let bad_selector = json!({"targets": [
        {"kind": "Job"},
        {"kind": "Deployment", "selector": {"matchExpressions": [{"key": "a", "operator": "Near", "values": ["b"]}]}},
    ]});
    for (spec, words) in [
        (
            bad_selector.clone(),
            "spec.targets[1].selector.matchExpressions[0].operator: ",
        ),
        (
            deployments(json!({"matchers": ["a=b", "a"]})),
            "spec.silence.matchers[1]: ",
        ),
        (deployments(json!({"lease": "soon"})), "spec.silence.lease: "),
        (deployments(json!({"linger": "soon"})), "spec.silence.linger: "),
        (
            deployments(json!({"maxDuration": "soon"})),
            "spec.silence.maxDuration: ",
        ),
        (
            deployments(json!({"lease": "0s"})),
            "spec.silence.lease: must be at least 5s",
        ),
        (
            deployments(json!({"lease": "4s"})),
            "spec.silence.lease: must be at least 5s",
        ),
        (
            json!({"targets": [{"kind": "Job", "selector": {"matchLabels": {"not a label!": "x"}}}]}),
            "spec.targets[0].selector.matchLabels[not a label!]: no label has the key",
        ),
        (
            deployments(json!({"maxDuration": "0s"})),
            "spec.silence.maxDuration: must be greater than 0",
        ),
    ] {
        let refusal = of_policy(&policy("p", 2020, spec)).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.starts_with(words), "{}", refusal.message);
    }
    // What can't be read selects nothing, rather than everything.
    let spec: MaintenancePolicySpec = from_value(bad_selector).unwrap();
    let labels = strings(&[("a", "b")]);
    assert!(!selects(&spec, &subject(WorkloadKind::Deployment, &labels)));
}

#[test]
fn a_lease_that_max_duration_cuts_is_told() {
    let of = |silence: Value| {
        let policy = policy("p", 2020, deployments(silence));
        warnings(&of_policy(&policy).unwrap().lease)
    };
    assert_eq!(of(json!({})), Vec::<String>::new());
    let both = of(json!({"lease": "2h", "linger": "90m"}));
    assert_eq!(both.len(), 2);
    assert!(both[0].starts_with("spec.silence.lease is 2h"), "{both:?}");
    assert!(both[1].starts_with("spec.silence.linger is 1h30m"), "{both:?}");
}
