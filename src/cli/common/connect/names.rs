//! The names of resources in the cluster, for a shell that completes them.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Arg, Command as Parser};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde::de::DeserializeOwned;

use super::wait;
use super::{Cluster, Scope};
use crate::api::schema::kept;

/// How long anybody waits for names while typing.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many are offered.
const MOST: usize = 500;

/// Names of a kind.
pub(in super::super::super) fn of(kind: &'static str) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| begun(names(kind), typed))
}

/// A parser that completes namespaces and contexts too, whatever command asks for one.
pub(in super::super::super) fn with_places(command: Parser) -> Parser {
    let is_of = |argument: &Arg, names: &[&str]| {
        let values = argument.get_value_names().unwrap_or_default();
        argument.get_action().takes_values() && values.iter().any(|value| names.contains(&value.as_str()))
    };
    let command = command.mut_args(|argument| {
        if is_of(&argument, &["NAMESPACE", "NAMESPACES"]) {
            argument.add(of_namespaces())
        } else if argument.get_id() == "context" {
            argument.add(of_contexts())
        } else {
            argument
        }
    });
    command.mut_subcommands(with_places)
}

/// Names of namespaces.
fn of_namespaces() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let cluster = Cluster::of_words(std::env::args_os(), false);
        let all = soon(move || {
            wait(async {
                let connected = cluster.connect(&Scope::default()).await?;
                let api: Api<Namespace> = Api::all(connected.client);
                listed(&api).await
            })
        });
        begun(all, typed)
    })
}

/// Names of the kubeconfig's contexts.
fn of_contexts() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let cluster = Cluster::of_words(std::env::args_os(), false);
        begun(cluster.contexts(), typed)
    })
}

/// Those that begin as what is typed.
fn begun(all: Vec<String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let offered = all.into_iter().filter(|name| name.starts_with(typed.as_ref()));
    offered.take(MOST).map(CompletionCandidate::new).collect()
}

/// A kind, a slash and a name.
pub(in super::super::super) fn of_any_kind() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let all = kept::names();
        let kinds = all.iter();
        let Some((kind, begun)) = typed.split_once('/') else {
            let begins = |kind: &String| kind.to_lowercase().starts_with(&typed.to_lowercase());
            let offered = kinds.map(|names| &names.kind).filter(|kind| begins(kind));
            return offered
                .map(|kind| CompletionCandidate::new(format!("{kind}/")))
                .collect();
        };
        let plain = kind.to_lowercase();
        let found = kinds.into_iter().find(|names| {
            let short = names.short_names.iter().flatten().any(|short| *short == plain);
            names.kind.to_lowercase() == plain || names.plural == plain || short
        });
        let all = found.map(|found| names(&found.kind)).unwrap_or_default();
        let offered = all.into_iter().filter(|name| name.starts_with(begun));
        offered
            .take(MOST)
            .map(|name| CompletionCandidate::new(format!("{kind}/{name}")))
            .collect()
    })
}

/// The names there are, where the words that are typed lead; none where that isn't known soon.
fn names(kind: &str) -> Vec<String> {
    let Some(names) = kept::names().into_iter().find(|names| names.kind == kind) else {
        return Vec::new();
    };
    let resource = kept::resource(&names);
    // Those are where the operator is, which has to be looked for.
    let is_at_home = kind == "GrafanaInstance";
    let cluster = Cluster::of_words(std::env::args_os(), is_at_home);
    soon(move || {
        wait(async {
            let connected = cluster.connect(&Scope::default()).await?;
            let namespace = if is_at_home {
                &connected.home
            } else {
                &connected.namespace
            };
            let api: Api<DynamicObject> = Api::namespaced_with(connected.client, namespace, &resource);
            listed(&api).await
        })
    })
}

/// All names, from the API server's cache: what is typed may be among the last, so there is no limit, and what is a moment old will do.
async fn listed<K>(api: &Api<K>) -> Result<Vec<String>, String>
where
    K: Clone + DeserializeOwned + Debug,
{
    let all = api.list_metadata(&ListParams::default().match_any()).await;
    let all = all.map_err(|error| error.to_string())?;
    let names = all.items.into_iter().filter_map(|object| object.metadata.name);
    Ok(names.collect())
}

/// What is found by this in good time, and nothing else. A kubeconfig may have a program run that logs in, and an address may be looked up for long: neither
/// can be called off, so they are left to themselves.
fn soon(look: impl FnOnce() -> Result<Vec<String>, String> + Send + 'static) -> Vec<String> {
    let (told, heard) = mpsc::channel();
    thread::spawn(move || told.send(look()));
    heard
        .recv_timeout(PATIENCE)
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_looked_for_among_all_however_many_there_are() {
        let all: Vec<String> = (0..2000).map(|number| format!("team-{number:04}")).collect();
        let offered = |typed: &str| begun(all.clone(), OsStr::new(typed));
        assert_eq!(offered("team-1999").len(), 1);
        assert_eq!(offered("team-").len(), MOST);
    }

    #[test]
    fn nobody_waits_for_names_that_do_not_come() {
        assert_eq!(soon(|| Ok(vec!["a".to_owned()])), ["a"]);
        assert_eq!(soon(|| Err("no".to_owned())), [""; 0]);
        let (never, comes) = mpsc::channel::<()>();
        let found = soon(move || {
            let _ = comes.recv();
            Ok(vec!["late".to_owned()])
        });
        assert_eq!(found, [""; 0]);
        drop(never);
    }
}
