//! What is shipped to be applied: the chart, the kustomize base, the examples. Nothing here needs a server.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

#[path = "manifests/editors.rs"]
mod editors;
#[path = "manifests/overlays.rs"]
mod overlays;
#[path = "manifests/schema.rs"]
#[allow(unreachable_pub, reason = "public within this test")]
mod schema;
#[path = "manifests/values.rs"]
mod values;
#[path = "manifests/workflows.rs"]
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use alertwright_testbed::{Scratch, parts};
use serde_json::{Value, json};

/// The values with which the chart is rendered, by the name of the golden file. Where a file of that name and `.values.yaml` is beside it, with
/// those too.
const RENDERINGS: [(&str, &[&str]); 4] = [
    // With all of chart-everything.values.yaml beside it.
    ("chart-everything", &[]),
    ("chart-default", &[]),
    (
        "chart-namespaces",
        &[
            "watchNamespaces={revel,shop}",
            "watchSecrets=false",
            "replicaCount=1",
            "rbac.create=true",
        ],
    ),
    (
        "chart-full",
        &[
            "grafana.url=https://grafana.example.com",
            "grafana.token=placeholder",
            "grafana.spec.labels.cluster=prod",
            "grafanaInstances[0].name=staging",
            "grafanaInstances[0].spec.url=https://staging.example.com",
            "grafanaInstances[0].spec.auth.token.secretKeyRef.name=staging",
            "grafanaInstances[0].spec.auth.token.secretKeyRef.key=token",
            "ownerID=prod",
            "networkPolicy.enabled=true",
            "serviceMonitor.enabled=true",
            "priorityClassName=system-cluster-critical",
            "extraObjects[0].apiVersion=v1",
            "extraObjects[0].kind=ConfigMap",
            "extraObjects[0].metadata.name=more",
            "commonLabels.owner=platform",
        ],
    ),
];

/// The chart that shows how alert templates go into a chart.
const HELM_EXAMPLE: &str = "deploy/examples/helm";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tool(name: &str) -> PathBuf {
    parts::path(name).unwrap_or_else(|_| name.into())
}

fn run(program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let output = Command::new(tool(program))
        .args(args)
        .current_dir(root())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The chart with values as `--set` takes them.
fn chart(values: &[&str]) -> String {
    rendered("", values)
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The chart as a golden file has it.
fn rendered(name: &str, values: &[&str]) -> String {
    let file = format!("tests/golden/{name}.values.yaml");
    let head = "template alertwright charts/alertwright --namespace alertwright-system";
    let mut args: Vec<&str> = head.split(' ').collect();
    if root().join(&file).exists() {
        args.extend(["--values", &file]);
    }
    args.extend(values.iter().flat_map(|value| ["--set", value]));
    run("helm", args)
}

fn documents(yaml: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).expect("YAML");
    documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects
        .iter()
        .filter(|object| text(object, "/kind") == kind)
        .collect()
}

/// Everything that somebody may apply, by where it comes from.
fn shipped() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in [
        "crds",
        "deploy",
        "deploy/examples/revel",
        "deploy/examples/demo",
        "deploy/examples/inhibition",
        "deploy/examples/integrations",
        "deploy/examples/prometheus-rules",
        "deploy/examples/teams",
    ] {
        all.push((folder.to_owned(), run("kubectl", ["kustomize", folder])));
    }
    for file in [
        "deploy/examples/grafana-instance.yaml",
        "deploy/examples/integrations/secrets.example.yaml",
        "deploy/examples/revel/secrets.example.yaml",
        "deploy/examples/revel/silence.example.yaml",
    ] {
        all.push((
            file.to_owned(),
            fs::read_to_string(root().join(file)).expect("it is there"),
        ));
    }
    for (name, values) in RENDERINGS {
        all.push((name.to_owned(), rendered(name, values)));
    }
    let about: Value = serde_saphyr::from_str(&read("charts/alertwright/Chart.yaml")).expect("YAML");
    let examples = text(&about, "/annotations/artifacthub.io~1crdsExamples");
    let examples: Vec<Value> = serde_saphyr::from_str(examples).expect("YAML");
    let examples: Vec<_> = examples.iter().map(Value::to_string).collect();
    all.push(("the chart's examples".to_owned(), examples.join("\n---\n")));
    all.push((
        HELM_EXAMPLE.to_owned(),
        run("helm", ["template", "revel", HELM_EXAMPLE]),
    ));
    all
}

