//! What Grafana says of itself and of the token.

use std::time::Duration;

use super::super::facts::Asked;
use super::{Check, Verdict, rights};
use crate::api::reference::DatasourceRef;
use crate::controller::connection::{self, Facts};
use crate::domain::refusal::counted;
use crate::domain::version::Version;

/// The scheduler's base interval unless somebody has changed it.
const USUAL: Duration = Duration::from_secs(10);
/// How many of the fields that a version lacks are named.
const SHOWN: usize = 4;
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
        rights::token(format!("{name}: token"), asked),
        lacks(format!("{name}: version"), asked),
        source(format!("{name}: data source"), asked, default),
        interval(format!("{name}: base interval"), asked.min_interval),
    ]
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
