use std::time::Duration;

use super::super::before;
use super::super::facts::Asked;
use super::*;
use crate::grafana::wire::{DataSource, Toggles};

fn well() -> Facts {
    let kinds = || NAMES.iter().map(|names| names.kind.clone());
    Facts {
        now: "2026-11-27T12:00:00Z".parse().unwrap(),
        home: "home".to_owned(),
        kubernetes: "v1.36.3".to_owned(),
        types: Ok(kinds()
            .map(|kind| Type {
                kind,
                state: State::Same,
            })
            .collect()),
        rights: needs(Some("revel"), "home")
            .into_iter()
            .map(|right| Right {
                is_allowed: true,
                ..right
            })
            .collect(),
        deployments: Ok(vec![Deployed {
            name: "alertwright".to_owned(),
            image: "alertwright:0.1.0".to_owned(),
            wished: 2,
            ready: 2,
            elects: true,
        }]),
        lease: Ok(Some(Held {
            holder: "pod-a".to_owned(),
            renewed: Some("2026-11-27T11:59:55Z".parse().unwrap()),
            lasts: Duration::from_secs(15),
        })),
        named: None,
        instances: Ok(vec![Instance {
            name: "default".to_owned(),
            is_declared: true,
            url: "https://grafana.example.com".to_owned(),
            ready: Some(("True".to_owned(), "Synced".to_owned(), String::new())),
            written: Some("2026-11-27T11:59:50Z".parse().unwrap()),
            default: None,
            grafana: Some(Ok(asked())),
        }]),
        aggregated: Ok(AGGREGATED.into_iter().map(str::to_owned).collect()),
        served: Ok(vec![Served {
            group: GROUP.to_owned(),
            plural: "alertrules".to_owned(),
            names: ["alertrules".to_owned(), "arule".to_owned()].into(),
        }]),
        argo: Ok(Some(kinds().collect())),
    }
}

fn asked() -> Asked {
    let held = [
        "alert.provisioning:read",
        "alert.provisioning:write",
        "alert.rules:read",
        "alert.notifications:read",
        "alert.notifications:write",
        "folders:read",
        "folders:create",
        "folders.permissions:write",
        "alert.instances:read",
        "alert.instances:create",
        "alert.instances:write",
        "datasources:read",
        "datasources:query",
        "datasources:create",
        "alert.provisioning.provenance:write",
    ];
    Asked {
        version: Some("13.3.0".to_owned()),
        toggles: Toggles::default(),
        min_interval: Duration::from_secs(10),
        permissions: Ok(held
            .iter()
            .map(|right| ((*right).to_owned(), vec![String::new()]))
            .collect()),
        sources: Ok(vec![source("Loki", true)]),
        is_own_token: false,
    }
}

fn source(name: &str, is_default: bool) -> DataSource {
    DataSource {
        uid: name.to_lowercase(),
        name: name.to_owned(),
        r#type: name.to_lowercase(),
        is_default,
    }
}

fn grafana(facts: &mut Facts) -> &mut Asked {
    let Ok(instances) = &mut facts.instances else {
        panic!("instances")
    };
    match &mut instances[0].grafana {
        Some(Ok(asked)) => asked,
        _ => panic!("a Grafana"),
    }
}

fn lines(checks: &[Check]) -> Vec<String> {
    let line = |check: &Check| format!("{:?} {}: {}", check.verdict, check.name, check.message);
    checks.iter().map(line).collect()
}

#[test]
fn an_installation_that_is_well_has_nothing_to_cure() {
    let checks = checks(&well());
    assert!(
        checks
            .iter()
            .all(|check| check.verdict == Verdict::Good && check.cure.is_none()),
        "{:#?}",
        lines(&checks)
    );
    assert!(checks.len() >= 16, "{}", checks.len());
}

#[test]
fn a_grafana_that_is_asked_by_its_address_is_no_instance() {
    let mut facts = well();
    for instance in facts.instances.as_mut().unwrap() {
        (instance.is_declared, instance.ready) = (false, None);
    }
    let checks = checks(&facts);
    let verdict = |name: &str| {
        let mut named = checks.iter().filter(|check| check.name == name);
        named.next().map(|check| check.verdict)
    };
    assert_eq!(verdict("instances"), Some(Verdict::Bad));
    assert_eq!(verdict("instance default"), None);
    assert_eq!(verdict("instance default: grafana"), Some(Verdict::Good));
}

