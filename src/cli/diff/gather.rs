//! What there is: the resources of the cluster, of files in their place, and the Grafana.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};

use super::super::common::connect::{Cluster, Connected, Reached, Scope, ToGrafana, Whose, hint};
use super::super::common::files::Files;
use super::asked::{Asked, absent, adopting, unconnected};
use super::written::{Written, applied, read};
use crate::api::{ANNOTATION_ADOPT, ContactPoint, GrafanaInstance, NotificationPolicy};
use crate::cluster::rehearsed::{Seen, Stage, rehearsed};
use crate::controller::engine::managed::Managed;
use crate::controller::run::rehearsal::{Cast, Name, Play};
use crate::domain::lint::object::Typed;
use crate::domain::notification::contact_point;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::tenancy;

/// Where the operator is as far as files tell.
const NOWHERE: &str = "alertwright-system";

/// What is to be compared.
pub(super) struct Wanted<'a> {
    pub(super) files: &'a Files,
    pub(super) cluster: &'a Cluster,
    pub(super) scope: &'a Scope,
    pub(super) grafana: &'a ToGrafana,
    pub(super) owner_id: Option<&'a Owner>,
    pub(super) asked: &'a Asked<'a>,
    /// As if those that are told of took over what somebody else has made.
    pub(super) adopts: bool,
}

/// What a comparison needs.
pub(super) struct Gathered {
    pub(super) play: Play,
    pub(super) cast: Cast,
    /// The resources that are told of.
    pub(super) selected: BTreeSet<Name>,
    /// The Secrets of each contact point, as namespace and name.
    pub(super) secrets: BTreeMap<Name, BTreeSet<String>>,
    /// The rules that name their folder by its uid.
    pub(super) by_uid: BTreeSet<Name>,
    /// The rules with a `query`, whose texts the operator writes anew.
    pub(super) by_query: BTreeSet<Name>,
    pub(super) owners: Owners,
    pub(super) seen: Arc<Seen>,
    /// What of files an API server would refuse, and why.
    pub(super) refused: Vec<(Name, String)>,
    /// What people should know of how it was found out.
    pub(super) notes: Vec<String>,
    pub(super) has_cluster: bool,
    /// As whom Grafana is asked.
    pub(super) whose: Whose,
}

