//! What Grafana says of itself and of the token.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::facts::Asked;
use super::{Check, Verdict};
use crate::api::reference::DatasourceRef;
use crate::controller::connection::{self, Facts};
use crate::domain::refusal::counted;
use crate::domain::version::Version;

/// The scheduler's base interval unless somebody has changed it.
const USUAL: Duration = Duration::from_secs(10);
/// How many of the fields that a version lacks are named.
const SHOWN: usize = 4;
/// The release from which on the API below `/apis` is used, which asks for the right to set a provenance.
const PLATFORM: u32 = 13;
const PROVENANCE: &str = "alert.provisioning.provenance:write";

/// What the operator does in Grafana, and the sets of rights of which it needs one. From each version's `authorization.go`, as docs/grafana-versions.md
/// has it.
const NEEDS: [(&str, &[&[&str]]); 5] = [
    (
        "write rules",
        &[
            &["alert.provisioning:write"],
            &["alert.rules.provisioning:write"],
            &[
                "alert.rules:create",
                "alert.rules:write",
                "alert.rules:delete",
                PROVENANCE,
            ],
        ],
    ),
    (
        "write contact points and policies",
        &[
            &["alert.provisioning:write"],
            &["alert.notifications.provisioning:write"],
            &["alert.notifications:write", PROVENANCE],
            &[
                "alert.notifications.receivers:write",
                "alert.notifications.routes:write",
                PROVENANCE,
            ],
        ],
    ),
    ("make folders", &[&["folders:create"]]),
    (
        "write silences",
        &[
            &["alert.instances:create", "alert.instances:write"],
            &["alert.silences:create", "alert.silences:write"],
        ],
    ),
    (
        "read and query data sources",
        &[&["datasources:read", "datasources:query"]],
    ),
];

/// That a Grafana was reached, and its version.
pub(in super::super) fn reached(name: &str, url: &str, said: Option<&str>) -> Check {
    let Some(said) = said else {
        return Check::doubt(
            name,
            format!("{url} answers, and hides its version"),
            "nothing need be done",
        );
    };
    match Version::parse(said) {
        Some(version) if version < Version::OLDEST => Check::bad(
            name,
            format!("{url} is {said}, which is too old"),
            format!(
                "upgrade Grafana to {}.{} or newer",
                Version::OLDEST.major,
                Version::OLDEST.minor
            ),
        ),
        _ => Check::good(name, format!("{url} is {said}")),
    }
}

/// What else it says.
pub(in super::super) fn of_grafana(name: &str, asked: &Asked, default: Option<&DatasourceRef>) -> Vec<Check> {
    vec![
        token(format!("{name}: token"), asked),
        lacks(format!("{name}: version"), asked),
        source(format!("{name}: data source"), asked, default),
        interval(format!("{name}: base interval"), asked.min_interval),
    ]
}

fn token(name: String, asked: &Asked) -> Check {
    let held = match &asked.permissions {
        Ok(held) => held,
        Err(why) => return Check::unseen(name, why),
    };
    if held.is_empty() {
        return Check::doubt(
            name,
            "Grafana doesn't say what it may do",
            "give it the role Admin: docs/install.md",
        );
    }
    let (able, missing): (Vec<_>, Vec<_>) = NEEDS.iter().partition(|(_, sets)| {
        let mut sets = sets.iter();
        sets.any(|set| set.iter().all(|right| held.contains_key(*right)))
    });
    let named = |all: &[&(&'static str, &[&[&str]])]| {
        let names: Vec<&str> = all.iter().map(|(what, _)| *what).collect();
        names.join(", ")
    };
    let whose = if asked.is_own_token { "yours" } else { "it" };
    if !missing.is_empty() {
        let able = match able.len() {
            0 => String::new(),
            _ => format!(", and may {}", named(&able)),
        };
        let message = format!("{whose} may not {}{able}", named(&missing));
        let cure = "give the service account the role Admin, or the rights in docs/install.md";
        // Of the operator's own nothing is known by somebody else's.
        return if asked.is_own_token {
            Check::doubt(name, message, "that of the operator needs it; yours need not")
        } else {
            Check::bad(name, message, cure)
        };
    }
    if needs_provenance(asked) && !held.contains_key(PROVENANCE) {
        return Check::doubt(
            name,
            format!("{whose} may not set a provenance: the older API is used"),
            "give it the role fixed:alerting.provisioning.provenance:writer",
        );
    }
    let like = if is_admin(held) {
        ", as the role Admin may"
    } else {
        ""
    };
    Check::good(name, format!("{whose} may do all that the operator does{like}"))
}

/// By rights that no lesser role has. Which role a service account has Grafana tells administrators alone.
fn is_admin(held: &BTreeMap<String, Vec<String>>) -> bool {
    [
        "alert.provisioning:write",
        "folders.permissions:write",
        "datasources:create",
    ]
    .iter()
    .all(|right| held.contains_key(*right))
}

fn needs_provenance(asked: &Asked) -> bool {
    let version = asked.version.as_deref().and_then(Version::parse);
    version.is_none_or(|version| version.major >= PLATFORM)
}

fn lacks(name: String, asked: &Asked) -> Check {
    let version = asked
        .version
        .as_deref()
        .and_then(Version::parse)
        .unwrap_or(Version::OLDEST);
    let lacking = version.lacks(asked.toggles);
    if lacking.is_empty() {
        return Check::good(name, "has all that resources may say");
    }
    let named: Vec<&str> = lacking.iter().take(SHOWN).map(String::as_str).collect();
    let more = match lacking.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Check::doubt(
        name,
        format!(
            "lacks {}: {}{more}",
            counted(lacking.len(), "field"),
            named.join(", ")
        ),
        "upgrade Grafana where you need them; alertwright check --grafana-version finds who does",
    )
}

fn source(name: String, asked: &Asked, default: Option<&DatasourceRef>) -> Check {
    let sources = match &asked.sources {
        Ok(sources) => sources.clone(),
        Err(why) => return Check::unseen(name, why),
    };
    let facts = Facts {
        version_text: String::new(),
        version: Version::OLDEST,
        min_interval: asked.min_interval,
        nested_folders: true,
        toggles: asked.toggles,
        sources,
    };
    match connection::source(&facts, None, default) {
        Ok(found) => Check::good(
            name,
            format!("{} ({}), where a rule names none", found.name, found.r#type),
        ),
        Err(refusal) => Check {
            verdict: if default.is_some() {
                Verdict::Bad
            } else {
                Verdict::Doubt
            },
            ..Check::doubt(
                name,
                refusal.message,
                "name one in defaultDatasource of the GrafanaInstance",
            )
        },
    }
}

fn interval(name: String, base: Duration) -> Check {
    let seconds = base.as_secs_f64();
    let message = format!("{seconds} s: intervals of rules are multiples of it");
    if base <= USUAL {
        return Check::good(name, message);
    }
    Check::doubt(
        name,
        message,
        "write intervals accordingly, or lower min_interval in Grafana's settings",
    )
}