/// What is changed, and the one check that isn't well then.
type Case = (fn(&mut Facts), &'static str);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_thing_that_is_not_well_is_told_by_its_own_check_with_a_cure() {
    let cases: [Case; 33] = [
        (
            |f| f.kubernetes = "v1.29.9".to_owned(),
            "Bad kubernetes: v1.29.9 is too old",
        ),
        (
            |f| f.types.as_mut().unwrap()[0].state = State::Missing,
            "Bad types: AlertRule not installed",
        ),
        (
            |f| f.types.as_mut().unwrap()[1].state = State::Differs,
            "Doubt types: ContactPoint of another version",
        ),
        (
            |f| f.types = Err("forbidden".to_owned()),
            "Doubt types: can't be seen: forbidden",
        ),
        (
            |f| {
                f.served.as_mut().unwrap().push(Served {
                    group: "other.io".to_owned(),
                    plural: "antirules".to_owned(),
                    names: ["arule".to_owned()].into(),
                });
            },
            "Doubt short names: arule is also antirules.other.io",
        ),
        (
            |f| {
                f.rights
                    .iter_mut()
                    .filter(|r| r.verb == "list")
                    .for_each(|r| r.is_allowed = false);
            },
            "Doubt right to read resources: you may not list alertrules in revel, list contactpoints",
        ),
        (
            |f| {
                f.rights
                    .iter_mut()
                    .filter(|r| r.verb == "create")
                    .for_each(|r| r.is_allowed = false);
            },
            "Doubt right to silence: you may not create silences in revel",
        ),
        (
            |f| {
                f.rights
                    .iter_mut()
                    .filter(|r| r.resource == "secrets")
                    .for_each(|r| r.is_allowed = false);
            },
            "Doubt right to read instances: you may not get secrets in home",
        ),
        (
            |f| f.aggregated = Ok(["view".to_owned()].into()),
            "Doubt roles for people: none are part of admin, edit",
        ),
        (
            |f| f.deployments.as_mut().unwrap()[0].ready = 1,
            "Bad operator: 1 of 2 ready",
        ),
        (
            |f| f.deployments.as_mut().unwrap()[0].wished = 0,
            "Bad operator: it is scaled to 0",
        ),
        (
            |f| f.deployments = Ok(Vec::new()),
            "Bad operator: no Deployment of it in namespace home",
        ),
        (
            |f| f.deployments.as_mut().unwrap()[0].elects = false,
            "Bad lease: 2 replicas work without waiting",
        ),
        (|f| f.lease = Ok(None), "Bad lease: nobody holds it: nobody works"),
        (
            |f| (f.lease, f.deployments) = (Ok(None), Ok(Vec::new())),
            "Doubt lease: nobody holds it, but a status was written 10s ago",
        ),
        (
            |f| {
                (f.lease, f.deployments) = (Ok(None), Ok(Vec::new()));
                f.now = "2026-11-27T13:00:00Z".parse().unwrap();
            },
            "Doubt lease: nobody holds it, and the last status was written 1h 10s ago: whether anybody works isn't known",
        ),
        (
            |f| {
                (f.lease, f.deployments) = (Ok(None), Ok(Vec::new()));
                f.instances.as_mut().unwrap()[0].written = None;
            },
            "Bad lease: nobody holds it: nobody works",
        ),
        (
            |f| f.now = "2026-11-27T12:05:00Z".parse().unwrap(),
            "Bad lease: pod-a held it and hasn't renewed it for 5m 5s",
        ),
        (
            |f| {
                f.argo
                    .as_mut()
                    .unwrap()
                    .as_mut()
                    .unwrap()
                    .retain(|kind| kind != "Silence");
            },
            "Doubt argo cd: doesn't know the health of Silence",
        ),
        (
            |f| f.instances = Ok(Vec::new()),
            "Bad instances: there is no GrafanaInstance in namespace home",
        ),
        (
            |f| f.instances.as_mut().unwrap()[0].ready = None,
            "Doubt instance default: the operator hasn't said",
        ),
        (
            |f| {
                f.instances.as_mut().unwrap()[0].ready =
                    Some(("False".to_owned(), "Unauthorized".to_owned(), "401".to_owned()));
            },
            "Bad instance default: Unauthorized: 401",
        ),
        (
            |f| f.instances.as_mut().unwrap()[0].grafana = Some(Err("no route".to_owned())),
            "Doubt instance default: grafana: not asked from here: no route",
        ),
        (
            |f| grafana(f).version = Some("9.5.0".to_owned()),
            "Bad instance default: grafana: https://grafana.example.com is 9.5.0, which is too old",
        ),
        (
            |f| grafana(f).version = Some("11.6.0".to_owned()),
            "Doubt instance default: version: lacks ",
        ),
        (
            |f| grafana(f).permissions = Ok([("alert.rules:read".to_owned(), Vec::new())].into()),
            "Bad instance default: token: it may not write rules, read rules, write contact points, write policies, write time intervals, write templates, make folders, write silences, read data sources, write inhibition rules: it lacks ",
        ),
        (
            |f| {
                grafana(f).permissions.as_mut().unwrap().remove("folders:create");
                grafana(f).is_own_token = true;
            },
            "Doubt instance default: token: yours may not make folders: it lacks folders:create (AlertRules whose folder isn't there)",
        ),
        (
            |f| {
                grafana(f)
                    .permissions
                    .as_mut()
                    .unwrap()
                    .remove("alert.provisioning.provenance:write");
            },
            "Doubt instance default: token: it may not set a provenance, for want of alert.provisioning.provenance:write",
        ),
        (
            |f| grafana(f).permissions = Ok(BTreeMap::new()),
            "Doubt instance default: token: Grafana doesn't say",
        ),
        (
            |f| grafana(f).sources = Ok(vec![source("Loki", false)]),
            "Doubt instance default: data source: spec.datasource is unset and Grafana has no default",
        ),
        (
            |f| {
                f.instances.as_mut().unwrap()[0].default = Some(crate::api::reference::DatasourceRef {
                    name: Some("Mimir".to_owned()),
                    uid: None,
                    type_: None,
                });
            },
            "Bad instance default: data source: the instance's defaultDatasource: Grafana has no data source named Mimir",
        ),
        (
            |f| grafana(f).min_interval = Duration::from_secs(60),
            "Doubt instance default: base interval: 60 s",
        ),
        (
            |f| grafana(f).sources = Err("403".to_owned()),
            "Doubt instance default: data source: can't be seen: 403",
        ),
    ];
    for (change, expected) in cases {
        let mut facts = well();
        change(&mut facts);
        let checks = checks(&facts);
        let unwell: Vec<Check> = checks
            .into_iter()
            .filter(|check| check.verdict != Verdict::Good)
            .collect();
        let told = lines(&unwell);
        assert!(
            told.iter().any(|line| line.starts_with(expected)),
            "{expected}: {told:#?}"
        );
        assert!(unwell.iter().all(|check| check.cure.is_some()), "{unwell:#?}");
        let others = told.iter().filter(|line| !line.starts_with(expected));
        // A Grafana that is too old lacks much, too, and without a Deployment nobody waits for another.
        assert!(others.count() <= 1, "{expected}: {told:#?}");
    }
}

