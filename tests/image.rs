//! The image that `make image` made: what is in it, what it says of itself, and that its binary needs nothing else.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

#[path = "image/archive.rs"]
mod archive;
#[path = "image/root.rs"]
mod root;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use alertwright_testbed::{Scratch, operator};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use archive::Archive;
use root::{Root, Server};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// 15 MiB, of which nothing is compressed.
const LARGEST: u64 = 15 * 1024 * 1024;
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

fn success(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_archive_is_an_oci_image_and_a_docker_image_of_the_same_blobs() {
    let archive = Archive::open();
    assert_eq!(archive.json("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let name = archive.index["annotations"]["io.containerd.image.name"]
        .as_str()
        .expect("a name");
    assert_eq!(
        archive.index["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(
        archive.manifest["config"]["mediaType"],
        "application/vnd.oci.image.config.v1+json"
    );
    let layers = archive.manifest["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 1);
    assert_eq!(
        layers[0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
    let blob = |of: &Value| archive::blob(of["digest"].as_str().expect("a digest"));
    assert_eq!(
        archive.json("manifest.json"),
        json!([{
            "Config": blob(&archive.manifest["config"]),
            "RepoTags": [name],
            "Layers": [blob(&layers[0])],
        }])
    );
}

#[test]
fn it_runs_the_operator_without_rights_and_says_what_it_is() {
    let Archive {
        manifest,
        config: image,
        ..
    } = Archive::open();
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    assert_eq!(
        (&image["os"], &image["architecture"]),
        (&json!("linux"), &json!(architecture))
    );
    let config = &image["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/alertwright"]));
    assert_eq!(config["Cmd"], json!(["run"]));
    assert_eq!(config["ExposedPorts"], json!({"8080/tcp": {}}));
    assert_eq!(config["Env"], Value::Null, "defaults are in the binary");
    let labels = &config["Labels"];
    assert_eq!(
        labels, &manifest["annotations"],
        "what the registry shows is what the engine shows"
    );
    let label = |name: &str| labels[format!("org.opencontainers.image.{name}")].clone();
    assert_eq!(label("title"), "alertwright");
    assert_eq!(label("version"), VERSION);
    assert_eq!(label("licenses"), "Apache-2.0");
    assert_eq!(label("source"), env!("CARGO_PKG_REPOSITORY"));
    assert_eq!(label("description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(label("created"), image["created"]);
    let revision = label("revision");
    let revision = revision.as_str().expect("a revision").trim_end_matches("-dirty");
    assert!(
        revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{revision}"
    );
}

#[test]
fn it_holds_the_binary_and_the_certificates_and_nothing_else() {
    let archive = Archive::open();
    let created = archive.config["created"].as_str().expect("a time");
    let time = created.trim_end_matches('Z').replace('T', " ");
    let size = |path: &str| fs::metadata(archive.root.join(path)).expect("a file").len();
    let expected: Vec<_> = [
        ("-rwxr-xr-x", "alertwright", size("alertwright")),
        ("drwxr-xr-x", "etc/", 0),
        ("drwxr-xr-x", "etc/ssl/", 0),
        ("drwxr-xr-x", "etc/ssl/certs/", 0),
        ("-rw-r--r--", CERTIFICATES, size(CERTIFICATES)),
    ]
    .map(|(mode, path, size)| format!("{mode} 0/0 {size} {time} {path}"))
    .into();
    assert_eq!(archive.files(), expected);
}

#[test]
fn its_binary_is_static_and_no_larger_than_15_mib_and_the_one_that_tests_run() {
    let archive = Archive::open();
    let binary = archive.root.join("alertwright");
    let size = fs::metadata(&binary).expect("the binary").len();
    assert!(size <= LARGEST, "{size} bytes");
    let mut readelf = Command::new("readelf");
    readelf
        .args(["--wide", "--program-headers", "--dynamic"])
        .arg(&binary);
    let said = success(&readelf.output().expect("readelf"));
    assert!(said.contains("LOAD"), "{said}");
    assert!(!said.contains("INTERP") && !said.contains("(NEEDED)"), "{said}");
    assert!(
        fs::read(operator::shipped().expect("the static binary")).expect("the static binary")
            == fs::read(&binary).expect("the binary"),
        "the image is older than the static binary: run `make image`"
    );
}

#[test]
fn its_binary_names_no_folder_of_the_machine_that_built_it() {
    let binary = fs::read(Archive::open().root.join("alertwright")).expect("the binary");
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .expect("a home");
    for folder in [format!("{PROJECT}/"), format!("{home}/registry/")] {
        let named = binary
            .windows(folder.len())
            .position(|bytes| bytes == folder.as_bytes());
        let around = named.map(|at| String::from_utf8_lossy(&binary[at..(at + 80).min(binary.len())]));
        assert_eq!(around, None);
    }
}

#[test]
fn its_binary_runs_where_there_is_nothing_else() {
    let root = Root::new(&Archive::open());
    let said = success(&root.run(&["--version"]));
    assert_eq!(said.trim(), format!("alertwright {VERSION}"));
}

#[test]
fn its_certificates_are_those_of_the_pinned_crate() {
    let archive = Archive::open();
    let pem = fs::read(archive.root.join(CERTIFICATES)).expect("certificates");
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .expect("PEM");
    assert!(certificates.len() > 100, "{}", certificates.len());
    let mut store = rustls::RootCertStore::empty();
    let (_, bad) = store.add_parsable_certificates(certificates);
    assert_eq!(bad, 0, "certificates that the operator can't read");
}

/// The two files that the operator's pod gets from its node are `/etc/hosts` and `/etc/resolv.conf`; this is the first.
#[test]
fn its_binary_resolves_names_and_trusts_what_the_certificates_of_the_image_sign_and_nothing_else() {
    let server = Server::start("grafana.test");
    let url = format!("https://grafana.test:{}/", server.port);
    let mut root = Root::new(&Archive::open());
    root.write("etc/hosts", "127.0.0.1 grafana.test\n");

    let refused = root.run(&["probe", &url]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "an authority of nobody was trusted");
    assert!(said.contains("UnknownIssuer"), "{said}");

    let mut certificates = root.read(CERTIFICATES);
    certificates.push_str(&server.authority());
    root.write(CERTIFICATES, &certificates);
    success(&root.run(&["probe", &url]));
}

/// Names and versions of all packages in Cargo.lock.
fn locked() -> BTreeSet<(String, String)> {
    let lock = fs::read_to_string(Path::new(PROJECT).join("Cargo.lock")).expect("Cargo.lock");
    let value = |line: &str, key: &str| {
        line.strip_prefix(key)
            .map(|value| value.trim_matches('"').to_owned())
    };
    let lines: Vec<_> = lock.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| Some((value(pair[0], "name = ")?, value(pair[1], "version = ")?)))
        .collect()
}

#[test]
fn the_sbom_lists_what_is_compiled_in_at_the_locked_versions() {
    let text = fs::read_to_string(archive::folder().join(format!("alertwright-{VERSION}.cdx.json")))
        .expect("run `make image`");
    let sbom: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    assert_eq!(
        sbom["metadata"]["component"]["bom-ref"],
        format!("path+file:///alertwright#alertwright@{VERSION}"),
        "a folder of this machine"
    );
    assert_eq!(sbom["metadata"]["component"]["name"], "alertwright");
    let listed: BTreeSet<_> = sbom["components"]
        .as_array()
        .expect("components")
        .iter()
        .map(|part| (part["name"].clone(), part["version"].clone()))
        .map(|(name, version)| {
            let text = |value: Value| value.as_str().expect("a string").to_owned();
            (text(name), text(version))
        })
        .collect();
    let strangers: Vec<_> = listed.difference(&locked()).cloned().collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    let names: BTreeSet<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "kube",
        "opentelemetry-otlp",
        "reqwest",
        "serde",
        "rustls",
        "tokio",
    ] {
        assert!(names.contains(name), "{name} is missing");
    }
    for name in ["alertwright-testbed", "insta", "proptest", "windows-sys"] {
        assert!(!names.contains(name), "{name} is not shipped");
    }
}

#[test]
fn the_sbom_is_attached_to_the_image_in_the_layout() {
    let image = Archive::open().index["digest"].clone();
    let layout = archive::folder().join("layout");
    let read = |path: &str| -> Value {
        let text = fs::read(layout.join(path)).expect("a file of the layout");
        serde_json::from_slice(&text).expect("JSON")
    };
    let index = read("index.json");
    let manifests = index["manifests"].as_array().expect("manifests");
    assert!(manifests.iter().any(|manifest| manifest["digest"] == image));
    let attached: Vec<_> = manifests
        .iter()
        .map(|manifest| read(&archive::blob(manifest["digest"].as_str().expect("a digest"))))
        .filter(|manifest| manifest["subject"]["digest"] == image)
        .collect();
    assert_eq!(attached.len(), 1);
    assert_eq!(attached[0]["artifactType"], "application/vnd.cyclonedx+json");
    let blob = archive::blob(attached[0]["layers"][0]["digest"].as_str().expect("a digest"));
    let beside = archive::folder().join(format!("alertwright-{VERSION}.cdx.json"));
    assert_eq!(
        fs::read(layout.join(blob)).expect("the SBOM attached"),
        fs::read(beside).expect("the SBOM beside")
    );
}

#[test]
fn made_twice_of_one_binary_it_is_the_same_to_the_last_byte() {
    let made = ["first", "second"].map(|name| {
        let scratch = Scratch::new(name).expect("a folder");
        let mut build = Command::new(Path::new(PROJECT).join("deploy/image/build"));
        let output = build.arg("--into").arg(scratch.path()).output().expect("bash");
        println!("{}", success(&output));
        scratch
    });
    for file in [
        format!("alertwright-{VERSION}.tar"),
        format!("alertwright-{VERSION}.cdx.json"),
        "layout/index.json".to_owned(),
    ] {
        let [first, second] = made
            .each_ref()
            .map(|scratch| fs::read(scratch.join(&file)).expect("a file"));
        assert!(first == second, "{file} differs");
    }
}
