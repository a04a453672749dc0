//! Silence → the silence that Grafana should hold, and what to do about the one it holds.

mod drift;
pub mod extent;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::api::matcher::{MatchOp, Matcher, MatcherText};
use crate::api::silence::{AlertRuleSelector, SilenceSpec};
use crate::domain::ownership::{LABEL, Owners, is_silence_author};
use crate::domain::refusal::Refusal;
use crate::grafana::wire::{Silence, SilenceMatcher, SilenceState};
pub use drift::{drift, state_left};

/// How far what Grafana stored may be from what was asked: it moves a start in the past to now, and cuts fractions.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// How far Grafana's clock may be behind ours without a silence beginning late.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// How many bytes of labels are compared with regular expressions to count alerts, or a silence could keep the operator busy for long.
const MOST_COMPARED: usize = 256 << 10;

/// The silence that Grafana should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Matchers in canonical order.
    pub matchers: Vec<SilenceMatcher>,
    /// When it starts.
    pub starts_at: Timestamp,
    /// Nobody asked for a start, so it is to begin at once; the API server's clock may be ahead of ours.
    pub begins_at_once: bool,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whose it is.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Somebody has written that; if not, what a silence that is taken over says is good enough.
    pub says_why: bool,
}

impl Wish {
    /// Whether its start is to come.
    pub fn is_to_come(&self, now: Timestamp) -> bool {
        !self.begins_at_once && self.starts_at > now
    }
}

/// What rules a silence selects, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every rule that the matchers reach, in this namespace unless it is unrestricted.
    Matchers,
    /// Every rule of the namespace.
    Namespace,
    /// These rules of the namespace, sorted. None is a silence that covers nothing.
    Rules(Vec<String>),
}

/// Whose the silence is and which rules there are.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Whose silence it is.
    pub owners: &'a Owners,
    /// Namespace of the resource.
    pub namespace: &'a str,
    /// Name of the resource.
    pub name: &'a str,
    /// When the resource was created.
    pub created: Timestamp,
    /// Whether it may cover alerts of other namespaces.
    pub unrestricted: bool,
}

/// Which rules the selector names, of those that the namespace has (name and labels of the resource).
pub fn select<'a>(
    selector: Option<&AlertRuleSelector>,
    rules: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>)>,
) -> (Selection, Vec<String>) {
    let Some(selector) = selector else {
        return (Selection::Matchers, Vec::new());
    };
    if selector.all == Some(true) {
        return (Selection::Namespace, Vec::new());
    }
    let known: Vec<_> = rules.collect();
    let mut names: Vec<String> = known
        .iter()
        .filter(|(name, labels)| {
            selector.names.iter().any(|wanted| wanted == name)
                || (!selector.match_labels.is_empty() && has_all(labels, &selector.match_labels))
        })
        .map(|(name, _)| (*name).to_owned())
        .collect();
    names.sort();
    let missing: Vec<_> = selector
        .names
        .iter()
        .filter(|wanted| !known.iter().any(|(name, _)| name == wanted))
        .cloned()
        .collect();
    (Selection::Rules(names), missing)
}

