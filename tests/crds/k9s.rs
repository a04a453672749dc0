//! The plugins for k9s, run as k9s runs them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use alertwright_testbed::{ControlPlane, Scratch};
use serde_json::{Value, json};

use crate::{control_plane, root};

fn plugins() -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(root().join("deploy/k9s/plugins.yaml")).expect("the plugins");
    let file: BTreeMap<String, BTreeMap<String, Value>> = serde_saphyr::from_str(&text).expect("YAML");
    file["plugins"].clone()
}

/// An argument with k9s' variables in it, which refuses others: `$` and letters, digits, `_`, `-` and `|`.
fn substituted(argument: &str, variables: &BTreeMap<&str, &str>) -> String {
    let mut out = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let name: String = from[1..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|'))
            .collect();
        rest = &from[1 + name.len()..];
        if name.is_empty() {
            out.push('$');
        } else {
            let value = variables.get(name.as_str());
            out.push_str(value.unwrap_or_else(|| panic!("k9s has no ${name}: {argument}")));
        }
    }
    out + rest
}

struct Bench {
    plane: &'static ControlPlane,
    namespace: String,
    /// Holds a program in the place of a browser.
    scratch: Scratch,
}

impl Bench {
    async fn new() -> Self {
        let plane = control_plane().await;
        let scratch = Scratch::new("k9s").expect("a folder");
        let browser = scratch
            .write("xdg-open", "#!/bin/sh\necho \"opened $1\"\n")
            .expect("a file");
        std::fs::set_permissions(browser, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
        Self {
            plane,
            namespace: plane.namespace("k9s").await,
            scratch,
        }
    }

    /// Runs a plugin on an object, and gives what it prints.
    fn run(&self, plugin: &str, resource: &str, name: &str) -> String {
        let plugin = &plugins()[plugin];
        let scopes = plugin["scopes"].as_array().expect("scopes");
        assert!(scopes.contains(&json!(resource)), "{scopes:?}");
        let variables = BTreeMap::from([
            ("CONTEXT", "testbed"),
            ("NAMESPACE", self.namespace.as_str()),
            ("NAME", name),
            ("RESOURCE_NAME", resource),
            ("RESOURCE_GROUP", "alerting.letsrevel.io"),
        ]);
        let args = plugin["args"].as_array().expect("arguments");
        let args = args
            .iter()
            .map(|arg| substituted(arg.as_str().expect("a text"), &variables));
        let path = format!(
            "{}:{}",
            self.scratch.path().display(),
            std::env::var("PATH").expect("a PATH")
        );
        let output = Command::new(plugin["command"].as_str().expect("a command"))
            .args(args)
            .env("KUBECONFIG", self.plane.kubeconfig())
            .env("PATH", path)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn get(&self, what: &str) -> Value {
        let args = ["get", what, "-n", &self.namespace, "-o", "json"];
        serde_json::from_str(&self.plane.kubectl(args).await.ok()).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_plugin_of_k9s_does_what_it_says() {
    let bench = Bench::new().await;
    let objects = [
        json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": "errors"},
            "spec": {"query": "vector(1) > 0"}}),
        json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint", "metadata": {"name": "team"},
            "spec": {"integrations": [{"email": {"addresses": ["a@example.com"]}}]}}),
    ];
    for object in objects {
        bench.plane.apply(&object.to_string(), &bench.namespace).await;
    }

    bench.run("alertwright-silence", "alertrules", "errors");
    let silences = bench.get("silences").await;
    let spec = &silences["items"][0]["spec"];
    assert_eq!(
        (&spec["alertRules"]["names"], &spec["duration"]),
        (&json!(["errors"]), &json!("1h"))
    );

    bench.run("alertwright-suspend", "contactpoints", "team");
    assert_eq!(bench.get("contactpoint/team").await["spec"]["suspend"], true);
    bench.run("alertwright-resume", "contactpoints", "team");
    assert!(bench.get("contactpoint/team").await["spec"]["suspend"].is_null());

    bench.run("alertwright-resend", "contactpoints", "team");
    let annotations = bench.get("contactpoint/team").await["metadata"]["annotations"].clone();
    assert!(
        annotations["alerting.letsrevel.io/resend"].is_string(),
        "{annotations}"
    );

    let status = r#"{"status": {"url": "https://grafana.example.com/a"}}"#;
    let patch = [
        "patch",
        "alertrule",
        "errors",
        "-n",
        &bench.namespace,
        "--subresource",
        "status",
        "--type",
        "merge",
        "-p",
        status,
    ];
    bench.plane.kubectl(patch).await.ok();
    let opened = bench.run("alertwright-open", "alertrules", "errors");
    assert_eq!(opened, "opened https://grafana.example.com/a\n");
}

#[test]
fn plugins_of_k9s_are_for_kinds_that_there_are_and_every_kind_that_can_be_suspended_has_that() {
    let crds = alertwright::api::crds();
    let plurals: Vec<&str> = crds.iter().map(|crd| crd.spec.names.plural.as_str()).collect();
    for (name, plugin) in plugins() {
        for scope in plugin["scopes"].as_array().expect("scopes") {
            assert!(
                plurals.contains(&scope.as_str().expect("a kind")),
                "{name}: {scope}"
            );
        }
    }
    let suspendable: Vec<Value> = crds
        .iter()
        .filter(|crd| {
            let crd = serde_json::to_value(crd).expect("JSON");
            let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend";
            crd.pointer(spec).is_some()
        })
        .map(|crd| json!(crd.spec.names.plural))
        .collect();
    for plugin in ["alertwright-suspend", "alertwright-resume"] {
        let mut scopes = plugins()[plugin]["scopes"].as_array().expect("scopes").clone();
        let mut all = suspendable.clone();
        scopes.sort_by_key(Value::to_string);
        all.sort_by_key(Value::to_string);
        assert_eq!(scopes, all, "{plugin}");
    }
}
