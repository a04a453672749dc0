//! Which rules are meant, as Grafana would get them, and the Grafana that they are for.

use kube::Api;
use kube::api::ApiResource;

use super::super::common::connect::{Cluster, Connected, INSTANCE, Reached, Scope, ToGrafana};
use super::super::common::dns;
use super::super::common::files::Files;
use super::super::common::names;
use super::super::common::print::{note, wrong};
use crate::api::{AlertRule, DEFAULT_INSTANCE, GrafanaInstanceSpec};
use crate::cluster::answer::chain;
use crate::controller::connection::{self, Facts};
use crate::domain::lint::near::nearest;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::ownership::Owner;
use crate::domain::rule::{self, Surroundings};
use crate::domain::version::Version;
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::model;

/// Whoever the operator is, where that can't be known. It matters only for the mark on the rule.
const SOMEBODY: &str = "somebody";

/// Which rules, of which Grafana.
#[derive(clap::Args, Debug)]
#[command(mut_arg("instance", |argument| argument.help(INSTANCE)))]
pub(in super::super) struct Whom {
    /// The AlertRule: its name. In files it may be left out, for all that are there.
    #[arg(value_name = "NAME", value_parser = dns::name, add = names::of("AlertRule"))]
    name: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Nothing but the answer: no notes.
    #[arg(short, long)]
    pub(in super::super) quiet: bool,
}

/// One rule.
pub(in super::super) struct Subject {
    /// As it is written.
    pub(in super::super) object: Object,
    /// As Grafana would get it, but for its folder.
    pub(in super::super) rule: model::AlertRule,
    /// The path of its folder, or its uid.
    pub(in super::super) folder: Result<String, String>,
    /// What the operator warns of, such as a text that Grafana can't render.
    pub(in super::super) warnings: Vec<String>,
}

/// All that is needed to ask.
pub(in super::super) struct Gathered {
    pub(in super::super) subjects: Vec<Subject>,
    /// The rules, and what is written beside them.
    pub(in super::super) objects: Vec<Object>,
    pub(in super::super) reached: Reached,
    pub(in super::super) facts: Facts,
    pub(in super::super) owner: Owner,
    /// The GrafanaInstance that is meant.
    pub(in super::super) instance: String,
    /// Whether the rules come from files.
    pub(in super::super) is_of_files: bool,
    /// The rules that Grafana has, where they were asked for.
    pub(in super::super) held: Vec<model::AlertRule>,
    /// What nothing can be said of, and why.
    pub(in super::super) failed: Vec<String>,
}

impl Whom {
    pub(in super::super) async fn gather(&self, reads_rules: bool) -> Result<Gathered, String> {
        let is_of_files = self.files.are_named();
        if !is_of_files && self.name.is_none() {
            wrong("no rule is named: give the name of an AlertRule in the cluster, or files with -f");
        }
        let is_alone = self.grafana.is_given() && is_of_files;
        let cluster = if is_alone {
            None
        } else {
            Some(self.cluster.connect(&Scope::default()).await?)
        };
        let (objects, mut failed) = match &cluster {
            Some(cluster) if !is_of_files => (vec![self.find(cluster).await?], Vec::new()),
            _ => self.read(cluster.as_ref())?,
        };
        let meant: Vec<&Object> = objects.iter().filter(|object| self.means(object)).collect();
        let instance = chosen(self.grafana.instance.as_deref(), &meant);
        let (meant, others): (Vec<&Object>, Vec<&Object>) = meant
            .into_iter()
            .partition(|object| object.instances().contains(&instance.as_str()));
        if let (true, Some(other)) = (meant.is_empty(), others.first()) {
            return Err(elsewhere(other, &instance));
        }
        let written = objects.iter().find_map(|object| match &object.typed {
            Some(Typed::GrafanaInstance(found)) if object.name == instance => Some(&**found),
            _ => None,
        });
        let to = self.grafana.with_instance(&instance);
        let reached = to.reach(cluster.as_ref(), written).await?;
        reached.notes.iter().for_each(|text| self.note(text));
        let facts = facts(&reached).await?;
        let held = if reads_rules {
            self.rules(&reached).await?
        } else {
            Vec::new()
        };
        let owner = owner(&reached, cluster.as_ref(), &held).await?;
        let mut subjects = Vec::new();
        for object in meant {
            if let Some(Typed::AlertRule(found)) = &object.typed {
                match subject(object, found, &reached.spec, &facts, &owner) {
                    Ok(subject) => subjects.push(subject),
                    Err(why) => {
                        failed.push(format!("AlertRule {}/{}: {why}", object.namespace, object.name));
                    }
                }
            }
        }
        for other in &others {
            self.note(&elsewhere(other, &instance));
        }
        if subjects.is_empty() {
            return Err(if failed.is_empty() {
                self.missing(&objects)
            } else {
                failed.join("\n")
            });
        }
        Ok(Gathered {
            subjects,
            objects,
            reached,
            facts,
            owner,
            instance,
            is_of_files,
            held,
            failed,
        })
    }