/// Whether labels hold all that are asked for.
pub fn has_all(labels: &BTreeMap<String, String>, asked: &BTreeMap<String, String>) -> bool {
    asked.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Start and end.
pub fn period(spec: &SilenceSpec, created: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let starts_at = spec.starts_at.as_ref().map_or(created, |time| time.0);
    let ends_at = match (&spec.ends_at, &spec.duration) {
        (Some(time), None) => time.0,
        (None, Some(text)) => {
            let length = text.checked().map_err(|e| Refusal::invalid("spec.duration", e))?;
            if length.is_zero() {
                return Err(Refusal::invalid("spec.duration", "must be greater than 0"));
            }
            starts_at
                .checked_add(length)
                .map_err(|_| Refusal::invalid("spec.duration", "the end is too far away"))?
        }
        _ => {
            return Err(Refusal::invalid(
                "spec",
                "give exactly one of endsAt and duration",
            ));
        }
    };
    if ends_at > starts_at {
        return Ok((starts_at, ends_at));
    }
    match spec.starts_at {
        Some(_) => Err(Refusal::invalid("spec.endsAt", "must be after the start")),
        // It was over before it was created: nobody asked for another start.
        None => Ok((ends_at, ends_at)),
    }
}

/// Works out the silence; `None` if it would cover nothing.
pub fn wish(
    spec: &SilenceSpec,
    selection: &Selection,
    around: &Surroundings<'_>,
) -> Result<Option<Wish>, Refusal> {
    let (starts_at, ends_at) = period(spec, around.created)?;
    let mut matchers = Vec::new();
    for (i, text) in spec.matchers.iter().enumerate() {
        let matcher =
            Matcher::parse(text.as_str()).map_err(|e| Refusal::invalid(&format!("spec.matchers[{i}]"), e))?;
        matchers.push(SilenceMatcher {
            name: matcher.label,
            value: matcher.value,
            is_regex: matcher.op.is_regex(),
            is_equal: matcher.op.is_equal(),
        });
    }
    if matches!(selection, Selection::Rules(names) if names.is_empty()) {
        return Ok(None);
    }
    matchers.extend(rules_matcher(selection, around));
    matchers.sort();
    matchers.dedup();
    if around.unrestricted && !matchers.iter().any(excludes_empty) {
        return Err(Refusal::invalid(
            "spec.matchers",
            "every matcher also matches alerts without the label, so this would silence everything. Add one that names a value",
        ));
    }
    Ok(Some(Wish {
        matchers,
        starts_at,
        begins_at_once: spec.starts_at.is_none(),
        ends_at,
        author: around.owners.now().silence_author(around.namespace, around.name),
        comment: spec
            .comment
            .clone()
            .unwrap_or_else(|| format!("Silence {}/{}", around.namespace, around.name)),
        says_why: spec.comment.is_some(),
    }))
}

/// What a person should know of the matchers though nothing is wrong with them: each of them also matches alerts that lack its label.
pub fn warning(spec: &SilenceSpec, around: &Surroundings<'_>) -> Option<String> {
    let holds_without_label =
        |text: &MatcherText| Matcher::parse(text.as_str()).is_ok_and(|matcher| matcher.matches_empty());
    // One without matchers is refused for that.
    let is_wide = spec.alert_rules.is_none()
        && !spec.matchers.is_empty()
        && spec.matchers.iter().all(holds_without_label);
    is_wide.then(|| {
        let whose = match around.namespace {
            // Files need not say which it is.
            "" => "its namespace".to_owned(),
            namespace => format!("namespace {namespace}"),
        };
        format!(
            "spec.matchers: every one also matches alerts without its label, so this covers all others of {whose}; say what is meant with a matcher that names a value, or with alertRules",
        )
    })
}

/// The matcher on the ownership label, if one is needed.
fn rules_matcher(selection: &Selection, around: &Surroundings<'_>) -> Option<SilenceMatcher> {
    let matcher = |value: String, is_regex| SilenceMatcher {
        name: LABEL.to_owned(),
        value,
        is_regex,
        is_equal: true,
    };
    let Surroundings {
        owners, namespace, ..
    } = *around;
    match selection {
        Selection::Matchers if around.unrestricted => None,
        Selection::Matchers | Selection::Namespace => {
            Some(matcher(owners.namespace_pattern(namespace), true))
        }
        Selection::Rules(names) => Some(match names.as_slice() {
            [only] if owners.former().is_empty() => matcher(owners.now().label(namespace, only), false),
            names => matcher(
                owners.rules_pattern(namespace, names.iter().map(String::as_str)),
                true,
            ),
        }),
    }
}

fn excludes_empty(matcher: &SilenceMatcher) -> bool {
    as_matcher(matcher).is_some_and(|matcher| !matcher.matches_empty())
}

/// A matcher of a silence, as it is compared; `None` where its regular expression can't be read.
pub fn as_matcher(matcher: &SilenceMatcher) -> Option<Matcher> {
    let op = match (matcher.is_equal, matcher.is_regex) {
        (true, false) => MatchOp::Equal,
        (false, false) => MatchOp::NotEqual,
        (true, true) => MatchOp::Regex,
        (false, true) => MatchOp::NotRegex,
    };
    Matcher::new(matcher.name.clone(), op, matcher.value.clone()).ok()
}

/// A matcher as Alertmanager's text, which can be read back: a name with punctuation is in quotes.
pub fn matcher_text(matcher: &SilenceMatcher) -> String {
    as_matcher(matcher).map_or_else(
        || format!("{}={:?}", matcher.name, matcher.value),
        |matcher| matcher.to_string(),
    )
}

/// The matchers that Grafana's list of alerts can be filtered by: before it read names in quotes, names were of letters, digits and underscores.
pub fn filters(matchers: &[SilenceMatcher]) -> Vec<String> {
    matchers
        .iter()
        .filter(|m| is_plain(&m.name))
        .map(matcher_text)
        .collect()
}

/// How many of these alerts, which were filtered already by [`filters`], all the matchers match; `None` if that can't be told, or not soon.
pub fn count(matchers: &[SilenceMatcher], alerts: &[BTreeMap<String, String>]) -> Option<usize> {
    let others: Vec<Matcher> = matchers
        .iter()
        .filter(|matcher| !is_plain(&matcher.name))
        .map(as_matcher)
        .collect::<Option<_>>()?;
    let labels = |matcher: &Matcher| -> usize {
        let labels = alerts.iter().filter_map(|alert| alert.get(&matcher.label));
        labels.map(String::len).sum()
    };
    let regexes = others.iter().filter(|matcher| matcher.op.is_regex());
    if regexes.map(labels).sum::<usize>() > MOST_COMPARED {
        return None;
    }
    let matched = |alert: &BTreeMap<String, String>| {
        others
            .iter()
            .try_fold(true, |all, matcher| Some(all && matcher.matches(alert)?))
    };
    alerts
        .iter()
        .map(matched)
        .try_fold(0, |count, is_matched| Some(count + usize::from(is_matched?)))
}

fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What to do in Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The silence with this id is as it should be. Others of ours are to be expired.
    Keep {
        /// The silence's id.
        id: String,
        /// Silences of ours that are too many.
        expire: Vec<String>,
    },
    /// Write it, as an update where there is one that can be kept, then expire the others.
    Write {
        /// The silence that is updated.
        update: Option<String>,
        /// Silences of ours that are too many once it is written.
        expire: Vec<String>,
    },
    /// Its time is over.
    Expired {
        /// Silences of ours that are still in force.
        expire: Vec<String>,
    },
}

