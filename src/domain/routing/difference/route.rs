//! Policy trees.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Difference, Facts, compare, say};
use crate::api::matcher::{MatchOp, Matcher};
use crate::domain::notification::{branches as marks, tree as mark};
use crate::domain::ownership::LABEL;
use crate::grafana::digest::{Inherited, RouteDigest, duration, matchers};
use crate::grafana::model::Route;

/// What differs between two trees, their branches and marks aside.
pub fn tree(before: &Route, after: &Route) -> Vec<Difference> {
    let mut all = Vec::new();
    below(
        "",
        (Inherited::DEFAULTS, &own(before)),
        (Inherited::DEFAULTS, &own(after)),
        &mut all,
    );
    let marked = |tree: &Route| mark::mark(tree).map(str::to_owned);
    if all.is_empty() && marked(before) != marked(after) {
        all.push(Difference::hidden("(ownership mark)"));
    }
    all
}

/// The branches of two trees that differ, by their marks; what is new has no differences, and is no branch before.
pub fn branches<'a>(before: Option<&'a Route>, after: Option<&'a Route>) -> Vec<(&'a str, Branch)> {
    let marked = |tree: Option<&'a Route>| {
        let routes = tree.into_iter().flat_map(|tree| &tree.routes);
        let marked: Vec<_> = routes
            .filter_map(|route| Some((marks::mark(route)?, route)))
            .collect();
        marked
    };
    let (old, new) = (marked(before), marked(after));
    let find = |all: &[(&str, &'a Route)], whose: &str| {
        let found = all.iter().find(|(own, _)| *own == whose);
        found.map(|(_, route)| *route)
    };
    let gone = old.iter().filter(|(whose, _)| find(&new, whose).is_none());
    let gone = gone.map(|(whose, _)| (*whose, Branch::Gone));
    let there = new.iter().filter_map(|(whose, now)| match find(&old, whose) {
        None => Some((*whose, Branch::New)),
        Some(was) if RouteDigest::of(was) == RouteDigest::of(now) => None,
        Some(was) => {
            let mut all = Vec::new();
            below(
                "",
                (Inherited::DEFAULTS, was),
                (Inherited::DEFAULTS, now),
                &mut all,
            );
            Some((*whose, Branch::Other(all)))
        }
    });
    gone.chain(there).collect()
}

/// What would become of a branch.
#[derive(Debug, Clone, PartialEq)]
pub enum Branch {
    /// It would come.
    New,
    /// It would go.
    Gone,
    /// It would be another.
    Other(Vec<Difference>),
}

/// A tree as its root's resource has it.
fn own(tree: &Route) -> Route {
    let is_other = |route: &&Route| !mark::is_mark(route) && marks::mark(route).is_none();
    Route {
        routes: tree.routes.iter().filter(is_other).cloned().collect(),
        ..tree.clone()
    }
}

fn below<'a>(
    path: &str,
    (had, before): (Inherited<'a>, &'a Route),
    (has, after): (Inherited<'a>, &'a Route),
    all: &mut Vec<Difference>,
) {
    let above = (had, has);
    let (had, has) = (had.overridden_by(before), has.overridden_by(after));
    let told = compare(&facts(path, had, before), &facts(path, has, after)).into_iter();
    all.extend(told.filter(|difference| {
        let name = difference.field.strip_prefix(path).unwrap_or_default();
        let values = |(before, after)| (value(before, name), value(after, name));
        let (own, above) = (values((had, has)), values(above));
        // Said or inherited is one; and what follows the one above it is told there.
        let is_same = own.0.is_some() && own.0 == own.1;
        let follows = own.0.is_some() && own == above && !path.is_empty();
        !is_same && !follows
    }));
    let (old, new) = (&before.routes, &after.routes);
    // Routes at either end that do the same have only moved along.
    let same = |(one, other): &(&Route, &Route)| RouteDigest::of(one) == RouteDigest::of(other);
    let first = old.iter().zip(new).take_while(same).count();
    let longest = old.len().min(new.len()) - first;
    let last = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(longest)
        .take_while(same)
        .count();
    let (old_end, new_end) = (old.len() - last, new.len() - last);
    let at = |i: usize| format!("{path}routes[{i}]");
    for i in first..old_end.max(new_end) {
        let was = old.get(i).filter(|_| i < old_end);
        let is = new.get(i).filter(|_| i < new_end);
        match (was, is) {
            (Some(was), Some(is)) => below(&format!("{}.", at(i)), (had, was), (has, is), all),
            (was, is) => all.push(Difference {
                field: at(i),
                before: was.map(|route| said(had, route)),
                after: is.map(|route| said(has, route)),
            }),
        }
    }
    // What is inherited shows where it is said, and hides nothing below.
    for (i, (was, is)) in old.iter().zip(new).take(first).enumerate() {
        if !was.routes.is_empty() && was != is {
            below(&format!("{}.", at(i)), (had, was), (has, is), all);
        }
    }
}