    pub(in super::super) fn note(&self, text: &str) {
        if !self.quiet {
            note(text);
        }
    }

    /// Whether a resource is a rule that is asked for.
    fn means(&self, object: &Object) -> bool {
        let Some(Typed::AlertRule(rule)) = &object.typed else {
            return false;
        };
        match &self.name {
            Some(name) => object.name == *name,
            None => rule.spec.record.is_none(),
        }
    }

    /// What is in the files, and what of it can't be read. Where another rule is named that is no matter.
    fn read(&self, cluster: Option<&Connected>) -> Result<(Vec<Object>, Vec<String>), String> {
        let of_cluster = cluster.map(|cluster| cluster.namespace.clone());
        let namespace = of_cluster.or_else(|| self.cluster.namespace.clone());
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let (objects, unread) = self.files.readable(&namespace)?;
        let (failed, others): (Vec<_>, Vec<_>) = unread
            .into_iter()
            .partition(|(name, _)| self.name.is_none() || *name == self.name);
        for (_, why) in &others {
            self.note(why);
        }
        Ok((objects, failed.into_iter().map(|(_, why)| why).collect()))
    }

    async fn find(&self, cluster: &Connected) -> Result<Object, String> {
        let (name, namespace) = (self.name.as_deref().unwrap_or_default(), &cluster.namespace);
        let api: Api<AlertRule> = Api::namespaced(cluster.client.clone(), namespace);
        let found = api.get_opt(name).await;
        let found = found.map_err(|e| {
            format!(
                "cannot read AlertRule {name} in namespace {namespace}: {}",
                chain(&e)
            )
        })?;
        let Some(found) = found else {
            let hint = cluster
                .hint(&ApiResource::erase::<AlertRule>(&()), namespace, name)
                .await;
            return Err(format!(
                "there is no AlertRule {name} in namespace {namespace}{hint}"
            ));
        };
        let value = serde_json::to_value(found).map_err(|e| e.to_string())?;
        Ok(Object::new(value, namespace))
    }

    fn missing(&self, objects: &[Object]) -> String {
        let rules = || objects.iter().filter(|object| object.kind == "AlertRule");
        match &self.name {
            None => "there is no AlertRule in the files that has alerts".to_owned(),
            Some(name) => {
                let near = nearest(name, rules().map(|rule| rule.name.as_str()));
                let near = near.map_or_else(String::new, |near| format!("; there is {near}"));
                format!("no AlertRule {name} among the files{near}")
            }
        }
    }

    /// All rules that Grafana has.
    async fn rules(&self, reached: &Reached) -> Result<Vec<model::AlertRule>, String> {
        let grafana = &reached.grafana;
        let said = |e| reached.whose.why(&e);
        let settings = grafana.server.settings().await.map_err(said)?;
        grafana.apis.choose(&settings).await.map_err(said)?;
        grafana
            .rules
            .whole()
            .await
            .map_err(|e| format!("cannot read the rules that Grafana has: {}", said(e)))
    }
}

/// The GrafanaInstance that is named, or else the one that the rules are for; of several the usual one, where any is for that.
fn chosen(named: Option<&str>, meant: &[&Object]) -> String {
    let all = || meant.iter().flat_map(|object| object.instances());
    let usual = || {
        all()
            .find(|instance| *instance == DEFAULT_INSTANCE)
            .or_else(|| all().next())
    };
    named.or_else(usual).unwrap_or(DEFAULT_INSTANCE).to_owned()
}