/// It is not over.
pub fn is_living(silence: &Silence, now: Timestamp) -> bool {
    silence.state() != Some(SilenceState::Expired) && silence.ends_at > now
}

/// Somebody else has made it, and no operator.
pub fn is_strangers(silence: &Silence) -> bool {
    !is_silence_author(&silence.created_by)
}

/// Compares the wish with the silences of ours that Grafana holds, and one of somebody else's that is taken over, at `now`.
pub fn decide(wish: Option<&Wish>, ours: &[Silence], known_id: Option<&str>, now: Timestamp) -> Decision {
    let living: Vec<&Silence> = ours.iter().filter(|silence| is_living(silence, now)).collect();
    let ids = |keep: Option<&str>| {
        living
            .iter()
            .filter_map(|s| s.id.clone())
            .filter(|id| Some(id.as_str()) != keep)
            .collect()
    };
    let Some(wish) = wish else {
        return Decision::Expired { expire: ids(None) };
    };
    if wish.ends_at <= now {
        return Decision::Expired { expire: ids(None) };
    }
    let same = |s: &&&Silence| s.matchers == wish.matchers;
    let candidate = living.iter().filter(same).max_by_key(|s| {
        (
            s.id.as_deref() == known_id,
            s.state() == Some(SilenceState::Active),
            s.ends_at,
        )
    });
    let Some(candidate) = candidate else {
        return Decision::Write {
            update: None,
            expire: ids(None),
        };
    };
    let id = candidate.id.clone().unwrap_or_default();
    let expire = ids(Some(&id));
    if is_as_wished(candidate, wish, now) {
        Decision::Keep { id, expire }
    } else {
        Decision::Write {
            update: Some(id),
            expire,
        }
    }
}

fn is_as_wished(found: &Silence, wish: &Wish, now: Timestamp) -> bool {
    let close = |a: Timestamp, b: Timestamp| a.duration_since(b).abs() <= TOLERANCE;
    let has_started = found.state() == Some(SilenceState::Active);
    let start = close(found.starts_at, wish.starts_at) || (has_started && !wish.is_to_come(now));
    let is_strangers = is_strangers(found);
    let is_marked = found.created_by == wish.author || is_strangers;
    let says_why = found.comment == wish.comment || is_strangers && !wish.says_why;
    start && is_marked && close(found.ends_at, wish.ends_at) && says_why
}

/// The body to send. The start of a silence in force is left as Grafana has it, or it would get a new id. A start that isn't to
/// come is sent as one long past: Grafana moves it to its own now, but takes one in its future by its word, and its clock may
/// be behind ours.
pub fn body(wish: &Wish, update: Option<&Silence>, now: Timestamp) -> Silence {
    let is_to_come = wish.is_to_come(now);
    let kept = update.filter(|s| s.state() == Some(SilenceState::Active) && !is_to_come);
    let asked = if is_to_come {
        wish.starts_at
    } else {
        now.checked_sub(CLOCKS_APART).unwrap_or(Timestamp::MIN)
    };
    Silence {
        id: update.and_then(|s| s.id.clone()),
        matchers: wish.matchers.clone(),
        starts_at: kept.map_or(asked, |s| s.starts_at),
        ends_at: wish.ends_at,
        created_by: wish.author.clone(),
        comment: wish.comment.clone(),
        updated_at: None,
        status: None,
    }
}

#[cfg(test)]
#[path = "silence_tests.rs"]
mod tests;
