//! Alertmanager's configuration → what a Grafana would hold.

mod http;
mod parts;
mod receiver;
pub(super) mod resource;
mod route;
mod tables;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use self::parts::period;
use self::receiver::receiver;
use self::route::{Empty, matchers, tree};
use super::super::resource::Kind;
use super::asked::Import;
use super::world::{About, World, found};
use crate::domain::import::name::words;
use crate::grafana::model::{InhibitionRule, TimeInterval};

pub(super) use self::parts::{Place, has_user, list, says_user, text};
pub(super) use self::receiver::is_nothing;

/// Takes a configuration. What of it can't be carried over is left out, and told.
pub(super) fn configuration(
    config: &Value,
    place: &Place,
    has_templates: bool,
    world: &mut World,
    import: &mut Import,
) {
    let none = Map::new();
    let global = config.get("global").and_then(Value::as_object).unwrap_or(&none);
    let mut empty = Empty::new(&place.before);
    receivers(config, global, place, &mut empty, world, import);
    intervals(config, place, world, import);
    if let Some(route) = config.get("route").filter(|route| !is_nothing(route)) {
        let receivers: BTreeSet<String> = list(config, "receivers").iter().filter_map(name).collect();
        let mut unknown = BTreeSet::new();
        named(route, &mut unknown);
        unknown.retain(|name| !receivers.contains(name));
        routes(route, place, &empty, &unknown, world, import);
    }
    inhibitions(config, place, world, import);
    others(config, global, place, has_templates, import);
}

/// Takes a policy by itself.
pub(super) fn policy(route: &Value, place: &Place, world: &mut World, import: &mut Import) {
    routes(route, place, &Empty::new(""), &BTreeSet::new(), world, import);
}

/// The receivers that a route and those below it name.
fn named(route: &Value, all: &mut BTreeSet<String>) {
    all.extend(route.get("receiver").map(text).filter(|name| !name.is_empty()));
    for below in list(route, "routes") {
        named(below, all);
    }
}

/// Takes the routes. What of receivers is unknown is in no such configuration that Alertmanager takes.
fn routes(
    route: &Value,
    place: &Place,
    empty: &Empty,
    unknown: &BTreeSet<String>,
    world: &mut World,
    import: &mut Import,
) {
    let (route, mut about) = match tree(route, place, empty) {
        Ok(made) => made,
        Err(why) => return import.leave("route", why),
    };
    about.lost.extend(unknown.iter().map(|name| {
        format!(
            "routes name receiver {name}, which there is none of: Alertmanager refuses that, and the policy isn't written until a contact point {name} is there"
        )
    }));
    for (called, interval) in empty.intervals() {
        if empty.is_used(&route, &called) {
            let about = About {
                source: format!("receiver {called}"),
                remarks: vec![format!(
                    "Receiver {called} sends nothing, which no contact point does: its routes are muted at all times by this"
                )],
                ..About::default()
            };
            keep_interval(interval, about, world, import);
        }
    }
    leave(world.tree(place.tree.clone(), route, about), "route", import);
}

fn leave(done: Result<(), String>, source: &str, import: &mut Import) {
    if let Err(why) = done {
        import.leave(source, why);
    }
}

/// What something is called.
pub(super) fn name(value: &Value) -> Option<String> {
    value.get("name").map(text).filter(|name| !name.is_empty())
}

fn receivers(
    config: &Value,
    global: &Map<String, Value>,
    place: &Place,
    empty: &mut Empty,
    world: &mut World,
    import: &mut Import,
) {
    for given in list(config, "receivers") {
        let (Some(own), Some(fields)) = (name(given), given.as_object()) else {
            import.leave("receivers", "one of them has no name");
            continue;
        };
        let source = format!("receiver {own}");
        let called = format!("{}{own}", place.before);
        if world.has(Kind::ContactPoint, &called) {
            import.leave(
                source,
                format!("another ContactPoint is called {called:?} already"),
            );
            continue;
        }
        let made = receiver(&called, fields, global, world);
        if made.integrations.is_empty() {
            if made.lost.is_empty() {
                empty.add(&own, &|name| {
                    intervals_of(config).any(|interval| name == format!("{}{interval}", place.before))
                        || world.has(Kind::TimeInterval, name)
                });
            } else {
                world.miss(&called);
                import.leave(source, made.lost.join("; "));
            }
            continue;
        }
        let about = About {
            source: source.clone(),
            lost: made.lost,
            remarks: made.remarks,
            ..About::default()
        };
        leave(
            world.contact_point(&called, made.integrations, about),
            &source,
            import,
        );
    }
}

