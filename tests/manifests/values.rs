//! The chart's values: that each does something, is checked, and is in the README; and what the chart says of itself.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::thread;

use alertwright_testbed::Scratch;
use serde_json::{Map, Value, json};

use crate::{chart, documents, of_kind, root, run, text, tool};

/// Values that change something only where others are given too, and values that the schema lets be little else than they are:
/// a value, another one for it, and the others.
const SPECIAL: [(&str, &str, &[&str]); 35] = [
    ("replicaCount", "3", &[]),
    ("revisionHistoryLimit", "1", &[]),
    ("terminationGracePeriodSeconds", "60", &[]),
    ("image.digest", DIGEST, &[]),
    ("image.pullPolicy", r#""Always""#, &[]),
    ("imagePullSecrets", r#"["pull"]"#, &[]),
    ("global.imagePullSecrets", r#"["pull"]"#, &[]),
    ("log.format", r#""text""#, &[]),
    ("watchNamespaces", r#"["revel"]"#, &[]),
    ("extraArgs", r#"["--watch-secrets=false"]"#, &[]),
    ("hostUsers", "false", &[]),
    ("openshift", "true", &[]),
    ("grafana.url", r#""http://grafana""#, &[]),
    ("grafana.token", r#""glsa_1""#, &[]),
    ("grafana.existingSecret.name", r#""other""#, &[GRAFANA]),
    ("grafana.existingSecret.key", r#""other""#, &[GRAFANA]),
    ("grafana.adminSecret", r#""other""#, &[GRAFANA]),
    ("grafana.spec", r#"{"resyncInterval": "30s"}"#, &[GRAFANA]),
    (
        "grafanaInstances",
        r#"[{"name": "other", "spec": {"url": "http://other", "auth": {}}}]"#,
        &[],
    ),
    ("instanceHook", "false", &[GRAFANA]),
    ("serviceAccount.name", r#""other""#, &[]),
    ("podDisruptionBudget.maxUnavailable", "2", &[]),
    (
        "networkPolicy.from",
        r#"[{"podSelector": {}}]"#,
        &["networkPolicy.enabled=true"],
    ),
    ("networkPolicy.egress", "[]", &["networkPolicy.enabled=true"]),
    ("service.ipFamilyPolicy", r#""SingleStack""#, &[]),
    ("service.ipFamilies", r#"["IPv6"]"#, &[]),
    (
        "serviceMonitor.interval",
        r#""1m""#,
        &["serviceMonitor.enabled=true"],
    ),
    (
        "serviceMonitor.scrapeTimeout",
        r#""9s""#,
        &["serviceMonitor.enabled=true"],
    ),
    ("podMonitor.interval", r#""1m""#, &["podMonitor.enabled=true"]),
    (
        "podMonitor.scrapeTimeout",
        r#""9s""#,
        &["podMonitor.enabled=true"],
    ),
    (
        "prometheusRule.disabled",
        r#"["AlertwrightOrphans"]"#,
        &["prometheusRule.enabled=true"],
    ),
    (
        "alertRules.disabled",
        r#"["AlertwrightOrphans"]"#,
        &["alertRules.enabled=true"],
    ),
    (
        "extraObjects",
        r#"[{"apiVersion": "v1", "kind": "ConfigMap"}]"#,
        &[],
    ),
    ("uninstall.resources", r#"{"limits": {"memory": "64Mi"}}"#, &[]),
    ("topologySpreadConstraints", r#"[{"maxSkew": 2}]"#, &[]),
];

/// A digest as the schema has it.
const DIGEST: &str = r#""sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef""#;
/// A Grafana, so that there is an instance.
const GRAFANA: &str = "grafana.url=http://grafana";
/// Read by Helm itself, of a parent chart.
const OF_HELM: &str = "enabled";

fn read(file: &str) -> String {
    fs::read_to_string(root().join("charts/alertwright").join(file)).expect("it is there")
}

fn schema() -> Value {
    serde_json::from_str(&read("values.schema.json")).expect("JSON")
}

/// The values that somebody may set one by one, with their defaults: as deep as the schema names them.
fn leaves(values: &Value, schema: &Value, path: &str, found: &mut Map<String, Value>) {
    match values.as_object() {
        Some(inner) if !inner.is_empty() && schema["properties"].is_object() => {
            for (name, value) in inner {
                let known = &schema["properties"][name];
                let path = format!("{path}.{name}");
                assert!(known.is_object(), "{path} is not in the schema");
                leaves(value, known, &path, found);
            }
        }
        _ => {
            found.insert(path.trim_start_matches('.').to_owned(), values.clone());
        }
    }
}

fn all() -> Map<String, Value> {
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).expect("YAML");
    let mut found = Map::new();
    leaves(&values, &schema(), "", &mut found);
    found
}

/// What a value is set to instead of its default, and what else is set.
fn other(path: &str, default: &Value) -> (String, Vec<&'static str>) {
    if let Some((_, value, more)) = SPECIAL.iter().find(|(name, ..)| *name == path) {
        return ((*value).to_owned(), more.to_vec());
    }
    let value = match default {
        Value::Bool(set) => json!(!set),
        Value::Array(_) => json!([{"name": "other"}]),
        Value::Object(_) => json!({"other": "other"}),
        _ => json!("other"),
    };
    let more = match path.split_once('.') {
        Some(("serviceMonitor", field)) if field != "enabled" => vec!["serviceMonitor.enabled=true"],
        Some(("podMonitor", field)) if field != "enabled" => vec!["podMonitor.enabled=true"],
        Some(("dashboard", field)) if field != "enabled" => vec!["dashboard.enabled=true"],
        Some(("prometheusRule", field)) if field != "enabled" => vec!["prometheusRule.enabled=true"],
        Some(("alertRules", field)) if field != "enabled" => vec!["alertRules.enabled=true"],
        _ => vec![],
    };
    (value.to_string(), more)
}

/// The chart with a value in JSON, and others as `--set` takes them.
fn with(value: &str, others: &[&str]) -> String {
    let head = [
        "template",
        "alertwright",
        "charts/alertwright",
        "--namespace",
        "alertwright-system",
    ];
    let mut args = head.to_vec();
    args.extend(others.iter().flat_map(|other| ["--set", other]));
    args.extend(["--set-json", value]);
    run("helm", args)
}

#[test]
fn no_value_does_nothing() {
    let all = all();
    for (special, ..) in SPECIAL {
        assert!(all.contains_key(special), "there is no value {special}");
    }
    let all: Vec<_> = all.iter().filter(|(path, _)| *path != OF_HELM).collect();
    // Each is helm twice, which mostly waits for itself.
    thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(4)) {
            scope.spawn(move || {
                for (path, default) in part {
                    let (value, more) = other(path, default);
                    // Types are another matter, and long.
                    let more = if path.starts_with("crds.") {
                        more
                    } else {
                        [more, vec!["crds.install=false"]].concat()
                    };
                    let same = with(&format!("{path}={default}"), &more);
                    let differs = with(&format!("{path}={value}"), &more) != same;
                    assert!(differs, "{path}={value} does nothing");
                }
            });
        }
    });
}

#[test]
fn the_readme_has_every_value_and_no_other() {
    let readme = read("README.md");
    let rows: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let all = all();
    let below = |row: &str, leaf: &str| leaf == row || leaf.starts_with(&format!("{row}."));
    for leaf in all.keys() {
        assert!(rows.iter().any(|row| below(row, leaf)), "{leaf} has no row");
    }
    for row in rows {
        assert!(all.keys().any(|leaf| below(row, leaf)), "there is no value {row}");
    }
}

#[test]
fn the_schema_knows_no_value_that_the_chart_does_not() {
    fn check(schema: &Value, values: &Value, path: &str) {
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            // Kubernetes' own, and what is called otherwise now.
            if path.ends_with("resources") || inner["deprecated"] == true {
                continue;
            }
            assert!(
                !values[name].is_null() || name == "hostUsers",
                "{path}.{name} is no value"
            );
            assert_ne!(inner, &json!({}), "{path}.{name} may be anything");
            check(inner, &values[name], &format!("{path}.{name}"));
        }
        if path != ".global" && schema["properties"].is_object() {
            assert_eq!(
                schema["additionalProperties"], false,
                "{path} takes a misspelt value"
            );
        }
    }
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).expect("YAML");
    check(&schema(), &values, "");
}

#[test]
fn a_parent_chart_says_whether_where_from_and_by_which_secrets() {
    let parent = Scratch::new("parent").expect("a folder");
    let about = "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n\
                 - {name: alertwright, version: 0.1.0, repository: '', condition: alertwright.enabled}\n";
    parent.write("Chart.yaml", about).expect("a file");
    fs::create_dir(parent.join("charts")).expect("a folder");
    let (from, to) = (root().join("charts/alertwright"), parent.join("charts"));
    run("cp", ["-R".as_ref(), from.as_os_str(), to.as_os_str()]);
    let objects = |enabled: &str| {
        let template: [&OsStr; 3] = ["template".as_ref(), "parent".as_ref(), parent.path().as_ref()];
        let values = [
            "global.imageRegistry=mirror.example.com",
            "global.imagePullSecrets[0].name=mirror",
            "global.storageClass=fast",
            enabled,
        ];
        let values = values.iter().flat_map(|value| ["--set".as_ref(), value.as_ref()]);
        documents(&run("helm", template.into_iter().chain(values)))
    };
    assert!(objects("alertwright.enabled=false").is_empty());
    let mut pods = 0;
    for object in objects("alertwright.enabled=true") {
        let pod = match text(&object, "/kind") {
            "Pod" => &object["spec"],
            "Deployment" | "Job" => &object["spec"]["template"]["spec"],
            _ => continue,
        };
        pods += 1;
        let image = text(pod, "/containers/0/image");
        assert!(
            image.starts_with("mirror.example.com/letsrevel/alertwright:"),
            "{image}"
        );
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "mirror"}]), "{image}");
    }
    assert_eq!(
        pods, 3,
        "the operator's, the test's and the one after an uninstallation"
    );
}

#[test]
fn users_and_groups_are_left_to_openshift_where_it_is_there_and_nowhere_else() {
    let users = |more: &[&str]| {
        let mut args = vec![
            "template",
            "alertwright",
            "charts/alertwright",
            "--set",
            "crds.install=false",
        ];
        args.extend(more);
        run("helm", args).matches("runAsUser").count()
    };
    let there = ["--api-versions", "security.openshift.io/v1"];
    assert_eq!(users(&[]), 3);
    assert_eq!(users(&there), 0);
    assert_eq!(users(&["--set", "openshift=true"]), 0);
    assert_eq!(users(&[&there[..], &["--set", "openshift=false"]].concat()), 3);
}

#[test]
fn a_secret_of_grafanas_own_chart_takes_the_place_of_a_token() {
    let auth = |values: &[&str]| {
        let instance = documents(&chart(values));
        of_kind(&instance, "GrafanaInstance")[0]["spec"]["auth"].clone()
    };
    let admin = [GRAFANA, "grafana.adminSecret=kps-grafana"];
    let from = |key: &str| json!({"secretKeyRef": {"name": "kps-grafana", "key": key}});
    assert_eq!(
        auth(&admin),
        json!({"basic": {"username": from("admin-user"), "password": from("admin-password")}})
    );
    for token in ["grafana.token=glsa_1", "grafana.existingSecret.name=token"] {
        let output = Command::new(tool("helm"))
            .args(["template", "alertwright", "charts/alertwright"])
            .args(admin.iter().chain([&token]).flat_map(|value| ["--set", value]))
            .current_dir(root())
            .output()
            .expect("helm runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("adminSecret stands in the place of a token"),
            "{said}"
        );
    }
}

#[test]
fn what_artifact_hub_is_told_is_so() {
    let about: Value = serde_saphyr::from_str(&read("Chart.yaml")).expect("YAML");
    let told = |key: &str| -> Value {
        let text = text(&about["annotations"], &format!("/artifacthub.io~1{key}"));
        serde_saphyr::from_str(text).expect("YAML")
    };
    let listed: BTreeSet<_> = (told("crds").as_array().expect("a list").iter())
        .map(|crd| {
            (
                text(crd, "/name").to_owned(),
                text(crd, "/kind").to_owned(),
                text(crd, "/version").to_owned(),
            )
        })
        .collect();
    let ours = alertwright::api::crds();
    let ours: BTreeSet<_> = ours
        .iter()
        .map(|crd| {
            let version = &crd.spec.versions[0];
            let name = crd.metadata.name.clone().expect("a name");
            (name, crd.spec.names.kind.clone(), version.name.clone())
        })
        .collect();
    assert_eq!(listed, ours);

    let deployment = documents(&chart(&[]));
    let image = text(
        of_kind(&deployment, "Deployment")[0],
        "/spec/template/spec/containers/0/image",
    );
    assert_eq!(told("images")[0]["image"], image);

    // Links into the repository lead to what is here.
    let mut links = vec![text(&about, "/icon").to_owned()];
    let all = told("links");
    links.extend(
        all.as_array()
            .expect("a list")
            .iter()
            .map(|link| text(link, "/url").to_owned()),
    );
    let mut seen = 0;
    for link in links {
        if let Some((_, path)) = link.split_once("/main/") {
            assert!(root().join(path).exists(), "{link}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3, "icon, documentation and changelog");
}
