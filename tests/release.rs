//! What a release is made of, from the script that makes it: it installs, each part by its own way.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

#[path = "release/machines.rs"]
mod machines;
#[path = "release/registry.rs"]
mod registry;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use alertwright_testbed::{ControlPlane, Scratch, operator, parts};
use serde_json::{Value, json};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(program: impl AsRef<OsStr>, args: &[&OsStr]) -> Output {
    let mut command = Command::new(program.as_ref());
    // As on a machine where nobody has said anything of a release.
    for name in ["RELEASE", "IMAGES", "BINARY", "STATIC", "RUNNABLE"] {
        command.env_remove(name);
    }
    // The archive is made of the binary that is there, and compiled for none of these tests.
    command.env("BINARY", operator::shipped().expect("the static binary"));
    let output = command.args(args).current_dir(root()).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", program.as_ref().display()))
}

fn success(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn script(args: &[&str], folder: &Path) -> Output {
    let mut all: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    all.push(folder.as_os_str());
    run(root().join("deploy/release/build"), &all)
}

/// The folder of a release.
fn made() -> &'static Path {
    static MADE: OnceLock<Scratch> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = Scratch::new("release").expect("a folder");
        success(&script(&["archive"], folder.path()));
        success(&script(&["assemble", VERSION], folder.path()));
        folder
    });
    made.path()
}

fn text(file: &str) -> String {
    fs::read_to_string(made().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The archive of this machine.
fn archive() -> PathBuf {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => panic!("no name for {other}"),
    };
    made().join(format!("alertwright-{VERSION}-linux-{machine}.tar.gz"))
}

/// The operator is there, of this version.
async fn has_operator(plane: &ControlPlane) {
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    let get = [
        "get",
        "deployment",
        "alertwright",
        "-n",
        "alertwright-system",
        "-o",
        image,
    ];
    let image = plane.kubectl(get).await.ok();
    assert_eq!(image.trim(), format!("ghcr.io/letsrevel/alertwright:{VERSION}"));
}

/// Has helm install the chart that these arguments name: the operator is of this version, and there is a GrafanaInstance.
async fn installs(plane: &ControlPlane, chart: &[&OsStr]) {
    let helm = parts::path("helm").expect("helm");
    let install = "install alertwright --namespace alertwright-system --create-namespace --set grafana.url=http://grafana --kubeconfig";
    let mut args: Vec<&OsStr> = install.split(' ').map(OsStr::new).collect();
    args.push(plane.kubeconfig().as_os_str());
    args.extend(chart);
    success(&run(&helm, &args));
    has_operator(plane).await;
    let instances = [
        "get",
        "grafanainstances",
        "-n",
        "alertwright-system",
        "-o",
        "name",
    ];
    assert!(plane.kubectl(instances).await.ok().contains("default"));
}

/// Where readers of the page have their Grafana.
const ADDRESS: &str = "https://grafana.example.com";

/// The command of the page that begins so, on a line of its own or between backticks.
fn typed(begin: &str) -> String {
    let page = fs::read_to_string(root().join("docs/install.md")).expect("the page");
    let mut commands = page.lines().flat_map(|line| line.split('`'));
    let found = commands.find(|command| command.starts_with(begin));
    found
        .unwrap_or_else(|| panic!("docs/install.md has no {begin}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_installs_the_types_and_the_operator_of_this_version() {
    let plane = ControlPlane::start().await.expect("a control plane");
    let folder = Scratch::new("reader").expect("a folder");
    folder
        .write("install.yaml", text("install.yaml"))
        .expect("a file");
    let reader_types = |begin: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", &typed(begin)])
            .current_dir(folder.path())
            .env("KUBECONFIG", plane.kubeconfig());
        success(&shell.output().expect("a shell"))
    };
    reader_types("sed -i.bak ");
    reader_types("kubectl apply --server-side -f install.yaml");
    has_operator(&plane).await;
    let deployment = "kubectl -n alertwright-system get deployment alertwright -o yaml";
    let deployment = plane.kubectl(deployment.split(' ').skip(1)).await.ok();
    assert!(
        deployment.contains(&format!("value: {ADDRESS}\n")),
        "{deployment}"
    );
    let instance = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
        "spec": {"url": "http://grafana.monitoring", "auth": {"token": {"secretKeyRef": {"name": "alertwright-grafana", "key": "token"}}}},
    });
    plane.apply(&instance.to_string(), "alertwright-system").await;
    reader_types("kubectl -n alertwright-system patch grafanainstance default ");
    let url = "-n alertwright-system get grafanainstance default -o jsonpath={.spec.url}";
    assert_eq!(plane.kubectl(url.split(' ')).await.ok(), ADDRESS);
    let types = plane.kubectl(["get", "crds", "-o", "name"]).await.ok();
    let ours = types.matches("alerting.letsrevel.io").count();
    assert_eq!(ours, alertwright::api::crds().len(), "{types}");
}