#[test]
fn before_an_installation_a_right_that_is_missing_is_in_the_way() {
    let rights = before::needs("home").into_iter();
    let facts = before::Facts {
        kubernetes: "v1.36.3".to_owned(),
        rights: rights
            .map(|right| Right {
                is_allowed: right.resource != "clusterroles",
                ..right
            })
            .collect(),
        served: Ok(Vec::new()),
        grafana: Some(before::Addressed::Asked(Ok(asked()))),
    };
    let told = before::checks(&facts);
    let bad: Vec<Check> = told
        .into_iter()
        .filter(|check| check.verdict != Verdict::Good)
        .collect();
    assert_eq!(
        lines(&bad),
        ["Bad right to install roles: you may not create clusterroles"]
    );
}

#[test]
fn before_an_installation_a_token_that_is_not_taken_says_nothing_against_the_address() {
    let facts = before::Facts {
        kubernetes: "v1.36.3".to_owned(),
        rights: Vec::new(),
        served: Ok(Vec::new()),
        grafana: Some(before::Addressed::Refused("no".to_owned())),
    };
    let told = before::checks(&facts);
    let bad = told.iter().find(|check| check.verdict == Verdict::Bad).unwrap();
    assert_eq!(bad.name, "grafana: token");
    let cure = bad.cure.clone().unwrap_or_default();
    assert!(
        cure.contains("another token") && !cure.contains("address"),
        "{cure}"
    );
}

#[test]
fn an_instance_that_is_asked_for_is_the_only_one_and_told_where_it_is_not_there() {
    let named = |name: &str| {
        let mut facts = well();
        facts.named = Some(name.to_owned());
        let told = checks(&facts);
        let of_instances = told
            .into_iter()
            .filter(|check| check.name.starts_with("instance "));
        of_instances.collect::<Vec<_>>()
    };
    let there = named("default");
    assert!(!there.is_empty() && there.iter().all(|check| check.verdict == Verdict::Good));
    let missing = named("nope");
    assert_eq!(
        lines(&missing),
        ["Bad instance nope: there is no GrafanaInstance nope in namespace home"]
    );
    let cure = missing[0].cure.as_deref();
    assert_eq!(cure, Some("there is default: name one of these with -i"));
}
