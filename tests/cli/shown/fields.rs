//! The fields of the documents that `-o json` prints, as scripts rely on them: kept in `tests/cli/documents`, a line for each field with its type.
//! `UPDATE_GOLDEN=1` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

/// Keys that people choose, such as those of labels.
const CHOSEN: [&str; 4] = ["labels", "annotations", "matchLabels", "wouldPage"];
/// Values of any type: those of whatever field differs.
const ANY: [&str; 2] = ["before", "after"];
/// What docs/reference tells of, for it is of a resource.
const OF_RESOURCES: [&str; 2] = ["spec", "status"];

/// What is told where no value was seen.
const NULL: &str = "null";

type Fields = BTreeMap<String, BTreeSet<&'static str>>;

fn add(fields: &mut Fields, path: &str, value: &Value) {
    let name = path.rsplit('.').next().unwrap_or_default();
    let kind = match value {
        _ if ANY.contains(&name) => "any",
        Value::Null => NULL,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                add(fields, &format!("{path}[]"), item);
            }
            "array"
        }
        Value::Object(_) if OF_RESOURCES.contains(&name) => "object, of the resource",
        Value::Object(all) => {
            for (key, value) in all {
                let key = if CHOSEN.contains(&name) { "*" } else { key };
                // What is made of the same again, as routes are, is told once.
                let is_again = name.strip_suffix("[]") == Some(key);
                let below = format!("{path}.{key}");
                add(
                    fields,
                    if is_again {
                        path.trim_end_matches("[]")
                    } else {
                        &below
                    },
                    value,
                );
            }
            "object"
        }
    };
    fields.entry(path.to_owned()).or_default().insert(kind);
}

/// A line for each field of some documents. `null` stands only where nothing else was seen.
pub fn told(documents: &[Value]) -> String {
    let mut fields = Fields::new();
    for document in documents {
        add(&mut fields, "", document);
    }
    let line = |(path, mut kinds): (String, BTreeSet<&str>)| {
        if kinds.len() > 1 {
            kinds.remove(NULL);
        }
        format!("{path}: {}\n", Vec::from_iter(kinds).join(" or "))
    };
    // The document itself is an object.
    fields
        .into_iter()
        .filter(|(path, _)| !path.is_empty())
        .map(line)
        .collect()
}

fn kept_in(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/documents/{name}.txt"))
}

/// Lines by their paths.
fn by_path(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once(": ")).collect()
}

/// What is otherwise now than it is kept. Where `null` stands the type isn't known.
fn otherwise(kept: &str, now: &str) -> Vec<String> {
    let (old, new) = (by_path(kept), by_path(now));
    let is_same = |one: &str, other: Option<&&str>| {
        other.is_some_and(|other| *other == one || one == NULL || *other == NULL)
    };
    let gone = old.iter().filter(|(path, kind)| !is_same(kind, new.get(*path)));
    let gone = gone.map(|(path, kind)| format!("- {path}: {kind}"));
    let come = new.iter().filter(|(path, kind)| !is_same(kind, old.get(*path)));
    let come = come.map(|(path, kind)| format!("+ {path}: {kind}"));
    gone.chain(come).collect()
}

/// The same with the types that are known from before.
fn with_types(kept: &str, now: &str) -> String {
    let old = by_path(kept);
    let line = |(path, kind): (&str, &str)| {
        let known = old.get(path).copied().filter(|_| kind == NULL);
        format!("{path}: {}\n", known.unwrap_or(kind))
    };
    now.lines()
        .filter_map(|line| line.split_once(": "))
        .map(line)
        .collect()
}

/// What is otherwise in these documents than it is kept.
pub fn difference(name: &str, documents: &[Value]) -> Option<String> {
    let (file, now) = (kept_in(name), told(documents));
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent()?).expect("a folder");
        std::fs::write(file, with_types(&kept, &now)).expect("a file");
        return None;
    }
    let all = otherwise(&kept, &now);
    (!all.is_empty()).then(|| {
        format!(
            "{}: scripts rely on these fields; where it is meant, UPDATE_GOLDEN=1 writes them\n{}",
            file.display(),
            all.join("\n")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_is_told_once_with_its_type() {
        let one =
            json!({"kind": "X", "all": [{"name": "a", "at": null}, {"name": "b", "at": 1}], "none": null});
        let other =
            json!({"kind": "X", "all": [], "labels": {"team": "x"}, "before": 1, "spec": {"query": "up"}});
        let expected = "\
.all: array
.all[]: object
.all[].at: number
.all[].name: string
.before: any
.kind: string
.labels: object
.labels.*: string
.none: null
.spec: object, of the resource
";
        assert_eq!(told(&[one, other]), expected);
    }

    #[test]
    fn a_field_that_goes_comes_or_changes_its_type_is_a_difference_and_one_without_a_value_is_none() {
        let kept = ".a: string\n.b: null\n.c: number\n.d: string\n";
        let now = ".a: string\n.b: number\n.c: null\n.d: string\n";
        assert_eq!(otherwise(kept, now), [""; 0]);
        assert_eq!(
            with_types(kept, now),
            ".a: string\n.b: number\n.c: number\n.d: string\n"
        );
        let renamed = now.replace(".d:", ".e:").replace(".a: string", ".a: object");
        let expected = ["- .a: string", "- .d: string", "+ .a: object", "+ .e: string"];
        assert_eq!(otherwise(kept, &renamed), expected);
    }
}
