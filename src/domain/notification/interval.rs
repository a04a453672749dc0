//! Which time interval is meant where one is named.

use crate::api::condition::Reason;
use crate::api::reference::TimeIntervalRef;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;

const MUTE: &str = "muteTimeIntervals";
const ACTIVE: &str = "activeTimeIntervals";
const ACTIVE_REFS: &str = "activeTimeIntervalRefs";

/// What a reference to a time interval is to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interval {
    /// A TimeInterval resource.
    Resource {
        /// Its namespace; `None` for the one of whoever refers to it.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// A time interval of Grafana that isn't a resource.
    Grafana {
        /// Its name.
        name: String,
    },
}

/// The time intervals that somebody names, by the fields that do, each with its names and its references: those in which nothing is sent, and those
/// outside of which nothing is.
pub type Timings<'a> = [(&'static str, &'a [String], &'a [TimeIntervalRef]); 2];

/// The time intervals that these fields name.
pub fn timings<'a>(
    mute: (&'a [String], &'a [TimeIntervalRef]),
    active: (&'a [String], &'a [TimeIntervalRef]),
) -> Timings<'a> {
    [(MUTE, mute.0, mute.1), (ACTIVE, active.0, active.1)]
}

/// What is named, of whatever it is. What isn't one reference is none.
pub fn all<'a>(timings: &'a Timings) -> impl Iterator<Item = Interval> + 'a {
    timings
        .iter()
        .flat_map(|(field, names, references)| intervals(field, names, references))
        .filter_map(|(_, interval)| interval.ok())
}

/// The names in Grafana of what is named at a place: the time intervals in which nothing is sent, and those outside of which nothing is.
pub fn named(
    place: &str,
    timings: Timings,
    name_of: &mut dyn FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<[Vec<String>; 2], Refusal> {
    let mut all = [Vec::new(), Vec::new()];
    for (into, (field, by_name, references)) in all.iter_mut().zip(timings) {
        *into = names(&format!("{place}.{field}"), by_name, references, name_of)?;
    }
    Ok(all)
}

/// What a list of names and one of references say together: each with the field that says it.
fn intervals<'a>(
    field: &'a str,
    names: &'a [String],
    references: &'a [TimeIntervalRef],
) -> impl Iterator<Item = (String, Result<Interval, Refusal>)> + 'a {
    let by_name = names.iter().enumerate().map(move |(i, name)| {
        let interval = Interval::Resource {
            namespace: None,
            name: name.clone(),
        };
        (format!("{field}[{i}]"), Ok(interval))
    });
    let by_reference = references.iter().enumerate().map(move |(i, reference)| {
        let field = format!("{field}Refs[{i}]").replacen("IntervalsRefs", "IntervalRefs", 1);
        let interval = of(reference).map_err(|problem| Refusal::invalid(&field, problem));
        (field, interval)
    });
    by_name.chain(by_reference)
}

/// What one reference is to.
fn of(reference: &TimeIntervalRef) -> Result<Interval, &'static str> {
    let TimeIntervalRef {
        name,
        namespace,
        grafana_name,
    } = reference;
    match (name, grafana_name) {
        (Some(name), None) => Ok(Interval::Resource {
            namespace: namespace.clone(),
            name: name.clone(),
        }),
        (None, Some(_)) if namespace.is_some() => Err("namespace goes with name"),
        (None, Some(name)) => Ok(Interval::Grafana { name: name.clone() }),
        (Some(_), Some(_)) | (None, None) => Err("give exactly one of name and grafanaName"),
    }
}

/// The names in Grafana of what a list of names and one of references say; `name_of` gives each, or says why it can't be used.
fn names(
    field: &str,
    names: &[String],
    references: &[TimeIntervalRef],
    name_of: &mut dyn FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<Vec<String>, Refusal> {
    let mut all = Vec::new();
    for (field, interval) in intervals(field, names, references) {
        let name = name_of(&interval?).map_err(|refusal| refusal.at(&format!("{field}: ")))?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    Ok(all)
}

/// The first field that names time intervals outside of which nothing is sent, if any does.
pub fn field_of_active([_, (_, names, references)]: &Timings) -> Option<&'static str> {
    let fields = [(ACTIVE, names.is_empty()), (ACTIVE_REFS, references.is_empty())];
    fields
        .into_iter()
        .find(|(_, is_empty)| !is_empty)
        .map(|(field, _)| field)
}

/// Says of a field that names active time intervals that this Grafana has none.
pub fn too_new(field: &str, version: Version) -> Refusal {
    Refusal::new(
        Reason::Unsupported,
        format!(
            "{field} needs Grafana {}; this one is {version}, which would always send. Name in muteTimeIntervals when nothing is to be sent, or upgrade Grafana",
            Version::ACTIVE_INTERVALS
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(name: Option<&str>, namespace: Option<&str>, grafana_name: Option<&str>) -> TimeIntervalRef {
        TimeIntervalRef {
            name: name.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            grafana_name: grafana_name.map(str::to_owned),
        }
    }

    #[test]
    fn every_reference_is_named_by_its_place_and_each_interval_once() {
        let by_name = ["nights".to_owned()];
        let references = [
            reference(Some("nights"), Some("ops"), None),
            reference(None, None, Some("by hand")),
            reference(None, None, Some("by hand")),
        ];
        let mut asked = Vec::new();
        let mut name_of = |interval: &Interval| {
            asked.push(interval.clone());
            Ok(match interval {
                Interval::Resource { namespace, name } => {
                    format!("{}/{name}", namespace.as_deref().unwrap_or("here"))
                }
                Interval::Grafana { name } => name.clone(),
            })
        };
        let all = names("spec.muteTimeIntervals", &by_name, &references, &mut name_of);
        assert_eq!(all.unwrap(), ["here/nights", "ops/nights", "by hand"]);
        assert_eq!(asked.len(), 4);
        let mut missing = |_: &Interval| Err(Refusal::missing("not there"));
        let refused = names("spec.muteTimeIntervals", &by_name, &[], &mut missing).unwrap_err();
        assert_eq!(refused.message, "spec.muteTimeIntervals[0]: not there");
        let refused = names("spec.muteTimeIntervals", &[], &references, &mut missing).unwrap_err();
        assert_eq!(refused.message, "spec.muteTimeIntervalRefs[0]: not there");
    }

    #[test]
    fn a_reference_is_to_one_thing() {
        let either = "spec.activeTimeIntervalRefs[0]: give exactly one of name and grafanaName";
        for (bad, message) in [
            (reference(None, None, None), either),
            (reference(Some("a"), None, Some("b")), either),
            (
                reference(None, Some("ns"), Some("b")),
                "spec.activeTimeIntervalRefs[0]: namespace goes with name",
            ),
        ] {
            let refused = names("spec.activeTimeIntervals", &[], &[bad], &mut |_| {
                Ok("x".to_owned())
            });
            assert_eq!(refused.unwrap_err().message, message);
        }
    }
}
