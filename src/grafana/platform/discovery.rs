//! Which kinds there are: `/apis` lists all groups with their versions, kinds and verbs in one answer.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

use crate::grafana::error::{Class, Error, Result};
use crate::grafana::transport::{Call, Transport};
use crate::grafana::wire::null_as_default;

/// Asks for the kinds and verbs of everything at once. Who doesn't know that form answers with the names of groups and versions alone. It is
/// Kubernetes' aggregated discovery, v2 from 1.30 on; Grafana's own frontend asks so (`public/app/features/apiserver/discovery.ts`).
const WITH_KINDS: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A kind in the best of the versions that this client speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::grafana) struct Kind {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    /// Whether changes can be watched. No storage of alerting could up to 13.3.
    pub(in crate::grafana) is_watchable: bool,
}

impl Kind {
    /// As `apiVersion` has it.
    pub(in crate::grafana) fn group_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }
}

/// What is needed of a kind: that it can be read, and for what else.
#[derive(Debug, Clone, Copy)]
pub(in crate::grafana) struct Need {
    pub(in crate::grafana) plural: &'static str,
    /// The verbs of its writes.
    pub(in crate::grafana) writes: &'static [&'static str],
}

impl Need {
    /// A kind that is only read.
    pub(in crate::grafana) const fn to_read(plural: &'static str) -> Self {
        Self { plural, writes: &[] }
    }

    /// A kind whose objects are made, changed and removed.
    pub(in crate::grafana) const fn to_write(plural: &'static str) -> Self {
        Self {
            plural,
            writes: &["create", "update", "delete"],
        }
    }

    /// A kind whose objects are there, and are changed and reset.
    pub(in crate::grafana) const fn to_change(plural: &'static str) -> Self {
        Self {
            plural,
            writes: &["update", "delete"],
        }
    }

    /// A kind whose objects are made by others, and removed.
    pub(in crate::grafana) const fn to_remove(plural: &'static str) -> Self {
        Self {
            plural,
            writes: &["delete"],
        }
    }
}

/// What is below `/apis` at one moment: looked at when it is first asked for, with one call for all groups.
pub(in crate::grafana) struct Discovery<'a> {
    transport: &'a Transport,
    /// `None` where `/apis` isn't answered.
    shown: OnceCell<Option<Groups>>,
    /// What single versions of groups were asked for, where that isn't shown. They are few.
    asked: Mutex<Vec<(&'static str, &'static str, Arc<Resources>)>>,
}

impl<'a> Discovery<'a> {
    pub(in crate::grafana) fn new(transport: &'a Transport) -> Self {
        Self {
            transport,
            shown: OnceCell::new(),
            asked: Mutex::default(),
        }
    }

    /// Whether `/apis` is answered. Where it isn't, what stands in front of Grafana may let single groups through all the same. What may be over
    /// soon is an error.
    pub(in crate::grafana) async fn is_shown(&self) -> Result<bool> {
        Ok(self.shown().await?.is_some())
    }

    /// These kinds of a group, in the first of these versions that has all of them, if they can be read and written there as is needed. Takes no call
    /// but the one for all groups, unless that isn't answered, or with names alone: then one for each version that is looked at. Nothing is there
    /// where Grafana doesn't let it be seen, or has no `/apis` at all; what may be over soon is an error.
    pub(in crate::grafana) async fn find<const N: usize>(
        &self,
        group: &'static str,
        needs: [Need; N],
        versions: &[&'static str],
    ) -> Result<Option<[Kind; N]>> {
        let shown = self.shown().await?;
        for version in versions {
            let told = match shown.map(|groups| groups.version(group, version)) {
                Some(None) => continue,
                Some(Some(version)) => version.kinds(),
                None => None,
            };
            let asked = match told {
                Some(_) => Arc::default(),
                None => self.asked(group, version).await?,
            };
            let served = told.unwrap_or(&asked.resources);
            let found = needs.iter().map(|need| usable(served, group, version, *need));
            let found: Option<Vec<Kind>> = found.collect();
            if let Some(found) = found.and_then(|found| found.try_into().ok()) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The kinds of one version. Who comes second waits for the first one's answer.
    async fn asked(&self, group: &'static str, version: &'static str) -> Result<Arc<Resources>> {
        let mut asked = self.asked.lock().await;
        if let Some((.., found)) = asked.iter().find(|(g, v, _)| (*g, *v) == (group, version)) {
            return Ok(found.clone());
        }
        let found = Arc::new(kinds(self.transport, group, version).await?);
        asked.push((group, version, found.clone()));
        Ok(found)
    }

    async fn shown(&self) -> Result<Option<&Groups>> {
        let shown = self.shown.get_or_try_init(|| groups(self.transport)).await?;
        Ok(shown.as_ref())
    }
}

async fn groups(transport: &Transport) -> Result<Option<Groups>> {
    let call = Call::get("apis.groups", "apis", &[])
        .of_one()
        .accepting(WITH_KINDS);
    if_served(transport.fetch(call).await)
}

async fn kinds(transport: &Transport, group: &str, version: &str) -> Result<Resources> {
    let call = Call::get("apis.kinds", "apis", &[group, version]).of_one();
    Ok(if_served(transport.fetch(call).await)?.unwrap_or_default())
}

/// All groups: an `APIGroupDiscoveryList`, or the `APIGroupList` of who doesn't know it.
#[derive(Deserialize)]
struct Groups {
    #[serde(alias = "groups", deserialize_with = "null_as_default")]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    /// In the older form.
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "version")]
    name: String,
    /// `Stale` where Grafana couldn't ask the server behind it.
    freshness: Option<String>,
    resources: Option<Vec<Resource>>,
}

/// The kinds of a version, `APIResourceList`.
#[derive(Default, Deserialize)]
struct Resources {
    #[serde(default, deserialize_with = "null_as_default")]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(alias = "resource")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    verbs: Vec<String>,
}

impl Groups {
    fn version(&self, group: &str, version: &str) -> Option<&Version> {
        let mut groups = self.items.iter();
        let group = groups.find(|one| one.name == group || one.metadata.name == group)?;
        group.versions.iter().find(|one| one.name == version)
    }
}

impl Version {
    /// Its kinds, unless it has to be asked.
    fn kinds(&self) -> Option<&[Resource]> {
        let is_stale = self.freshness.as_deref() == Some("Stale");
        self.resources.as_deref().filter(|_| !is_stale)
    }
}

fn usable(served: &[Resource], group: &'static str, version: &'static str, need: Need) -> Option<Kind> {
    let Need { plural, writes } = need;
    let resource = served.iter().find(|resource| resource.name == plural)?;
    let can = |verb: &&str| resource.verbs.iter().any(|known| known == verb);
    let mut needed = ["get", "list"].iter().chain(writes);
    needed.all(can).then(|| Kind {
        group,
        version,
        plural,
        is_watchable: can(&"watch"),
    })
}

/// What has no `/apis`, or doesn't let it be seen, answers in many ways, a page among them.
fn if_served<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::Decode { .. }) => Ok(None),
        Err(Error::NotGrafana { status, .. }) if status < 500 && status != 429 => Ok(None),
        Err(error) if matches!(error.class(), Class::Missing | Class::Forbidden | Class::Rejected) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