/// The names of its time intervals.
fn intervals_of(config: &Value) -> impl Iterator<Item = String> {
    let all = ["time_intervals", "mute_time_intervals"].into_iter();
    all.flat_map(|field| list(config, field)).filter_map(name)
}

fn intervals(config: &Value, place: &Place, world: &mut World, import: &mut Import) {
    for given in ["time_intervals", "mute_time_intervals"]
        .iter()
        .flat_map(|field| list(config, field))
    {
        take_interval(given, &place.before, world, import);
    }
}

/// Takes a time interval, with this before its name.
pub(super) fn take_interval(given: &Value, before: &str, world: &mut World, import: &mut Import) {
    let Some(own) = name(given) else {
        import.leave("time intervals", "one of them has no name");
        return;
    };
    let about = About {
        source: format!("time interval {own}"),
        ..About::default()
    };
    let interval = TimeInterval {
        name: format!("{before}{own}"),
        time_intervals: list(given, "time_intervals").iter().map(period).collect(),
    };
    keep_interval(interval, about, world, import);
}

fn keep_interval(interval: TimeInterval, about: About, world: &mut World, import: &mut Import) {
    let source = about.source.clone();
    let noted = world.note(Kind::TimeInterval, &interval.name, about);
    if noted.is_ok() {
        world.held.time_intervals.push(found(interval));
    }
    leave(noted, &source, import);
}

fn inhibitions(config: &Value, place: &Place, world: &mut World, import: &mut Import) {
    for (nth, given) in list(config, "inhibit_rules").iter().enumerate() {
        let source = format!("inhibition rule {}", nth + 1);
        let own = name(given).unwrap_or_else(|| format!("inhibition-{}", nth + 1));
        // Grafana takes small letters, digits and dashes.
        let called = words(&format!("{}{own}", place.before));
        let called = called.trim_matches('-').to_owned();
        let both = matchers(given, "source_").and_then(|own| Ok((own, matchers(given, "target_")?)));
        let (source_matchers, target_matchers) = match both {
            Ok(both) => both,
            Err(why) => {
                import.leave(source, why);
                continue;
            }
        };
        let about = About {
            source: source.clone(),
            is_of_namespace: place.parent.is_some(),
            ..About::default()
        };
        let noted = world.note(Kind::InhibitionRule, &called, about);
        if noted.is_ok() {
            world.held.inhibition_rules.push(found(InhibitionRule {
                name: called,
                source_matchers,
                target_matchers,
                equal: list(given, "equal").iter().map(text).collect(),
            }));
        }
        leave(noted, &source, import);
    }
}

/// What of the configuration is neither a receiver nor a route.
fn others(
    config: &Value,
    global: &Map<String, Value>,
    place: &Place,
    has_templates: bool,
    import: &mut Import,
) {
    let mail: BTreeSet<&str> = global
        .iter()
        .filter(|(field, value)| field.starts_with("smtp_") && !is_nothing(value))
        .map(|(field, _)| field.as_str())
        .collect();
    if !mail.is_empty() {
        let fields = mail.into_iter().collect::<Vec<_>>().join(", ");
        import.leave(
            "global",
            format!(
                "{fields}: Grafana sends mail by its own settings, the section smtp of its configuration"
            ),
        );
    }
    if global
        .get("http_config")
        .is_some_and(|config| !is_nothing(config))
    {
        import.leave("global", "http_config: Grafana connects by its own settings");
    }
    if !list(config, "templates").is_empty() && !has_templates {
        let files: Vec<String> = list(config, "templates").iter().map(text).collect();
        import.leave(
            "templates",
            format!(
                "{}: their texts aren't in {}; name the files with -f too",
                files.join(", "),
                place.called
            ),
        );
    }
    for field in ["tracing", "event_recorder"] {
        if config.get(field).is_some_and(|value| !is_nothing(value)) {
            import.leave(field, "it is of Alertmanager itself");
        }
    }
}
