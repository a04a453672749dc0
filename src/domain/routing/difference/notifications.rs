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

/// What differs between two contact points. `secrets` are values that came from Secrets; where they are in a setting, it isn't shown.
pub fn contact_point(
    before: &ContactPoint,
    after: &ContactPoint,
    secrets: &BTreeSet<String>,
) -> Vec<Difference> {
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
        // What stood in the place of a secret may have been one.
        all.extend(told.into_iter().map(|one| match &one.after {
            Some(after) if after == SECRET => Difference {
                before: one.before.map(|_| SECRET.into()),
                ..one
            },
            _ => one,
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

fn facts(
    name: &str,
    integration: &Integration,
    hides: &dyn Fn(&str) -> bool,
    secrets: &BTreeSet<String>,
) -> Facts {
    let mut facts = Facts::new();
    flatten(name, &Value::Object(integration.settings.clone()), &mut facts);
    let start = name.len() + 1;
    facts.retain(|(path, _)| !hides(path.get(start..).unwrap_or_default()));
    // A short value is a word of other texts.
    let holds = |text: &str, secret: &String| {
        text == secret || (secret.len() >= SHORTEST && text.contains(secret.as_str()))
    };
    for (_, value) in &mut facts {
        if value
            .as_str()
            .is_some_and(|text| secrets.iter().any(|secret| holds(text, secret)))
        {
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