/// What a route has of a field that those below it inherit; `None` of any other.
fn value(of: Inherited<'_>, field: &str) -> Option<BTreeSet<String>> {
    let length = |text: &str| duration(text).map_or_else(|| text.to_owned(), |length| format!("{length:?}"));
    Some(match field {
        "receiver" => BTreeSet::from([of.receiver.to_owned()]),
        "groupBy" => of.group_by.iter().cloned().collect(),
        "groupWait" => BTreeSet::from([length(of.group_wait)]),
        "groupInterval" => BTreeSet::from([length(of.group_interval)]),
        "repeatInterval" => BTreeSet::from([length(of.repeat_interval)]),
        _ => return None,
    })
}

/// A whole route in a line.
fn said(above: Inherited<'_>, route: &Route) -> Value {
    let has = above.overridden_by(route);
    let matchers = texts(route).join(", ");
    let matchers = if matchers.is_empty() { "(all)" } else { &matchers };
    let below = match route.routes.len() {
        0 => String::new(),
        count => format!(", {count} below"),
    };
    format!("{matchers} → {}{below}", has.receiver).into()
}

fn facts(path: &str, has: Inherited<'_>, route: &Route) -> Facts {
    let mut facts = Facts::new();
    let at = |name: &str| format!("{path}{name}");
    // What a child has from above is told above.
    let is_root = path.is_empty();
    let own = |own: &Option<String>, inherited: &str| -> Value {
        match own.as_deref().filter(|own| !own.is_empty()) {
            Some(own) => own.into(),
            None if is_root => inherited.into(),
            None => Value::Null,
        }
    };
    say(&mut facts, &at("matchers"), texts(route));
    say(&mut facts, &at("receiver"), own(&route.receiver, has.receiver));
    say(&mut facts, &at("groupBy"), route.group_by.clone());
    say(
        &mut facts,
        &at("groupWait"),
        own(&route.group_wait, has.group_wait),
    );
    say(
        &mut facts,
        &at("groupInterval"),
        own(&route.group_interval, has.group_interval),
    );
    say(
        &mut facts,
        &at("repeatInterval"),
        own(&route.repeat_interval, has.repeat_interval),
    );
    say(
        &mut facts,
        &at("muteTimeIntervals"),
        route.mute_time_intervals.clone(),
    );
    say(
        &mut facts,
        &at("activeTimeIntervals"),
        route.active_time_intervals.clone(),
    );
    if !is_root {
        say(&mut facts, &at("continue"), route.r#continue);
    }
    facts
}

/// Matchers as people write them, those aside that the operator adds.
fn texts(route: &Route) -> Vec<String> {
    let all = matchers(route).into_iter();
    let shown = all.filter(|(label, ..)| ![mark::MARK, LABEL].contains(&label.as_str()));
    shown
        .map(|(label, operator, value)| {
            let matcher =
                MatchOp::parse(&operator).and_then(|op| Matcher::new(label.clone(), op, value.clone()).ok());
            matcher.map_or_else(
                || format!("{label}{operator}{value:?}"),
                |matcher| matcher.to_string(),
            )
        })
        .collect()
}