#[test]
fn all_that_is_shipped_is_valid_for_the_api_server() {
    let shipped = shipped();
    let mut kinds: Vec<_> = (shipped.iter())
        .flat_map(|(_, yaml)| documents(yaml))
        .map(|object| {
            (
                text(&object, "/apiVersion").to_owned(),
                text(&object, "/kind").to_owned(),
            )
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    let schemas = Scratch::new("schemas").expect("a folder");
    schema::write(&kinds, schemas.path());
    let location = schemas.join(schema::LOCATION);
    for (name, yaml) in shipped {
        let mut child = Command::new(tool("kubeconform"))
            .args(["-summary", "-schema-location"])
            .arg(&location)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubeconform");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(yaml.as_bytes()).expect("kubeconform reads");
        drop(input);
        let output = child.wait_with_output().expect("kubeconform ends");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}:\n{said}");
        println!("{name}: {said}");
    }
}

#[test]
fn the_chart_renders_as_its_golden_files_say() {
    for (name, values) in RENDERINGS {
        let mut all = vec!["crds.install=false"];
        all.extend(values);
        let rendered = rendered(name, &all);
        let file = root().join(format!("tests/golden/{name}.yaml"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
            fs::write(&file, &rendered).expect("it can be written");
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        let changed = rendered.lines().zip(golden.lines()).find(|(new, old)| new != old);
        assert!(
            rendered == golden,
            "{} differs at {changed:?}; if that is meant: UPDATE_GOLDEN=1 cargo test --test manifests",
            file.display()
        );
    }
}

#[test]
fn the_chart_brings_the_types_as_they_are_generated() {
    let rendered = documents(&chart(&["crds.keep=false"]));
    let generated: Vec<_> = (alertwright::api::crds().iter())
        .map(|crd| serde_json::to_value(crd).expect("JSON"))
        .collect();
    let rendered = of_kind(&rendered, "CustomResourceDefinition");
    assert_eq!(rendered.len(), generated.len());
    for crd in rendered {
        let twin = generated
            .iter()
            .find(|g| text(g, "/metadata/name") == text(crd, "/metadata/name"));
        assert_eq!(
            crd["spec"],
            twin.expect("generated")["spec"],
            "{}",
            text(crd, "/metadata/name")
        );
    }
    for crd in of_kind(&documents(&chart(&[])), "CustomResourceDefinition") {
        assert_eq!(crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    }
    assert!(
        of_kind(
            &documents(&chart(&["crds.install=false"])),
            "CustomResourceDefinition"
        )
        .is_empty()
    );
}

#[test]
fn chart_and_base_give_the_same_rights() {
    let base = documents(&run("kubectl", ["kustomize", "deploy"]));
    let chart = documents(&chart(&[]));
    for kind in ["ClusterRole", "Role"] {
        // By the end of its name, for the release's namespace is in front of it.
        let rules = |objects: &[Value]| -> BTreeMap<String, Value> {
            let roles = of_kind(objects, kind).into_iter();
            roles
                .filter(|role| role["metadata"]["annotations"]["helm.sh/hook"].is_null())
                .map(|role| {
                    let name = text(role, "/metadata/name").trim_start_matches("alertwright-system-");
                    let aggregated = json!(
                        role["metadata"]["labels"]
                            .as_object()
                            .into_iter()
                            .flatten()
                            .filter(|(label, _)| label.starts_with("rbac."))
                            .collect::<BTreeMap<_, _>>()
                    );
                    (
                        name.to_owned(),
                        json!({"rules": role["rules"], "aggregated": aggregated}),
                    )
                })
                .collect()
        };
        assert_eq!(rules(&chart), rules(&base), "{kind}");
    }
}

#[test]
fn whoever_has_edit_has_every_kind_but_instances_and_nobody_but_whoever_has_admin_has_those() {
    let base = documents(&run("kubectl", ["kustomize", "deploy"]));
    let kinds_of = |role: &str| -> BTreeSet<String> {
        let all = of_kind(&base, "ClusterRole");
        let role = all.iter().find(|object| text(object, "/metadata/name") == role);
        let rules = role.expect("the role")["rules"].as_array().expect("rules");
        let resources = rules
            .iter()
            .flat_map(|rule| rule["resources"].as_array().expect("a list"));
        resources.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let crds = alertwright::api::crds();
    let mut all: BTreeSet<_> = crds.iter().map(|crd| crd.spec.names.plural.clone()).collect();
    assert!(all.remove("grafanainstances"));
    assert_eq!(kinds_of("alertwright-view"), all);
    assert_eq!(kinds_of("alertwright-edit"), all);
    assert_eq!(
        kinds_of("alertwright-admin"),
        BTreeSet::from(["grafanainstances".to_owned()])
    );
}

#[test]
fn named_namespaces_need_no_cluster_wide_binding_and_no_watch_on_secrets() {
    let mut objects = documents(&chart(RENDERINGS[2].1));
    objects.retain(|object| object["metadata"]["annotations"]["helm.sh/hook"].is_null());
    assert!(of_kind(&objects, "ClusterRoleBinding").is_empty());
    let bound: Vec<_> = of_kind(&objects, "RoleBinding")
        .iter()
        .map(|b| text(b, "/metadata/namespace"))
        .collect();
    assert_eq!(bound, ["revel", "shop", "alertwright-system"]);
    let secrets = |rule: &&Value| rule["resources"][0] == "secrets";
    let all = of_kind(&objects, "ClusterRole");
    let mut rules = (all.iter()).flat_map(|role| role["rules"].as_array().expect("rules"));
    assert_eq!(rules.find(secrets).expect("a rule")["verbs"], json!(["get"]));
}

#[test]
fn an_instance_that_chooses_namespaces_by_labels_brings_the_right_to_see_them_where_few_are_watched() {
    let selects = [
        "watchNamespaces={revel}",
        "grafana.url=http://grafana",
        "grafana.spec.allowedNamespaces.selector.matchLabels.team=revel",
    ];
    let of = |values: &[&str]| {
        let mut objects = documents(&chart(values));
        objects.retain(|object| object["metadata"]["annotations"]["helm.sh/hook"].is_null());
        objects
    };
    let objects = of(&selects);
    assert_eq!(of_kind(&objects, "ClusterRoleBinding").len(), 1);
    let roles = of_kind(&objects, "ClusterRole");
    let role = roles
        .iter()
        .find(|role| text(role, "/metadata/name").ends_with("-namespaces"));
    assert_eq!(
        role.expect("a role of its own")["rules"],
        json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}])
    );
    let by_name = [
        selects[0],
        selects[1],
        "grafana.spec.allowedNamespaces.names={revel}",
    ];
    let objects = of(&by_name);
    assert!(of_kind(&objects, "ClusterRoleBinding").is_empty());
}

#[test]
fn argo_cd_gets_the_health_check_as_it_is_written() {
    let read = |file: &str| fs::read_to_string(root().join("deploy/argocd").join(file)).expect("it is there");
    let patch: Value = serde_saphyr::from_str(&read("health-checks.yaml")).expect("YAML");
    let checks = patch["data"].as_object().expect("a map");
    let kinds: Vec<_> = checks
        .keys()
        .filter_map(|key| key.strip_prefix("resource.customizations.health."))
        .collect();
    let crds = alertwright::api::crds();
    let all: Vec<_> = crds
        .iter()
        .map(|crd| format!("{}_{}", crd.spec.group, crd.spec.names.kind))
        .collect();
    assert_eq!(
        kinds, all,
        "each kind has its key, and no other key would be replaced"
    );
    for lua in checks.values() {
        assert_eq!(lua.as_str().unwrap_or_default().trim(), read("health.lua").trim());
    }
}

#[test]
fn alert_templates_come_through_the_example_chart_as_they_are_written() {
    let rules = |yaml: &str| -> Vec<(String, Value)> {
        let rules = documents(yaml)
            .into_iter()
            .filter(|object| text(object, "/kind") == "AlertRule");
        rules
            .map(|rule| (text(&rule, "/metadata/name").to_owned(), rule["spec"].clone()))
            .collect()
    };
    let plain = fs::read_to_string(root().join("deploy/examples/revel/alert-rules.yaml")).expect("the rules");
    let plain = rules(&plain);
    let rendered = rules(&run("helm", ["template", "revel", HELM_EXAMPLE]));
    assert_eq!(rendered.len(), 2);
    for rule in rendered {
        assert!(
            plain.contains(&rule),
            "{} differs from the plain one: {}",
            rule.0,
            rule.1
        );
    }
}

#[test]
fn what_argo_cd_and_flux_are_told_to_deploy_is_there() {
    let mut seen = 0;
    for file in [
        "argocd/alertwright.yaml",
        "argocd/revel.yaml",
        "flux/alertwright.yaml",
        "flux/revel.yaml",
    ] {
        let yaml = fs::read_to_string(root().join("deploy").join(file)).expect("it is there");
        for object in documents(&yaml) {
            for pointer in ["/spec/source/path", "/spec/path", "/spec/chart/spec/chart"] {
                let path = text(&object, pointer);
                assert!(root().join(path).is_dir(), "{file}: there is no {path}");
                seen += usize::from(!path.is_empty());
            }
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_base_can_be_applied_at_once() {
    let objects = documents(&run("kubectl", ["kustomize", "deploy"]));
    let mut own = String::new();
    for object in objects
        .iter()
        .filter(|o| text(o, "/apiVersion").starts_with("alerting.letsrevel.io/"))
    {
        let _ = writeln!(own, "{}", text(object, "/kind"));
    }
    assert!(
        own.is_empty(),
        "kubectl can't apply these together with their types: {own}"
    );
}
