//! Resources that want to be one and the same.

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::{DUPLICATE, Finding, Level};
use super::object::{Object, Typed};
use super::options::Options;
use super::path::Path;
use super::standing::Standing;
use crate::api::AlertRuleSpec;
use crate::api::duration;
use crate::domain::notification::named::text;
use crate::domain::rule;
use crate::domain::version::Version;

/// What only one resource can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    /// In which Grafana; empty for what is in the cluster.
    instance: String,
    /// What it is.
    what: String,
    /// Which one.
    which: Vec<String>,
}

/// Resources of which a later one wants what an earlier one has. The first `files` of them are those that are told of; the others stand in a cluster,
/// where whatever is older has it.
pub(super) fn check(
    objects: &[Object],
    files: usize,
    standing: &Standing,
    options: &Options,
) -> Vec<Finding> {
    let order = order(objects, files, standing);
    let mut found = Vec::new();
    let mut holders: BTreeMap<Claim, (usize, Path)> = BTreeMap::new();
    // Who has something already keeps it.
    for (at, object) in &order {
        let told = |claim: &Claim, field: &str| standing.has(*at, object, files, &claim.instance, field);
        for (claim, path) in claims(object) {
            let has = match claim.what.as_str() {
                "uid" | "name" => told(&claim, &claim.what).as_ref() == claim.which.last(),
                "tree" => told(&claim, "routes").is_some() && told(&claim, "root").is_none(),
                _ => false,
            };
            if has {
                holders.entry(claim).or_insert((*at, path));
            }
        }
    }
    for (at, object) in &order {
        for (claim, path) in claims(object) {
            let Some((first, theirs)) = holders.get(&claim) else {
                holders.insert(claim, (*at, path));
                continue;
            };
            if first == at {
                continue;
            }
            let Some(holder) = objects.get(*first) else {
                continue;
            };
            // The same resource twice wants everything twice: that is said once.
            let id = |object: &Object| (object.kind.clone(), object.namespace.clone(), object.name.clone());
            if claim.what != RESOURCE && id(holder) == id(object) {
                continue;
            }
            let finding = if *at < files {
                conflict(*at, object, holder, &claim, path)
            } else if *first < files && !standing.before(*first).is_some_and(|before| has(before, &claim)) {
                lost(*first, object, &claim, theirs.clone())
            } else {
                // It was so before.
                continue;
            };
            let version = options.version_of(object);
            found.push(match claim.what.as_str() {
                // Only an older Grafana minds.
                TITLE if version.is_none_or(|version| version >= Version::SAME_TITLES) => {
                    finding.of(Level::Warning)
                }
                _ => finding,
            });
        }
    }
    found.extend(groups(&order, files, standing));
    found
}

/// The resources with their numbers, in the order in which they have what only one can have: as they are written, and in a cluster by age.
fn order<'a>(objects: &'a [Object], files: usize, standing: &Standing) -> Vec<(usize, &'a Object)> {
    let mut order: Vec<_> = objects.iter().enumerate().collect();
    if !standing.is_empty() {
        order.sort_by_cached_key(|(at, object)| standing.since(*at, object, files));
    }
    order
}

fn has(object: &Object, claim: &Claim) -> bool {
    claims(object).iter().any(|(own, _)| own == claim)
}

/// What a resource would take from one that stands in the cluster and is younger.
fn lost(at: usize, younger: &Object, claim: &Claim, path: Path) -> Finding {
    let which = claim.which.last().cloned().unwrap_or_default();
    let what = match claim.what.as_str() {
        "tree" => "the policy tree".to_owned(),
        DEFINITION => format!("the definition {which:?}"),
        what => format!("the {what} {which:?}"),
    };
    let message = format!(
        "{} {}/{} of the cluster has {what} and would lose it, for this resource is older",
        younger.kind, younger.namespace, younger.name
    );
    Finding::new(&DUPLICATE, at, path, message)
}

const TITLE: &str = "title";
const RESOURCE: &str = "resource";
const DEFINITION: &str = "definition";

fn conflict(at: usize, object: &Object, holder: &Object, claim: &Claim, path: Path) -> Finding {
    let which = claim.which.last().cloned().unwrap_or_default();
    let place = |object: &Object| {
        if object.namespace.is_empty() {
            object.name.clone()
        } else {
            format!("{}/{}", object.namespace, object.name)
        }
    };
    let said = match claim.what.as_str() {
        RESOURCE => format!(
            "{} is there twice; the last one that is applied stays",
            object.called()
        ),
        TITLE => format!(
            "{} has the title {which:?} in the same folder too: people can't tell their alerts apart, and a Grafana before {} refuses it",
            place(holder),
            Version::SAME_TITLES
        ),
        "tree" => format!(
            "{} is the root of the policy tree already, and keeps it: name it in parentRef, and this is a branch of it",
            place(holder)
        ),
        DEFINITION => format!(
            "NotificationTemplate {} defines {which:?} too, which there is once in a Grafana, for all contact points: the first one that is stored has it",
            place(holder)
        ),
        what => format!(
            "{} {} has the {what} {which:?} already, and keeps it",
            holder.kind,
            place(holder)
        ),
    };
    Finding::new(&DUPLICATE, at, path, said)
}

