//! Suspended resources: Grafana is left as it is, and what would be otherwise shows in passes over them as if they were resumed.

use std::collections::BTreeSet;

use super::judge::{Row, Sign};
use crate::api::condition::Reason;
use crate::controller::engine::managed::Managed;
use crate::controller::run::rehearsal::{Cast, Name, Performance};

/// The resources that are told of and suspended.
pub(super) fn of(performance: &Performance, selected: &BTreeSet<Name>) -> BTreeSet<Name> {
    let outcomes = performance.outcomes.iter();
    let suspended = outcomes
        .filter(|(name, outcome)| outcome.reason == Some(Reason::Suspended) && selected.contains(name));
    suspended.map(|(name, _)| name.clone()).collect()
}

/// Whether any is, as it is written.
pub(super) fn any(cast: &Cast) -> bool {
    fn of<K: Managed>(all: &[K]) -> bool {
        all.iter().any(Managed::is_suspended)
    }
    of(&cast.rules)
        || of(&cast.contact_points)
        || of(&cast.policies)
        || of(&cast.time_intervals)
        || of(&cast.templates)
        || of(&cast.inhibition_rules)
        || of(&cast.silences)
}

/// The same resources with these resumed.
pub(super) fn resumed(mut cast: Cast, names: &BTreeSet<Name>) -> Cast {
    fn of<K: Managed>(all: &mut [K], names: &BTreeSet<Name>) {
        for object in all {
            let name = Name {
                kind: K::KIND,
                namespace: object.ns().to_owned(),
                name: object.id().to_owned(),
            };
            if names.contains(&name) {
                object.resume();
            }
        }
    }
    of(&mut cast.rules, names);
    of(&mut cast.contact_points, names);
    of(&mut cast.policies, names);
    of(&mut cast.time_intervals, names);
    of(&mut cast.templates, names);
    of(&mut cast.inhibition_rules, names);
    of(&mut cast.silences, names);
    cast
}

/// Puts what would become of the suspended ones, were they resumed, in the place of their lines.
pub(super) fn told(rows: &mut [Row], resumed: Vec<Row>) {
    for told in resumed {
        let Some(row) = rows.iter_mut().find(|row| row.name == told.name) else {
            continue;
        };
        if let Some(would) = would(&told) {
            *row = Row {
                sign: if told.sign == Sign::Unknown {
                    Sign::Unknown
                } else {
                    Sign::Suspended
                },
                message: Some(format!("suspended: Grafana is left as it is; resumed, {would}")),
                ..told
            };
        }
    }
}

/// What would become of one; nothing where it is as Grafana has it.
fn would(row: &Row) -> Option<String> {
    let why = row.message.as_deref().unwrap_or_default();
    Some(match row.sign {
        Sign::Create => "it would be made".to_owned(),
        Sign::Change => "it would be changed".to_owned(),
        Sign::Delete => "it would be deleted".to_owned(),
        Sign::Refused => format!("it would be refused: {why}"),
        Sign::Unknown => format!("it isn't known what would become of it: {why}"),
        Sign::Equal | Sign::Suspended => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, sign: Sign, message: Option<&str>) -> Row {
        Row {
            name: Name {
                kind: "AlertRule",
                namespace: "revel".to_owned(),
                name: name.to_owned(),
            },
            sign,
            place: None,
            differences: Vec::new(),
            message: message.map(str::to_owned),
            routing: Vec::new(),
            folder: None,
        }
    }

    #[test]
    fn what_is_suspended_is_not_equal_where_grafana_has_it_otherwise() {
        let mut rows: Vec<Row> = ["a", "b", "c", "d", "e"]
            .map(|name| row(name, Sign::Equal, Some("spec.suspend is set")))
            .into();
        let resumed = vec![
            row("a", Sign::Change, None),
            row("b", Sign::Equal, None),
            row("c", Sign::Refused, Some("no key")),
            row("d", Sign::Unknown, Some("down")),
        ];
        told(&mut rows, resumed);
        let signs: Vec<Sign> = rows.iter().map(|row| row.sign).collect();
        assert_eq!(
            signs,
            [
                Sign::Suspended,
                Sign::Equal,
                Sign::Suspended,
                Sign::Unknown,
                Sign::Equal
            ]
        );
        let says = |at: usize| rows[at].message.clone().unwrap_or_default();
        assert_eq!(
            says(0),
            "suspended: Grafana is left as it is; resumed, it would be changed"
        );
        assert!(says(2).ends_with("it would be refused: no key"), "{}", says(2));
        assert_eq!(says(1), "spec.suspend is set");
    }
}
