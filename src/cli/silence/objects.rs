//! The resources that a command is about, of any kind.

use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::super::common::connect::{Cluster, Connected, Scope};
use super::super::common::dns;
use super::super::common::names;
use super::super::common::print::wrong;
use super::make::MANAGER;
use super::told::{Of, Report};
use crate::api::condition;
use crate::api::schema::kept;
use crate::cluster::answer::{chain, is_missing};
use crate::domain::lint::near::nearest;

/// How often is looked what the operator says.
const LOOK: Duration = Duration::from_millis(200);

/// A kind of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kind {
    pub(super) resource: ApiResource,
    /// What people may call it, in lower case.
    names: Vec<String>,
    /// The fields of its specification and of its status.
    fields: [Vec<String>; 2],
}

impl Kind {
    /// All of them, from their definitions.
    fn all() -> Vec<Self> {
        let all = kept::names().into_iter();
        all.map(|names| {
            let schema = kept::schema(&names.kind);
            let called = [names.kind.to_lowercase(), names.plural.clone()];
            let fields = |at| fields(schema.as_ref(), at).unwrap_or_default();
            Self {
                resource: kept::resource(&names),
                names: called
                    .into_iter()
                    .chain(names.short_names.unwrap_or_default())
                    .collect(),
                fields: [fields("spec"), fields("status")],
            }
        })
        .collect()
    }

    pub(super) fn kind(&self) -> &str {
        &self.resource.kind
    }

    /// Whether its specification has such a field.
    pub(super) fn specifies(&self, field: &str) -> bool {
        let [spec, _] = &self.fields;
        spec.iter().any(|own| own == field)
    }

    /// Whether its status has such a field.
    pub(super) fn says(&self, field: &str) -> bool {
        let [_, status] = &self.fields;
        status.iter().any(|own| own == field)
    }
}

/// The fields of a part of a schema.
fn fields(schema: Option<&JSONSchemaProps>, part: &str) -> Option<Vec<String>> {
    let part = schema?.properties.as_ref()?.get(part)?;
    Some(part.properties.as_ref()?.keys().cloned().collect())
}

/// A kind, or a kind and a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
}

/// A kind, or a kind and a name, as people write them.
pub(super) fn named(text: &str) -> Result<Named, String> {
    let (kind, name) = text
        .split_once('/')
        .map_or((text, None), |(kind, name)| (kind, Some(name)));
    let plain = kind.to_lowercase();
    let all = Kind::all();
    let Some(found) = all.iter().find(|known| known.names.contains(&plain)) else {
        let near = nearest(kind, all.iter().map(Kind::kind));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(format!("there is no kind {kind}{near}"));
    };
    match name {
        Some("") => Err(format!("{text} names nothing behind the /")),
        name => Ok(Named {
            kind: found.clone(),
            name: name.map(dns::name).transpose()?,
        }),
    }
}

/// Which resources.
#[derive(clap::Args, Debug)]
pub(super) struct Which {
    /// Which ones: a kind and a name. With --all or -l a kind alone, or none for all kinds.
    #[arg(value_name = "KIND[/NAME]", value_parser = named, add = names::of_any_kind())]
    named: Vec<Named>,
    /// All of the namespace.
    #[arg(long, conflicts_with = "selector")]
    all: bool,
    /// All with these labels of their own (metadata.labels), as kubectl takes them: app=checkout,tier!=low.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,
    #[command(flatten)]
    cluster: Cluster,
}

/// A resource as it was found.
pub(super) struct Found {
    pub(super) api: Api<DynamicObject>,
    pub(super) object: DynamicObject,
    /// How it is told of.
    pub(super) of: Of,
}

impl Which {
    /// Ends as for wrong arguments where it can't be meant so. Only some kinds can be what the command is about.
    pub(super) fn check(&self, can: &dyn Fn(&Kind) -> bool, verb: &str) {
        let takes_all = self.all || self.selector.is_some();
        if self.named.is_empty() && !takes_all {
            wrong(
                "nothing is named: give a kind and a name, such as AlertRule/high-error-rate, or --all or -l",
            );
        }
        for one in &self.named {
            let kind = one.kind.kind();
            match &one.name {
                _ if !can(&one.kind) => wrong(&format!("a {kind} can't be {verb}")),
                None if !takes_all => wrong(&format!(
                    "which {kind}? Give its name as {kind}/NAME, or --all or -l"
                )),
                Some(name) if takes_all => wrong(&format!(
                    "{kind}/{name} is named, and --all or -l means others too: give one of both"
                )),
                _ => {}
            }
        }
    }

    /// Connects, and finds them. What isn't there is told.
    pub(super) async fn find(
        &self,
        can: &dyn Fn(&Kind) -> bool,
        report: &mut Report,
    ) -> Result<Vec<Found>, String> {
        let connected = self.cluster.connect(&Scope::default()).await?;
        let mut looked = Vec::new();
        if self.all || self.selector.is_some() {
            let kinds = Kind::all().into_iter().filter(|kind| can(kind));
            let is_meant =
                |kind: &Kind| self.named.is_empty() || self.named.iter().any(|one| one.kind == *kind);
            for kind in kinds.filter(is_meant) {
                looked.extend(self.list(&connected, &kind).await?);
            }
            if looked.is_empty() {
                return Err(self.none(&connected.namespace));
            }
            return Ok(looked);
        }
        for one in &self.named {
            let name = one.name.as_deref().unwrap_or_default();
            let of = of(&connected, &one.kind, name);
            let api = api(&connected, &one.kind);
            match api.get(name).await {
                Ok(object) => looked.push(Found { api, object, of }),
                Err(error) => {
                    let why = if is_missing(&error) {
                        let namespace = &connected.namespace;
                        let hint = connected.hint(&one.kind.resource, namespace, name).await;
                        format!("there is none in namespace {namespace}{hint}")
                    } else {
                        chain(&error)
                    };
                    report.failed(&of, &why);
                }
            }
        }
        Ok(looked)
    }