/// Why nothing is said of a rule: in another Grafana it may be another one.
fn elsewhere(object: &Object, asked: &str) -> String {
    format!(
        "AlertRule {}/{} is for GrafanaInstance {}, and this asks {asked}: name its own with -i",
        object.namespace,
        object.name,
        object.instances().join(" and ")
    )
}

/// What Grafana says of itself.
async fn facts(reached: &Reached) -> Result<Facts, String> {
    let server = &reached.grafana.server;
    let settings = server
        .settings()
        .await
        .map_err(|e| format!("cannot ask Grafana: {}", reached.whose.why(&e)))?;
    let sources = server.data_sources().await;
    Ok(Facts {
        version: settings
            .version
            .as_deref()
            .and_then(Version::parse)
            .unwrap_or(Version::OLDEST),
        version_text: settings.version.unwrap_or_default(),
        min_interval: settings.min_interval,
        nested_folders: settings.nested_folders,
        toggles: settings.toggles,
        sources: sources.map_err(|e| format!("cannot read data sources: {}", reached.whose.why(&e)))?,
    })
}

/// Who the operator is: as the GrafanaInstance says, as the operator keeps it, or as rules are marked.
async fn owner(
    reached: &Reached,
    cluster: Option<&Connected>,
    held: &[model::AlertRule],
) -> Result<Owner, String> {
    let status = reached
        .declared
        .as_ref()
        .and_then(|declared| declared.status.as_ref());
    if let Some(told) = status.and_then(|status| Owner::parse(status.owner_id.as_deref()?)) {
        return Ok(told);
    }
    if let Some(cluster) = cluster
        && let Ok(Some(kept)) = cluster.owner().await
    {
        return Ok(kept);
    }
    let mut marks = held.iter().filter_map(|rule| rule.labels.get(OWNER_LABEL));
    let marked = marks.find_map(|mark| Owner::parse(mark.split('/').next()?));
    marked.or_else(|| Owner::parse(SOMEBODY)).ok_or_else(String::new)
}

fn subject(
    object: &Object,
    found: &AlertRule,
    instance: &GrafanaInstanceSpec,
    facts: &Facts,
    owner: &Owner,
) -> Result<Subject, String> {
    let spec = &found.spec;
    if spec.record.is_some() {
        return Err("it is a recording rule, which has no alerts".to_owned());
    }
    let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
    let source = if rule::needs_source(spec) {
        let default = instance.default_datasource.as_ref();
        let source = connection::source(facts, spec.datasource.as_ref(), default);
        Some(source.map_err(|refusal| refusal.message)?)
    } else {
        None
    };
    let uid = spec
        .uid
        .clone()
        .unwrap_or_else(|| owner.rule_uid(namespace, name));
    let wish = rule::wish(
        spec,
        &Surroundings {
            owner,
            uid: &uid,
            namespace,
            name,
            labels: &instance.labels,
            source,
            target: None,
            notification: None,
            external_url: &instance.url,
            version: facts.version,
            toggles: facts.toggles,
            min_interval: facts.min_interval,
        },
    );
    let prefix = instance.folder_prefix.as_deref().unwrap_or_default();
    let path = rule::folder_path(spec, namespace, prefix);
    let wish = wish.map_err(|refusal| refusal.message)?;
    Ok(Subject {
        object: object.clone(),
        rule: wish.rule,
        warnings: wish.warnings,
        folder: path.ok_or_else(|| spec.folder_uid.clone().unwrap_or_default()),
    })
}

impl Subject {
    /// How it is called in what is printed.
    pub(in super::super) fn called(&self) -> String {
        format!("{}/{}", self.object.namespace, self.object.name)
    }

