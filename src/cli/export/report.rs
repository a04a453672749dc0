//! What is said of an export.

use serde_json::{Value, json};

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use super::super::common::telling;
use super::super::common::terminal::{Look, Paint};
use super::super::common::written::Written;
use crate::api::GrafanaInstanceSpec;
use crate::domain::export::Export;
use crate::domain::export::resource::{Kind, Resource};
use crate::domain::tenancy;

/// An export, the files that it has become, and what could not be read.
pub(super) struct Report<'a> {
    pub(super) export: &'a Export,
    pub(super) written: &'a Written,
    pub(super) unread: &'a [String],
    /// What is said of those that can't be in their namespace what they are in Grafana.
    pub(super) bound: &'a Option<String>,
}

/// What is said of silences and inhibition rules that are to be in a namespace, beside the operator's own, which may not cover alerts of others; nothing where it may, or that isn't known.
pub(super) fn bound(
    resources: &[Resource],
    place: Option<(&str, &str)>,
    spec: &GrafanaInstanceSpec,
) -> Option<String> {
    let (home, namespace) = place?;
    if tenancy::is_unrestricted(spec, namespace, home) {
        return None;
    }
    let of = |kind: Kind| {
        resources
            .iter()
            .filter(move |one| one.spec.kind() == kind)
            .count()
    };
    let all = [
        (Kind::Silence, "Silence"),
        (Kind::InhibitionRule, "InhibitionRule"),
    ];
    let all = all.into_iter().filter(|(kind, _)| of(*kind) > 0);
    let all: Vec<String> = all.map(|(kind, what)| number(of(kind), what)).collect();
    (!all.is_empty()).then(|| {
        format!(
            "{} for alerts of every namespace, which namespace {namespace} may not have so, and take over nothing: have them in {home}, or name {namespace} in the GrafanaInstance's unrestrictedNamespaces.",
            all.join(" and ")
        )
    })
}

/// Whether it covers alerts of every namespace as it is in Grafana.
fn is_of_all(resource: &Resource) -> bool {
    matches!(resource.spec.kind(), Kind::Silence | Kind::InhibitionRule)
}

impl telling::Report for Report<'_> {
    fn table(&self, has_titles: bool, look: Look) -> String {
        let resources = self.export.resources.iter().enumerate();
        let resources = resources.map(|(at, resource)| {
            let place = self.written.file(at).unwrap_or_else(|| resource.name.clone());
            let mut note = note(resource);
            if self.bound.is_some() && is_of_all(resource) {
                note = [note.as_str(), "can't cover all namespaces from this one"]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("; ");
            }
            row(resource.spec.kind(), &resource.called, &place, &note)
        });
        let left = self.export.left.iter();
        let left = left.map(|left| {
            row(
                left.kind,
                &left.called,
                "–",
                &format!("not carried over: {}", left.why),
            )
        });
        let rows: Vec<Vec<String>> = resources.chain(left).collect();
        let place = if self.written.file(0).is_some() {
            "FILE"
        } else {
            "NAME"
        };
        let paint = |row: usize, column: usize| match self.export.resources.get(row) {
            _ if column != 3 => None,
            None => Some(Paint::Red),
            Some(resource) => (!resource.lost.is_empty()).then_some(Paint::Yellow),
        };
        look.table(&["KIND", "GRAFANA", place, "NOTE"], &rows, has_titles, &paint)
    }

    fn json(&self) -> Result<String, String> {
        let resources = self.export.resources.iter().enumerate();
        let resources = resources.map(|(at, resource)| {
            json!({
                "kind": resource.spec.kind().to_string(), "name": resource.name, "namespace": resource.namespace, "grafana": resource.called,
                "folder": resource.folder, "file": self.written.file(at), "form": resource.form, "changes": resource.changes,
                "lost": resource.lost, "remarks": resource.remarks, "secrets": resource.secrets,
            })
        });
        let left = self.export.left.iter();
        let left =
            left.map(|left| json!({"kind": left.kind.to_string(), "grafana": left.called, "why": left.why}));
        let document = json!({
            "apiVersion": API_VERSION, "kind": "Export", "resources": resources.collect::<Value>(), "notCarriedOver": left.collect::<Value>(),
            "ours": self.export.ours, "unread": self.unread,
        });
        Ok(as_json(&document))
    }

    fn sentences(&self) -> Vec<String> {
        let mut all = self.unread.to_vec();
        all.extend(self.bound.clone());
        if self.export.ours > 0 {
            all.push(format!(
                "{} of alertwright's own left out; --include-ours takes them in.",
                number(self.export.ours, "object")
            ));
        }
        all.push(format!(
            "{}. {}",
            number(self.export.resources.len(), "resource"),
            first_pass(&self.export.resources, self.export.marked)
        ));
        all
    }
}