/// So what tests see of the folder holds for it.
#[test]
fn the_one_file_is_what_kustomize_makes_of_the_folder_but_for_its_head_and_the_images_tag() {
    let documents = |yaml: &str| -> Vec<Value> { serde_saphyr::from_multiple(yaml).expect("YAML") };
    let file = text("install.yaml");
    let head: Vec<&str> = file.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(head[0].contains(&format!("alertwright {VERSION}: ")), "{head:?}");
    let folder = success(&run("kubectl", &["kustomize".as_ref(), "deploy".as_ref()]));
    let mut folder = documents(&folder);
    let deployments = folder.iter_mut().filter(|object| object["kind"] == "Deployment");
    for deployment in deployments {
        let image = &mut deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        let name = image.as_str().expect("an image");
        let (name, _) = name.split_once(':').unwrap_or((name, ""));
        *image = format!("{name}:{VERSION}").into();
    }
    assert_eq!(documents(&file), folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packaged_chart_installs_and_is_of_this_version() {
    let plane = ControlPlane::start().await.expect("a control plane");
    let chart = made().join(format!("alertwright-{VERSION}.tgz"));
    installs(&plane, &[chart.as_os_str()]).await;
}

#[test]
fn the_archive_is_a_plugin_of_kubectl_as_its_manifest_for_krew_says() {
    let manifest: Value = serde_saphyr::from_str(&text("krew.yaml")).expect("YAML");
    assert_eq!(manifest["spec"]["version"], format!("v{VERSION}"));
    let platforms = manifest["spec"]["platforms"].as_array().expect("platforms");
    assert_eq!(platforms.len(), 1, "one machine has made it: {manifest}");
    let platform = &platforms[0];
    let uri = platform["uri"].as_str().expect("an address");
    assert!(uri.ends_with(archive().file_name().and_then(OsStr::to_str).expect("a name")));
    let digest = success(&run("sha256sum", &[archive().as_os_str()]));
    assert_eq!(digest.split(' ').next(), platform["sha256"].as_str());

    let unpacked = Scratch::new("krew").expect("a folder");
    let into = unpacked.path().as_os_str();
    success(&run(
        "tar",
        &["xzf".as_ref(), archive().as_os_str(), "-C".as_ref(), into],
    ));
    for file in platform["files"].as_array().expect("files") {
        let of = |end: &str| unpacked.join(file[end].as_str().expect("a path"));
        fs::rename(of("from"), of("to")).expect("it is in the archive");
    }
    let plugin = unpacked.join(platform["bin"].as_str().expect("a name"));
    assert!(success(&run(&plugin, &["--version".as_ref()])).contains(VERSION));
    // As kubectl finds it.
    let path = std::env::var("PATH").expect("a PATH");
    let paths = format!("PATH={}:{path}", unpacked.path().display());
    let crds = run(
        "env",
        &[
            paths.as_ref(),
            "kubectl".as_ref(),
            "alertwright".as_ref(),
            "crds".as_ref(),
        ],
    );
    assert!(success(&crds).contains("kind: CustomResourceDefinition"));
}

/// The developed program has the command line; the one of the archive that tests make may be the image's.
#[test]
fn kubectl_completes_what_follows_by_what_lies_beside_the_program() {
    let folder = Scratch::new("beside").expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_alertwright"));
    let output = Command::new(root().join("deploy/release/build"))
        .args(["beside".as_ref(), folder.path().as_os_str()])
        .env("BINARY", program)
        .current_dir(root())
        .output();
    success(&output.expect("the script"));
    std::os::unix::fs::symlink(program, folder.join("alertwright")).expect("a link");
    for file in [
        "LICENSE",
        "completions/alertwright.bash",
        "completions/_alertwright",
        "completions/alertwright.fish",
        "man/alertwright.1",
        "man/alertwright-silence-end.1",
    ] {
        let size = fs::metadata(folder.join(file)).map(|about| about.len());
        assert!(size.is_ok_and(|size| size > 100), "{file}");
    }
    let kubectl = parts::path("kubectl").unwrap_or_else(|_| "kubectl".into());
    let path = std::env::var("PATH").expect("a PATH");
    let completed = Command::new(kubectl)
        .args(["__complete", "alertwright", "sil"])
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output();
    let completed = success(&completed.expect("kubectl"));
    assert!(
        completed.starts_with("silence\t") && completed.contains("\n:4"),
        "{completed}"
    );
}

#[test]
fn the_archive_of_schemas_has_one_for_each_kind_and_holds_manifests_against_them() {
    let name = format!("alertwright-{VERSION}-schemas");
    let unpacked = Scratch::new("schemas").expect("a folder");
    let archive = made().join(format!("{name}.tar.gz"));
    let into = unpacked.path().as_os_str();
    success(&run(
        "tar",
        &["xzf".as_ref(), archive.as_os_str(), "-C".as_ref(), into],
    ));
    let folder = unpacked.join(name);
    for crd in alertwright::api::crds() {
        let kind = crd.spec.names.kind.to_lowercase();
        let file = folder.join(format!("{kind}_{}.json", crd.spec.versions[0].name));
        assert!(file.is_file(), "{}", file.display());
    }
    let kubeconform = parts::path("kubeconform").expect("kubeconform");
    let location = folder.join("{{.ResourceKind}}_{{.ResourceAPIVersion}}.json");
    let rules = "deploy/examples/revel/alert-rules.yaml";
    success(&run(
        kubeconform,
        &[
            "-strict".as_ref(),
            "-schema-location".as_ref(),
            location.as_os_str(),
            rules.as_ref(),
        ],
    ));
}

#[test]
fn homebrew_gets_the_same_archive() {
    let formula = text("alertwright.rb");
    let digest = success(&run("sha256sum", &[archive().as_os_str()]));
    let digest = digest.split(' ').next().expect("a digest");
    assert!(formula.contains(&format!("sha256 \"{digest}\"")), "{formula}");
    assert!(formula.contains(&format!("version \"{VERSION}\"")), "{formula}");
    assert!(formula.contains("on_linux do"), "{formula}");
}

#[test]
fn every_file_that_is_downloaded_has_its_checksum() {
    let check = "cd \"$1\" && sha256sum --check --strict SHA256SUMS";
    let checked = success(&run(
        "bash",
        &[
            "-c".as_ref(),
            check.as_ref(),
            "check".as_ref(),
            made().as_os_str(),
        ],
    ));
    for file in [
        "install.yaml",
        "krew.yaml",
        "alertwright.rb",
        &format!("alertwright-{VERSION}.tgz"),
    ] {
        assert!(checked.contains(&format!("{file}: OK")), "{checked}");
    }
    // The notes are shown and not downloaded, and what was pushed is noted for the next step.
    let files = fs::read_dir(made()).expect("the folder");
    let names = files.map(|entry| entry.expect("an entry").file_name());
    let others = ["SHA256SUMS", "notes.md", "pushed"];
    let downloaded = names
        .filter(|name| !others.iter().any(|other| name == other))
        .count();
    assert_eq!(checked.lines().count(), downloaded, "{checked}");
}

#[test]
fn the_notes_are_the_changelogs_part_and_nothing_of_another() {
    let notes = text("notes.md");
    assert!(!notes.contains("\n## "), "{notes}");
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("the changelog");
    assert!(notes.len() > 100 && changelog.contains(notes.trim()), "{notes}");
}

#[test]
fn another_version_than_the_sources_say_is_refused() {
    let folder = Scratch::new("release").expect("a folder");
    let output = script(&["assemble", "99.0.0"], folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("Cargo.toml says version"), "{said}");
}

#[test]
fn a_release_misses_nothing_where_a_dry_run_may() {
    let folder = Scratch::new("release").expect("a folder");
    let build = root().join("deploy/release/build");
    let args = [
        build.as_os_str(),
        "assemble".as_ref(),
        VERSION.as_ref(),
        folder.path().as_os_str(),
    ];
    let mut all: Vec<&OsStr> = vec!["RELEASE=1".as_ref()];
    all.extend(args);
    let output = run("env", &all);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("there is no archive of the command line"), "{said}");
}
