//! Which kinds there are: `/apis` lists the groups with their versions, and each version its kinds with their verbs.

use serde::Deserialize;

use crate::grafana::error::{Class, Error, Result};
use crate::grafana::transport::{Call, Transport};
use crate::grafana::wire::null_as_default;

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

#[derive(Deserialize)]
struct Groups {
    #[serde(default, deserialize_with = "null_as_default")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Resources {
    #[serde(default, deserialize_with = "null_as_default")]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    verbs: Vec<String>,
}

/// The kind in the first of these versions that Grafana serves, if it can be read there. Nothing is there where Grafana doesn't let it be seen,
/// or has no `/apis` at all; what may be over soon is an error.
pub(in crate::grafana) async fn find(
    transport: &Transport,
    (group, plural): (&'static str, &'static str),
    versions: &[&'static str],
) -> Result<Option<Kind>> {
    let groups: Option<Groups> = if_served(transport.fetch(Call::get("apis.groups", "apis", &[])).await)?;
    let served: Vec<Version> = groups
        .into_iter()
        .flat_map(|groups| groups.groups)
        .filter(|found| found.name == group)
        .flat_map(|found| found.versions)
        .collect();
    let is_served = |version: &&&str| served.iter().any(|served| served.version == **version);
    let Some(version) = versions.iter().find(is_served) else {
        return Ok(None);
    };
    let call = Call::get("apis.kinds", "apis", &[group, version]);
    let resources: Option<Resources> = if_served(transport.fetch(call).await)?;
    let mut resources = resources.into_iter().flat_map(|resources| resources.resources);
    let Some(resource) = resources.find(|resource| resource.name == plural) else {
        return Ok(None);
    };
    let can = |verb: &str| resource.verbs.iter().any(|known| known == verb);
    Ok((can("get") && can("list")).then(|| Kind {
        group,
        version,
        plural,
        is_watchable: can("watch"),
    }))
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
