//! The texts of a policy and of all routes in it, however deep.

use super::super::finding::{DURATION, Finding};
use super::super::path::Path;
use super::super::texts::of_matchers;
use crate::api::duration::Duration;
use crate::api::notification::policy::{NotificationPolicySpec, Route};

pub(super) fn check(at: usize, spec: &NotificationPolicySpec, found: &mut Vec<Finding>) {
    let path = Path::parse("spec");
    // A root can have none, which the schema says.
    if spec.parent_ref.is_some() {
        of_matchers(at, &path.field("matchers"), &spec.matchers, found);
    }
    let periods = [
        ("groupWait", &spec.group_wait),
        ("groupInterval", &spec.group_interval),
        ("repeatInterval", &spec.repeat_interval),
    ];
    of_periods(at, &path, periods, found);
    walk(at, &spec.routes, &path, found);
}

fn walk(at: usize, routes: &[Route], above: &Path, found: &mut Vec<Finding>) {
    for (i, route) in routes.iter().enumerate() {
        let path = above.field("routes").index(i);
        of_matchers(at, &path.field("matchers"), &route.matchers, found);
        let periods = [
            ("groupWait", &route.group_wait),
            ("groupInterval", &route.group_interval),
            ("repeatInterval", &route.repeat_interval),
        ];
        of_periods(at, &path, periods, found);
        walk(at, &route.routes, &path, found);
    }
}

fn of_periods(at: usize, path: &Path, periods: [(&str, &Option<Duration>); 3], found: &mut Vec<Finding>) {
    for (name, text) in periods {
        if let Some(Err(problem)) = text.as_ref().map(Duration::checked) {
            found.push(Finding::new(&DURATION, at, path.field(name), problem.to_string()));
        }
    }
}