pub(super) async fn gather(diff: &Wanted<'_>) -> Result<Gathered, String> {
    let is_alone = diff.grafana.is_given() && diff.files.are_named() && diff.owner_id.is_some();
    let cluster = if is_alone {
        None
    } else {
        let connected = diff.cluster.connect(diff.scope).await;
        let may_be_alone = diff.grafana.is_given() && diff.files.are_named();
        Some(connected.map_err(|why| unconnected(&why, may_be_alone))?)
    };
    let namespace = match &cluster {
        Some(cluster) => cluster.namespace.clone(),
        None => diff
            .cluster
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
    };
    let written = if diff.files.are_named() {
        Some(read(
            diff.files,
            (diff.asked, diff.grafana.instance()),
            &namespace,
        )?)
    } else {
        None
    };
    let mut reached = diff
        .grafana
        .reach(cluster.as_ref(), instance(diff, written.as_ref()))
        .await?;
    let owner = owner(diff, cluster.as_ref(), &reached).await?;
    let mut gathering = Gathering {
        name: diff.grafana.instance(),
        cluster: cluster.as_ref(),
        written: written.as_ref(),
        namespace: (!diff.scope.whole.all_namespaces).then_some(namespace.as_str()),
        asked: diff.asked,
        adopts: diff.adopts,
        selected: BTreeSet::new(),
        elsewhere: 0,
        theirs: BTreeMap::new(),
        there: BTreeSet::new(),
        notes: std::mem::take(&mut reached.notes),
    };
    let cast = gathering.cast().await?;
    gathering.end()?;
    let (selected, notes) = (gathering.selected, gathering.notes);
    let by_uid = cast.rules.iter().filter(|rule| rule.spec.folder_uid.is_some());
    let by_uid = by_uid.map(called).collect();
    let by_query = cast.rules.iter().filter(|rule| rule.spec.query.is_some());
    let by_query = by_query.map(called).collect();
    let secrets = cast.contact_points.iter().map(secrets).collect();
    let mut declared = reached
        .declared
        .unwrap_or_else(|| GrafanaInstance::new(diff.grafana.instance(), reached.spec.clone()));
    declared.spec = reached.spec;
    let home = cluster
        .as_ref()
        .map_or(NOWHERE, |cluster| &cluster.home)
        .to_owned();
    declared.metadata.name = Some(diff.grafana.instance().to_owned());
    declared.metadata.namespace = Some(home.clone());
    let namespaces = match &cluster {
        Some(cluster) if tenancy::selector(&declared.spec).is_some() => namespaces(cluster).await?,
        _ => Vec::new(),
    };
    let seen: Arc<Seen> = Arc::default();
    let (others, refused) = written.map_or_else(Default::default, |all| (all.others, all.refused));
    let stage = Stage {
        objects: others,
        keys: keys(&cast),
    };
    let owners = Owners::new(owner.clone(), &declared.spec.previous_owner_ids);
    Ok(Gathered {
        play: Play {
            client: rehearsed(cluster.map(|cluster| cluster.client), stage, &seen),
            home,
            owner,
            instance: declared,
            grafana: reached.grafana,
            namespaces,
        },
        cast,
        selected,
        secrets,
        by_uid,
        by_query,
        owners,
        seen,
        refused,
        notes,
        has_cluster: !is_alone,
        whose: reached.whose,
    })
}

/// The GrafanaInstance that files say.
fn instance<'a>(diff: &Wanted<'_>, written: Option<&'a Written>) -> Option<&'a GrafanaInstance> {
    let objects = written.into_iter().flat_map(|written| &written.objects);
    let mut instances = objects.filter_map(|object| match &object.typed {
        Some(Typed::GrafanaInstance(instance)) => Some(&**instance),
        _ => None,
    });
    instances.find(|instance| instance.name_any() == diff.grafana.instance())
}

/// Whose objects in Grafana are the operator's.
async fn owner(diff: &Wanted<'_>, cluster: Option<&Connected>, reached: &Reached) -> Result<Owner, String> {
    if let Some(owner) = diff.owner_id {
        return Ok(owner.clone());
    }
    let status = reached
        .declared
        .as_ref()
        .and_then(|declared| declared.status.as_ref());
    let told = status.and_then(|status| Owner::parse(status.owner_id.as_deref()?));
    if let Some(told) = told {
        return Ok(told);
    }
    let Some(cluster) = cluster else {
        return Err("the operator's owner id isn't known: give it with --owner-id".to_owned());
    };
    let kept = cluster
        .owner()
        .await
        .map_err(|why| format!("{why}; give it with --owner-id"))?;
    kept.ok_or_else(|| {
        format!(
            "no operator has worked in namespace {} yet, so what is its own in Grafana isn't known: name its namespace with --operator-namespace, or its owner id with --owner-id",
            cluster.home
        )
    })
}

/// The labels of all namespaces.
async fn namespaces(cluster: &Connected) -> Result<Vec<PartialObjectMeta<Namespace>>, String> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    let all = api.list_metadata(&ListParams::default()).await;
    let all = all.map_err(|e| format!("cannot list namespaces: {}", crate::cluster::answer::chain(&e)))?;
    Ok(all.items)
}

fn called<K: Managed>(object: &K) -> Name {
    Name {
        kind: K::KIND,
        namespace: object.ns().to_owned(),
        name: object.id().to_owned(),
    }
}

/// The Secrets of a contact point.
fn secrets(point: &ContactPoint) -> (Name, BTreeSet<String>) {
    let all = contact_point::references(&point.spec).0.into_iter();
    let all = all.map(|secret| format!("{}/{}", point.ns(), secret.name));
    (called(point), all.collect())
}

