//! What is asked: the resources in files, the alert, and the time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::super::common::connect::{Beside, Read, wait};
use super::super::common::dns;
use super::super::common::files::Files;
use super::super::common::files::zones::zone;
use super::super::common::names;
use super::super::common::print::{note, wrong};
use super::super::status::routes::as_written;
use super::super::status::state::parts;
use crate::api::DEFAULT_INSTANCE;
use crate::domain::lint::near::nearest;
use crate::domain::lint::object::Object;
use crate::domain::lint::standing;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::routing::alert::{self, Alert};
use crate::domain::routing::answer::{Answer, Roads};
use crate::domain::routing::trees::{Tree, World, path};
use crate::domain::routing::walk::Labels;

/// Whoever the operator is. Where alerts go doesn't depend on it.
const OWNER: &str = "route";

/// The resources, and whose trees are meant.
#[derive(clap::Args, Debug)]
pub(in super::super) struct Resources {
    #[command(flatten)]
    files: Files,
    /// With files: the cluster's other resources count too, as if those of the files were applied there. Without files it is the cluster's that are asked.
    #[arg(long)]
    with_cluster: bool,
    /// The namespace of resources that name none, and of the rule whose alert it is. Default: that of the context; of files alone the one that all AlertRules
    /// are in, or else all policies.
    #[arg(short, long, value_parser = dns::namespace)]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: Beside,
    /// The GrafanaInstance whose policy tree is meant.
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_INSTANCE, value_parser = dns::name, add = names::of("GrafanaInstance"))]
    pub(in super::super) instance: String,
    /// Nothing but the answer: no notes.
    #[arg(short, long)]
    pub(in super::super) quiet: bool,
}

/// An alert as somebody describes it.
#[derive(Debug, Default)]
pub(in super::super) struct Described {
    pub(in super::super) labels: Labels,
    /// Its AlertRule.
    pub(in super::super) rule: Option<String>,
    /// The namespace of its AlertRule, where it isn't that of all.
    pub(in super::super) namespace: Option<String>,
}

/// The resources of one Grafana, from which each question is answered.
pub(in super::super) struct Known<'a> {
    asked: &'a Resources,
    objects: &'a [Object],
    world: &'a World<'a>,
    trees: &'a [Tree],
    /// The namespace that is meant where none is named.
    namespace: Option<&'a str>,
    /// What was read of the cluster, where it is asked.
    read: Option<&'a Read>,
    /// How many of the objects, the first ones, are those that are told of.
    told: usize,
    /// How many of the objects, the first ones, are of files: what the cluster has of them is another matter.
    written: usize,
}

/// What is read.
struct Gathered {
    /// Those that are told of, and then all that count too.
    objects: Vec<Object>,
    told: usize,
    written: usize,
    /// The cluster's namespace.
    namespace: Option<String>,
    /// What was read of the cluster, where it is asked.
    read: Option<Read>,
}

impl Resources {
    /// Reads the files, the cluster's resources or both, and answers from them. Whether not all could be read.
    pub(in super::super) fn with<T>(
        &self,
        is_everywhere: bool,
        answer: impl FnOnce(&Known<'_>) -> Result<T, String>,
    ) -> Result<(T, bool), String> {
        let gathered = if self.is_of_cluster() {
            wait(self.gathered(is_everywhere))?
        } else if self.cluster.is_named() {
            wrong(
                "--kubeconfig and --context are for the cluster, and files alone are read: ask it too by --with-cluster",
            );
        } else {
            let objects = self
                .files
                .whole(self.namespace.as_deref().unwrap_or_default())?
                .objects;
            Gathered {
                told: objects.len(),
                written: objects.len(),
                objects,
                namespace: None,
                read: None,
            }
        };
        let owner = Owner::parse(OWNER).ok_or("the owner id is none")?;
        let world = World::new(&gathered.objects, &self.instance, Owners::new(owner, &[]));
        let (trees, left_out) = world.trees();
        for out in &left_out {
            let (namespace, name) = &out.policy;
            self.note(&format!(
                "NotificationPolicy {} is left out: {}",
                path(namespace, name),
                out.why
            ));
        }
        // What of files isn't applied yet is asked for as it is written.
        let of_cluster = gathered.objects.iter().skip(gathered.written);
        for said in as_written(of_cluster, &self.instance, None, &left_out) {
            self.note(&said);
        }
        let answered = answer(&Known {
            asked: self,
            objects: &gathered.objects,
            world: &world,
            trees: &trees,
            namespace: gathered.namespace.as_deref().or(self.namespace.as_deref()),
            read: gathered.read.as_ref(),
            told: gathered.told,
            written: gathered.written,
        })?;
        // Resources that one may not read may have a part in it.
        let is_partial = gathered.read.is_some_and(|read| !read.is_whole());
        Ok((answered, is_partial))
    }

    fn is_of_cluster(&self) -> bool {
        self.with_cluster || !self.files.are_named()
    }

    /// The cluster's resources, and those of files in their place. Without files those of the namespace are told of, or of all.
    async fn gathered(&self, is_everywhere: bool) -> Result<Gathered, String> {
        let cluster = self.cluster.connect(self.namespace.as_deref()).await?;
        let namespace = cluster.namespace.clone();
        let written = if self.files.are_named() {
            self.files.whole(&namespace)?.objects
        } else {
            Vec::new()
        };
        let read = cluster
            .resources((!is_everywhere).then_some(namespace.as_str()))
            .await?;
        read.notes.iter().for_each(|text| self.note(text));
        let mut objects = standing::applied(&written, &read.objects());
        let told = if written.is_empty() {
            objects.sort_by_key(|object| !is_everywhere && object.namespace != namespace);
            objects.partition_point(|object| is_everywhere || object.namespace == namespace)
        } else {
            written.len()
        };
        if told == 0 && !is_everywhere {
            cluster.check_namespace(&namespace).await?;
        }
        Ok(Gathered {
            objects,
            told,
            written: written.len(),
            namespace: Some(namespace),
            read: Some(read),
        })
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            note(text);
        }
    }
}

