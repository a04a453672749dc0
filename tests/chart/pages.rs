//! The lines with helm that pages have people type, typed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Helm, parts, ran};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The command of a page's shell blocks that begins like this, in one line.
fn line(page: &str, command: &str) -> String {
    let text = fs::read_to_string(root().join(page)).expect("a page");
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| Some(rest.split_once("\n```")?.0.replace("\\\n", "")));
    let mut found: Vec<String> = blocks
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.starts_with(command))
        .collect();
    assert_eq!(found.len(), 1, "{page}: {command}");
    found.remove(0)
}

impl Helm {
    /// Types a line into a shell, in the project's folder.
    async fn types(&self, line: &str) -> String {
        let helm = parts::path("helm").expect("helm").with_file_name("");
        let path = std::env::var("PATH").expect("a PATH");
        let mut shell = self.prepared("bash");
        shell.args(["-c", line]).current_dir(root());
        shell.env("PATH", format!("{}:{path}", helm.display()));
        shell.env("KUBECONFIG", self.plane.kubeconfig());
        ran(&mut shell).await.ok()
    }

    async fn json(&self, args: &[&str]) -> Value {
        let args = [&["get", "-o", "json"][..], args].concat();
        serde_json::from_str(&self.plane.kubectl(args).await.ok()).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_types_the_lines_of_the_pages_has_the_chart_installed_upgraded_and_uninstalled() {
    let helm = Helm::start().await;
    // Where the page has its Grafana.
    helm.plane
        .kubectl(["create", "namespace", "monitoring"])
        .await
        .ok();
    let page = "docs/getting-started.md";
    helm.types(&line(page, "helm install")).await;
    let of = ["deployment", "alertwright", "-n", "monitoring"];
    let image = &helm.json(&of).await["spec"]["template"]["spec"]["containers"][0]["image"];
    let made = format!("registry.example.com/alertwright:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(*image, made, "as it is pushed two lines before");
    let of = ["grafanainstance", "default", "-n", "monitoring"];
    let spec = helm.json(&of).await["spec"].clone();
    assert_eq!(spec["url"], "http://kps-grafana");
    let login = &spec["auth"]["basic"]["username"]["secretKeyRef"]["name"];
    assert_eq!(*login, "kps-grafana");
    helm.types(&line(page, "helm uninstall")).await;

    // The types are the other release's, which has kept them; so the first one takes them over.
    let takes = " --take-ownership";
    assert!(fs::read_to_string(root().join("docs/install.md")).is_ok_and(|page| page.contains(takes)));
    for (page, more) in [
        ("README.md", takes),
        ("docs/install.md", ""),
        ("charts/alertwright/README.md", ""),
    ] {
        helm.types(&(line(page, "helm install") + more)).await;
        let of = ["grafanainstance", "default", "-n", "alertwright-system"];
        let url = helm.json(&of).await["spec"]["url"].clone();
        assert_eq!(url, "http://grafana.monitoring", "{page}");
        helm.types(&line("docs/watching.md", "helm upgrade")).await;
        let of = [
            "configmaps",
            "-n",
            "alertwright-system",
            "-l",
            "grafana_dashboard=1",
        ];
        let dashboards = helm.json(&of).await["items"].clone();
        assert_eq!(dashboards.as_array().map(Vec::len), Some(1), "{page}");
        helm.types(&line("docs/install.md", "helm uninstall")).await;
    }
}