fn claims(object: &Object) -> Vec<(Claim, Path)> {
    let claim = |instance: &str, what: &str, which: Vec<String>| Claim {
        instance: instance.to_owned(),
        what: what.to_owned(),
        which,
    };
    let Object {
        kind,
        namespace,
        name,
        ..
    } = object;
    if name.is_empty() {
        return Vec::new();
    }
    let own = vec![kind.clone(), namespace.clone(), name.clone()];
    let mut all = vec![(claim("", RESOURCE, own), Path::parse("metadata.name"))];
    for instance in object.instances() {
        let mut add = |what: &str, which: &[&str], path: &str| {
            let which = which.iter().map(|part| (*part).to_owned()).collect();
            all.push((claim(instance, what, which), Path::parse(path)));
        };
        let called = |given: &Option<String>| given.clone().unwrap_or_else(|| name.clone());
        let at_name = |given: &Option<String>| {
            if given.is_some() {
                "spec.name"
            } else {
                "metadata.name"
            }
        };
        match &object.typed {
            Some(Typed::AlertRule(rule)) => {
                let title = rule::title(&rule.spec, name);
                let folder = folder(&rule.spec, namespace);
                let path = if rule.spec.title.is_some() {
                    "spec.title"
                } else {
                    "metadata.name"
                };
                add(TITLE, &[&folder, title], path);
                if let Some(uid) = &rule.spec.uid {
                    add("uid", &[uid], "spec.uid");
                }
            }
            Some(Typed::ContactPoint(point)) => {
                add(
                    "name",
                    &[kind, &called(&point.spec.name)],
                    at_name(&point.spec.name),
                );
            }
            Some(Typed::TimeInterval(interval)) => {
                add(
                    "name",
                    &[kind, &called(&interval.spec.name)],
                    at_name(&interval.spec.name),
                );
            }
            Some(Typed::InhibitionRule(rule)) => {
                add(
                    "name",
                    &[kind, &called(&rule.spec.name)],
                    at_name(&rule.spec.name),
                );
            }
            Some(Typed::NotificationTemplate(template)) => {
                add(
                    "name",
                    &[kind, &called(&template.spec.name)],
                    at_name(&template.spec.name),
                );
                let text = template.spec.template.as_deref().unwrap_or_default();
                if let Ok(group) = text::template(text, &called(&template.spec.name), "") {
                    for name in text::defined(&group) {
                        add(DEFINITION, &[name], "spec.template");
                    }
                }
            }
            Some(Typed::NotificationPolicy(policy)) if policy.spec.parent_ref.is_none() => {
                // A tree with a name is another one.
                add(
                    "tree",
                    &[policy.spec.tree.as_deref().unwrap_or_default()],
                    "metadata.name",
                );
            }
            _ => {}
        }
    }
    all
}

fn folder(spec: &AlertRuleSpec, namespace: &str) -> String {
    let by_uid = || format!("uid {}", spec.folder_uid.as_deref().unwrap_or_default());
    rule::folder_path(spec, namespace, "").unwrap_or_else(by_uid)
}

/// Rules of a group that ask for another interval than the first one.
fn groups(order: &[(usize, &Object)], files: usize, standing: &Standing) -> Vec<Finding> {
    let mut first: BTreeMap<(String, String, String), (usize, &Object, Duration)> = BTreeMap::new();
    let mut found: Vec<Finding> = Vec::new();
    for (at, object) in order {
        let Some((group, interval)) = grouped(object) else {
            continue;
        };
        for instance in object.instances() {
            let key = (instance.to_owned(), group.0.clone(), group.1.clone());
            let (leader, holder, theirs) = *first.entry(key).or_insert((*at, *object, interval));
            if theirs == interval {
                continue;
            }
            if *at < files {
                found.push(apart(*at, object, interval, (holder, theirs)));
                continue;
            }
            let is_new = || standing.before(leader).and_then(grouped) != Some((group.clone(), theirs));
            // One is enough to say it.
            let is_told = || found.iter().any(|told| told.object == leader);
            if leader < files && is_new() && !is_told() {
                found.push(apart(leader, holder, theirs, (object, interval)));
            }
        }
    }
    found
}

/// Folder and group of a rule, and how often it is evaluated.
fn grouped(object: &Object) -> Option<((String, String), Duration)> {
    let Some(Typed::AlertRule(alert)) = &object.typed else {
        return None;
    };
    let interval = rule::interval(&alert.spec).ok()?;
    let group = rule::group(&alert.spec, &object.name).to_owned();
    Some(((folder(&alert.spec, &object.namespace), group), interval))
}

fn apart(at: usize, object: &Object, interval: Duration, (other, theirs): (&Object, Duration)) -> Finding {
    let group = match &object.typed {
        Some(Typed::AlertRule(alert)) => rule::group(&alert.spec, &object.name),
        _ => "",
    };
    let message = format!(
        "the group {group:?} is evaluated every {} as AlertRule {} says, not every {}; make them equal or choose another group",
        duration::format(theirs),
        other.name,
        duration::format(interval)
    );
    let path = if object.spec().get("interval").is_some() {
        "spec.interval"
    } else {
        "spec.group"
    };
    Finding::new(&DUPLICATE, at, Path::parse(path), message)
}