impl<'a> Known<'a> {
    /// The trees as they are at a time.
    pub(in super::super) fn roads(&self, at: Timestamp) -> Result<Roads<'a>, String> {
        Roads::new(self.world, self.trees, at, &zone)
    }

    /// Where an alert goes.
    pub(in super::super) fn answer(
        &self,
        described: &Described,
        roads: &Roads<'_>,
    ) -> Result<Answer, String> {
        let alert = match &described.rule {
            Some(name) => {
                let rule = self.find(name, described)?;
                self.note_as_written(rule);
                for why in self.silent(rule) {
                    let place = path(&rule.namespace, &rule.name);
                    self.asked.note(&format!("AlertRule {place}: {why}"));
                }
                let alert = of_rule(self.world, rule, &described.labels)?;
                for said in unheeded(&described.labels, &alert) {
                    self.asked.note(&said);
                }
                alert
            }
            None => alert::of_labels(self.world, &described.labels, self.home(described).as_deref()),
        };
        if !alert.unknown.is_empty() {
            self.asked.note(&format!(
                "{}: {} comes from a template and isn't known; give it as LABEL=VALUE",
                alert.name,
                alert.unknown.join(", ")
            ));
        }
        roads.answer(&alert)
    }

    /// Says it where the answer is of a rule as Grafana doesn't have it.
    fn note_as_written(&self, rule: &Object) {
        let mut cluster = self.objects.iter().skip(self.written);
        if !cluster.any(|own| std::ptr::eq(own, rule)) {
            return;
        }
        let here = parts(rule).into_iter();
        let mut here = here.filter(|part| part.instance == Some(self.asked.instance.as_str()));
        if let Some(said) = here.find_map(|part| part.as_written(rule)) {
            self.asked.note(&format!(
                "AlertRule {}: {said}",
                path(&rule.namespace, &rule.name)
            ));
        }
    }

    /// Why a rule has no alerts, wherever they would go.
    fn silent(&self, rule: &Object) -> Vec<String> {
        let refused = self.world.admit(&rule.namespace).err();
        let refused = refused.map(|refusal| format!("{}, so no alert of it goes anywhere", refusal.message));
        let is_paused = rule.spec().get("paused").and_then(Value::as_bool) == Some(true);
        let paused = is_paused.then(|| "it is paused, so it has no alerts".to_owned());
        refused.into_iter().chain(paused).collect()
    }

    /// Every AlertRule of that Grafana which has alerts.
    pub(in super::super) fn rules(&self) -> impl Iterator<Item = String> {
        let rules = self.objects.iter().take(self.told);
        let rules = rules.filter(|object| object.kind == "AlertRule");
        let rules = rules.filter(|object| object.instances().contains(&self.asked.instance.as_str()));
        let rules = rules.filter(|object| object.spec().get("record").is_none());
        rules.map(|rule| format!("{}/{}", rule.namespace, rule.name))
    }

    /// The namespace of the rule whose alert it is.
    fn home(&self, described: &Described) -> Option<String> {
        let of_kind = |kind: &str| -> BTreeSet<&str> {
            let all = self.objects.iter().filter(|object| object.kind == kind);
            all.map(|object| object.namespace.as_str()).collect()
        };
        let only = |all: &BTreeSet<&str>| {
            all.first()
                .filter(|_| all.len() == 1)
                .map(|only| (*only).to_owned())
        };
        let rules = of_kind("AlertRule");
        let found = if rules.is_empty() {
            only(&of_kind("NotificationPolicy"))
        } else {
            only(&rules)
        };
        let named = || self.namespace.map(str::to_owned);
        let asked = described.namespace.clone().or_else(named);
        let home = asked.or(found);
        if home.is_none() {
            let is_none = self.objects.is_empty();
            self.asked.note(if is_none {
                "there is no resource of alertwright's among the files"
            } else {
                "the alert is taken for one of no AlertRule, for there are several namespaces: name its own with -n"
            });
        }
        home
    }

    fn find(&self, name: &str, described: &Described) -> Result<&'a Object, String> {
        let rules = || self.objects.iter().filter(|object| object.kind == "AlertRule");
        let (namespace, short) = match name.split_once('/') {
            Some((namespace, short)) => (Some(namespace), short),
            None => (described.namespace.as_deref().or(self.namespace), name),
        };
        let is_it = |object: &&Object| {
            object.name == short && namespace.is_none_or(|namespace| object.namespace == namespace)
        };
        let found: Vec<&'a Object> = rules().filter(is_it).collect();
        let asked = self.asked.instance.as_str();
        let is_here = |object: &&Object| object.instances().contains(&asked);
        let here: Vec<&'a Object> = found.iter().copied().filter(is_here).collect();
        // Where its alerts go in another Grafana says nothing of where they go.
        if let (Some(other), true) = (found.first(), here.is_empty()) {
            return Err(format!(
                "AlertRule {} is for GrafanaInstance {}, and this asks {asked}: name its own with -i",
                path(&other.namespace, short),
                other.instances().join(" and ")
            ));
        }
        match here.as_slice() {
            [rule] => Ok(rule),
            [one, other, ..] => Err(format!(
                "there are several AlertRules {short}: say which, for example {} or {}",
                path(&one.namespace, short),
                path(&other.namespace, short)
            )),
            [] => {
                let unseen = |namespace| self.read?.unseen("AlertRule", short, namespace);
                if let Some(why) = namespace.and_then(unseen) {
                    return Err(why);
                }
                let elsewhere = rules().find(|rule| rule.name == short);
                let elsewhere = elsewhere.map(|rule| path(&rule.namespace, short));
                let near = || nearest(short, rules().map(|rule| rule.name.as_str())).map(str::to_owned);
                let near = elsewhere.or_else(near);
                let near = near.map_or_else(String::new, |near| format!("; there is {near}"));
                let within = match namespace.filter(|_| self.asked.is_of_cluster()) {
                    Some(namespace) => format!("in namespace {namespace}"),
                    None => "among the files".to_owned(),
                };
                Err(format!("no AlertRule {short} {within}{near}"))
            }
        }
    }
}