    /// The same rule as it stands in Grafana: by its own mark, its uid, the mark of whomever, or its title if no other has it.
    pub(super) fn standing<'a>(&self, held: &'a [model::AlertRule]) -> Option<&'a model::AlertRule> {
        let mark = format!("/{}", self.called());
        let is_marked = |rule: &&model::AlertRule| {
            let label = rule.labels.get(OWNER_LABEL);
            label.is_some_and(|label| label.ends_with(&mark))
        };
        // Another cluster may have a rule of the same name in this Grafana.
        let own = self.rule.labels.get(OWNER_LABEL);
        let is_own = |rule: &&model::AlertRule| own.is_some() && rule.labels.get(OWNER_LABEL) == own;
        let by_own_mark = held.iter().find(is_own);
        let by_mark = || held.iter().find(is_marked);
        let by_uid = || held.iter().find(|rule| rule.uid == self.rule.uid);
        let by_title = || {
            let mut titled = held.iter().filter(|rule| rule.title == self.rule.title);
            titled.next().filter(|_| titled.next().is_none())
        };
        by_own_mark.or_else(by_uid).or_else(by_mark).or_else(by_title)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn marked(uid: &str, mark: &str) -> model::AlertRule {
        model::AlertRule {
            uid: uid.to_owned(),
            labels: std::iter::once((OWNER_LABEL.to_owned(), mark.to_owned())).collect(),
            ..model::AlertRule::default()
        }
    }

    #[test]
    fn a_rule_is_asked_of_the_grafana_that_it_is_for() {
        let rule = |name: &str, spec: serde_json::Value| {
            Object::new(
                json!({"kind": "AlertRule", "metadata": {"namespace": "shop", "name": name}, "spec": spec}),
                "",
            )
        };
        let (usual, staging) = (rule("a", json!({})), rule("b", json!({"instance": "staging"})));
        let both = rule("c", json!({"instances": ["eu", "us"]}));
        assert_eq!(chosen(None, &[&staging]), "staging");
        assert_eq!(chosen(None, &[&staging, &usual]), "default");
        assert_eq!(chosen(None, &[&both]), "eu");
        assert_eq!(chosen(Some("us"), &[&both]), "us");
        assert_eq!(chosen(Some("default"), &[&staging]), "default");
        assert_eq!(chosen(None, &[]), "default");
        assert_eq!(
            elsewhere(&both, "default"),
            "AlertRule shop/c is for GrafanaInstance eu and us, and this asks default: name its own with -i"
        );
    }

    #[test]
    fn a_text_that_grafana_cannot_render_is_known() {
        let data = json!([{"refId": "A", "datasourceUid": "p", "model": {}}]);
        let spec = json!({"data": data, "condition": "A", "annotations": {"summary": "{{ humanise 3 }}"}});
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"namespace": "shop", "name": "a"}, "spec": spec,
        });
        let object = Object::new(object, "");
        let Some(Typed::AlertRule(rule)) = &object.typed else {
            panic!("no rule")
        };
        let instance = serde_json::from_value(json!({"url": "http://grafana", "auth": {}})).unwrap();
        let facts = Facts {
            version_text: String::new(),
            version: Version::OLDEST,
            min_interval: std::time::Duration::from_secs(10),
            nested_folders: true,
            toggles: crate::grafana::wire::Toggles::default(),
            sources: Vec::new(),
        };
        let owner = Owner::parse("own").unwrap();
        let subject = subject(&object, rule, &instance, &facts, &owner).unwrap();
        let warnings = subject.warnings.join("\n");
        assert!(
            warnings.contains("spec.annotations[summary]: Grafana has no function humanise"),
            "{warnings}"
        );
    }

    #[test]
    fn of_rules_of_several_clusters_the_own_one_is_compared() {
        let named = json!({"kind": "AlertRule", "metadata": {"namespace": "shop", "name": "errors"}});
        let subject = Subject {
            object: Object::new(named, ""),
            rule: marked("c", "own/shop/errors"),
            folder: Ok(String::new()),
            warnings: Vec::new(),
        };
        let (other, own) = (marked("a", "other/shop/errors"), marked("b", "own/shop/errors"));
        let standing = |held: &[model::AlertRule]| subject.standing(held).map(|rule| rule.uid.clone());
        assert_eq!(standing(&[other.clone(), own]).as_deref(), Some("b"));
        // Who the operator is may not be known.
        assert_eq!(standing(&[other]).as_deref(), Some("a"));
    }
}
