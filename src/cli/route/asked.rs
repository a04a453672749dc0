//! What is asked: the resources in files, the alert, and the time.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::common::files::Files;
use super::super::common::files::zones::zone;
use super::super::common::print::note;
use crate::api::DEFAULT_INSTANCE;
use crate::domain::lint::near::nearest;
use crate::domain::lint::object::Object;
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
    pub(in super::super) files: Files,
    /// The namespace of resources that name none, and of the rule whose alert it is. Default: the one that all AlertRules are in, or else all
    /// policies.
    #[arg(short, long)]
    pub(in super::super) namespace: Option<String>,
    /// The GrafanaInstance whose policy tree is meant.
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_INSTANCE)]
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
}

impl Resources {
    /// Reads the files, and answers from them.
    pub(in super::super) fn with<T>(
        &self,
        answer: impl FnOnce(&Known<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let read = self.files.whole(self.namespace.as_deref().unwrap_or_default())?;
        let owner = Owner::parse(OWNER).ok_or("the owner id is none")?;
        let world = World::new(&read.objects, &self.instance, Owners::new(owner, &[]));
        let (trees, left_out) = world.trees();
        for out in &left_out {
            let (namespace, name) = &out.policy;
            self.note(&format!(
                "NotificationPolicy {} is left out: {}",
                path(namespace, name),
                out.why
            ));
        }
        answer(&Known {
            asked: self,
            objects: &read.objects,
            world: &world,
            trees: &trees,
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
            Some(name) => of_rule(self.world, self.find(name, described)?, &described.labels)?,
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

    /// Every AlertRule of that Grafana which has alerts.
    pub(in super::super) fn rules(&self) -> impl Iterator<Item = String> {
        let rules = self.objects.iter().filter(|object| object.kind == "AlertRule");
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
        let asked = described
            .namespace
            .clone()
            .or_else(|| self.asked.namespace.clone());
        let home = asked.or(found);
        if home.is_none() {
            self.asked.note("the alert is taken for one of no AlertRule, for there are several namespaces: name its own with -n");
        }
        home
    }

    fn find(&self, name: &str, described: &Described) -> Result<&'a Object, String> {
        let rules = || self.objects.iter().filter(|object| object.kind == "AlertRule");
        let (namespace, short) = match name.split_once('/') {
            Some((namespace, short)) => (Some(namespace), short),
            None => (
                described.namespace.as_deref().or(self.asked.namespace.as_deref()),
                name,
            ),
        };
        let is_it = |object: &&Object| {
            object.name == short && namespace.is_none_or(|namespace| object.namespace == namespace)
        };
        let found: Vec<&'a Object> = rules().filter(is_it).collect();
        match found.as_slice() {
            [rule] => Ok(rule),
            [one, other, ..] => Err(format!(
                "there are several AlertRules {short}: say which, for example {} or {}",
                path(&one.namespace, short),
                path(&other.namespace, short)
            )),
            [] => {
                let near = nearest(short, rules().map(|rule| rule.name.as_str()));
                let near = near.map_or_else(String::new, |near| format!("; there is {near}"));
                Err(format!("no AlertRule {name} among the files{near}"))
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

/// What is expected of an answer and what came, where they differ. Nobody is expected where no name is given.
pub(in super::super) fn difference(answer: &Answer, expected: &[String], is_timed: bool) -> Option<String> {
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let told = answer.told(is_timed);
    (told != expected).then(|| format!("expected {}, got {}", listed(&expected), listed(&told)))
}

fn listed(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    names.iter().copied().collect::<Vec<_>>().join(", ")
}
