//! What is pushed to a registry: the image of all architectures, and the chart, which is installed from there.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use alertwright_testbed::{ControlPlane, Scratch, parts};
use serde_json::Value;

use super::{VERSION, installs, made, root, run, success, text};

/// A registry of images, in memory.
struct Registry {
    process: Child,
    address: String,
}

impl Registry {
    fn start() -> Self {
        let program = parts::path("registry").expect("the registry");
        let mut command = Command::new(program);
        // Any port that is free; it says which.
        command.args(["-port", "0"]).stderr(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let said = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut lines = said.lines().map_while(Result::ok);
        let port = lines.find_map(|line| Some(line.split_once("on port ")?.1.trim().to_owned()));
        // What it says of each request is read, or it would stop at some point.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address: format!("localhost:{}", port.expect("a port")),
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_one_image_for_all_architectures_with_the_sbom_of_each_and_a_chart_that_installs() {
    let registry = Registry::start();
    let images = Scratch::new("images").expect("a folder");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let image = root().join(target).join("image");
    assert!(
        image.is_dir(),
        "there is no {}: run `make image`",
        image.display()
    );
    // One machine has one architecture; the index can't tell whose second image it is, and needn't.
    for architecture in ["amd64", "arm64"] {
        let to = images.join(architecture);
        success(&run("cp", &["-R".as_ref(), image.as_os_str(), to.as_os_str()]));
    }
    let folder = made();
    let names = format!("{}/letsrevel", registry.address);
    let of = format!("IMAGES={}", images.path().display());
    let script = root().join("deploy/release/publish");
    let push: [&OsStr; 7] = [
        of.as_ref(),
        "PLAIN_HTTP=1".as_ref(),
        script.as_os_str(),
        "push".as_ref(),
        VERSION.as_ref(),
        folder.as_os_str(),
        names.as_ref(),
    ];
    let printed = success(&run("env", &push));
    // As a workflow takes it for what is attested.
    assert!(
        printed.contains("image=sha256:") && printed.contains("chart=sha256:"),
        "{printed}"
    );
    let pushed = text("pushed");
    let by_digest = |what: &str| -> String {
        let mut lines = pushed.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(name, _)| *name == what);
        found
            .unwrap_or_else(|| panic!("no {what}: {pushed}"))
            .1
            .to_owned()
    };
    let oras = parts::path("oras").expect("oras");
    let fetched = |args: &[&str]| -> Value {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        serde_json::from_str(&success(&run(&oras, &args))).expect("JSON")
    };
    let index = fetched(&["manifest", "fetch", "--plain-http", &by_digest("image")]);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2), "{index}");
    assert_eq!(index["manifests"][0]["platform"]["os"], "linux", "{index}");
    for architecture in ["amd64", "arm64"] {
        let found = fetched(&[
            "discover",
            "--plain-http",
            "--format",
            "json",
            &by_digest(architecture),
        ]);
        assert!(
            found.to_string().contains("application/vnd.cyclonedx+json"),
            "{found}"
        );
    }
    let chart = fetched(&["manifest", "fetch", "--plain-http", &by_digest("chart")]);
    assert_eq!(
        chart["config"]["mediaType"],
        "application/vnd.cncf.helm.config.v1+json"
    );

    let plane = ControlPlane::start().await.expect("a control plane");
    let chart = format!("oci://{names}/charts/alertwright");
    let of = [
        chart.as_ref(),
        "--version".as_ref(),
        VERSION.as_ref(),
        "--plain-http".as_ref(),
    ];
    installs(&plane, &of).await;
}
