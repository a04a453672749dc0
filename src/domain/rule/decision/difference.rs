//! What a rule of somebody else's says that a resource's doesn't.

use super::{INTERVAL, changed};
use crate::api::duration;
use crate::grafana::api::{FoundRule, OWNER_LABEL};
use crate::grafana::model::AlertRule;

/// How much of a title or name is quoted, in characters.
const QUOTED: usize = 60;

/// Names the fields in which a rule of somebody else's differs from the wish, as the resource calls them, with what is there where that is short. The mark
/// that it would get is no difference. Empty where there is none.
pub fn difference(wish: &AlertRule, found: &FoundRule) -> Vec<String> {
    let mut unmarked = wish.clone();
    match &found.owner {
        Some(mark) => drop(unmarked.labels.insert(OWNER_LABEL.to_owned(), mark.clone())),
        None => drop(unmarked.labels.remove(OWNER_LABEL)),
    }
    let there = |field: &str| match field {
        "title" => Some(quoted(&found.title)),
        "group" => found.group.as_deref().map(quoted),
        "record" => found.metric.as_deref().map(quoted),
        _ => None,
    };
    let fields = changed(&unmarked, found).into_iter();
    let mut fields: Vec<_> = fields
        .map(|field| {
            there(field).map_or_else(|| field.to_owned(), |there| format!("{field} ({there} there)"))
        })
        .collect();
    if found.interval != wish.interval {
        fields.push(format!("{INTERVAL} ({} there)", duration::format(found.interval)));
    }
    fields
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What a rule of somebody else's says that the wish has nothing in the place of, and that is lost when it is taken over; `None` if nothing is.
pub fn lost(wish: &AlertRule, found: &FoundRule) -> Option<String> {
    let receiver = found
        .receiver
        .as_ref()
        .filter(|_| wish.notification_settings.is_none());
    let settings = receiver.map(|receiver| {
        let way = match (receiver.as_str(), &found.tree) {
            ("", Some(tree)) => format!("policy tree {tree}"),
            ("", None) => "a policy tree of its own".to_owned(),
            (name, _) => format!("contact point {name}"),
        };
        format!("its notification settings ({way}): its alerts go by the default policy tree")
    });
    let metric = found.metric.as_ref().filter(|_| wish.record.is_none());
    let recording = metric.map(|metric| format!("its metric {metric}: it records no longer, but alerts"));
    let all: Vec<_> = settings.into_iter().chain(recording).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    fn rule(owner: Option<&str>) -> AlertRule {
        let mark = owner.map(|owner| (OWNER_LABEL.to_owned(), owner.to_owned()));
        AlertRule {
            uid: "by-hand".into(),
            group: Some("errors".into()),
            interval: Duration::from_secs(60),
            title: "HighErrorRate".into(),
            labels: BTreeMap::from_iter(mark),
            ..AlertRule::default()
        }
    }

    #[test]
    fn what_differs_from_somebody_elses_is_named_and_the_mark_is_not() {
        let wish = rule(Some("own/ns/a"));
        for theirs in [None, Some("other/ns/a")] {
            assert_eq!(difference(&wish, &FoundRule::of(&rule(theirs))), [""; 0]);
        }
        let other = AlertRule {
            title: "x".repeat(100),
            interval: Duration::from_secs(300),
            is_paused: true,
            labels: BTreeMap::from([("team".to_owned(), "web".to_owned())]),
            provenance: Some("file".to_owned()),
            ..rule(None)
        };
        let title = format!("title (\"{}…\" there)", "x".repeat(60));
        assert_eq!(
            difference(&wish, &FoundRule::of(&other)),
            [
                title.as_str(),
                "labels",
                "paused",
                "editable",
                "interval (5m there)"
            ]
        );
    }
}
