//! What was released stays: stored objects and people's manifests must be readable by the next version.

use std::fs;

use serde_json::{Value, json};

use crate::root;

/// What a field is, beyond its name.
const TYPE: [&str; 4] = [
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
];

/// What has gone from a schema, or is something else than it was.
fn broken(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    for word in TYPE {
        if before[word] != now[word] {
            found.push(format!("{path}: {word} was {}, is {}", before[word], now[word]));
        }
    }
    for (name, field) in before["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match now["properties"].get(name) {
            Some(now) => broken(&path, field, now, found),
            None => found.push(format!("{path} is gone")),
        }
    }
    for (suffix, inner) in [("[]", "items"), ("{}", "additionalProperties")] {
        if before[inner].is_object() {
            broken(&format!("{path}{suffix}"), &before[inner], &now[inner], found);
        }
    }
}

/// What is broken in a definition, of which `None` has gone altogether.
fn broken_definition(before: &Value, now: Option<&Value>) -> Vec<String> {
    let kind = before["spec"]["names"]["kind"].as_str().unwrap_or_default();
    let Some(now) = now else {
        return vec![format!("the kind {kind} is gone")];
    };
    let mut found = Vec::new();
    for version in before["spec"]["versions"].as_array().into_iter().flatten() {
        let name = version["name"].as_str().unwrap_or_default();
        let path = format!("{kind} {name}");
        let versions = now["spec"]["versions"].as_array().into_iter().flatten();
        match versions
            .into_iter()
            .find(|v| v["name"] == *name && v["served"] == true)
        {
            Some(now) => {
                let schema = |version: &Value| version["schema"]["openAPIV3Schema"].clone();
                broken(&path, &schema(version), &schema(now), &mut found);
            }
            None => found.push(format!("{path} is no longer served")),
        }
    }
    found
}

#[test]
fn no_released_field_disappears_or_changes_its_type() {
    let now: Vec<Value> = alertwright::api::crds()
        .iter()
        .map(|crd| serde_json::to_value(crd).expect("JSON"))
        .collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("tests/crds/released")).expect("the folder of the last release") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).expect("a definition");
            let before: Value = serde_saphyr::from_str(&text).expect("YAML");
            let same = now
                .iter()
                .find(|crd| crd["metadata"]["name"] == before["metadata"]["name"]);
            found.extend(broken_definition(&before, same));
        }
    }
    assert!(
        found.is_empty(),
        "released, so not to be broken:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_comparison_finds_what_breaks_stored_objects() {
    let definition = |version: &str, spec: Value| {
        json!({"spec": {"names": {"kind": "Bell"}, "versions": [
            {"name": version, "served": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}},
        ]}})
    };
    let fields = |fields: Value| json!({"type": "object", "properties": fields});
    let tone = |type_: &str| fields(json!({"tone": {"type": type_}}));
    let before = definition(
        "v1",
        fields(json!({
            "tone": {"type": "string"},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "rope": fields(json!({"length": {"type": "integer"}})),
            "strokes": {"type": "array", "x-kubernetes-list-type": "atomic", "items": tone("string")},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        })),
    );
    let after = |change: fn(&mut Value)| {
        let mut now = before.clone();
        change(
            &mut now["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"],
        );
        broken_definition(&before, Some(&now)).join("; ")
    };
    assert_eq!(after(|_| {}), "");
    assert_eq!(after(|fields| fields["pitch"] = json!({"type": "number"})), "");
    assert_eq!(
        after(|fields| fields["tone"]["description"] = json!("How it sounds.")),
        ""
    );
    assert_eq!(
        after(|fields| _ = fields.as_object_mut().and_then(|fields| fields.remove("tone"))),
        "Bell v1.spec.tone is gone"
    );
    assert_eq!(
        after(|fields| fields["rope"]["properties"] = json!({"metres": {"type": "integer"}})),
        "Bell v1.spec.rope.length is gone"
    );
    assert_eq!(
        after(|fields| fields["tone"]["type"] = json!("integer")),
        r#"Bell v1.spec.tone: type was "string", is "integer""#
    );
    assert_eq!(
        after(|fields| fields["strokes"]["items"]["properties"] = json!({})),
        "Bell v1.spec.strokes[].tone is gone"
    );
    assert_eq!(
        after(|fields| fields["labels"]["additionalProperties"]["type"] = json!("integer")),
        r#"Bell v1.spec.labels{}: type was "string", is "integer""#
    );
    assert_eq!(
        after(|fields| fields["tags"]["x-kubernetes-list-type"] = json!("atomic")),
        r#"Bell v1.spec.tags: x-kubernetes-list-type was "set", is "atomic""#
    );
    assert_eq!(broken_definition(&before, None), ["the kind Bell is gone"]);
    let moved = definition("v2", tone("string"));
    assert_eq!(
        broken_definition(&before, Some(&moved)),
        ["Bell v1 is no longer served"]
    );
}