fn of_rule(world: &World<'_>, object: &Object, given: &Labels) -> Result<Alert, String> {
    alert::of_rule(world, object, given).map_err(|refusal| {
        format!(
            "{} {}: {}",
            object.kind,
            path(&object.namespace, &object.name),
            refusal.message
        )
    })
}

/// The labels that are given and that the alert of the rule never has, for the rule sets them itself.
fn unheeded(given: &Labels, alert: &Alert) -> Vec<String> {
    let all = given.iter().filter_map(|(label, value)| {
        let own = alert.labels.get(label).filter(|own| *own != value)?;
        Some(format!(
            "{}: its rule sets {label}={own}, which counts before {label}={value}",
            alert.name
        ))
    });
    all.collect()
}

/// What is expected of an answer and what came, where they differ. Nobody is expected where no name is given.
pub(in super::super) fn difference(answer: &Answer, expected: &[String], is_timed: bool) -> Option<String> {
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let told = answer.told(is_timed);
    (told != expected).then(|| format!("expected {}, got {}", listed(&expected), listed(&told)))
}

/// That an expectation is met only as far as is known, where a route or, at a time, a Silence asks for a label that comes from a template.
pub(in super::super) fn doubt(answer: &Answer, is_timed: bool) -> Option<String> {
    let unknown = answer.unknown(is_timed);
    let is = if unknown.len() == 1 { "isn't" } else { "aren't" };
    (!unknown.is_empty()).then(|| format!("as far as is known ({} {is})", listed(&unknown)))
}

fn listed(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_the_rule_sets_itself_is_told_where_another_is_given() {
        let labels = |all: &[(&str, &str)]| -> Labels {
            all.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let alert = Alert {
            name: "n/r".to_owned(),
            labels: labels(&[("severity", "critical"), ("team", "a")]),
            settings: None,
            unknown: Vec::new(),
        };
        assert_eq!(
            unheeded(
                &labels(&[("severity", "info"), ("team", "a"), ("pod", "x")]),
                &alert
            ),
            ["n/r: its rule sets severity=critical, which counts before severity=info"]
        );
    }
}
