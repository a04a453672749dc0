//! What can be said of the definitions without a server.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use alertwright::api::crds;
use alertwright_testbed::Scratch;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::root;

/// Calls `see` for every schema below this one, with its path.
fn walk(path: &str, schema: &Value, see: &mut impl FnMut(&str, &Value)) {
    see(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, see);
    }
    for (suffix, key) in [("[]", "items"), ("{}", "additionalProperties")] {
        if schema[key].is_object() {
            walk(&format!("{path}{suffix}"), &schema[key], see);
        }
    }
}

fn schemas(crd: &CustomResourceDefinition) -> Vec<(String, Value)> {
    let json = serde_json::to_value(crd).expect("a CRD is JSON");
    let mut all = Vec::new();
    for version in json["spec"]["versions"].as_array().expect("versions") {
        walk(
            &crd.spec.names.kind,
            &version["schema"]["openAPIV3Schema"],
            &mut |path, schema| all.push((path.to_owned(), schema.clone())),
        );
    }
    assert!(all.len() > 10, "{} has no schema", crd.spec.names.kind);
    all
}

/// Holds a folder to what the program writes into one with these arguments. What people have written beside it is named.
fn assert_is_as_written(folder: &str, args: &[&str], beside: &[&str]) {
    let scratch = Scratch::new("written").expect("a folder");
    let written = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(args)
        .arg("--directory")
        .arg(scratch.path())
        .status()
        .expect("alertwright runs");
    assert!(written.success());
    let names = |folder: &std::path::Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let names = entries.map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        });
        names.filter(|name| !beside.contains(&name.as_str())).collect()
    };
    let kept = root().join(folder);
    assert_eq!(
        names(scratch.path()),
        names(&kept),
        "{folder}: a kind was added or dropped"
    );
    for name in names(&kept) {
        let (is, should) = (
            fs::read_to_string(kept.join(&name)),
            fs::read_to_string(scratch.join(&name)),
        );
        assert!(
            is.expect("a file") == should.expect("a file"),
            "{folder}/{name} is out of step; refresh it with: make crds docs"
        );
    }
}

#[test]
fn the_files_in_crds_are_what_the_program_writes() {
    assert_is_as_written("crds", &["crds"], &["Kustomization"]);
}

#[test]
fn the_reference_is_what_the_program_writes() {
    assert_is_as_written("docs/reference", &["crds", "--markdown"], &[]);
}

