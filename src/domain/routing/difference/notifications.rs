//! Contact points, time intervals, templates, inhibition rules and silences.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Difference, Facts, SECRET, compare, flatten, say};
use crate::grafana::digest::said;
use crate::grafana::model::{
    ContactPoint, InhibitionRule, Integration, ObjectMatcher, Template, TimeInterval,
};
use crate::grafana::wire::Silence;

/// How long a secret must be to be looked for within texts, in bytes.
const SHORTEST: usize = 6;

/// Settings whose texts Grafana may have told of: none of them holds a secret. What any other held before may have come from a Secret that isn't named any more.
const PLAIN: [&str; 24] = [
    "title",
    "text",
    "message",
    "template",
    "description",
    "subject",
    "summary",
    "class",
    "component",
    "group",
    "severity",
    "color",
    "icon_emoji",
    "recipient",
    "mentionChannel",
    "mentionUsers",
    "mentionGroups",
    "addresses",
    "httpMethod",
    "maxAlerts",
    "priority",
    "parse_mode",
    "msgType",
    "messageType",
];

/// What is known of the values that came from Secrets.
pub struct Secrets<'a> {
    /// These are shown to nobody, wherever they stand.
    pub values: &'a BTreeSet<String>,
    /// What stands for a value that couldn't be read; what holds it isn't compared.
    pub unknown: &'a str,
}

/// What differs between two contact points.
pub fn contact_point(before: &ContactPoint, after: &ContactPoint, secrets: &Secrets<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    let names = called(after);
    for (integration, name) in after.integrations.iter().zip(&names) {
        let found = before
            .integrations
            .iter()
            .find(|found| found.uid == integration.uid);
        let Some(found) = found else {
            let at = "integrations".to_owned();
            all.push(Difference {
                field: at,
                before: None,
                after: Some(name.clone().into()),
            });
            continue;
        };
        let hidden = found.redacted_fields();
        let hides = |field: &str| hidden.iter().any(|path| *path == field);
        let of = |integration: &Integration| facts(name, integration, &hides, secrets);
        let told = compare(&of(found), &of(integration));
        let known = told
            .into_iter()
            .filter(|one| !one.after.as_ref().is_some_and(|after| secrets.is_unknown(after)));
        // What stood in the place of a secret may have been one, as may what a Secret fed until now.
        all.extend(known.map(|one| {
            let may_be_secret = one.after.as_ref().is_some_and(|after| after == SECRET)
                || one.before.as_ref().is_some_and(|before| {
                    !is_plain(one.field.get(name.len() + 1..).unwrap_or_default(), before)
                });
            Difference {
                before: one
                    .before
                    .map(|before| if may_be_secret { SECRET.into() } else { before }),
                ..one
            }
        }));
    }
    let stays = |uid: &String| after.uids().any(|own| own == uid);
    let names = called(before);
    let gone = before
        .integrations
        .iter()
        .zip(&names)
        .filter(|(found, _)| !stays(&found.uid));
    all.extend(gone.map(|(_, name)| Difference {
        field: "integrations".to_owned(),
        before: Some(name.clone().into()),
        after: None,
    }));
    all
}

/// What integrations are called: by their types, and which of several of one type.
fn called(point: &ContactPoint) -> Vec<String> {
    let mut seen = BTreeMap::<&str, usize>::new();
    let names = point.integrations.iter().map(|integration| {
        let count = seen.entry(&integration.r#type).or_default();
        *count += 1;
        match count {
            1 => integration.r#type.clone(),
            more => format!("{}[{}]", integration.r#type, *more - 1),
        }
    });
    names.collect()
}

impl Secrets<'_> {
    fn is_unknown(&self, value: &Value) -> bool {
        words(value).any(|text| text.contains(self.unknown))
    }

    fn is_in(&self, value: &Value) -> bool {
        // A short value is a word of other texts.
        let holds = |text: &str, secret: &String| {
            text.trim() == secret || (secret.len() >= SHORTEST && text.contains(secret.as_str()))
        };
        words(value).any(|text| self.values.iter().any(|secret| holds(text, secret)))
    }
}

/// The texts of a value.
fn words(value: &Value) -> impl Iterator<Item = &str> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    value
        .as_str()
        .into_iter()
        .chain(items.iter().filter_map(Value::as_str))
}

