//! `alertwright open`: the page of a resource in Grafana.

use std::process::{Command, Stdio};

use kube::Api;
use kube::api::DynamicObject;

use super::super::common::connect::{Cluster, Scope, kind, wait};
use super::super::common::dns;
use super::super::common::exit::{self, Exit};
use super::super::common::names;
use super::super::common::print::{harmless, note, print};
use super::state::{Part, parts};
use crate::cluster::answer::chain;
use crate::domain::lint::object::Object;

/// What opens a page on this machine.
#[cfg(target_os = "macos")]
const OPENER: &[&str] = &["open"];
#[cfg(target_os = "windows")]
const OPENER: &[&str] = &["explorer"];
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
const OPENER: &[&str] = &["xdg-open"];

/// Open the page of a resource in Grafana, as its status names it.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright open AlertRule/high-error-rate -n revel\n  alertwright open npolicy/revel -n revel --url\n  alertwright open ginst/default --url\n\n{}", exit::HELP))]
pub(in super::super) struct Open {
    /// The resource.
    #[arg(value_name = "KIND/NAME", value_parser = named, add = names::of_any_kind())]
    resource: (String, String),
    #[command(flatten)]
    cluster: Cluster,
    /// The GrafanaInstance whose page is meant. Default: the first one that the resource is for.
    #[arg(short, long, value_name = "NAME", value_parser = dns::name, add = names::of("GrafanaInstance"))]
    instance: Option<String>,
    /// Print the address and open nothing.
    #[arg(long)]
    url: bool,
}

/// A kind and a name, as people write them.
fn named(text: &str) -> Result<(String, String), String> {
    let Some((word, name)) = text.split_once('/').filter(|(_, name)| !name.is_empty()) else {
        return Err("write one such as AlertRule/high-error-rate".to_owned());
    };
    Ok((kind(word)?.resource.kind, dns::name(name)?))
}

impl Open {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let (word, name) = &self.resource;
        let kind = kind(word)?;
        let cluster = self.cluster.connect(&Scope::default()).await?;
        let namespace = if kind.is_at_home {
            &cluster.home
        } else {
            &cluster.namespace
        };
        let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), namespace, &kind.resource);
        let found = api.get_opt(name).await;
        let found = found.map_err(|e| {
            format!(
                "cannot read {word} {name} in namespace {namespace}: {}",
                chain(&e)
            )
        })?;
        let Some(found) = found else {
            let hint = cluster.hint(&kind.resource, namespace, name).await;
            return Err(format!(
                "there is no {word} {name} in namespace {namespace}{hint}"
            ));
        };
        let mut value = serde_json::to_value(&found).map_err(|e| e.to_string())?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("kind".to_owned(), word.clone().into());
        }
        match page(&Object::new(value, namespace), self.instance.as_deref()) {
            Err(why) => {
                note(&why);
                Ok(Exit::No)
            }
            Ok(url) => {
                print(&format!("{}\n", harmless(&url)))?;
                if self.url {
                    return Ok(Exit::Done);
                }
                opened(&url).map(|()| Exit::Done)
            }
        }
    }
}

/// The address of a resource's page; or why there is none.
fn page(object: &Object, instance: Option<&str>) -> Result<String, String> {
    let called = object.called();
    let all = parts(object);
    let mut here = all
        .iter()
        .filter(|part| instance.is_none() || part.instance == instance);
    let Some(part) = here.next() else {
        let instance = instance.unwrap_or_default();
        return Err(format!("{called} isn't for GrafanaInstance {instance}"));
    };
    let url = part
        .text("url")
        .or_else(|| instance.is_none().then(|| Part::whole(object).text("url"))?);
    match url {
        // It is given to another program.
        Some(url) if is_address(url) => Ok(url.to_owned()),
        Some(_) => Err(format!(
            "the address in the status of {called} is none: it isn't opened"
        )),
        None => Err(match part.why(object) {
            Some(why) if !why.is_ready => format!(
                "{called} has no page in Grafana yet: {}: {}",
                why.reason, why.message
            ),
            _ => format!("a {} has no page of its own in Grafana", object.kind),
        }),
    }
}

fn is_address(url: &str) -> bool {
    let is_http = ["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    is_http && !url.contains(|c: char| c.is_whitespace() || c.is_control()) && url::Url::parse(url).is_ok()
}

fn opened(url: &str) -> Result<(), String> {
    let Some((program, before)) = OPENER.split_first() else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command
        .args(before)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.status() {
        // Windows' own answers with 1 although it has opened it.
        Ok(status) if status.success() || cfg!(target_os = "windows") => Ok(()),
        Ok(status) => Err(format!(
            "{program} can't open it ({status}): --url prints the address alone"
        )),
        Err(error) => Err(format!(
            "{program} can't be started to open it: {error}; --url prints the address alone"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[allow(clippy::needless_pass_by_value, reason = "tests read better so")]
    fn object(kind: &str, status: Value) -> Object {
        let value = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"namespace": "n", "name": "a"}, "spec": {}, "status": status,
        });
        Object::new(value, "")
    }

    #[test]
    fn a_page_is_that_of_the_status_or_it_is_said_why_there_is_none() {
        let url = "https://g.example/alerting/grafana/aw-x/view";
        assert_eq!(
            page(&object("AlertRule", json!({"url": url})), None),
            Ok(url.to_owned())
        );
        let ready = |status: &str, reason: &str| json!([{"type": "Ready", "status": status, "reason": reason, "message": "no folder", "lastTransitionTime": "2026-11-27T19:00:00Z"}]);
        let waiting = object(
            "AlertRule",
            json!({"conditions": ready("False", "DependencyMissing")}),
        );
        let why = "AlertRule a has no page in Grafana yet: DependencyMissing: no folder";
        assert_eq!(page(&waiting, None), Err(why.to_owned()));
        let silence = object("Silence", json!({"conditions": ready("True", "Synced")}));
        assert_eq!(
            page(&silence, None),
            Err("a Silence has no page of its own in Grafana".to_owned())
        );
    }

    #[test]
    fn of_several_grafanas_one_is_named() {
        let several = object(
            "AlertRule",
            json!({"instances": [{"instance": "a", "url": "https://a"}, {"instance": "b", "url": "https://b"}]}),
        );
        assert_eq!(page(&several, None).as_deref(), Ok("https://a"));
        assert_eq!(page(&several, Some("b")).as_deref(), Ok("https://b"));
        assert!(page(&several, Some("c")).is_err());
    }

    #[test]
    fn nothing_but_an_address_is_opened() {
        for bad in [
            "file:///etc/passwd",
            "-help",
            "https://g/\u{1b}[2J",
            "https://g/ a",
            "javascript:x",
        ] {
            assert!(
                page(&object("AlertRule", json!({"url": bad})), None).is_err(),
                "{bad}"
            );
        }
        assert!(named("AlertRule").is_err() && named("AlertRule/").is_err());
        assert_eq!(named("arule/a"), Ok(("AlertRule".to_owned(), "a".to_owned())));
    }
}
