//! What is read of one object, whichever of the two formats it is written in.

use serde_json::{Value, json};

use super::super::alertmanager::{Place as Configured, list, name, policy as routes, text};
use super::super::asked::Import;
use super::super::world::{About, World, found};
use super::point::{Given, contact_point};
use super::rule::{Place, rule, sources};
use super::variables::Variables;
use crate::domain::export::resource::Kind;
use crate::grafana::model::{Template, TreeName};

/// What of an object is known beside it.
#[derive(Default)]
pub(super) struct Beside {
    /// The variables in its texts.
    pub(super) variables: Variables,
    /// The namespace of the Secrets that it refers to.
    pub(super) secrets_in: Option<String>,
    /// What of it no resource says.
    pub(super) lost: Option<String>,
    /// Whether people may change it in Grafana.
    pub(super) is_editable: bool,
}

/// What is to be known of a route of another resource.
const OF_NAMESPACE: &str = "It gets the alerts of its own namespace's AlertRules alone, where the route got all of the Grafana: give each namespace a branch, or have it be a route of the root";

/// What a policy is a branch of.
pub(super) struct Branch {
    /// The root, as a resource refers to it; nothing: the one that is imported with it.
    pub(super) parent: Option<Value>,
    /// Whether what it gets goes no further.
    pub(super) is_exclusive: bool,
}

pub(super) fn rules(
    group: &Value,
    place: &Place,
    beside: &dyn Fn(usize) -> Beside,
    world: &mut World,
    import: &mut Import,
) {
    for (nth, given) in list(group, "rules").iter().enumerate() {
        let title = given.get("title").map(text).unwrap_or_default();
        let source = format!("{}/{title}", place.group);
        let (made, mut lost) = match rule(given, place) {
            Ok(made) => made,
            Err(why) => {
                import.leave(source, why);
                continue;
            }
        };
        let beside = beside(nth);
        lost.extend(beside.variables.told());
        lost.extend(beside.lost);
        sources(&made, world);
        let about = About {
            source: source.clone(),
            lost,
            is_editable: beside.is_editable,
            ..About::default()
        };
        if let Err(why) = world.rule(made, about) {
            import.leave(source, why);
        }
    }
}

pub(super) fn point(
    called: &str,
    given: &[Given<'_>],
    beside: Beside,
    world: &mut World,
    import: &mut Import,
) {
    let source = format!("contact point {called}");
    if world.has(Kind::ContactPoint, called) {
        import.leave(
            source,
            format!("another ContactPoint is called {called:?} already"),
        );
        return;
    }
    let made = contact_point(called, given, &beside.variables, world);
    if made.integrations.is_empty() {
        world.miss(called);
        import.leave(source, "it sends nothing");
        return;
    }
    let about = About {
        source: source.clone(),
        lost: made.lost,
        remarks: made.remarks,
        secrets_in: beside.secrets_in,
        ..About::default()
    };
    if let Err(why) = world.contact_point(called, made.integrations, about) {
        import.leave(source, why);
    }
}

pub(super) fn template(given: &Value, world: &mut World, import: &mut Import) {
    let called = name(given).unwrap_or_default();
    let source = format!("template {called}");
    let about = About {
        source: source.clone(),
        ..About::default()
    };
    match world.note(Kind::NotificationTemplate, &called, about) {
        Ok(()) => world.held.templates.push(found(Template {
            name: called,
            content: given.get("template").map(text).unwrap_or_default(),
        })),
        Err(why) => import.leave(source, why),
    }
}

pub(super) fn policy(
    given: &Value,
    called: &str,
    branch: Option<Branch>,
    world: &mut World,
    import: &mut Import,
) {
    let mut route = given.clone();
    if let Some(fields) = route.as_object_mut() {
        // The GrafanaInstance says which organisation it is.
        fields.remove("orgId");
        fields.remove("name");
    }
    let place = Configured {
        before: String::new(),
        tree: match branch {
            Some(_) => world.branch(called),
            None => TreeName::default(),
        },
        remarks: branch.iter().map(|_| OF_NAMESPACE.to_owned()).collect(),
        parent: branch.map(|branch| {
            if branch.is_exclusive {
                json!({"parentRef": branch.parent, "exclusive": true})
            } else {
                json!({"parentRef": branch.parent})
            }
        }),
        called: String::new(),
    };
    routes(&route, &place, world, import);
}