/// Whether what a setting held may be shown to everybody.
fn is_plain(path: &str, value: &Value) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    let is_named_by_somebody = path.to_lowercase().contains("header");
    words(value).next().is_none() || (PLAIN.contains(&last) && !is_named_by_somebody)
}

fn facts(
    name: &str,
    integration: &Integration,
    hides: &dyn Fn(&str) -> bool,
    secrets: &Secrets<'_>,
) -> Facts {
    let mut facts = Facts::new();
    flatten(name, &Value::Object(integration.settings.clone()), &mut facts);
    let start = name.len() + 1;
    facts.retain(|(path, _)| !hides(path.get(start..).unwrap_or_default()));
    for (_, value) in &mut facts {
        if secrets.is_in(value) {
            *value = SECRET.into();
        }
    }
    say(
        &mut facts,
        &format!("{name}.disableResolveMessage"),
        integration.disable_resolve_message,
    );
    facts
}

/// What differs between two time intervals.
pub fn time_interval(before: &TimeInterval, after: &TimeInterval) -> Vec<Difference> {
    let facts = |interval: &TimeInterval| {
        let mut facts = Facts::new();
        say(&mut facts, "name", interval.name.clone());
        let mut periods: Vec<_> = interval.time_intervals.iter().map(said).collect();
        periods.sort();
        say(&mut facts, "timeIntervals", periods);
        facts
    };
    compare(&facts(before), &facts(after))
}

/// What differs between two templates.
pub fn template(before: &Template, after: &Template) -> Vec<Difference> {
    let facts = |template: &Template| {
        let mut facts = Facts::new();
        say(&mut facts, "name", template.name.clone());
        say(&mut facts, "template", template.content.trim());
        facts
    };
    compare(&facts(before), &facts(after))
}

/// What differs between two inhibition rules.
pub fn inhibition_rule(before: &InhibitionRule, after: &InhibitionRule) -> Vec<Difference> {
    let matchers = |all: &[ObjectMatcher]| {
        let mut texts: Vec<_> = all
            .iter()
            .map(|(label, operator, value)| format!("{label}{operator}{value:?}"))
            .collect();
        texts.sort();
        texts
    };
    let facts = |rule: &InhibitionRule| {
        let mut facts = Facts::new();
        say(&mut facts, "sourceMatchers", matchers(&rule.source_matchers));
        say(&mut facts, "targetMatchers", matchers(&rule.target_matchers));
        let mut equal = rule.equal.clone();
        equal.sort();
        say(&mut facts, "equal", equal);
        facts
    };
    compare(&facts(before), &facts(after))
}

/// What differs between two silences.
pub fn silence(before: &Silence, after: &Silence) -> Vec<Difference> {
    let facts = |silence: &Silence| {
        let mut facts = Facts::new();
        let mut matchers: Vec<_> = silence
            .matchers
            .iter()
            .map(|matcher| {
                let operator = match (matcher.is_equal, matcher.is_regex) {
                    (true, false) => "=",
                    (true, true) => "=~",
                    (false, false) => "!=",
                    (false, true) => "!~",
                };
                format!("{}{operator}{:?}", matcher.name, matcher.value)
            })
            .collect();
        matchers.sort();
        say(&mut facts, "matchers", matchers);
        say(&mut facts, "startsAt", silence.starts_at.to_string());
        say(&mut facts, "endsAt", silence.ends_at.to_string());
        say(&mut facts, "comment", silence.comment.clone());
        say(&mut facts, "createdBy", silence.created_by.clone());
        facts
    };
    compare(&facts(before), &facts(after))
}
