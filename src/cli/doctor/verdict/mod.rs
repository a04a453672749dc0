//! From what is known to what is well. No I/O, no clock.

mod grafana;
mod rights;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::{SignedDuration, Unit};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinitionNames;

use super::facts::{Deployed, Facts, Held, Instance, Read, Right, Served, State, Type};
use crate::api::schema::kept;
use crate::domain::version::Version;

pub(super) use grafana::{of_grafana, reached};

/// The group of our types.
pub(super) const GROUP: &str = "alerting.letsrevel.io";
/// The oldest Kubernetes that the types can be installed on.
const OLDEST: Version = Version::new(1, 30, 0);
/// Kubernetes' own roles into which the chart's and manifests' are taken up.
const AGGREGATED: [&str; 3] = ["admin", "edit", "view"];
/// How types are installed.
const INSTALL: &str = "alertwright crds | kubectl apply --server-side -f -";

/// How our types are called.
static NAMES: LazyLock<Vec<CustomResourceDefinitionNames>> = LazyLock::new(kept::names);

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// It works, or it can't be told.
    Doubt,
    Bad,
}

/// A check with its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) message: String,
    /// What to do.
    pub(super) cure: Option<String>,
}

impl Check {
    pub(super) fn good(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict: Verdict::Good,
            message: message.into(),
            cure: None,
        }
    }

    pub(super) fn doubt(
        name: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Doubt,
            cure: Some(cure.into()),
            ..Self::good(name, message)
        }
    }

    pub(super) fn bad(name: impl Into<String>, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::doubt(name, message, cure)
        }
    }

    /// What couldn't be looked at.
    pub(super) fn unseen(name: impl Into<String>, why: &str) -> Self {
        let message = format!("can't be seen: {why}");
        Self::doubt(name, message, "have somebody look who may")
    }
}

/// What people need for the commands.
pub(super) fn needs(namespace: Option<&str>, home: &str) -> Vec<Right> {
    let right = |of, verb, group, resource: &str, namespace: Option<&str>| Right {
        of,
        verb,
        group,
        resource: resource.to_owned(),
        namespace: namespace.map(str::to_owned),
        is_allowed: false,
    };
    let plurals = NAMES.iter().map(|names| names.plural.as_str());
    let kinds: Vec<&str> = plurals.filter(|plural| *plural != "grafanainstances").collect();
    let each = |of, verb| {
        kinds
            .iter()
            .map(move |kind| right(of, verb, GROUP, kind, namespace))
    };
    let mut all: Vec<Right> = each("right to read resources", "list").collect();
    all.extend(each("right to change resources", "patch"));
    all.push(right("right to silence", "create", GROUP, "silences", namespace));
    let of = "right to read instances";
    all.push(right(of, "get", GROUP, "grafanainstances", Some(home)));
    all.push(right(of, "get", "", "secrets", Some(home)));
    all
}

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut all = vec![
        kubernetes(&facts.kubernetes),
        types(&facts.types),
        short_names(&facts.served),
    ];
    all.extend(rights(&facts.rights, |of| {
        match of {
            "right to read resources" => "have the ClusterRole view bound to you there",
            "right to change resources" => "have the ClusterRole edit bound to you there",
            "right to silence" => "have the ClusterRole edit, or alertwright-silences, bound to you there",
            _ => "without it set GRAFANA_URL and GRAFANA_TOKEN for diff, export, report and test",
        }
        .to_owned()
    }));
    all.push(aggregated(&facts.aggregated));
    all.push(deployment(&facts.deployments, &facts.home));
    all.push(lease(facts));
    all.push(argo(&facts.argo));
    match &facts.instances {
        Err(why) => all.push(Check::unseen("instances", why)),
        Ok(instances) => {
            let declared = instances.iter().filter(|instance| instance.is_declared);
            let names: Vec<&str> = declared.map(|instance| instance.name.as_str()).collect();
            if let Some(name) = facts.named.as_deref().filter(|name| !names.contains(name)) {
                all.push(unknown(name, &names, &facts.home));
            } else if names.is_empty() {
                all.push(Check::bad(
                    "instances",
                    format!("there is no GrafanaInstance in namespace {}", facts.home),
                    "apply one: docs/instances.md",
                ));
            }
            let asked = facts.named.as_ref();
            let is_meant = |one: &&Instance| asked.is_none_or(|name| one.name == *name);
            all.extend(instances.iter().filter(is_meant).flat_map(instance));
        }
    }
    all
}

pub(super) fn kubernetes(said: &str) -> Check {
    let name = "kubernetes";
    match Version::parse(said) {
        Some(version) if version < OLDEST => Check::bad(
            name,
            format!(
                "{said} is too old for the types, which need {}.{}",
                OLDEST.major, OLDEST.minor
            ),
            "upgrade the cluster",
        ),
        _ => Check::good(name, said),
    }
}

