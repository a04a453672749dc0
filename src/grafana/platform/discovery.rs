//! Which kinds there are: below `/apis` each version of a group lists its kinds with their verbs.

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

/// These kinds of a group, in the first of these versions that has all of them, if they can be read and written there as is needed. One call for each
/// version that is looked at. Nothing is there where Grafana doesn't let it be seen, or has no `/apis` at all; what may be over soon is an error.
pub(in crate::grafana) async fn find<const N: usize>(
    transport: &Transport,
    group: &'static str,
    needs: [Need; N],
    versions: &[&'static str],
) -> Result<Option<[Kind; N]>> {
    for version in versions {
        let call = Call::get("apis.kinds", "apis", &[group, version]);
        let served: Option<Resources> = if_served(transport.fetch(call).await)?;
        let served = served.map(|served| served.resources).unwrap_or_default();
        let kinds = needs.iter().map(|need| usable(&served, group, version, *need));
        let kinds: Option<Vec<Kind>> = kinds.collect();
        if let Some(kinds) = kinds.and_then(|kinds| kinds.try_into().ok()) {
            return Ok(Some(kinds));
        }
    }
    Ok(None)
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