    /// What is said where none is meant: whoever is told nothing takes it for done.
    fn none(&self, namespace: &str) -> String {
        let kinds: Vec<&str> = self.named.iter().map(|one| one.kind.kind()).collect();
        let what = if kinds.is_empty() {
            "resource".to_owned()
        } else {
            kinds.join(" or ")
        };
        match &self.selector {
            None => format!("there is no {what} in namespace {namespace}"),
            Some(labels) => format!(
                "there is no {what} with the labels {labels} in namespace {namespace}; -l chooses by metadata.labels, not by those of alerts"
            ),
        }
    }

    async fn list(&self, connected: &Connected, kind: &Kind) -> Result<Vec<Found>, String> {
        let api = api(connected, kind);
        let parameters = ListParams {
            label_selector: self.selector.clone(),
            ..ListParams::default()
        };
        let all = api.list(&parameters).await;
        let all = all.map_err(|error| format!("cannot list every {}: {}", kind.kind(), chain(&error)))?;
        let found = all.items.into_iter().map(|object| Found {
            of: of(connected, kind, &object.name_any()),
            api: api.clone(),
            object,
        });
        Ok(found.collect())
    }
}

fn of(connected: &Connected, kind: &Kind, name: &str) -> Of {
    Of {
        kind: kind.kind().to_owned(),
        namespace: connected.namespace.clone(),
        name: name.to_owned(),
    }
}

fn api(connected: &Connected, kind: &Kind) -> Api<DynamicObject> {
    Api::namespaced_with(connected.client.clone(), &connected.namespace, &kind.resource)
}

impl Found {
    /// Whether Grafana is left as it is.
    pub(super) fn is_suspended(&self) -> bool {
        self.object.data.pointer("/spec/suspend") == Some(&Value::Bool(true))
    }

    /// Changes it.
    pub(super) async fn patch(&self, patch: &Value, dry_run: bool) -> Result<DynamicObject, String> {
        let parameters = PatchParams {
            dry_run,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let name = self.object.name_any();
        let changed = self.api.patch(&name, &parameters, &Patch::Merge(patch)).await;
        changed.map_err(|error| chain(&error))
    }

    /// Waits until this is so, and gives what it is then; nothing where the time is over.
    pub(super) async fn until(
        &self,
        is_so: impl Fn(&DynamicObject) -> bool,
        end: Instant,
    ) -> Result<Option<DynamicObject>, String> {
        loop {
            let seen = self.api.get(&self.object.name_any()).await;
            let seen = seen.map_err(|error| format!("it can't be read: {}", chain(&error)))?;
            if is_so(&seen) {
                return Ok(Some(seen));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What the operator says of it.
pub(super) fn ready(object: &DynamicObject) -> Option<Condition> {
    let conditions = object.data.pointer("/status/conditions")?;
    let conditions: Vec<Condition> = serde_json::from_value(conditions.clone()).ok()?;
    condition::ready(&conditions).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_none_is_meant_it_is_said_by_what_they_are_chosen() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            which: Which,
        }
        let of = |words: &[&str]| {
            let line = <Line as clap::Parser>::try_parse_from([&["x"], words].concat());
            line.unwrap_or_else(|error| panic!("{error}")).which.none("shop")
        };
        assert_eq!(of(&["--all"]), "there is no resource in namespace shop");
        assert_eq!(of(&["arule", "--all"]), "there is no AlertRule in namespace shop");
        let labelled = of(&["-l", "team=a"]);
        assert!(
            labelled.starts_with("there is no resource with the labels team=a in namespace shop; "),
            "{labelled}"
        );
    }

    #[test]
    fn kinds_are_named_as_kubectl_takes_them() {
        for text in ["alertrule/a", "AlertRule/a", "alertrules/a", "arule/a"] {
            let one = named(text).unwrap();
            assert_eq!((one.kind.kind(), one.name.as_deref()), ("AlertRule", Some("a")));
        }
        assert!(
            named("alertrul/a")
                .unwrap_err()
                .contains("did you mean AlertRule?")
        );
        assert!(named("silence/").is_err());
    }

    #[test]
    fn what_a_kind_can_is_read_from_its_definition() {
        let can = |text: &str| {
            let kind = named(text).unwrap().kind;
            (kind.specifies("suspend"), kind.says("lastHandledReconcileAt"))
        };
        assert_eq!(can("AlertRule"), (true, true));
        assert_eq!(can("PrometheusRuleImport"), (true, true));
        assert_eq!(can("MaintenancePolicy"), (true, false));
        assert_eq!(can("GrafanaInstance"), (false, false));
    }
}
