//! A silence that isn't over → a Silence.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::around::Around;
use super::names::Names;
use super::resource::{Resource, Spec};
use crate::api::SilenceSpec;
use crate::api::matcher::MatcherText;
use crate::domain::silence::{self, Decision, Selection, Surroundings, as_matcher, matcher_text};
use crate::grafana::wire::{Silence, SilenceState};

/// How much of a comment becomes a name, in characters.
const OF_COMMENT: usize = 40;

/// The longest comment of a resource, in characters.
const LONGEST_COMMENT: usize = 1024;

/// What people know it by.
pub(super) fn called(found: &Silence) -> String {
    let matchers: Vec<String> = found.matchers.iter().map(matcher_text).collect();
    matchers.join(", ")
}

/// The resource of a silence, or why there can't be any.
pub(super) fn resource(
    found: &Silence,
    names: &mut Names,
    around: &Around<'_>,
    now: Timestamp,
) -> Result<Resource, String> {
    let name: String = found.comment.chars().take(OF_COMMENT).collect();
    let name = names.of(&name, "silence");
    let readable = |matcher| as_matcher(matcher).map(|matcher| MatcherText::from(&matcher));
    let matchers = found.matchers.iter().map(readable).collect::<Option<Vec<_>>>();
    let has_begun = found.state() == Some(SilenceState::Active);
    let spec = SilenceSpec {
        instance: around.asked.instance.clone(),
        matchers: matchers.ok_or("a matcher can't be read")?,
        starts_at: (!has_begun).then_some(Time(found.starts_at)),
        ends_at: Some(Time(found.ends_at)),
        comment: Some(found.comment.clone())
            .filter(|text| !text.is_empty() && text.chars().count() <= LONGEST_COMMENT),
        ..SilenceSpec::default()
    };
    let surroundings = Surroundings {
        owners: around.owners,
        namespace: around.namespace(),
        name: &name,
        created: now,
        unrestricted: true,
    };
    let wish =
        silence::wish(&spec, &Selection::Matchers, &surroundings).map_err(|refusal| refusal.message)?;
    let mut there = found.clone();
    there.matchers.sort();
    let decision = silence::decide(wish.as_ref(), &[there], found.id.as_deref(), now);
    let is_same = matches!(decision, Decision::Keep { .. });
    let resource = Resource {
        adopts: around.asked.adopts.then(|| found.id.clone().unwrap_or_else(|| "true".to_owned())),
        form: format!("until {}", found.ends_at.strftime("%Y-%m-%d %H:%M UTC")),
        changes: if is_same {
            Vec::new()
        } else {
            vec!["its matchers or times".to_owned()]
        },
        remarks: vec![
            "It covers alerts of every namespace, as it does now, only in a namespace that may: the operator's own, or one of the GrafanaInstance's unrestrictedNamespaces".to_owned(),
        ],
        ..Resource::new(
            Spec::Silence(Box::new(spec)),
            &name,
            around.asked.namespace.as_deref(),
            &called(found),
        )
    };
    resource.checked(&around.schemas)
}
