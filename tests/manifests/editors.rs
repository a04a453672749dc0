//! The JSON Schemas that `alertwright crds --schema` writes, as kubeconform reads them.

use std::fs;
use std::process::Command;

use alertwright_testbed::Scratch;
use serde_json::Value;

use super::{documents, shipped, text, tool};

/// A schema by the kind, and the one that holds what is ours against its own.
const LOCATIONS: [&str; 2] = ["{{.ResourceKind}}_{{.ResourceAPIVersion}}.json", "all.json"];

/// What kubeconform says of these manifests, strictly, with the schemas of `alertwright crds --schema`.
fn by_schemas_of_the_program(location: &str, yaml: &str) -> (bool, String) {
    let schemas = Scratch::new("editors").expect("a folder");
    let written = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(["crds", "--schema"])
        .arg(schemas.path())
        .status();
    assert!(written.expect("the program").success());
    let file = schemas.join("manifests.yaml");
    fs::write(&file, yaml).expect("it can be written");
    let output = Command::new(tool("kubeconform"))
        .args(["-strict", "-schema-location"])
        .arg(schemas.join(location))
        .arg(&file)
        .output()
        .expect("kubeconform");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn the_schemas_for_editors_take_what_is_right_and_nothing_else() {
    let ours = |yaml: &str| -> Vec<String> {
        let of_us = |object: &Value| text(object, "/apiVersion").starts_with("alerting.letsrevel.io/");
        documents(yaml)
            .into_iter()
            .filter(of_us)
            .map(|object| object.to_string())
            .collect()
    };
    let mut good: Vec<String> = shipped().iter().flat_map(|(_, yaml)| ours(yaml)).collect();
    good.push(r#"{"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": "a"}, "spec": {"query": "up", "labels": null}}"#.into());
    assert!(good.len() > 20);
    for location in LOCATIONS {
        let (is_fine, said) = by_schemas_of_the_program(location, &good.join("\n---\n"));
        assert!(is_fine, "{location}: {said}");
        for (spec, expected) in [
            (r#""spec": {"query": "up", "serverity": "high"}"#, "serverity"),
            (r#""spec": {"query": ["up"]}"#, "query"),
            (r#""spec": {"query": "up", "noDataState": "Fine"}"#, "noDataState"),
            (r#""status": {}"#, "spec"),
            (r#""spec": {"query": "up"}, "sepc": {}"#, "sepc"),
        ] {
            let bad = format!(
                r#"{{"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {{"name": "a"}}, {spec}}}"#
            );
            let (is_fine, said) = by_schemas_of_the_program(location, &bad);
            assert!(!is_fine && said.contains(expected), "{location}: {spec}: {said}");
        }
    }
}

#[test]
fn the_schema_for_several_kinds_passes_over_what_is_not_ours() {
    let all: Vec<String> = (shipped().iter())
        .flat_map(|(_, yaml)| documents(yaml))
        .map(|object| object.to_string())
        .collect();
    let (is_fine, said) = by_schemas_of_the_program("all.json", &all.join("\n---\n"));
    assert!(is_fine, "{said}");
}