fn row(kind: Kind, called: &str, place: &str, note: &str) -> Vec<String> {
    vec![
        kind.to_string(),
        called.to_owned(),
        place.to_owned(),
        note.to_owned(),
    ]
}

fn note(resource: &Resource) -> String {
    let mut all = Vec::from_iter(Some(resource.form.clone()).filter(|form| !form.is_empty()));
    all.extend(
        resource
            .lost
            .iter()
            .map(|lost| format!("not carried over: {lost}")),
    );
    let is_query = resource.changes == ["query"] && resource.form == "query";
    if !resource.changes.is_empty() && !is_query {
        all.push(format!("will change: {}", resource.changes.join(", ")));
    }
    all.extend(
        resource
            .remarks
            .iter()
            .filter(|_| resource.spec.kind() == Kind::AlertRule)
            .cloned(),
    );
    all.join("; ")
}

/// What the first pass over the resources writes into Grafana.
fn first_pass(resources: &[Resource], marked: usize) -> String {
    let of = |kind: Kind| {
        resources
            .iter()
            .filter(move |resource| resource.spec.kind() == kind)
    };
    let mut writes = Vec::new();
    let rules = of(Kind::AlertRule).count();
    if rules > 0 {
        let queries = of(Kind::AlertRule)
            .filter(|rule| rule.changes == ["query"])
            .count();
        let others = of(Kind::AlertRule)
            .filter(|rule| !rule.changes.is_empty())
            .count()
            - queries;
        let unmarked = rules.saturating_sub(marked);
        let mut write = Vec::new();
        write.extend((unmarked > 0).then(|| format!("the mark of {}", number(unmarked, "rule"))));
        let of = if unmarked > 0 { "of them" } else { "of the rules" };
        write.extend((queries > 0).then(|| format!("the nodes of {queries} {of} as query has them")));
        write.extend((others > 0).then(|| format!("and more of {others} {of}")));
        if unmarked > 0 {
            write.push("which locks those that can be edited in Grafana's pages".to_owned());
        }
        if !write.is_empty() {
            writes.push(write.join(", "));
        }
    }
    match of(Kind::NotificationPolicy).count() {
        0 => {}
        1 => writes.push("the mark of the tree".to_owned()),
        many => writes.push(format!("the marks of {many} trees")),
    }
    let hidden = of(Kind::ContactPoint)
        .filter(|point| !point.secrets.is_empty())
        .count();
    if hidden > 0 {
        writes.push(format!(
            "{} whose secrets are hidden",
            number(hidden, "contact point")
        ));
    }
    let others = resources.iter().filter(|other| {
        let is_told = matches!(other.spec.kind(), Kind::AlertRule) || !other.secrets.is_empty();
        !other.changes.is_empty() && !is_told
    });
    match others.count() {
        0 => {}
        1 => writes.push("one other object".to_owned()),
        many => writes.push(format!("{many} other objects")),
    }
    if writes.is_empty() {
        "The first pass writes nothing.".to_owned()
    } else {
        format!("The first pass writes: {}.", writes.join("; "))
    }
}

fn number(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::export::resource::Spec;

    #[test]
    fn silences_in_a_namespace_that_may_not_cover_others_are_told() {
        let silence = Resource::new(Spec::Silence(Box::default()), "s", Some("shop"), "a=b");
        let spec = |more: serde_json::Value| -> GrafanaInstanceSpec {
            let mut spec = json!({"url": "http://grafana", "auth": {}});
            spec["unrestrictedNamespaces"] = more;
            serde_json::from_value(spec).unwrap()
        };
        let all = [silence];
        let of = |place, more| bound(&all, place, &spec(more));
        let said = of(Some(("home", "shop")), json!(null)).unwrap();
        assert!(
            said.starts_with("1 Silence for alerts of every namespace"),
            "{said}"
        );
        assert!(said.contains("unrestrictedNamespaces"), "{said}");
        assert_eq!(of(Some(("home", "shop")), json!({"names": ["shop"]})), None);
        assert_eq!(of(Some(("home", "home")), json!(null)), None);
        assert_eq!(of(None, json!(null)), None, "nobody knows");
        assert_eq!(bound(&[], Some(("home", "shop")), &spec(json!(null))), None);
    }
}
