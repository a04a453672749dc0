//! Which of grafana-operator's routes stand below which: a route selects those of other resources by their labels.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::SelectorExt;
use serde_json::Value;

use super::super::alertmanager::{list, text};
use super::super::asked::meta;
use crate::domain::tenancy::selector;

/// All `GrafanaNotificationPolicyRoute` objects, as the API server lists them.
pub(super) struct Routes<'a>(Vec<&'a Value>);

/// Who selects.
#[derive(Clone, Copy)]
pub(super) struct From<'a> {
    /// The namespace of the policy.
    namespace: &'a str,
    /// Whether it selects in other namespaces too.
    crosses: bool,
}

impl<'a> From<'a> {
    /// A policy, which is in this namespace.
    pub(super) fn policy(value: &Value, namespace: &'a str) -> Self {
        let crosses = value.pointer("/spec/allowCrossNamespaceImport");
        Self {
            namespace,
            crosses: crosses.and_then(Value::as_bool) == Some(true),
        }
    }

    /// One that isn't read.
    pub(super) fn everywhere(namespace: &'a str) -> Self {
        Self {
            namespace,
            crosses: true,
        }
    }
}

impl<'a> Routes<'a> {
    pub(super) fn of(all: &[&'a Value]) -> Self {
        let is_route = |value: &&&Value| {
            value.get("kind").and_then(Value::as_str) == Some("GrafanaNotificationPolicyRoute")
        };
        let mut routes: Vec<&Value> = all.iter().filter(is_route).copied().collect();
        let key = |value: &Value| {
            let meta = meta(value);
            (meta.namespace, meta.name)
        };
        routes.sort_by_key(|value| key(value));
        Self(routes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Value> {
        self.0.iter().copied()
    }

    /// Those that a route selects itself.
    pub(super) fn selected(&self, route: &Value, from: From<'_>) -> Vec<&'a Value> {
        let Some(selector) = route.get("routeSelector").filter(|selector| selector.is_object()) else {
            return Vec::new();
        };
        let by = |map: Option<&Value>| -> BTreeMap<String, String> {
            let fields = map.and_then(Value::as_object).into_iter().flatten();
            fields.map(|(key, value)| (key.clone(), text(value))).collect()
        };
        let expressions = selector.get("matchExpressions").cloned();
        let wanted = LabelSelector {
            match_labels: Some(by(selector.get("matchLabels"))),
            match_expressions: expressions.and_then(|own| serde_json::from_value(own).ok()),
        };
        let Ok(wanted) = selector::of(Some(&wanted)) else {
            return Vec::new();
        };
        let is_seen =
            |value: &&Value| from.crosses || meta(value).namespace.unwrap_or_default() == from.namespace;
        let chosen = self.0.iter().copied().filter(is_seen);
        let chosen = chosen.filter(|value| wanted.matches(&by(value.pointer("/metadata/labels"))));
        chosen.collect()
    }

    /// A route of a policy or of a resource with all that stands below it: its own routes, or those that it selects. `above` are the resources that it is of.
    pub(super) fn whole(&self, route: &Value, from: From<'_>, above: &[&'a Value]) -> Value {
        let mut below = self.below(route, from, above);
        for value in self.selected(route, from) {
            if !above.iter().any(|own| std::ptr::eq(*own, value)) {
                let above: Vec<&Value> = above.iter().copied().chain([value]).collect();
                below.push(self.whole(spec(value), from, &above));
            }
        }
        with(route, below)
    }

    /// A root: those that it selects itself are branches, so they aren't in it.
    pub(super) fn root(&self, route: &Value, from: From<'_>) -> Value {
        with(route, self.below(route, from, &[]))
    }

    fn below(&self, route: &Value, from: From<'_>, above: &[&'a Value]) -> Vec<Value> {
        let own = list(route, "routes").iter();
        own.map(|route| self.whole(route, from, above)).collect()
    }

    /// Those that a route, or one below it, selects.
    pub(super) fn within(&self, route: &Value, from: From<'_>) -> Vec<&'a Value> {
        let mut all = self.selected(route, from);
        for below in list(route, "routes") {
            all.extend(self.within(below, from));
        }
        all
    }

    /// All resources that stand below a route.
    pub(super) fn reached(&self, route: &Value, from: From<'_>) -> Vec<&'a Value> {
        let mut all: Vec<&Value> = Vec::new();
        let mut next = self.within(route, from);
        while let Some(value) = next.pop() {
            if !all.iter().any(|own| std::ptr::eq(*own, value)) {
                all.push(value);
                next.extend(self.within(spec(value), from));
            }
        }
        all
    }
}

/// What a resource says of its route.
pub(super) fn spec(value: &Value) -> &Value {
    let spec = value.get("spec").unwrap_or(&Value::Null);
    spec.get("route").unwrap_or(spec)
}

/// A route with these below it.
fn with(route: &Value, below: Vec<Value>) -> Value {
    let mut route = route.clone();
    if let Some(fields) = route.as_object_mut()
        && !below.is_empty()
    {
        fields.insert("routes".to_owned(), below.into());
    }
    route
}