#[test]
fn the_kustomization_lists_every_kind() {
    let text = fs::read_to_string(root().join("crds/Kustomization")).expect("a kustomization");
    let kustomization: Value = serde_saphyr::from_str(&text).expect("YAML");
    let listed: Vec<_> = kustomization["resources"].as_array().expect("resources").clone();
    let expected: Vec<Value> = crds()
        .iter()
        .map(|crd| format!("{}.yaml", crd.spec.names.plural).into())
        .collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_program_prints_the_same_definitions() {
    let output = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .arg("crds")
        .output()
        .expect("alertwright runs");
    let printed: Vec<Value> =
        serde_saphyr::from_multiple(&String::from_utf8_lossy(&output.stdout)).expect("YAML");
    let printed: Vec<Value> = printed
        .into_iter()
        .filter(|document| !document.is_null())
        .collect();
    let expected: Vec<Value> = crds()
        .iter()
        .map(|crd| serde_json::to_value(crd).expect("JSON"))
        .collect();
    assert_eq!(printed, expected);
}

#[test]
fn every_field_is_explained() {
    for crd in crds() {
        for (path, schema) in schemas(&crd) {
            let is_field = !path.ends_with("[]") && !path.ends_with("{}");
            let last = path.rsplit('.').next().unwrap_or_default();
            let is_known = matches!(last, "apiVersion" | "kind" | "metadata");
            let explained = schema["description"]
                .as_str()
                .is_some_and(|text| !text.trim().is_empty());
            assert!(explained || !is_field || is_known, "{path} has no description");
        }
    }
}

/// Each is read as a template in every pass, and one of a megabyte would keep all others waiting.
#[test]
fn annotations_and_labels_of_a_rule_have_a_longest_text_and_are_so_many() {
    let crds = crds();
    let rule = crds.iter().find(|crd| crd.spec.names.kind == "AlertRule");
    let schemas = schemas(rule.expect("the kind"));
    for (field, longest) in [("annotations", 32_768), ("labels", 4_096)] {
        let path = format!("AlertRule.spec.{field}");
        let (_, schema) = schemas
            .iter()
            .find(|(found, _)| *found == path)
            .expect("the field");
        assert_eq!(schema["maxProperties"], 64, "{path}");
        assert_eq!(schema["additionalProperties"]["maxLength"], longest, "{path}");
    }
}

#[test]
fn every_kind_can_be_listed_by_a_short_name_and_with_the_others() {
    let mut short = BTreeSet::new();
    for crd in crds() {
        let names = &crd.spec.names;
        assert_eq!(
            names.categories.as_deref(),
            Some(["alerting".to_owned()].as_slice()),
            "{}",
            names.kind
        );
        for name in names.short_names.iter().flatten() {
            assert!(
                short.insert(name.clone()),
                "{name} is the short name of two kinds"
            );
        }
        assert_eq!(
            names.short_names.as_ref().map(Vec::len),
            Some(1),
            "{}",
            names.kind
        );
        assert_eq!(crd.spec.scope, "Namespaced");
    }
    assert_eq!(
        Vec::from_iter(short),
        [
            "arule",
            "cpoint",
            "ginst",
            "irule",
            "mpolicy",
            "npolicy",
            "ntemplate",
            "pimport",
            "sil",
            "tinterval"
        ]
    );
}

#[test]
fn every_kind_tells_in_its_columns_whether_it_is_ready_and_why_not() {
    for crd in crds() {
        for version in &crd.spec.versions {
            assert!(
                version.subresources.as_ref().is_some_and(|s| s.status.is_some()),
                "{} has no status",
                crd.spec.names.kind
            );
            let columns = version.additional_printer_columns.as_deref().unwrap_or_default();
            let shown = |name: &str, priority| {
                columns
                    .iter()
                    .any(|c| c.name == name && c.priority.unwrap_or(0) == priority)
            };
            for (name, priority) in [("Ready", 0), ("Reason", 0), ("Age", 0), ("Message", 1)] {
                assert!(shown(name, priority), "{}: no column {name}", crd.spec.names.kind);
            }
        }
    }
}

#[test]
fn columns_show_fields_that_exist() {
    for crd in crds() {
        let paths: BTreeSet<String> = schemas(&crd).into_iter().map(|(path, _)| path).collect();
        for column in crd
            .spec
            .versions
            .iter()
            .flat_map(|v| v.additional_printer_columns.iter().flatten())
        {
            let path = column.json_path.replace("[?(@.type==\"Ready\")]", "[]");
            let exists =
                path.starts_with(".metadata.") || paths.contains(&format!("{}{path}", crd.spec.names.kind));
            assert!(
                exists,
                "{}: column {} shows {path}",
                crd.spec.names.kind, column.name
            );
        }
    }
}

#[test]
fn every_list_says_how_server_side_apply_merges_it() {
    for crd in crds() {
        for (path, schema) in schemas(&crd) {
            let how = schema["x-kubernetes-list-type"].as_str();
            assert!(
                schema["type"] != "array" || how.is_some(),
                "{path} has no list type"
            );
            let last = path.rsplit('.').next().unwrap_or_default();
            let expected = match last {
                "instances" if path.contains(".status.") => "map",
                "data" | "debugQueries" | "conditions" => "map",
                "names" | "addresses" | "groupBy" | "equal" | "previousOwnerIDs" | "kinds"
                | "excludeAlerts" => "set",
                _ => "atomic",
            };
            assert!(
                how.is_none_or(|how| how == expected),
                "{path} is merged as {how:?}"
            );
        }
    }
}

/// Whoever reads the file finds what a field means, and its default, right below its name.
fn assert_begins_with_its_text(crd: &CustomResourceDefinition, field: &str) {
    let file = root().join(format!("crds/{}.yaml", crd.spec.names.plural));
    let text = fs::read_to_string(file).expect("a file");
    let mut lines = text.lines().map(str::trim);
    let mut found = 0;
    while let Some(line) = lines.next() {
        if line == format!("{field}:") {
            found += 1;
            let next = lines.next().unwrap_or_default();
            assert!(next.starts_with("description:"), "{field} begins with {next}");
        }
    }
    assert!(found > 0, "{field} isn't in the file of {}", crd.spec.names.kind);
}

#[test]
fn a_field_with_a_choice_names_each_of_its_values_and_the_default() {
    let mut choices = 0;
    for crd in crds() {
        let all = schemas(&crd);
        for (path, schema) in &all {
            // The values of a field that may be null stand one level below.
            let values = [&schema["enum"], &schema["oneOf"][0]["enum"]];
            let values = values.into_iter().find_map(Value::as_array);
            let (Some((parent, name)), Some(values)) = (path.rsplit_once('.'), values) else {
                continue;
            };
            let is_known = name.ends_with("{}") || path.contains(".status.");
            if is_known {
                continue;
            }
            choices += 1;
            // Of a list its own text names what its entries may be.
            let is_list = name.ends_with("[]");
            let (path, name) = (path.trim_end_matches("[]"), name.trim_end_matches("[]"));
            let described = all.iter().find(|(other, _)| is_list && other == path);
            let schema = described.map_or(schema, |(_, list)| list);
            let text = schema["description"].as_str().unwrap_or_default();
            assert_begins_with_its_text(&crd, name);
            for value in values {
                let value = value.as_str().expect("values are texts, and null is not one");
                assert!(
                    text.contains(&format!("`{value}`")),
                    "{path} doesn't name {value}: {text}"
                );
            }
            let is_required = (all.iter().find(|(path, _)| path == parent))
                .and_then(|(_, parent)| parent["required"].as_array())
                .is_some_and(|required| required.contains(&name.into()));
            let default = text.to_lowercase().contains("default");
            assert!(default || is_required, "{path} doesn't say its default: {text}");
        }
    }
    assert!(choices >= 9, "only {choices} fields with a choice were found");
}

#[test]
fn what_people_filter_by_can_be_selected() {
    for crd in crds() {
        let json = serde_json::to_value(&crd).expect("JSON");
        let paths: BTreeSet<String> = schemas(&crd).into_iter().map(|(path, _)| path).collect();
        let kind = &crd.spec.names.kind;
        let selectable = &json["spec"]["versions"][0]["selectableFields"];
        let selectable: BTreeSet<&str> = (selectable.as_array().into_iter().flatten())
            .filter_map(|field| field["jsonPath"].as_str())
            .collect();
        for path in [".spec.instance", ".spec.severity", ".status.state"] {
            let exists = paths.contains(&format!("{kind}{path}"));
            assert_eq!(selectable.contains(path), exists, "{kind}{path}");
        }
    }
}

/// `kubectl explain` breaks lines itself, and keeps those that it finds.
#[test]
fn a_description_has_one_line_for_each_paragraph() {
    for crd in crds() {
        for (path, schema) in schemas(&crd) {
            let text = schema["description"].as_str().unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            for pair in lines.windows(2) {
                let begins = pair[1].is_empty() || pair[1].starts_with("- ") || pair[1].starts_with("* ");
                assert!(pair[0].is_empty() || begins, "{path} breaks a line: {text}");
            }
        }
    }
}

#[test]
fn wide_columns_name_the_instances_and_none_is_headed_as_another_one() {
    for crd in crds() {
        let kind = &crd.spec.names.kind;
        let paths: BTreeSet<String> = schemas(&crd).into_iter().map(|(path, _)| path).collect();
        for version in &crd.spec.versions {
            let columns = version.additional_printer_columns.as_deref().unwrap_or_default();
            for (field, name) in [("instance", "Instance"), ("instances", "Instances")] {
                let path = format!(".spec.{field}");
                let shown = columns.iter().find(|column| column.json_path == path);
                assert_eq!(
                    shown.is_some(),
                    paths.contains(&format!("{kind}{path}")),
                    "{kind}{path}"
                );
                assert!(
                    shown.is_none_or(|column| column.name == name && column.priority == Some(1)),
                    "{kind}"
                );
            }
            // Every table begins with the resource's own name.
            let mut names = BTreeSet::from(["Name"]);
            for column in columns {
                assert!(
                    names.insert(&column.name),
                    "{kind} has two columns {}",
                    column.name
                );
            }
        }
    }
}

#[test]
fn the_api_server_adds_no_defaults() {
    for crd in crds() {
        for (path, schema) in schemas(&crd) {
            assert!(schema.get("default").is_none(), "{path} has a default");
        }
    }
}

#[test]
fn no_number_has_a_format_that_api_servers_warn_about() {
    for crd in crds() {
        for (path, schema) in schemas(&crd) {
            let format = schema["format"].as_str().unwrap_or_default();
            assert!(
                matches!(format, "" | "int32" | "int64" | "date-time" | "double"),
                "{path}: {format}"
            );
        }
    }
}

/// `kubectl apply` writes a definition down in one of its annotations, which take so many bytes all together.
#[test]
fn every_definition_fits_into_the_annotation_of_a_client_side_apply() {
    for crd in crds() {
        let size = serde_json::to_string(&crd).expect("JSON").len();
        assert!(
            size < 256 * 1024 * 3 / 4,
            "{} has {size} bytes",
            crd.spec.names.kind
        );
    }
}

/// What happens where a field is left out is in no schema: for the most part Grafana, or the operator, has the default.
#[test]
fn every_optional_field_of_a_specification_says_its_default() {
    let mut seen = 0;
    let mut silent = Vec::new();
    for crd in crds() {
        let all = schemas(&crd);
        let spec = format!("{}.spec", crd.spec.names.kind);
        for (path, schema) in &all {
            let Some((parent, name)) = path.rsplit_once('.') else {
                continue;
            };
            // One of the types is given, and what its values come from stands in their type.
            let is_type = parent == "ContactPoint.spec.integrations[]" && name != "disableResolveMessage";
            if !parent.starts_with(&spec) || is_type || name.ends_with(['}', ']']) {
                continue;
            }
            let (_, above) = all.iter().find(|(path, _)| path == parent).expect("its object");
            let is_required = above["required"]
                .as_array()
                .is_some_and(|all| all.contains(&name.into()));
            let text = schema["description"].as_str().unwrap_or_default();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            // What is refused in any case has none.
            let is_refused =
                text.starts_with("Refused, ") || text.starts_with("Not there yet, and refused: ");
            let is_said = text.contains("Default: ") || text.contains("(default");
            seen += 1;
            if !is_required && !is_refused && !is_said {
                silent.push(format!("{path}: {text}"));
            }
        }
    }
    assert!(seen > 500, "only {seen} fields were found");
    assert!(
        silent.is_empty(),
        "these say neither `Default: ...` nor which value is the (default):\n{}",
        silent.join("\n")
    );
}
