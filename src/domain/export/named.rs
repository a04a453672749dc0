//! Time intervals, templates and inhibition rules → their resources.

use super::around::Around;
use super::resource::{Resource, Spec};
use crate::api::matcher::{MatchOp, Matcher, MatcherText};
use crate::api::notification::time_interval::{DaysOfMonth, Months, Period, TimeRange, Weekdays, Years};
use crate::api::{InhibitionRuleSpec, NotificationTemplateSpec, TimeIntervalSpec};
use crate::domain::notification::named::{self, inhibition, text};
use crate::grafana::model::{self, Found, InhibitionRule, ObjectMatcher, Template, TimeInterval};

/// The resource of a time interval.
pub(super) fn time_interval(
    found: &Found<TimeInterval>,
    name: &str,
    around: &Around<'_>,
) -> Result<Resource, String> {
    let called = &found.object.name;
    let spec = TimeIntervalSpec {
        instance: around.asked.instance.clone(),
        name: Some(called.clone()).filter(|own| own != name),
        time_intervals: found.object.time_intervals.iter().map(period).collect(),
        ..TimeIntervalSpec::default()
    };
    let is_same = named::is_same_time(&named::time_interval(&spec, called), &found.object);
    finished(
        Spec::TimeInterval(Box::new(spec)),
        (name, called),
        is_same,
        around,
    )
}

fn period(found: &model::Period) -> Period {
    let times = found.times.iter().map(|time| TimeRange {
        start_time: time.start_time.clone(),
        end_time: time.end_time.clone(),
    });
    Period {
        times: times.collect(),
        weekdays: found.weekdays.iter().cloned().map(Weekdays).collect(),
        days_of_month: found.days_of_month.iter().cloned().map(DaysOfMonth).collect(),
        months: found.months.iter().cloned().map(Months).collect(),
        years: found.years.iter().cloned().map(Years).collect(),
        location: found.location.clone().filter(|location| !location.is_empty()),
    }
}

/// The resource of a template group.
pub(super) fn template(found: &Found<Template>, name: &str, around: &Around<'_>) -> Result<Resource, String> {
    let called = &found.object.name;
    let spec = NotificationTemplateSpec {
        instance: around.asked.instance.clone(),
        name: Some(called.clone()).filter(|own| own != name),
        template: Some(found.object.content.clone()),
        ..NotificationTemplateSpec::default()
    };
    let wish = text::template(&found.object.content, called, "spec.template");
    let wish = wish.map_err(|refusal| refusal.message)?;
    let is_same = text::is_same(&wish, &found.object);
    finished(
        Spec::NotificationTemplate(Box::new(spec)),
        (name, called),
        is_same,
        around,
    )
}

/// The resource of an inhibition rule.
pub(super) fn inhibition_rule(
    found: &Found<InhibitionRule>,
    name: &str,
    around: &Around<'_>,
) -> Result<Resource, String> {
    let called = &found.object.name;
    let spec = InhibitionRuleSpec {
        instance: around.asked.instance.clone(),
        name: Some(called.clone()).filter(|own| own != name),
        source_matchers: matchers(&found.object.source_matchers)?,
        target_matchers: matchers(&found.object.target_matchers)?,
        equal: found.object.equal.clone(),
        ..InhibitionRuleSpec::default()
    };
    let wish = inhibition::inhibition_rule(&spec, called, None).map_err(|refusal| refusal.message)?;
    let is_same = inhibition::is_same(&wish, &found.object);
    let mut made = finished(
        Spec::InhibitionRule(Box::new(spec)),
        (name, called),
        is_same,
        around,
    )?;
    made.remarks.push(
        "It holds back alerts of every namespace, as it does now, only in a namespace that may: the operator's own, or one of the GrafanaInstance's unrestrictedNamespaces".to_owned(),
    );
    Ok(made)
}

/// Matchers as they are written, or which one can't be.
pub(super) fn matchers(found: &[ObjectMatcher]) -> Result<Vec<MatcherText>, String> {
    let all = found.iter().map(|(label, operator, value)| {
        let refused = || format!("matcher {label}{operator}{value:?} can't be read");
        let op = MatchOp::parse(operator).ok_or_else(refused)?;
        let matcher = Matcher::new(label.clone(), op, value.clone());
        matcher
            .map(|matcher| MatcherText::from(&matcher))
            .map_err(|error| format!("{}: {error}", refused()))
    });
    all.collect()
}

fn finished(
    spec: Spec,
    (name, called): (&str, &str),
    is_same: bool,
    around: &Around<'_>,
) -> Result<Resource, String> {
    let resource = Resource {
        adopts: around.asked.adopts.then(|| "true".to_owned()),
        changes: if is_same {
            Vec::new()
        } else {
            vec!["its text".to_owned()]
        },
        ..Resource::new(spec, name, around.asked.namespace.as_deref(), called)
    };
    resource.checked(&around.schemas)
}
