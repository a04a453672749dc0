//! JSON schemas for kubeconform, made from the API server's own OpenAPI documents and from CRDs, so that no network is needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// Where a file's schema lies: kubeconform fills in the variables.
pub const LOCATION: &str = "{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";

/// Writes the schemas of all these kinds (apiVersion, kind) into a folder. Kinds that nobody knows get none.
pub fn write(kinds: &[(String, String)], folder: &Path) {
    let (specifications, definitions) = (specifications(), definitions());
    for (api_version, kind) in kinds {
        let schema = defined(&definitions, kind, api_version)
            .or_else(|| kubernetes(&specifications, api_version, kind));
        let Some(schema) = schema else { continue };
        let (group, version) = api_version.split_once('/').unwrap_or((api_version, api_version));
        let file = folder.join(format!("{group}_{}_{version}.json", kind.to_lowercase()));
        std::fs::write(file, schema.to_string()).expect("a schema can be written");
    }
}

/// The module that has the definitions of prometheus-operator's kinds (Apache-2.0). None of its code is compiled.
const PROMETHEUS_OPERATOR: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";

/// The folder of a Go module, as it is known from that folder.
fn module(name: &str, from: &Path) -> PathBuf {
    let output = Command::new("go")
        .args(["mod", "download", "-json", name])
        .current_dir(from)
        .output()
        .expect("go on the PATH");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("go answers in JSON");
    let dir = answer["Dir"].as_str();
    dir.unwrap_or_else(|| panic!("no module: {answer}")).into()
}

/// The folder of OpenAPI documents in the module that the testbed's API server is built from.
fn specifications() -> PathBuf {
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/cluster");
    module("k8s.io/kubernetes", &testbed).join("api/openapi-spec/v3")
}

/// The definitions of the kinds of prometheus-operator that the chart makes and that are imported, as they are released.
fn monitoring() -> Vec<Value> {
    let folder = module(PROMETHEUS_OPERATOR, &std::env::temp_dir()).join("example/prometheus-operator-crd");
    let one = |plural: &str| {
        let file = folder.join(format!("monitoring.coreos.com_{plural}.yaml"));
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_saphyr::from_str(&text).expect("YAML")
    };
    ["servicemonitors", "podmonitors", "prometheusrules"]
        .map(one)
        .into()
}

/// The schema of one kind of Kubernetes itself, with all that it refers to.
fn kubernetes(folder: &Path, api_version: &str, kind: &str) -> Option<Value> {
    let file = match api_version.split_once('/') {
        Some((group, version)) => format!("apis__{group}__{version}_openapi.json"),
        None => format!("api__{api_version}_openapi.json"),
    };
    let text = std::fs::read_to_string(folder.join(file)).ok()?;
    let document: Value = serde_json::from_str(&text).expect("an OpenAPI document");
    let all = document.pointer("/components/schemas")?.as_object()?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let wanted = json!([{"group": group, "kind": kind, "version": version}]);
    let (name, _) = all
        .iter()
        .find(|(_, schema)| schema["x-kubernetes-group-version-kind"] == wanted)?;
    let mut needed = BTreeMap::new();
    collect(all, name, &mut needed);
    let needed: Map<String, Value> = needed.into_iter().collect();
    Some(json!({"$ref": format!("#/components/schemas/{name}"), "components": {"schemas": needed}}))
}

fn collect(all: &Map<String, Value>, name: &str, needed: &mut BTreeMap<String, Value>) {
    if needed.contains_key(name) {
        return;
    }
    let mut schema = all[name].clone();
    if schema.get("properties").is_some() {
        schema["additionalProperties"] = false.into();
    }
    needed.insert(name.to_owned(), schema.clone());
    for reference in references(&schema) {
        let name = reference.trim_start_matches("#/components/schemas/");
        collect(all, name, needed);
    }
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned);
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Of our kinds and of prometheus-operator's.
fn definitions() -> Vec<Value> {
    let ours = alertwright::api::crds().into_iter();
    let ours = ours.map(|crd| serde_json::to_value(crd).expect("a CRD is JSON"));
    ours.chain(monitoring()).collect()
}

/// The schema of a kind that is defined.
fn defined(definitions: &[Value], kind: &str, api_version: &str) -> Option<Value> {
    let mut found = definitions.iter().filter_map(|definition| {
        let spec = &definition["spec"];
        let version = &spec["versions"][0];
        let (group, name) = (spec["group"].as_str()?, version["name"].as_str()?);
        (spec["names"]["kind"] == kind && api_version == format!("{group}/{name}"))
            .then(|| version["schema"]["openAPIV3Schema"].clone())
    });
    let mut schema = found.next()?;
    close(&mut schema);
    for field in ["apiVersion", "kind", "metadata"] {
        schema["properties"][field] = json!({});
    }
    Some(schema)
}

/// What the API server does with unknown fields, as far as JSON schemas can say it.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let is_open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if fields.contains_key("properties") && !is_open {
        fields.insert("additionalProperties".into(), false.into());
    }
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(inner) {
            close(inner);
        }
    }
}