fn types(found: &Read<Vec<Type>>) -> Check {
    let name = "types";
    let found = match found {
        Ok(found) => found,
        Err(why) => return Check::unseen(name, why),
    };
    let of = |state| {
        let those = found.iter().filter(move |one| one.state == state);
        those.map(|one| one.kind.as_str()).collect::<Vec<_>>()
    };
    let (missing, other) = (of(State::Missing), of(State::Differs));
    if !missing.is_empty() {
        return Check::bad(name, format!("{} not installed", missing.join(", ")), INSTALL);
    }
    if !other.is_empty() {
        let message = format!("{} of another version than this program", other.join(", "));
        let cure = format!("use the program of the operator's version, or {INSTALL}");
        return Check::doubt(name, message, cure);
    }
    Check::good(name, format!("all {}, of this version", found.len()))
}

/// Names that kubectl may take for another resource.
pub(super) fn short_names(served: &Read<Vec<Served>>) -> Check {
    let name = "short names";
    let served = match served {
        Ok(served) => served,
        Err(why) => return Check::unseen(name, why),
    };
    let mut clashes = Vec::new();
    for names in NAMES.iter() {
        let ours = names
            .short_names
            .iter()
            .flatten()
            .chain([&names.plural])
            .chain(&names.singular);
        for own in ours.filter(|own| !own.is_empty()) {
            let others = served
                .iter()
                .filter(|one| one.group != GROUP && one.names.contains(own));
            clashes.extend(others.map(|other| format!("{own} is also {}.{}", other.plural, other.group)));
        }
    }
    if clashes.is_empty() {
        return Check::good(name, "nobody else has them");
    }
    Check::doubt(
        name,
        clashes.join(", "),
        format!("write the whole name, such as alertrules.{GROUP}"),
    )
}

/// A check for each thing that rights are for, in the order in which they come.
pub(super) fn rights(rights: &[Right], cure: impl Fn(&str) -> String) -> Vec<Check> {
    let mut order: Vec<&str> = Vec::new();
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for right in rights {
        if !order.contains(&right.of) {
            order.push(right.of);
        }
        if !right.is_allowed {
            let place = right.namespace.as_ref().map(|place| format!(" in {place}"));
            let what = format!("{} {}{}", right.verb, right.resource, place.unwrap_or_default());
            missing.entry(right.of).or_default().insert(what);
        }
    }
    let check = |of: &&str| match missing.get(of) {
        None => Check::good(*of, "yes"),
        Some(missing) => {
            let all: Vec<&str> = missing.iter().map(String::as_str).collect();
            Check::doubt(*of, format!("you may not {}", all.join(", ")), cure(of))
        }
    };
    order.iter().map(check).collect()
}

fn aggregated(found: &Read<BTreeSet<String>>) -> Check {
    let name = "roles for people";
    match found {
        Err(why) => Check::unseen(name, why),
        Ok(into) => {
            let missing = AGGREGATED.into_iter().filter(|role| !into.contains(*role));
            let missing: Vec<&str> = missing.collect();
            if missing.is_empty() {
                return Check::good(name, "part of view, edit and admin");
            }
            Check::doubt(
                name,
                format!("none are part of {}", missing.join(", ")),
                "apply deploy/people.yaml, or set rbac.aggregate of the chart, unless you have roles of your own",
            )
        }
    }
}

fn deployment(found: &Read<Vec<Deployed>>, home: &str) -> Check {
    let name = "operator";
    match found.as_deref() {
        Err(why) => Check::unseen(name, why),
        Ok([]) => Check::bad(
            name,
            format!("no Deployment of it in namespace {home}"),
            "install it (docs/install.md), or name its namespace with --operator-namespace",
        ),
        Ok([one]) => {
            let Deployed {
                name: own,
                image,
                wished,
                ready,
                ..
            } = one;
            let message = format!("{ready} of {wished} ready, {image}");
            if *wished == 0 {
                let cure = format!("kubectl -n {home} scale deployment {own} --replicas 1");
                return Check::bad(name, "it is scaled to 0: nothing is done", cure);
            }
            if ready < wished {
                let cure = format!("kubectl -n {home} describe pods -l app.kubernetes.io/name=alertwright");
                return Check::bad(name, message, cure);
            }
            Check::good(name, message)
        }
        Ok(several) => {
            let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
            Check::bad(
                name,
                format!(
                    "{} Deployments in namespace {home}: {}",
                    several.len(),
                    names.join(", ")
                ),
                "keep one of them",
            )
        }
    }
}