/// Which keys are asked of which Secrets.
fn keys(cast: &Cast) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut keys: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for point in &cast.contact_points {
        for secret in contact_point::references(&point.spec).0 {
            let place = (point.ns().to_owned(), secret.name.clone());
            keys.entry(place).or_default().insert(secret.key.clone());
        }
    }
    keys
}

struct Gathering<'a> {
    name: &'a str,
    cluster: Option<&'a Connected>,
    written: Option<&'a Written>,
    /// The one whose resources are told of; all where none is named.
    namespace: Option<&'a str>,
    asked: &'a Asked<'a>,
    adopts: bool,
    selected: BTreeSet<Name>,
    /// How many resources of files are for other instances.
    elsewhere: usize,
    /// The instances of those that somebody asks for by name and that aren't for this one, by kind and name.
    theirs: BTreeMap<(&'static str, String), BTreeSet<String>>,
    /// What there is in the cluster of the kinds of which somebody names one.
    there: BTreeSet<Name>,
    notes: Vec<String>,
}

impl Gathering<'_> {
    async fn cast(&mut self) -> Result<Cast, String> {
        macro_rules! of {
            ($kind:ident) => {
                self.kind(|typed| match typed {
                    Typed::$kind(object) => Some((**object).clone()),
                    _ => None,
                })
                .await?
            };
        }
        Ok(Cast {
            rules: of!(AlertRule),
            contact_points: of!(ContactPoint),
            policies: of!(NotificationPolicy),
            time_intervals: of!(TimeInterval),
            templates: of!(NotificationTemplate),
            inhibition_rules: of!(InhibitionRule),
            silences: of!(Silence),
        })
    }

    /// The resources of a kind that this Grafana has, or is to have, each as it is there.
    async fn kind<K: Managed>(&mut self, of: impl Fn(&Typed) -> Option<K>) -> Result<Vec<K>, String> {
        let mut all: BTreeMap<(String, String), K> = BTreeMap::new();
        let place = |object: &K| (object.ns().to_owned(), object.id().to_owned());
        let is_named = self
            .asked
            .only
            .iter()
            .any(|(kind, name)| kind == K::KIND && name.is_some());
        for object in self.list::<K>().await? {
            if is_named {
                self.there.insert(called(&object));
            }
            all.insert(place(&object), object);
        }
        let objects = self.written.into_iter().flat_map(|written| &written.objects);
        let mut files = BTreeSet::new();
        for object in objects {
            let Some(mut typed) = object.typed.as_ref().and_then(&of) else {
                continue;
            };
            typed.meta_mut().namespace = Some(object.namespace.clone());
            let key = place(&typed);
            let applied = applied(typed, all.get(&key));
            files.insert(key.clone());
            all.insert(key, applied);
        }
        let mut here = Vec::new();
        for (key, object) in all {
            let labels = object.meta().labels.clone().unwrap_or_default();
            let is_meant = files.contains(&key) && self.asked.is_meant(K::KIND, object.id(), &labels);
            let wanted: Vec<String> = object.wanted().into_iter().map(str::to_owned).collect();
            if let Some(object) = self.here(object) {
                here.push(object);
                continue;
            }
            self.elsewhere += usize::from(is_meant);
            let is_written = files.contains(&key);
            let (namespace, name) = key;
            // Files are asked whatever the namespace is.
            let is_in_namespace = self.namespace.is_none_or(|own| own == namespace);
            if is_written || self.written.is_none() && is_in_namespace {
                self.theirs.entry((K::KIND, name)).or_default().extend(wanted);
            }
        }
        for object in &mut here {
            let is_in_scope = if self.written.is_some() {
                files.contains(&place(object))
            } else {
                self.namespace.is_none_or(|namespace| namespace == object.ns())
            };
            let labels = object.meta().labels.clone().unwrap_or_default();
            if is_in_scope && self.asked.is_meant(K::KIND, object.id(), &labels) {
                self.selected.insert(called(object));
                if self.adopts {
                    let annotations = object.meta_mut().annotations.get_or_insert_default();
                    let asks = adopting(K::KIND, annotations.get(ANNOTATION_ADOPT).map(String::as_str));
                    annotations.insert(ANNOTATION_ADOPT.to_owned(), asks);
                }
            }
        }
        Ok(here)
    }

    /// Those of files that an API server would refuse.
    fn refused(&self) -> impl Iterator<Item = &Name> {
        let refused = self.written.into_iter().flat_map(|written| &written.refused);
        refused.map(|(name, _)| name)
    }

    /// Says what isn't compared. Fails where somebody asks for what isn't there, for that it is equal would be no answer.
    fn end(&mut self) -> Result<(), String> {
        let elsewhere = match self.elsewhere {
            0 => String::new(),
            1 => format!(
                "1 resource in the files is for another GrafanaInstance than {}",
                self.name
            ),
            more => format!(
                "{more} resources in the files are for other GrafanaInstances than {}",
                self.name
            ),
        };
        let place = match (self.written.is_some(), self.namespace) {
            (true, _) => "in the files".to_owned(),
            (false, Some(namespace)) => format!("in namespace {namespace}"),
            (false, None) => "in the cluster".to_owned(),
        };
        let more = match self.elsewhere {
            0 => String::new(),
            _ => format!("; {elsewhere}: name theirs with --instance"),
        };
        for (kind, name) in self.asked.only {
            let Some(name) = name else { continue };
            let is_it = |selected: &Name| selected.kind == kind && selected.name == *name;
            if !self.selected.iter().chain(self.refused()).any(is_it) {
                let theirs = self
                    .theirs
                    .iter()
                    .find(|((own, id), _)| own == kind && id == name);
                let theirs = theirs.map(|(_, instances)| (instances, self.name));
                let near = match self.namespace {
                    Some(namespace) if self.written.is_none() => {
                        let there = self.there.iter().filter(|there| there.kind == kind);
                        hint(
                            namespace,
                            name,
                            there.map(|there| (&*there.namespace, &*there.name)),
                        )
                    }
                    _ => String::new(),
                };
                return Err(absent(
                    &format!("{kind}/{name}"),
                    &place,
                    theirs,
                    &format!("{near}{more}"),
                ));
            }
        }
        if self.selected.is_empty() && self.refused().next().is_none() {
            let name = self.name;
            return Err(format!(
                "nothing is compared: no resource {place} is asked for and has GrafanaInstance {name}{more}"
            ));
        }
        if !elsewhere.is_empty() {
            self.notes.push(format!("{elsewhere}, and not compared"));
        }
        Ok(())
    }

    /// What a resource is in this Grafana.
    fn here<K: Managed>(&self, object: K) -> Option<K> {
        let parts = object.projections();
        if parts.is_empty() {
            return Some(object).filter(|object| object.instance() == self.name);
        }
        parts.into_iter().find(|part| part.instance() == self.name)
    }

    /// All of a kind in the cluster, or those of the namespace where nobody may see more.
    async fn list<K: Managed>(&mut self) -> Result<Vec<K>, String> {
        let Some(cluster) = self.cluster else {
            return Ok(Vec::new());
        };
        match (cluster.list::<K>().await, self.namespace) {
            (Ok(all), _) => Ok(all),
            (Err(why), None) => Err(why),
            (Err(why), Some(namespace)) => {
                let some = cluster.list_in::<K>(namespace).await.map_err(|_| why)?;
                if K::KIND == NotificationPolicy::KIND {
                    self.notes.push(format!(
                        "resources of other namespaces than {namespace} can't be seen: what they have in Grafana counts as somebody else's"
                    ));
                }
                Ok(some)
            }
        }
    }
}