fn lease(facts: &Facts) -> Check {
    let name = "lease";
    let deployed = facts.deployments.as_deref().unwrap_or_default();
    let elects = deployed.iter().any(|one| one.elects);
    let replicas: i32 = deployed.iter().map(|one| one.wished).sum();
    let start = "see the operator's log: kubectl -n ";
    match &facts.lease {
        Err(why) => Check::unseen(name, why),
        Ok(_) if !elects && replicas > 1 => Check::bad(
            name,
            format!("{replicas} replicas work without waiting for one another"),
            "set LEADER_ELECT=true, or one replica",
        ),
        Ok(_) if !elects && !deployed.is_empty() => {
            Check::good(name, "none is needed: one replica, without leader election")
        }
        Ok(Some(Held {
            holder,
            renewed,
            lasts,
        })) if !holder.is_empty() => {
            let age = renewed.map(|at| facts.now.duration_since(at));
            let lasts = SignedDuration::try_from(*lasts).unwrap_or(SignedDuration::MAX);
            match age {
                Some(age) if age <= lasts => Check::good(name, format!("held by {holder}")),
                Some(age) => {
                    let age = age.round(Unit::Second).unwrap_or(age);
                    Check::bad(
                        name,
                        format!("{holder} held it and hasn't renewed it for {age:#}: nobody works"),
                        format!("{start}{} logs -l app.kubernetes.io/name=alertwright", facts.home),
                    )
                }
                None => Check::doubt(
                    name,
                    format!("{holder} holds it and has never renewed it"),
                    "look again in a minute",
                ),
            }
        }
        Ok(_) => match facts.last_written().filter(|_| deployed.is_empty()) {
            // One outside a Deployment, without leader election, holds none.
            Some(age) if age <= LATELY => Check::doubt(
                name,
                format!(
                    "nobody holds it, but a status was written {age:#} ago: one works that is no Deployment here"
                ),
                "none is needed for one without leader election; else see to it that there is one alone",
            ),
            Some(age) => Check::doubt(
                name,
                format!(
                    "nobody holds it, and the last status was written {age:#} ago: whether anybody works isn't known"
                ),
                "at rest nothing is written: ask for a pass with alertwright reconcile, and look whether it is handled",
            ),
            None => Check::bad(
                name,
                "nobody holds it: nobody works",
                format!("{start}{} logs -l app.kubernetes.io/name=alertwright", facts.home),
            ),
        },
    }
}

/// A status that is no older was written by one that works.
const LATELY: SignedDuration = SignedDuration::from_mins(10);

fn argo(found: &Read<Option<BTreeSet<String>>>) -> Check {
    let name = "argo cd";
    match found {
        Err(why) => Check::unseen(name, why),
        Ok(None) => Check::good(name, "not in this cluster"),
        Ok(Some(known)) => {
            let kinds = NAMES.iter().map(|names| names.kind.as_str());
            let missing: Vec<&str> = kinds.filter(|kind| !known.contains(*kind)).collect();
            if missing.is_empty() {
                return Check::good(name, "knows the health of all kinds");
            }
            Check::doubt(
                name,
                format!("doesn't know the health of {}", missing.join(", ")),
                "kubectl -n argocd patch configmap argocd-cm --type merge --patch-file deploy/argocd/health-checks.yaml",
            )
        }
    }
}

/// An instance that is asked for and isn't there.
fn unknown(name: &str, names: &[&str], home: &str) -> Check {
    let cure = match names {
        [] => "apply it: docs/instances.md".to_owned(),
        names => format!("there is {}: name one of these with -i", names.join(", ")),
    };
    Check::bad(
        format!("instance {name}"),
        format!("there is no GrafanaInstance {name} in namespace {home}"),
        cure,
    )
}

/// An instance by its own condition, and by what its Grafana says.
fn instance(instance: &Instance) -> Vec<Check> {
    let name = format!("instance {}", instance.name);
    let ready = || match &instance.ready {
        None => Check::doubt(
            &name,
            "the operator hasn't said anything of it",
            "see whether the operator works, and is of this namespace",
        ),
        Some((status, _, _)) if status == "True" => Check::good(&name, "ready"),
        Some((_, reason, message)) => Check::bad(
            &name,
            format!("{reason}: {message}"),
            "docs/troubleshooting.md has each reason",
        ),
    };
    let mut all: Vec<Check> = instance.is_declared.then(ready).into_iter().collect();
    match &instance.grafana {
        None => {}
        Some(Err(why)) => all.push(Check::doubt(
            format!("{name}: grafana"),
            format!("not asked from here: {why}"),
            "the operator may reach it all the same",
        )),
        Some(Ok(asked)) => {
            all.push(reached(
                &format!("{name}: grafana"),
                &instance.url,
                asked.version.as_deref(),
            ));
            all.extend(of_grafana(&name, asked, instance.default.as_ref()));
        }
    }
    all
}
